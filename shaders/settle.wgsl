// settle: what a selection settles between two passes: how many places are left for a list, and the last tie kept.
//
// `settle`: one thread takes what lies above a bracket off the places left. `find_block`: one workgroup finds, for one slot, the block
//   that holds the last tie kept. `cut`: one workgroup finds the index after it from a bit for each of the block's ties.
// Bindings: 3 slots (read); 5 counts: for `find_block` ties, one u32 a block of the group, for `cut` BLOCK bits, emptied; 6 found, one
//   Selection a lane and slot, updated; 7 bracket, a Bracket (read); 8 work.
// Dispatch: `settle` and `cut` one workgroup, of one slot: after all chunks were gathered, and after `mark` of listed.wgsl.
//   `find_block` one workgroup of 256 a slot, in x then y, after the ties of all chunks were counted.
// Exact. Implements merging.md section 2, and "equal magnitudes by lowest flat index" of sections 2 and 6; oracle: src/reference/trim.ts.

@group(0) @binding(3) var<storage, read> slots: array<Slot>;
@group(0) @binding(5) var<storage, read_write> counted: array<u32>;
@group(0) @binding(6) var<storage, read_write> found: array<Selection>;
@group(0) @binding(7) var<storage, read> bracket: Bracket;
@group(0) @binding(8) var<uniform> work: Work;

var<workgroup> counts: array<u32, THREADS>;

@compute @workgroup_size(1)
fn settle() {
  let remaining = found[work.lane].remaining;
  // A bracket that missed leaves nothing that holds; the host sees it.
  found[work.lane].remaining = select(1u, remaining - bracket.above, remaining > bracket.above);
}

@compute @workgroup_size(256)
fn find_block(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let slot = workgroup.x + workgroup.y * work.row;
  if (slot >= work.slot_count) { return; }
  if (((slots[slot].trimmed >> work.lane) & 1u) == 0u) { return; }
  let first = slots[slot].first_block;
  let end = first + slots[slot].block_count;
  let each = (slots[slot].block_count + THREADS - 1u) / THREADS;
  var sum = 0u;
  let begin = first + thread * each;
  for (var b = begin; b < min(begin + each, end); b++) { sum += counted[b]; }
  counts[thread] = sum;
  workgroupBarrier();
  if (thread != 0u) { return; }
  let at = work.lane * work.slot_count + slot;
  var remaining = found[at].remaining;
  if (remaining == 0u) { return; }
  var part = 0u;
  while (part < THREADS - 1u && counts[part] < remaining) { remaining -= counts[part]; part++; }
  var block = first + part * each;
  while (block + 1u < end && counted[block] < remaining) { remaining -= counted[block]; block++; }
  found[at].remaining = remaining;
  found[at].cut_block = block;
  // Until it is found: all ties of the blocks before are kept, and passes come to those first.
  found[at].cutoff = NOT_CUT;
}

@compute @workgroup_size(256)
fn cut(@builtin(local_invocation_index) thread: u32) {
  // Threads are in index order.
  var ties = counted[thread];
  counted[thread] = 0u;
  counts[thread] = countOneBits(ties);
  workgroupBarrier();
  let mine = found[work.lane];
  var before = 0u;
  for (var i = 0u; i < thread; i++) { before += counts[i]; }
  if (before >= mine.remaining || before + countOneBits(ties) < mine.remaining) { return; }
  // Drop the ties before the last one kept.
  for (var skip = mine.remaining - before - 1u; skip > 0u; skip--) { ties &= ties - 1u; }
  found[work.lane].cutoff = mine.cut_block * BLOCK + 32u * thread + firstTrailingBit(ties) + 1u;
}
