// Counting (merging.md section 5): bytes in a thread's registers, 16-bit halves in the workgroup, u32 a segment.

// Counts of a segment, u32 each; model by model from PER_MODEL on.
const CONFLICT = 0u;
const RESERVED = 1u;
const OVERFLOW = 2u;
const NONFINITE = 3u;     // 9 inputs, base first
const PER_MODEL = 12u;    // kept, nonzero, won, discarded; 8 models
const BETWEEN = 44u;      // 28 pairs of models
const PAIRS = 28u;
const COUNTS = 72u;

@group(0) @binding(6) var<storage, read_write> counts: array<atomic<u32>>;

var<workgroup> shared_models: array<atomic<u32>, 16>;
var<workgroup> shared_other: atomic<u32>;

// A thread's counts, one byte a model: models 0 to 3, then 4 to 7. A thread sees 32 positions at most.
var<private> t_kept: vec2<u32>;
var<private> t_nonzero: vec2<u32>;
var<private> t_won: vec2<u32>;
var<private> t_discarded: vec2<u32>;
// First of the segment's counts.
var<private> t_counts: u32;
var<private> t_conflict: u32;
var<private> t_reserved: u32;
var<private> t_overflow: u32;

// One byte for each of the masks' low 8 bits, added over both elements.
fn spread(masks: vec2<u32>) -> vec2<u32> {
  let low = (((masks & vec2(15u)) * 0x204081u) & vec2(0x01010101u));
  var high = vec2(0u);
  if (MODELS > 4u) { high = ((((masks >> vec2(4u)) & vec2(15u)) * 0x204081u) & vec2(0x01010101u)); }
  return vec2(low.x + low.y, high.x + high.y);
}

// The pair at hand: agreement and discarding are those before the slack gives anything back.
fn tally() {
  let conflict = (p_tau_positive != vec2(0u)) & (p_tau_negative != vec2(0u));
  t_kept += spread(p_kept);
  t_nonzero += spread(p_nonzero);
  if (ELECTS) {
    let agreeing = select(p_negative, p_positive, elects_positive());
    t_discarded += spread(p_nonzero & ~agreeing);
    t_won += spread(select(vec2(0u), agreeing, conflict));
  }
  t_conflict += ones(conflict);
  tally_pairs();
  if (EDGES) {
    for (var half = 0u; half < 2u; half++) {
      var inputs = p_nonfinite_inputs[half];
      while (inputs != 0u) {
        add_count(t_counts + NONFINITE + firstTrailingBit(inputs), 1u);
        inputs &= inputs - 1u;
      }
    }
  }
}

fn byte(counts: vec2<u32>, model: u32) -> u32 {
  return (select(counts.x, counts.y, model > 3u) >> (8u * (model & 3u))) & 0xffu;
}

// What a thread counted, to the workgroup's memory.
fn share_tally() {
  for (var m = 0u; m < MODELS; m++) {
    atomicAdd(&shared_models[2u * m], byte(t_kept, m) | (byte(t_nonzero, m) << 16u));
    atomicAdd(&shared_models[2u * m + 1u], byte(t_won, m) | (byte(t_discarded, m) << 16u));
  }
  atomicAdd(&shared_other, t_conflict | (t_reserved << 16u));
  share_pairs();
  // Seldom any.
  add_count(t_counts + OVERFLOW, t_overflow);
}

fn add_count(at: u32, n: u32) {
  if (n != 0u) { atomicAdd(&counts[at], n); }
}
// After a barrier: threads below 17 each add some of the workgroup's counts to the segment's.
fn publish_tally(thread: u32) {
  if (thread < 16u) {
    let c = atomicLoad(&shared_models[thread]);
    add_count(t_counts + PER_MODEL + 2u * thread, c & 0xffffu);
    add_count(t_counts + PER_MODEL + 2u * thread + 1u, c >> 16u);
  } else if (thread == 16u) {
    let c = atomicLoad(&shared_other);
    add_count(t_counts + CONFLICT, c & 0xffffu);
    add_count(t_counts + RESERVED, c >> 16u);
  }
  publish_pairs(thread);
}
