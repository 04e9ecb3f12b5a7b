// Reading the arena: raw little-endian input bytes as words. Threads take pairs of neighbouring elements, which
// share a word when they have 16 bits.

override MODELS: u32;
// Every input of every segment is BF16: the common case, and no other decoding is compiled.
override ALL_BF16: bool;

@group(0) @binding(0) var<storage, read> arena: array<u32>;
@group(0) @binding(1) var<storage, read> blocks: array<Block>;
@group(0) @binding(2) var<storage, read> segments: array<Segment>;
@group(0) @binding(3) var<storage, read> slots: array<Slot>;
@group(0) @binding(8) var<uniform> work: Work;

fn block_index(workgroup: vec3<u32>) -> u32 {
  return work.first_block + workgroup.x + workgroup.y * work.row;
}

fn has_input(segment: u32, input: u32) -> bool {
  return ((segments[segment].inputs >> input) & 1u) == 1u;
}

// Where an input's elements are.
fn stream_at(segment: u32, input: u32) -> u32 { return segments[segment].offsets[input]; }
fn stream_dtype(segment: u32, input: u32) -> u32 { return (segments[segment].dtypes >> (2u * input)) & 3u; }

// f32 bits of elements 2 * pair and 2 * pair + 1 of an input; with an odd count the last one is padding.
fn load_pair(at: u32, dtype: u32, pair: u32) -> vec2<u32> {
  if (ALL_BF16 || dtype == BF16) {
    let word = arena[at + pair];
    return vec2(word << 16u, word & 0xffff0000u);
  }
  if (dtype == F32) { return vec2(arena[at + 2u * pair], arena[at + 2u * pair + 1u]); }
  if (dtype == F16) {
    let word = arena[at + pair];
    return vec2(decode_f16(word & 0xffffu), decode_f16(word >> 16u));
  }
  let i = at + 4u * pair;
  return vec2(decode_f64(arena[i], arena[i + 1u]), decode_f64(arena[i + 2u], arena[i + 3u]));
}
