// ties: one workgroup counts, for one block, the keys that equal the threshold.
//
// Bindings: 0 arena; 1 blocks; 2 segments; 3 slots; 4 state (read); 5 tie_counts, one u32 a block of the group, written; 8 work.
// Overrides: MODELS, TASK_VECTORS, ELECTS, RESCALES, SLACK.
// Dispatch: one workgroup of 256 a block of 8,192 elements, in x then y; once per lane and chunk.
// Exact. Implements "equal magnitudes by lowest flat index" of merging.md sections 2 and 6; oracle: src/reference/trim.ts.

@group(0) @binding(5) var<storage, read_write> tie_counts: array<u32>;

var<workgroup> total: atomic<u32>;

@compute @workgroup_size(256)
fn ties(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let at = block_index(workgroup);
  if (at >= work.end_block) { return; }
  let block = blocks[at];
  var count = 0u;
  if (is_ranked(block.x)) {
    let threshold = state[selection_of(work.lane, segments[block.x].slot)].threshold;
    let end = min(block.y + BLOCK / 2u, (segments[block.x].count + 1u) / 2u);
    for (var pair = block.y + thread; pair < end; pair += THREADS) {
      for (var half = 0u; half < 2u; half++) {
        let key = ranked_key(block.x, pair, half);
        count += select(0u, 1u, key.ranked && key.value == threshold);
      }
    }
  }
  if (count > 0u) { atomicAdd(&total, count); }
  workgroupBarrier();
  if (thread == 0u) { tie_counts[work.block_base + at] = atomicLoad(&total); }
}
