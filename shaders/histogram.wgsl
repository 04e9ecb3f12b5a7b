// histogram: one workgroup counts, for one block, how many keys have each value of the digit under selection.
//
// Bindings: 0 arena, raw input words; 1 blocks; 2 segments; 3 slots; 4 state, one Selection a lane and slot (read);
//   5 histograms, BINS u32 counts a slot, added to; 7 notes; 8 work.
// Overrides: MODELS, IN_DTYPE, TASK_VECTORS, ELECTS, RESCALES, SLACK, SHARED_BINS.
// Dispatch: one workgroup of 256 a block of 8,192 elements, in x then y; once per lane, digit and chunk.
// Exact. Implements merging.md sections 2 (trim) and 6 (slack); oracle: src/reference/trim.ts and slack.ts.

@group(0) @binding(5) var<storage, read_write> histograms: array<atomic<u32>>;

@compute @workgroup_size(256)
fn histogram(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let at = block_index(workgroup);
  if (at >= work.end_block) { return; }
  let block = blocks[at];
  if (!is_ranked(block.segment)) { return; }
  let slot = segments[block.segment].slot;
  let shift = work.shift;
  let size = 1u << work.digit_bits;
  // The digits above this one must be those found so far; above the first there are none, keys have 31 bits.
  let above = min(shift + work.digit_bits, 31u);
  let prefix = state[selection_of(work.lane, slot)].threshold >> above;
  fetch_keys(block.segment);
  let end = min(block.pair + BLOCK / 2u, (b_count + 1u) / 2u);
  for (var pair = block.pair + thread; ; pair += THREADS) {
    pair = next(pair, end);
    if (pair >= end) { break; }
    let keys = ranked_keys(block.number, pair);
    // NOT_RANKED has a bit above all keys', so it matches no prefix.
    if ((keys.x >> above) == prefix) { count_digit((keys.x >> shift) & (size - 1u), slot * BINS); }
    if ((keys.y >> above) == prefix) { count_digit((keys.y >> shift) & (size - 1u), slot * BINS); }
  }
  publish_digits(thread, size, slot * BINS);
}
