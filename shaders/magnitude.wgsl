// magnitude: one thread sums |w_i tau^_i| of 32 elements over all models but one: what the slack could take from them.
//
// Bindings: 0 arena; 1 blocks; 2 segments; 3 slots; 4 state (read); 5 magnitudes, one f32 a thread of each block; 8 work, its
//   lane the model left out.
// Overrides: MODELS, ALL_BF16, TASK_VECTORS, ELECTS, RESCALES.
// Dispatch: one workgroup of 256 a block of 8,192 elements, in x then y; after the selections of the models.
// Tolerance: up to 32 * 7 f32 additions. Implements SlotSlackCurve.magnitude of src/merge/exploring.ts (merging.md section 6);
// oracle: src/reference/explore.ts.

@group(0) @binding(5) var<storage, read_write> magnitudes: array<f32>;

@compute @workgroup_size(256)
fn magnitude(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let at = block_index(workgroup);
  if (at >= work.end_block) { return; }
  let block = blocks[at];
  let slot = segments[block.x].slot;
  let count = segments[block.x].count;
  let first = segments[block.x].first;
  let base_at = stream_at(block.x, 0u);
  let base_dtype = stream_dtype(block.x, 0u);
  var sum = 0.0;
  for (var model = 0u; model < MODELS; model++) {
    if (model == work.lane || !has_input(block.x, model + 1u)) { continue; }
    let model_at = stream_at(block.x, model + 1u);
    let model_dtype = stream_dtype(block.x, model + 1u);
    let selection = state[selection_of(model, slot)];
    let end = min(block.y + BLOCK / 2u, (count + 1u) / 2u);
    for (var pair = block.y + thread; pair < end; pair += THREADS) {
      let bases = load_pair(base_at, base_dtype, pair);
      let values = load_pair(model_at, model_dtype, pair);
      for (var half = 0u; half < 2u && 2u * pair + half < count; half++) {
        let tau = f32_subtract(select(values.x, values.y, half == 1u), select(bases.x, bases.y, half == 1u));
        if (is_kept(selection, magnitude_key(tau), first + 2u * pair + half)) {
          let weighted = weigh(tau, slot, model);
          if (!is_nonfinite(weighted)) { sum += bitcast<f32>(weighted & MAGNITUDE); }
        }
      }
    }
  }
  magnitudes[at * THREADS + thread] = sum;
}
