// Counting (merging.md section 5): bytes in a thread's registers, 16-bit halves in the workgroup, u32 a segment.

// Counts of a segment, u32 each; model by model from PER_MODEL on.
const CONFLICT = 0u;
const RESERVED = 1u;
const OVERFLOW = 2u;
const NONFINITE = 3u;     // 9 inputs, base first
const PER_MODEL = 12u;    // kept, nonzero, won, discarded; 8 models
const COUNTS = 44u;

@group(0) @binding(6) var<storage, read_write> counts: array<atomic<u32>>;

var<workgroup> shared_models: array<atomic<u32>, 16>;
var<workgroup> shared_other: array<atomic<u32>, 2>;
var<workgroup> shared_nonfinite: array<atomic<u32>, 9>;

struct Tally {
  models: array<u32, 8>,  // bytes: kept, nonzero, won, discarded
  other: u32,             // bytes: conflict, reserved, overflow
}

// One position: agreement and discarding are those before the slack gives anything back.
fn tally(t: ptr<function, Tally>, p: Position) {
  let conflict = p.tau_positive != 0u && p.tau_negative != 0u;
  var agreeing = 0u;
  var discarded = 0u;
  if (ELECTS) {
    agreeing = p.models[elected_side(p)];
    discarded = p.nonzero & ~agreeing;
  }
  let won = select(0u, agreeing, conflict);
  for (var m = 0u; m < MODELS; m++) {
    (*t).models[m] += ((p.kept >> m) & 1u) | (((p.nonzero >> m) & 1u) << 8u)
      | (((won >> m) & 1u) << 16u) | (((discarded >> m) & 1u) << 24u);
  }
  (*t).other += select(0u, 1u, conflict);
  var inputs = p.nonfinite_inputs;
  while (inputs != 0u) {
    atomicAdd(&shared_nonfinite[firstTrailingBit(inputs)], 1u);
    inputs &= inputs - 1u;
  }
}

fn share_tally(t: ptr<function, Tally>) {
  for (var m = 0u; m < MODELS; m++) {
    let c = (*t).models[m];
    if (c != 0u) {
      atomicAdd(&shared_models[2u * m], (c & 0xffu) | (((c >> 8u) & 0xffu) << 16u));
      atomicAdd(&shared_models[2u * m + 1u], ((c >> 16u) & 0xffu) | ((c >> 24u) << 16u));
    }
  }
  let c = (*t).other;
  if (c != 0u) {
    atomicAdd(&shared_other[0], (c & 0xffu) | (((c >> 8u) & 0xffu) << 16u));
    atomicAdd(&shared_other[1], (c >> 16u) & 0xffu);
  }
}

fn add_count(at: u32, n: u32) {
  if (n != 0u) { atomicAdd(&counts[at], n); }
}
// After a barrier: threads below 28 each add some of the workgroup's counts to the segment's.
fn publish_tally(segment: u32, thread: u32) {
  let at = segment * COUNTS;
  if (thread < 16u) {
    let c = atomicLoad(&shared_models[thread]);
    add_count(at + PER_MODEL + 2u * thread, c & 0xffffu);
    add_count(at + PER_MODEL + 2u * thread + 1u, c >> 16u);
  } else if (thread == 16u) {
    let c = atomicLoad(&shared_other[0]);
    add_count(at + CONFLICT, c & 0xffffu);
    add_count(at + RESERVED, c >> 16u);
  } else if (thread == 17u) {
    add_count(at + OVERFLOW, atomicLoad(&shared_other[1]));
  } else if (thread < 27u) {
    add_count(at + NONFINITE + thread - 18u, atomicLoad(&shared_nonfinite[thread - 18u]));
  }
}
