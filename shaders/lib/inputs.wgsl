// Reading the arena: raw little-endian input bytes as words. Threads take pairs of neighbouring elements, which
// share a word when they have 16 bits.

override MODELS: u32;
// The dtype of every input of every segment, or MIXED: no other decoding is compiled.
override IN_DTYPE: u32;
const MIXED = 4u;

@group(0) @binding(0) var<storage, read> arena: array<u32>;
@group(0) @binding(1) var<storage, read> blocks: array<Block>;
@group(0) @binding(2) var<storage, read> segments: array<Segment>;
@group(0) @binding(3) var<storage, read> slots: array<Slot>;
@group(0) @binding(8) var<uniform> work: Work;

// By block of the chunk: whether it has pairs that the pass left to the repair pass. Some passes keep more behind that.
@group(0) @binding(7) var<storage, read_write> notes: array<atomic<u32>>;

// First thing in every pass over blocks. A repair pass has the blocks to repair as its table.
fn block_index(workgroup: vec3<u32>) -> u32 {
  f_zero = work.zero;
  return work.first_block + workgroup.x + workgroup.y * work.row;
}

// Smallest magnitude but 0, less 1, and largest one of the pair's inputs.
var<private> p_low: vec2<u32>;
var<private> p_high: vec2<u32>;
fn begin_extent(values: vec2<u32>) {
  p_high = values & vec2(MAGNITUDE);
  p_low = p_high - vec2(1u);
}
fn extend_extent(values: vec2<u32>) {
  let magnitude = values & vec2(MAGNITUDE);
  p_high = max(p_high, magnitude);
  p_low = min(p_low, magnitude - vec2(1u));
}
// Whether float units could go wrong on the pair (lib/f32_float.wgsl).
fn is_edge() -> bool { return min(p_low.x, p_low.y) < SMALLEST - 1u || max(p_high.x, p_high.y) > LARGEST; }

fn has_input(segment: u32, input: u32) -> bool {
  return ((segments[segment].inputs >> input) & 1u) == 1u;
}

// Where an input's elements are.
fn stream_at(segment: u32, input: u32) -> u32 { return segments[segment].offsets[input]; }
fn stream_dtype(segment: u32, input: u32) -> u32 { return (segments[segment].dtypes >> (2u * input)) & 3u; }

// f32 bits of elements 2 * pair and 2 * pair + 1 of an input; with an odd count the last one is padding.
fn load_pair(at: u32, dtype: u32, pair: u32) -> vec2<u32> {
  if (IN_DTYPE == BF16 || (IN_DTYPE == MIXED && dtype == BF16)) {
    let word = arena[at + pair];
    return vec2(word << 16u, word & 0xffff0000u);
  }
  if (IN_DTYPE == F32 || (IN_DTYPE == MIXED && dtype == F32)) { return vec2(arena[at + 2u * pair], arena[at + 2u * pair + 1u]); }
  if (IN_DTYPE == F16 || (IN_DTYPE == MIXED && dtype == F16)) {
    let word = arena[at + pair];
    var decoded = vec2(word & 0xffffu, word >> 16u);
    for (var half = 0u; half < 2u; half++) { decoded[half] = decode_f16(decoded[half]); }
    return decoded;
  }
  var decoded = vec2(at + 4u * pair, at + 4u * pair + 2u);
  for (var half = 0u; half < 2u; half++) { decoded[half] = decode_f64(arena[decoded[half]], arena[decoded[half] + 1u]); }
  return decoded;
}
