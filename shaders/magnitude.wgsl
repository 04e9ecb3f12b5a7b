// magnitude: one thread sums |w_i tau^_i| of 32 elements over all models but one: what the slack could take from them.
//
// Bindings: 0 arena; 1 blocks; 2 segments; 3 slots; 4 state (read); 5 magnitudes, one f32 a thread of each block; 7 notes; 8 work,
//   its lane the model left out.
// Overrides: MODELS, IN_DTYPE, TASK_VECTORS, ELECTS, RESCALES.
// Dispatch: one workgroup of 256 a block of 8,192 elements, in x then y; after the selections of the models.
// Tolerance: up to 32 * 7 f32 additions. Implements SlotSlackCurve.magnitude of src/merge/exploring.ts (merging.md section 6);
// oracle: src/reference/explore.ts.

@group(0) @binding(5) var<storage, read_write> magnitudes: array<f32>;

@compute @workgroup_size(256)
fn magnitude(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let at = block_index(workgroup);
  if (at >= work.end_block) { return; }
  let block = blocks[at];
  fetch_models(block.segment);
  let others = b_models & ~(1u << work.lane);
  var sum = 0.0;
  let end = min(block.pair + BLOCK / 2u, (b_count + 1u) / 2u);
  for (var pair = block.pair + thread; ; pair += THREADS) {
    pair = next(pair, end);
    if (pair >= end) { break; }
    visit(pair);
    if (!is_mine(block.number)) { continue; }
    for (var model = 0u; model < MODELS; model++) {
      if (((others >> model) & 1u) == 0u) { continue; }
      let tau = pair_subtract(load_pair(b_model_at[model], b_model_dtype[model], pair), p_base);
      let kept = p_valid & keeps(model, tau, index_of(pair));
      let weighted = weigh(tau, model) & vec2(MAGNITUDE);
      let parts = bitcast<vec2<f32>>(select(vec2(0u), weighted, kept & !are_nonfinite(weighted)));
      sum += parts.x + parts.y;
    }
  }
  let into = block.number * THREADS + thread;
  if (REPAIRS) { sum += magnitudes[into]; }
  magnitudes[into] = sum;
}
