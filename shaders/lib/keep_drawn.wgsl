// Dropping: which values of a task vector take part by a number drawn for the flat index (merging.md section 7): Philox 2x32-10
// of (index / 2, stream) under the seed, a word for each of two neighbours. Oracle: src/merge/draw.ts, src/reference/drop.ts.

const PHILOX_ROUNDS = 10u;
const PHILOX_MULTIPLIER = 0xd256d193u;
const PHILOX_WEYL = 0x9e3779b9u;

fn keeps(slot: u32, model: u32, tau: u32, index: u32) -> bool {
  // What is not finite reaches the output (merging.md section 8).
  if (((slots[slot].drawn >> model) & 1u) == 0u || is_nonfinite(tau)) { return true; }
  let words = philox(vec2(index >> 1u, slots[slot].stream[model]), slots[slot].seed);
  return select(words.x, words.y, (index & 1u) == 1u) < slots[slot].limit[model];
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
