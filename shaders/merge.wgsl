// merge: one thread takes pairs of neighbouring elements through trim, elect, slack and disjoint merge, counts them, and
// writes the merged values in the output dtype.
//
// Bindings: 0 arena, raw input words; 1 blocks; 2 segments; 3 slots; 4 state, one Selection a lane and slot (read);
//   5 merged, output words: two 16-bit values or one f32 value each; 6 counts, COUNTS u32 a segment, added to;
//   7 notes: where RESERVES, behind the flags one f32 (its bits) a thread of each block: the sum of |w_i tau^_i| over reserved
//   positions of the models not preferred; 8 work.
// Overrides: MODELS, IN_DTYPE, OUT_DTYPE, TASK_VECTORS, ELECTS, RESCALES, RESERVES, WRITES.
// Dispatch: one workgroup of 256 a block of 8,192 elements, in x then y; once a chunk, after every selection.
// Kept sets, elections, reserved sets and counts are exact; values within section 8 of merging.md, exact where the
// arithmetic is by integers or the probe found division exact. Implements sections 3 to 7; oracle: src/reference/merge.ts.

override WRITES: bool;
// The dtype of every slot's output, or MIXED.
override OUT_DTYPE: u32;

@group(0) @binding(5) var<storage, read_write> merged: array<u32>;

@compute @workgroup_size(256)
fn merge(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let at = block_index(workgroup);
  if (at >= work.end_block) { return; }
  let block = blocks[at];
  let slot = segments[block.segment].slot;
  let output = segments[block.segment].output;
  var out_dtype = OUT_DTYPE;
  if (OUT_DTYPE == MIXED) { out_dtype = slots[slot].out_dtype; }
  fetch_models(block.segment);
  fetch_outcome(slot);
  var cost = 0.0;
  t_counts = block.segment * COUNTS;
  let end = min(block.pair + BLOCK / 2u, (b_count + 1u) / 2u);
  for (var pair = block.pair + thread; ; pair += THREADS) {
    pair = next(pair, end);
    if (pair >= end) { break; }
    visit(pair);
    if (!is_mine(block.number)) { continue; }
    let values = outcome(index_of(pair));
    tally();
    if (RESERVES) {
      t_reserved += ones(p_given_back);
      let losses = bitcast<vec2<f32>>(select(vec2(0u), p_loss, p_given_back));
      cost += losses.x + losses.y;
    }
    if (WRITES) {
      t_overflow += ones(p_valid & overflows(values, out_dtype));
      let words = encode(values, out_dtype);
      if (out_dtype == F32) {
        merged[output + 2u * pair] = words.x;
        merged[output + 2u * pair + 1u] = words.y;
      } else {
        merged[output + pair] = words.x | (words.y << 16u);
      }
    }
  }
  share_tally();
  if (RESERVES) {
    let into = work.total + block.number * THREADS + thread;
    if (REPAIRS) { cost += bitcast<f32>(atomicLoad(&notes[into])); }
    atomicStore(&notes[into], bitcast<u32>(cost));
  }
  workgroupBarrier();
  publish_tally(thread);
}
