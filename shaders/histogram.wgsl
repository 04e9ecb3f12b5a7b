// histogram: one workgroup counts, for one block, how many keys have each value of the digit under selection.
//
// Bindings: 0 arena, raw input words; 1 blocks; 2 segments; 3 slots; 4 state, one Selection a lane and slot (read);
//   5 histograms, BINS u32 counts a slot, added to; 8 work.
// Overrides: MODELS, TASK_VECTORS, ELECTS, RESCALES, SLACK.
// Dispatch: one workgroup of 256 a block of 8,192 elements, in x then y; once per lane, digit and chunk.
// Exact. Implements merging.md sections 2 (trim) and 6 (slack); oracle: src/reference/trim.ts and slack.ts.

@group(0) @binding(5) var<storage, read_write> histograms: array<atomic<u32>>;

var<workgroup> bins: array<atomic<u32>, BINS>;

fn count_key(key: u32, prefix: u32) {
  let above = work.shift + work.digit_bits;
  // The first digit has nothing above it: keys have 31 bits.
  if (above < 31u && (key >> above) != (prefix >> above)) { return; }
  atomicAdd(&bins[(key >> work.shift) & ((1u << work.digit_bits) - 1u)], 1u);
}

@compute @workgroup_size(256)
fn histogram(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let at = block_index(workgroup);
  if (at >= work.end_block) { return; }
  let block = blocks[at];
  if (!is_ranked(block.x)) { return; }
  let slot = segments[block.x].slot;
  let prefix = state[selection_of(work.lane, slot)].threshold;
  let size = 1u << work.digit_bits;
  for (var b = thread; b < size; b += THREADS) { atomicStore(&bins[b], 0u); }
  workgroupBarrier();
  let pairs = (segments[block.x].count + 1u) / 2u;
  let end = min(block.y + BLOCK / 2u, pairs);
  for (var pair = block.y + thread; pair < end; pair += THREADS) {
    for (var half = 0u; half < 2u; half++) {
      let key = ranked_key(block.x, pair, half);
      if (key.ranked) { count_key(key.value, prefix); }
    }
  }
  workgroupBarrier();
  for (var b = thread; b < size; b += THREADS) {
    let count = atomicLoad(&bins[b]);
    if (count != 0u) { atomicAdd(&histograms[slot * BINS + b], count); }
  }
}
