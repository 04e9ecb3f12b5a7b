// Dropping: which values of a task vector take part by a number drawn for the flat index (merging.md section 7): Philox 2x32-10
// of (index / 2, stream) under the seed, a word for each of two neighbours. Oracle: src/merge/draw.ts, src/reference/drop.ts.

const PHILOX_ROUNDS = 10u;
const PHILOX_MULTIPLIER = 0xd256d193u;
const PHILOX_WEYL = 0x9e3779b9u;

// What deciding for model `lane` of a slot takes, as the block's model number `model`.
fn fetch_keeping(slot: u32, lane: u32, model: u32) {
  b_seed = slots[slot].seed;
  b_drawn |= ((slots[slot].drawn >> lane) & 1u) << model;
  b_stream[model] = slots[slot].stream[lane];
  b_limit[model] = slots[slot].limit[lane];
}

// `index` is the first element's.
fn keeps(model: u32, tau: vec2<u32>, index: u32) -> vec2<bool> {
  if (((b_drawn >> model) & 1u) == 0u) { return vec2(true); }
  var words = philox(vec2(index >> 1u, b_stream[model]), b_seed);
  if ((index & 1u) == 1u) { words = vec2(words.y, philox(vec2((index + 1u) >> 1u, b_stream[model]), b_seed).x); }
  // What is not finite reaches the output (merging.md section 8).
  return (words < vec2(b_limit[model])) | are_nonfinite(tau);
}

fn philox(counter: vec2<u32>, seed: u32) -> vec2<u32> {
  var words = counter;
  var key = seed;
  for (var round = 0u; round < PHILOX_ROUNDS; round++) {
    words = vec2(upper_product(words.x) ^ key ^ words.y, PHILOX_MULTIPLIER * words.x);
    key += PHILOX_WEYL;
  }
  return words;
}

// Upper word of PHILOX_MULTIPLIER * x, from 16-bit halves.
fn upper_product(x: u32) -> u32 {
  let a = x & 0xffffu;
  let b = x >> 16u;
  let m = PHILOX_MULTIPLIER & 0xffffu;
  let n = PHILOX_MULTIPLIER >> 16u;
  let middle = b * m + ((a * m) >> 16u);
  let crossing = a * n + (middle & 0xffffu);
  return b * n + (middle >> 16u) + (crossing >> 16u);
}
