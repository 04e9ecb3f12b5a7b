// Conflicts pair by pair (merging.md section 5), for more than two models: a byte a pair in a thread's registers, then the
// workgroup's sums. Pair (i, j), i < j, is number j * (j - 1) / 2 + i, whatever the number of models.

var<workgroup> shared_pairs: array<atomic<u32>, PAIRS>;

// For model j, one byte for each model before it of the opposite sign.
var<private> t_against: array<vec2<u32>, 8>;

fn tally_pairs() {
  for (var j = 1u; j < MODELS; j++) {
    let positive = (p_tau_positive >> vec2(j)) & vec2(1u);
    let negative = (p_tau_negative >> vec2(j)) & vec2(1u);
    let opposite = (p_tau_negative & (vec2(0u) - positive)) | (p_tau_positive & (vec2(0u) - negative));
    t_against[j] += spread(opposite & vec2((1u << j) - 1u));
  }
}

fn share_pairs() {
  for (var j = 1u; j < MODELS; j++) {
    for (var i = 0u; i < j; i++) {
      let count = byte(t_against[j], i);
      if (count != 0u) { atomicAdd(&shared_pairs[j * (j - 1u) / 2u + i], count); }
    }
  }
}

// After a barrier.
fn publish_pairs(thread: u32) {
  if (thread < PAIRS) { add_count(t_counts + BETWEEN + thread, atomicLoad(&shared_pairs[thread])); }
}
