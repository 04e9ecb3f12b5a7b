/** slack: the preferred model's discarded positions (merging.md section 6). Twin of `gatherMargins` in src/cpu/slack.ts. */
import { INFINITY_KEY, MAGNITUDE, NAN_KEY } from './keys';

/** Per set of lanes (bit i: lane i): the bytes that bring them to the front. */
const PACK = memory.data<u8>([
  255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
  0, 1, 2, 3, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
  4, 5, 6, 7, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
  0, 1, 2, 3, 4, 5, 6, 7, 255, 255, 255, 255, 255, 255, 255, 255,
  8, 9, 10, 11, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
  0, 1, 2, 3, 8, 9, 10, 11, 255, 255, 255, 255, 255, 255, 255, 255,
  4, 5, 6, 7, 8, 9, 10, 11, 255, 255, 255, 255, 255, 255, 255, 255,
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 255, 255, 255, 255,
  12, 13, 14, 15, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
  0, 1, 2, 3, 12, 13, 14, 15, 255, 255, 255, 255, 255, 255, 255, 255,
  4, 5, 6, 7, 12, 13, 14, 15, 255, 255, 255, 255, 255, 255, 255, 255,
  0, 1, 2, 3, 4, 5, 6, 7, 12, 13, 14, 15, 255, 255, 255, 255,
  8, 9, 10, 11, 12, 13, 14, 15, 255, 255, 255, 255, 255, 255, 255, 255,
  0, 1, 2, 3, 8, 9, 10, 11, 12, 13, 14, 15, 255, 255, 255, 255,
  4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 255, 255, 255, 255,
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
]);

/**
 * Gathers D of a block: keys of |e|, complemented, and their places; returns how many. Four words are written at a time, never
 * beyond the block. Finite terms only; a sum that became infinite is not in D.
 */
export function gatherMargins(terms: usize, agrees: usize, e: usize, n: usize, keys: usize, places: usize): i32 {
  const zero = f32x4.splat(0);
  const magnitude = i32x4.splat(MAGNITUDE);
  const infinity = i32x4.splat(INFINITY_KEY);
  const complement = i32x4.splat(NAN_KEY);
  const step = i32x4.splat(4);
  const from = keys;
  let place = i32x4(0, 1, 2, 3);
  for (const end = terms + 4 * n; terms < end; terms += 16, agrees += 16, e += 16) {
    const margin = v128.and(v128.load(e), magnitude);
    const dropped = v128.and(f32x4.ne(v128.load(terms), zero), i32x4.eq(v128.load(agrees), zero));
    const lanes = i32x4.bitmask(v128.and(dropped, i32x4.lt_s(margin, infinity)));
    const pack = v128.load(PACK + 16 * (lanes as usize));
    v128.store(keys, i8x16.swizzle(i32x4.sub(complement, margin), pack));
    v128.store(places, i8x16.swizzle(place, pack));
    const found = 4 * (popcnt(lanes) as usize);
    keys += found;
    places += found;
    place = i32x4.add(place, step);
  }
  return ((keys - from) >> 2) as i32;
}
