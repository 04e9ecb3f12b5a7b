// Reading the arena: raw little-endian input bytes as words. Threads take pairs of neighbouring elements, which
// share a word when they have 16 bits.

override MODELS: u32;

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

// f32 bits of element 2 * pair + half of an input; with an odd count the last one's second half is padding.
fn load(segment: u32, input: u32, pair: u32, half: u32) -> u32 {
  let at = segments[segment].offsets[input];
  let dtype = (segments[segment].dtypes >> (2u * input)) & 3u;
  if (dtype == F32) { return arena[at + 2u * pair + half]; }
  if (dtype == F64) { return decode_f64(arena[at + 4u * pair + 2u * half], arena[at + 4u * pair + 2u * half + 1u]); }
  let bits = (arena[at + pair] >> (16u * half)) & 0xffffu;
  if (dtype == BF16) { return bits << 16u; }
  return decode_f16(bits);
}
