// merge: one thread takes pairs of neighbouring elements through trim, elect, slack and disjoint merge, counts them, and
// writes the merged values in the output dtype.
//
// Bindings: 0 arena, raw input words; 1 blocks; 2 segments; 3 slots; 4 state, one Selection a lane and slot (read);
//   5 merged, output words: two 16-bit values or one f32 value each; 6 counts, COUNTS u32 a segment, added to;
//   7 costs, one f32 a block of the chunk: sum of |w_i tau^_i| over reserved positions of the models not preferred; 8 work.
// Overrides: MODELS, TASK_VECTORS, ELECTS, RESCALES, RESERVES, WRITES.
// Dispatch: one workgroup of 256 a block of 8,192 elements, in x then y; once a chunk, after every selection.
// Kept sets, elections, reserved sets and counts are exact; values within section 8 of merging.md, exact where the
// arithmetic is by integers or the probe found division exact. Implements sections 3 to 7; oracle: src/reference/merge.ts.

override RESERVES: bool;
override WRITES: bool;

@group(0) @binding(5) var<storage, read_write> merged: array<u32>;
@group(0) @binding(7) var<storage, read_write> costs: array<f32>;

var<workgroup> shared_costs: array<f32, THREADS>;

struct Outcome { value: u32, reserved: bool, cost: f32 }

// f32 bits of theta_m, and whether the slack gave the position back.
fn outcome(p: Position, slot: u32, index: u32) -> Outcome {
  if (!ELECTS) {
    var mean = p.e;
    if (slots[slot].normalize == 1u && !counts_as_one(p.weights[0])) { mean = divide(p.e, p.weights[0]); }
    if (!TASK_VECTORS) { return Outcome(select(mean, p.base, p.kept == 0u), false, 0f); }
    return Outcome(apply(p.base, mean, slots[slot].lambda), false, 0f);
  }
  var side = elected_side(p);
  var reserved = false;
  var cost = 0f;
  if (RESERVES && ((slots[slot].trimmed >> SLACK_LANE) & 1u) == 1u && is_reservable(p, slots[slot].prefer)) {
    reserved = is_kept(selection_of(SLACK_LANE, slot), slack_key(p), index);
    if (reserved) {
      // The others lose what agreed with the election; the preferred model's sign is the other one.
      cost = abs(bitcast<f32>(p.sums[side]));
      side = 1u - side;
    }
  }
  var tau = p.sums[side];
  if (p.nonfinite != 0u) {
    tau = nonfinite_tau(p.nonfinite);
  } else if (slots[slot].normalize == 1u) {
    if (!is_zero(p.weights[side])) { tau = divide(tau, p.weights[side]); }
  }
  return Outcome(apply(p.base, tau, slots[slot].lambda), reserved, cost);
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
fn apply(base: u32, tau: u32, lambda: u32) -> u32 {
  if (is_zero(tau)) { return base; }
  var scaled = tau;
  if (lambda != ONE) { scaled = f32_multiply(tau, lambda); }
  return f32_add(base, scaled);
}

@compute @workgroup_size(256)
fn merge(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let at = block_index(workgroup);
  if (at >= work.end_block) { return; }
  let block = blocks[at];
  let slot = segments[block.x].slot;
  let count = segments[block.x].count;
  let out_dtype = slots[slot].out_dtype;
  let output = segments[block.x].output;
  var t = Tally();
  var cost = 0f;
  let end = min(block.y + BLOCK / 2u, (count + 1u) / 2u);
  for (var pair = block.y + thread; pair < end; pair += THREADS) {
    let index = segments[block.x].first + 2u * pair;
    var words = array<u32, 2>();
    for (var half = 0u; half < 2u && 2u * pair + half < count; half++) {
      let p = position(block.x, pair, half);
      let o = outcome(p, slot, index + half);
      tally(&t, p);
      t.other += select(0u, 0x100u, o.reserved);
      cost += o.cost;
      if (WRITES) {
        t.other += select(0u, 0x10000u, overflows(o.value, out_dtype));
        words[half] = encode(o.value, out_dtype);
      }
    }
    if (WRITES) {
      if (out_dtype == F32) {
        merged[output + 2u * pair] = words[0];
        merged[output + 2u * pair + 1u] = words[1];
      } else {
        merged[output + pair] = words[0] | (words[1] << 16u);
      }
    }
  }
  share_tally(&t);
  shared_costs[thread] = cost;
  workgroupBarrier();
  publish_tally(block.x, thread);
  if (RESERVES && thread == 0u) {
    var sum = 0f;
    for (var i = 0u; i < THREADS; i++) { sum += shared_costs[i]; }
    costs[at] = sum;
  }
}
