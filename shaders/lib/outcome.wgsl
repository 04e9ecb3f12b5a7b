// theta_m at the position at hand, after `visit`: slack, disjoint merge and the other methods (merging.md sections 4, 6 and 7).

override RESERVES: bool;

// Whether the slack gives the position back, and the f32 bits of what the other models lose by it: sum of |w_i tau^_i|.
var<private> p_given_back: bool;
var<private> p_loss: u32;

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

// f32 bits of theta_m.
fn outcome(index: u32) -> u32 {
  p_given_back = false;
  if (!ELECTS) {
    var mean = p_e;
    if (o_normalize && !counts_as_one(p_weight_positive)) { mean = divide(p_e, p_weight_positive); }
    if (!TASK_VECTORS) { return select(mean, p_base, p_kept == 0u); }
    return apply(mean);
  }
  var positive = elects_positive();
  if (RESERVES && is_reservable(o_prefer)) {
    let key = slack_key();
    if (key > o_slack.threshold || (key == o_slack.threshold && index < o_slack.cutoff)) {
      // The others lose what agreed with the election; the preferred model's sign is the other one.
      p_given_back = true;
      p_loss = select(p_sum_negative, p_sum_positive, positive) & MAGNITUDE;
      positive = !positive;
    }
  }
  var tau = select(p_sum_negative, p_sum_positive, positive);
  if (p_nonfinite != 0u) {
    tau = nonfinite_tau(p_nonfinite);
  } else if (o_normalize) {
    let weight = select(p_weight_negative, p_weight_positive, positive);
    if (!is_zero(weight)) { tau = divide(tau, weight); }
  }
  return apply(tau);
}

// A sum of weights of 0; in task arithmetic any below 1e-8 (merging.md section 7).
fn counts_as_one(weight: u32) -> bool {
  return (weight & MAGNITUDE) < select(1u, 0x322bcc77u, TASK_VECTORS);
}

fn divide(a: u32, b: u32) -> u32 {
  if (b == ONE) { return a; }
  return f32_divide(a, b);
}

// NaN if any model has NaN or both infinities meet, else the infinity (merging.md section 8).
fn nonfinite_tau(flags: u32) -> u32 {
  if ((flags & 1u) == 1u || (flags & 6u) == 6u) { return QUIET_NAN; }
  return select(INFINITY, SIGN | INFINITY, (flags & 4u) != 0u);
}

// theta_init + lambda * tau_m; the base's own bits where nothing is added.
fn apply(tau: u32) -> u32 {
  if (is_zero(tau)) { return p_base; }
  var scaled = tau;
  if (o_lambda != ONE) { scaled = f32_multiply(tau, o_lambda); }
  return f32_add(p_base, scaled);
}
