/** slack: the preferred model's discarded positions (merging.md section 6). Twin of `gatherMargins` in src/cpu/slack.ts. */
import { INFINITY_KEY, MAGNITUDE, NAN_KEY } from './keys';
import { pack } from './pack';

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
    pack(i32x4.sub(complement, margin), lanes, keys);
    pack(place, lanes, places);
    const found = 4 * (popcnt(lanes) as usize);
    keys += found;
    places += found;
    place = i32x4.add(place, step);
  }
  return ((keys - from) >> 2) as i32;
}
