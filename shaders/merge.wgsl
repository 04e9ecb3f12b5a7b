// merge: one thread takes pairs of neighbouring elements through trim, elect, slack and disjoint merge, counts them, and
// writes the merged values in the output dtype.
//
// Bindings: 0 arena, raw input words; 1 blocks; 2 segments; 3 slots; 4 state, one Selection a lane and slot (read);
//   5 merged, output words: two 16-bit values or one f32 value each; 6 counts, COUNTS u32 a segment, added to;
//   7 costs, one f32 a thread of each block: sum of |w_i tau^_i| over reserved positions of the models not preferred; 8 work.
// Overrides: MODELS, ALL_BF16, TASK_VECTORS, ELECTS, RESCALES, RESERVES, WRITES.
// Dispatch: one workgroup of 256 a block of 8,192 elements, in x then y; once a chunk, after every selection.
// Kept sets, elections, reserved sets and counts are exact; values within section 8 of merging.md, exact where the
// arithmetic is by integers or the probe found division exact. Implements sections 3 to 7; oracle: src/reference/merge.ts.

override WRITES: bool;

@group(0) @binding(5) var<storage, read_write> merged: array<u32>;
@group(0) @binding(7) var<storage, read_write> costs: array<f32>;

@compute @workgroup_size(256)
fn merge(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let at = block_index(workgroup);
  if (at >= work.end_block) { return; }
  let block = blocks[at];
  let slot = segments[block.x].slot;
  let first = segments[block.x].first;
  let count = segments[block.x].count;
  let output = segments[block.x].output;
  let base_at = stream_at(block.x, base_input(block.x));
  let base_dtype = stream_dtype(block.x, base_input(block.x));
  let out_dtype = slots[slot].out_dtype;
  fetch_outcome(slot);
  var cost = 0.0;
  t_counts = block.x * COUNTS;
  let end = min(block.y + BLOCK / 2u, (count + 1u) / 2u);
  for (var pair = block.y + thread; pair < end; pair += THREADS) {
    let bases = load_pair(base_at, base_dtype, pair);
    var words = vec2(0u, 0u);
    for (var half = 0u; half < 2u && 2u * pair + half < count; half++) {
      let index = first + 2u * pair + half;
      visit(block.x, slot, select(bases.x, bases.y, half == 1u), pair, half, index);
      let value = outcome(index);
      if (RESERVES && p_given_back) {
        t_reserved++;
        cost += bitcast<f32>(p_loss);
      }
      tally();
      if (WRITES) {
        t_overflow += select(0u, 1u, overflows(value, out_dtype));
        let word = encode(value, out_dtype);
        if (half == 0u) { words.x = word; } else { words.y = word; }
      }
    }
    if (WRITES) {
      if (out_dtype == F32) {
        merged[output + 2u * pair] = words.x;
        merged[output + 2u * pair + 1u] = words.y;
      } else {
        merged[output + pair] = words.x | (words.y << 16u);
      }
    }
  }
  share_tally();
  if (RESERVES) { costs[at * THREADS + thread] = cost; }
  workgroupBarrier();
  publish_tally(thread);
}
