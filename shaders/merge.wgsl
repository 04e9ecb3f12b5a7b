// merge: one thread takes pairs of neighbouring elements through trim, elect, slack and disjoint merge, counts them, and
// writes the merged values in the output dtype.
//
// Bindings: 0 arena, raw input words; 1 blocks; 2 segments; 3 slots; 4 state, one Selection a lane and slot (read);
//   5 merged, output words: two 16-bit values or one f32 value each; 6 counts, COUNTS u32 a segment, added to;
//   7 costs, one f32 a thread of each block: sum of |w_i tau^_i| over reserved positions of the models not preferred; 8 work.
// Overrides: MODELS, ALL_BF16, TASK_VECTORS, ELECTS, RESCALES, RESERVES, WRITES.
// Dispatch: one workgroup of 256 a block of 8,192 elements, in x then y; once a chunk, after every selection.
// Kept sets, elections, reserved sets and counts are exact; values within section 8 of merging.md, exact where the
// arithmetic is by integers or the probe found division exact. Implements sections 3 to 7; oracle: src/reference/merge.ts.

override RESERVES: bool;
override WRITES: bool;

@group(0) @binding(5) var<storage, read_write> merged: array<u32>;
@group(0) @binding(7) var<storage, read_write> costs: array<f32>;

// Sum over the thread's reserved positions.
var<private> cost: f32;

// f32 bits of theta_m at the position at hand; the slack is counted on the way.
fn outcome(prefer: u32, lambda: u32, normalize: bool, slack: Selection, index: u32) -> u32 {
  if (!ELECTS) {
    var mean = p_e;
    if (normalize && !counts_as_one(p_weight_positive)) { mean = divide(p_e, p_weight_positive); }
    if (!TASK_VECTORS) { return select(mean, p_base, p_kept == 0u); }
    return apply(mean, lambda);
  }
  var positive = elects_positive();
  if (RESERVES && is_reservable(prefer)) {
    let key = slack_key();
    if (key > slack.threshold || (key == slack.threshold && index < slack.cutoff)) {
      // The others lose what agreed with the election; the preferred model's sign is the other one.
      t_reserved++;
      cost += abs(bitcast<f32>(select(p_sum_negative, p_sum_positive, positive)));
      positive = !positive;
    }
  }
  var tau = select(p_sum_negative, p_sum_positive, positive);
  if (p_nonfinite != 0u) {
    tau = nonfinite_tau(p_nonfinite);
  } else if (normalize) {
    let weight = select(p_weight_negative, p_weight_positive, positive);
    if (!is_zero(weight)) { tau = divide(tau, weight); }
  }
  return apply(tau, lambda);
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
fn apply(tau: u32, lambda: u32) -> u32 {
  if (is_zero(tau)) { return p_base; }
  var scaled = tau;
  if (lambda != ONE) { scaled = f32_multiply(tau, lambda); }
  return f32_add(p_base, scaled);
}

@compute @workgroup_size(256)
fn merge(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let at = block_index(workgroup);
  if (at >= work.end_block) { return; }
  let block = blocks[at];
  let slot = segments[block.x].slot;
  let first = segments[block.x].first;
  let count = segments[block.x].count;
  let output = segments[block.x].output;
  let base_at = stream_at(block.x, base_input(block.x));
  let base_dtype = stream_dtype(block.x, base_input(block.x));
  let out_dtype = slots[slot].out_dtype;
  let prefer = slots[slot].prefer;
  let lambda = slots[slot].lambda;
  let normalize = slots[slot].normalize == 1u;
  // No key reaches the largest threshold with nothing under its cutoff: nothing is given back.
  var slack = Selection(MAGNITUDE, 0u, 0u, 0u);
  if (RESERVES && ((slots[slot].trimmed >> SLACK_LANE) & 1u) == 1u) { slack = state[selection_of(SLACK_LANE, slot)]; }
  t_counts = block.x * COUNTS;
  let end = min(block.y + BLOCK / 2u, (count + 1u) / 2u);
  for (var pair = block.y + thread; pair < end; pair += THREADS) {
    let bases = load_pair(base_at, base_dtype, pair);
    var words = vec2(0u, 0u);
    for (var half = 0u; half < 2u && 2u * pair + half < count; half++) {
      let index = first + 2u * pair + half;
      visit(block.x, slot, select(bases.x, bases.y, half == 1u), pair, half, index);
      let value = outcome(prefer, lambda, normalize, slack, index);
      tally();
      if (WRITES) {
        t_overflow += select(0u, 1u, overflows(value, out_dtype));
        let word = encode(value, out_dtype);
        if (half == 0u) { words.x = word; } else { words.y = word; }
      }
    }
    if (WRITES) {
      if (out_dtype == F32) {
        merged[output + 2u * pair] = words.x;
        merged[output + 2u * pair + 1u] = words.y;
      } else {
        merged[output + pair] = words.x | (words.y << 16u);
      }
    }
  }
  share_tally();
  if (RESERVES) { costs[at * THREADS + thread] = cost; }
  workgroupBarrier();
  publish_tally(thread);
}
