// listed: selection among the entries that `gather` listed, in place of all keys of a slot.
//
// `digits`: one workgroup counts, for BLOCK of the entries, how many keys have each value of the digit under selection. `equals`:
//   it adds entries equal to the threshold to the tie counts of their blocks. `mark`: it sets the bits of those in the block of the
//   last tie kept.
// Bindings: 0 entries, (key, flat index); 4 state, one Selection a lane, of one slot (read); 5 histograms: BINS u32, for `equals` one
//   u32 for each BLOCK of flat indices, for `mark` BLOCK bits, added to; 6 bracket, a Bracket (read); 8 work.
// Overrides: SHARED_BINS.
// Dispatch: one workgroup of 256 for BLOCK entries, in x then y, work.first_block to work.end_block of the room; listed or not.
// Exact. Implements merging.md section 2; oracle: src/reference/trim.ts.

@group(0) @binding(0) var<storage, read> entries: array<vec2<u32>>;
@group(0) @binding(4) var<storage, read> state: array<Selection>;
@group(0) @binding(5) var<storage, read_write> histograms: array<atomic<u32>>;
@group(0) @binding(6) var<storage, read> bracket: Bracket;
@group(0) @binding(8) var<uniform> work: Work;

// Entries [x, y) of a workgroup: none where so many were not listed.
fn entries_of(workgroup: vec3<u32>) -> vec2<u32> {
  let at = work.first_block + workgroup.x + workgroup.y * work.row;
  let end = min(bracket.count, arrayLength(&entries));
  if (at >= work.end_block || at * BLOCK >= end) { return vec2(0u, 0u); }
  return vec2(at * BLOCK, min((at + 1u) * BLOCK, end));
}

@compute @workgroup_size(256)
fn digits(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let size = 1u << work.digit_bits;
  let above = min(work.shift + work.digit_bits, 31u);
  let prefix = state[work.lane].threshold >> above;
  let mine = entries_of(workgroup);
  for (var i = mine.x + thread; i < mine.y; i += THREADS) {
    let key = entries[i].x;
    if ((key >> above) == prefix) { count_digit((key >> work.shift) & (size - 1u), 0u); }
  }
  publish_digits(thread, size, 0u);
}

@compute @workgroup_size(256)
fn equals(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let threshold = state[work.lane].threshold;
  let mine = entries_of(workgroup);
  for (var i = mine.x + thread; i < mine.y; i += THREADS) {
    if (entries[i].x == threshold) { atomicAdd(&histograms[entries[i].y / BLOCK], 1u); }
  }
}

@compute @workgroup_size(256)
fn mark(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let selected = state[work.lane];
  let mine = entries_of(workgroup);
  for (var i = mine.x + thread; i < mine.y; i += THREADS) {
    let index = entries[i].y;
    if (entries[i].x == selected.threshold && index / BLOCK == selected.cut_block) {
      atomicOr(&histograms[(index % BLOCK) / 32u], 1u << (index % 32u));
    }
  }
}
