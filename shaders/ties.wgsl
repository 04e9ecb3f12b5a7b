// ties: one workgroup counts, for one block, the keys that equal the threshold.
//
// Bindings: 0 arena; 1 blocks; 2 segments; 3 slots; 4 state (read); 5 tie_counts, one u32 a block of the group, added to; 7 notes; 8 work.
// Overrides: MODELS, IN_DTYPE, TASK_VECTORS, ELECTS, RESCALES, SLACK.
// Dispatch: one workgroup of 256 a block of 8,192 elements, in x then y; once per lane and chunk.
// Exact. Implements "equal magnitudes by lowest flat index" of merging.md sections 2 and 6; oracle: src/reference/trim.ts.

@group(0) @binding(5) var<storage, read_write> tie_counts: array<atomic<u32>>;

@compute @workgroup_size(256)
fn ties(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let at = block_index(workgroup);
  if (at >= work.end_block) { return; }
  let block = blocks[at];
  if (!is_ranked(block.segment)) { return; }
  fetch_keys(block.segment);
  var count = 0u;
  let threshold = state[selection_of(work.lane, k_slot)].threshold;
  let end = min(block.pair + BLOCK / 2u, (b_count + 1u) / 2u);
  for (var pair = block.pair + thread; ; pair += THREADS) {
    pair = next(pair, end);
    if (pair >= end) { break; }
    let keys = ranked_keys(block.number, pair);
    count += select(0u, 1u, keys.x == threshold) + select(0u, 1u, keys.y == threshold);
  }
  // Few threads have any: nothing to gain from gathering.
  if (count > 0u) { atomicAdd(&tie_counts[work.block_base + block.number], count); }
}
