// sums: one workgroup adds, for one block, |tau| over all values and over the kept ones, without rounding: significands are
// summed as integers, one pair of counters an exponent.
//
// Bindings: 0 arena; 1 blocks; 2 segments; 3 slots; 4 state (read); 5 totals, SUM_WORDS u32 a slot, added to; 7 notes; 8 work.
// Overrides: MODELS, IN_DTYPE, TASK_VECTORS, ELECTS, RESCALES.
// Dispatch: one workgroup of 256 a block of 8,192 elements, in x then y; once per model and chunk, after its selection.
// Exact. Implements the sums of `rescale` (merging.md sections 4 and 8); oracle: src/reference/rescale.ts.

// For all values, then for kept ones: per exponent (biased, 256) the sum of the significands' low 12 bits as two words (low,
// carry), then of their high 12 bits.
const SUM_WORDS = 2048u;

@group(0) @binding(5) var<storage, read_write> totals: array<atomic<u32>>;

// One word an exponent and half: 8,192 values of 12 bits fit.
var<workgroup> partial: array<atomic<u32>, 1024>;

fn add_magnitude(tau: u32, kept: bool) {
  if (is_zero(tau) || is_nonfinite(tau)) { return; }
  let exponent = (tau >> 23u) & 0xffu;
  let significand = (tau & 0x7fffffu) | select(0u, 0x800000u, exponent != 0u);
  atomicAdd(&partial[2u * exponent], significand & 0xfffu);
  atomicAdd(&partial[2u * exponent + 1u], significand >> 12u);
  if (kept) {
    atomicAdd(&partial[512u + 2u * exponent], significand & 0xfffu);
    atomicAdd(&partial[512u + 2u * exponent + 1u], significand >> 12u);
  }
}

@compute @workgroup_size(256)
fn sums(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let at = block_index(workgroup);
  if (at >= work.end_block) { return; }
  let block = blocks[at];
  if (!has_input(block.segment, work.lane + 1u)) { return; }
  let slot = segments[block.segment].slot;
  fetch_only(block.segment, work.lane);
  let end = min(block.pair + BLOCK / 2u, (b_count + 1u) / 2u);
  for (var pair = block.pair + thread; ; pair += THREADS) {
    pair = next(pair, end);
    if (pair >= end) { break; }
    let base = load_pair(b_at, b_dtype, pair);
    let values = load_pair(b_model_at[0], b_model_dtype[0], pair);
    begin_extent(base);
    extend_extent(values);
    if (!is_mine(block.number)) { continue; }
    let tau = pair_subtract(values, base);
    let kept = keeps(0u, tau, index_of(pair));
    add_magnitude(tau.x, kept.x);
    if (2u * pair + 1u < b_count) { add_magnitude(tau.y, kept.y); }
  }
  workgroupBarrier();
  for (var i = thread; i < 1024u; i += THREADS) {
    let sum = atomicLoad(&partial[i]);
    if (sum != 0u) {
      let into = slot * SUM_WORDS + 2u * i;
      let before = atomicAdd(&totals[into], sum);
      if (before + sum < before) { atomicAdd(&totals[into + 1u], 1u); }
    }
  }
}
