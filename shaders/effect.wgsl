// effect: lengths of the base, of every task vector and of the merge's change, and the products between them.
//
// `extents_of`: one thread raises, for 32 elements, the largest magnitude of each vector. `effect`: one thread sums its 32
//   elements; each vector is scaled by a power of two near its largest magnitude, or squares would leave f32's range.
//   `fold`: one thread adds one block's 256 partial sums of one kind.
// Bindings: 0 arena; 1 blocks; 2 segments; 3 slots; 4 state (read); 5 extents, VECTORS u32 keys a slot, zero before;
//   6 partials, f32: block by block, SUMS kinds of 256 threads; 7 notes, and for `fold` block_sums, SUMS f32 a block; 8 work.
// Overrides: MODELS, IN_DTYPE, TASK_VECTORS, ELECTS, RESCALES, RESERVES.
// Dispatch: `extents_of` and `effect` one workgroup of 256 a block of 8,192 elements, `fold` 256 sums a workgroup; in x then y;
//   in this order, after every selection.
// Tolerance: 32 + 256 f32 additions of products rounded once, 2^-15 relative to the product of the two lengths.
// Oracle: src/reference/explore.ts; implements SlotEffect of src/merge/exploring.ts over merging.md sections 1 to 7.

@group(0) @binding(5) var<storage, read_write> extents: array<atomic<u32>>;
@group(0) @binding(6) var<storage, read_write> partials: array<f32>;
@group(0) @binding(7) var<storage, read_write> block_sums: array<f32>;

// Vectors: base, change, then tau of each model.
const FIRST_TAU = 2u;
const MAX_VECTORS = 10u;
// Sums: positions, base * base, change * change; then per model tau * tau; per model change * tau; per pair tau_i * tau_j,
// pair (i, j), i < j, at j * (j - 1) / 2 + i.
const FIRST_SQUARE = 3u;
const MAX_SUMS = 47u;

// f32 bits of each vector at the pair at hand; 0 where a model has no element.
var<private> v_bits: array<vec2<u32>, MAX_VECTORS>;

// Makes the pair the one at hand: where all its vectors are finite and it is no filling.
fn gather(pair: u32) -> vec2<bool> {
  visit(pair);
  v_bits[0] = p_base;
  v_bits[1] = pair_subtract(outcome(index_of(pair)), p_base);
  var finite = p_valid & !are_nonfinite(v_bits[1]);
  for (var model = 0u; model < MODELS; model++) {
    var tau = vec2(0u);
    if (((b_models >> model) & 1u) == 1u) {
      tau = pair_subtract(load_pair(b_model_at[model], b_model_dtype[model], pair), p_base);
    }
    v_bits[FIRST_TAU + model] = tau;
    finite = finite & !are_nonfinite(tau);
  }
  return finite;
}

@compute @workgroup_size(256)
fn extents_of(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let at = block_index(workgroup);
  if (at >= work.end_block) { return; }
  let block = blocks[at];
  let slot = segments[block.segment].slot;
  fetch_models(block.segment);
  fetch_outcome(slot);
  var top: array<u32, MAX_VECTORS>;
  let end = min(block.pair + BLOCK / 2u, (b_count + 1u) / 2u);
  for (var pair = block.pair + thread; ; pair += THREADS) {
    pair = next(pair, end);
    if (pair >= end) { break; }
    let finite = gather(pair);
    if (!is_mine(block.number)) { continue; }
    for (var v = 0u; v < MODELS + FIRST_TAU; v++) {
      let magnitudes = select(vec2(0u), v_bits[v] & vec2(MAGNITUDE), finite);
      top[v] = max(top[v], max(magnitudes.x, magnitudes.y));
    }
  }
  for (var v = 0u; v < MODELS + FIRST_TAU; v++) {
    let into = slot * (MODELS + FIRST_TAU) + v;
    if (top[v] > atomicLoad(&extents[into])) { atomicMax(&extents[into], top[v]); }
  }
}

// The scale of a vector of this extent, f32 bits: brings its largest magnitude to between 2^-22 and 4.
fn scale_of(extent: u32) -> u32 { return clamp(254u - (extent >> 23u), 1u, 254u) << 23u; }

@compute @workgroup_size(256)
fn effect(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let at = block_index(workgroup);
  if (at >= work.end_block) { return; }
  let block = blocks[at];
  let slot = segments[block.segment].slot;
  fetch_models(block.segment);
  fetch_outcome(slot);
  let vectors = MODELS + FIRST_TAU;
  let kinds = FIRST_SQUARE + 2u * MODELS + MODELS * (MODELS - 1u) / 2u;
  var scales: array<u32, MAX_VECTORS>;
  for (var v = 0u; v < vectors; v++) { scales[v] = scale_of(atomicLoad(&extents[slot * vectors + v])); }
  var sums: array<f32, MAX_SUMS>;
  var x: array<vec2<f32>, MAX_VECTORS>;
  let end = min(block.pair + BLOCK / 2u, (b_count + 1u) / 2u);
  for (var pair = block.pair + thread; ; pair += THREADS) {
    pair = next(pair, end);
    if (pair >= end) { break; }
    let finite = gather(pair);
    if (!is_mine(block.number)) { continue; }
    for (var v = 0u; v < vectors; v++) {
      x[v] = bitcast<vec2<f32>>(select(vec2(0u), pair_multiply(v_bits[v], vec2(scales[v])), finite));
    }
    sums[0] += f32(ones(finite));
    sums[1] += dot(x[0], x[0]);
    sums[2] += dot(x[1], x[1]);
    var between = FIRST_SQUARE + 2u * MODELS;
    for (var j = 0u; j < MODELS; j++) {
      let tau = x[FIRST_TAU + j];
      sums[FIRST_SQUARE + j] += dot(tau, tau);
      sums[FIRST_SQUARE + MODELS + j] += dot(tau, x[1]);
      for (var i = 0u; i < j; i++) {
        sums[between] += dot(tau, x[FIRST_TAU + i]);
        between++;
      }
    }
  }
  for (var s = 0u; s < kinds; s++) {
    let into = (block.number * kinds + s) * THREADS + thread;
    if (REPAIRS) { sums[s] += partials[into]; }
    partials[into] = sums[s];
  }
}

@compute @workgroup_size(256)
fn fold(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let kinds = FIRST_SQUARE + 2u * MODELS + MODELS * (MODELS - 1u) / 2u;
  let at = (workgroup.x + workgroup.y * work.row) * THREADS + thread;
  if (at >= work.end_block * kinds) { return; }
  var sum = 0.0;
  for (var t = 0u; t < THREADS; t++) { sum += partials[at * THREADS + t]; }
  block_sums[at] = sum;
}
