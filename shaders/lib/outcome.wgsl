// theta_m of the pair at hand, after `visit`: slack, disjoint merge and the other methods (merging.md sections 4, 6 and 7).

override RESERVES: bool;

// Whether the slack gives the position back, and the f32 bits of what the other models lose by it: sum of |w_i tau^_i|.
var<private> p_given_back: vec2<bool>;
var<private> p_loss: vec2<u32>;

// Parameters of a slot that `outcome` asks for, fetched once a block.
var<private> o_prefer: u32;
var<private> o_lambda: u32;
var<private> o_normalize: bool;
var<private> o_slack: Selection;

fn fetch_outcome(slot: u32) {
  o_prefer = slots[slot].prefer;
  o_lambda = slots[slot].lambda;
  o_normalize = slots[slot].normalize == 1u;
  // No key reaches the largest threshold with nothing under its cutoff: nothing is given back.
  o_slack = Selection(MAGNITUDE, 0u, 0u, 0u);
  if (RESERVES && ((slots[slot].trimmed >> SLACK_LANE) & 1u) == 1u) { o_slack = state[selection_of(SLACK_LANE, slot)]; }
}

// f32 bits of theta_m; `index` is the first element's.
fn outcome(index: u32) -> vec2<u32> {
  p_given_back = vec2(false);
  if (!ELECTS) {
    var mean = p_e;
    if (o_normalize) { mean = pair_divide(mean, select(p_weight_positive, vec2(ONE), count_as_one(p_weight_positive))); }
    if (!TASK_VECTORS) { return select(mean, p_base, p_kept == vec2(0u)); }
    return apply(mean);
  }
  var positive = elects_positive();
  if (RESERVES) {
    p_given_back = are_reservable(o_prefer) & are_kept(o_slack.threshold, o_slack.cutoff, slack_keys(), index);
    // The others lose what agreed with the election; the preferred model's sign is the other one.
    p_loss = select(p_sum_negative, p_sum_positive, positive) & vec2(MAGNITUDE);
    positive = positive != p_given_back;
  }
  var tau = select(p_sum_negative, p_sum_positive, positive);
  if (o_normalize) {
    let weight = select(p_weight_negative, p_weight_positive, positive);
    tau = pair_divide(tau, select(weight, vec2(ONE), are_zero(weight)));
  }
  if (EDGES) { tau = select(tau, nonfinite_tau(p_nonfinite), p_nonfinite != vec2(0u)); }
  return apply(tau);
}

// A sum of weights of 0; in task arithmetic any below 1e-8 (merging.md section 7).
fn count_as_one(weight: vec2<u32>) -> vec2<bool> {
  return (weight & vec2(MAGNITUDE)) < vec2(select(1u, 0x322bcc77u, TASK_VECTORS));
}

// NaN if any model has NaN or both infinities meet, else the infinity (merging.md section 8).
fn nonfinite_tau(flags: vec2<u32>) -> vec2<u32> {
  let nan = ((flags & vec2(1u)) == vec2(1u)) | ((flags & vec2(6u)) == vec2(6u));
  let infinity = select(vec2(INFINITY), vec2(SIGN | INFINITY), (flags & vec2(4u)) != vec2(0u));
  return select(infinity, vec2(QUIET_NAN), nan);
}

// theta_init + lambda * tau_m; the base's own bits where nothing is added.
fn apply(tau: vec2<u32>) -> vec2<u32> {
  var scaled = tau;
  if (o_lambda != ONE) { scaled = pair_multiply(tau, vec2(o_lambda)); }
  return select(pair_add(p_base, scaled), p_base, are_zero(tau));
}
