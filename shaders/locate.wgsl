// locate: one workgroup finds, for one slot, the index after the last tie kept, where its block is in the chunk.
//
// Bindings: 0 arena; 1 blocks; 2 segments; 3 slots; 4 state, read by the keys of the slack; 6 found, a copy of state with the blocks
//   of the last ties kept (settle.wgsl), updated; 8 work.
// Overrides: MODELS, IN_DTYPE, TASK_VECTORS, ELECTS, RESCALES, SLACK.
// Dispatch: one workgroup of 256 a slot, in x then y; in every chunk, before the first pass over it that asks what is kept.
// One block a slot: by integers on every adapter. Exact. Implements "equal magnitudes by lowest flat index" of merging.md sections
// 2 and 6; oracle: src/reference/trim.ts.

@group(0) @binding(6) var<storage, read_write> found: array<Selection>;

var<workgroup> counts: array<u32, THREADS>;

@compute @workgroup_size(256)
fn find_index(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let slot = workgroup.x + workgroup.y * work.row;
  if (slot >= work.slot_count) { return; }
  if (((slots[slot].trimmed >> work.lane) & 1u) == 0u) { return; }
  let place = selection_of(work.lane, slot);
  let mine = found[place];
  let at = mine.cut_block - work.block_base;
  // The block may be in another chunk.
  let here = mine.remaining > 0u && mine.cut_block >= work.block_base
    && at < work.end_block;
  var block = blocks[0];
  if (here) { block = blocks[at]; }
  f_zero = work.zero;
  fetch_keys(block.segment);
  // Neighbouring pairs to one thread, so that threads are in index order. Bit i: element i of the thread is a tie.
  var ties = 0u;
  let begin = block.pair + thread * PAIRS_PER_THREAD;
  if (here) {
    let end = min(PAIRS_PER_THREAD, max((b_count + 1u) / 2u, begin) - begin);
    for (var i = 0u; i < end; i++) {
      let keys = ranked_keys(block.number, begin + i);
      ties |= select(0u, 1u << (2u * i), keys.x == mine.threshold) | select(0u, 2u << (2u * i), keys.y == mine.threshold);
    }
  }
  counts[thread] = countOneBits(ties);
  workgroupBarrier();
  if (!here) { return; }
  var before = 0u;
  for (var i = 0u; i < thread; i++) { before += counts[i]; }
  if (before >= mine.remaining || before + countOneBits(ties) < mine.remaining) { return; }
  // Drop the ties before the last one kept.
  for (var skip = mine.remaining - before - 1u; skip > 0u; skip--) { ties &= ties - 1u; }
  found[place].cutoff = b_first + 2u * begin + firstTrailingBit(ties) + 1u;
}
