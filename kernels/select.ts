/** select: counting the keys of one range (architecture.md, ideas 4 and 5). Twin of `tallyBlock` in src/cpu/select.ts. */
import { MAGNITUDE, NAN_KEY, total } from './keys';
import { pack } from './pack';

/** Keys of a range so wide that most values fall into it are better taken one by one. */
const WIDE: u32 = 1 << 25;

/**
 * Counts keys [low, low + bins << shift) of `n` words into u32 counts; returns how many are above. Keys beyond `largest` count as
 * NAN_KEY. In a bracket of the K-th key lie few of them: those are found four at a time, and counted one by one.
 */
export function tally(bits: usize, n: usize, low: i32, bins: u32, shift: u32, largest: i32, counts: usize): i32 {
  const width = bins << shift;
  const last = min<u32>(NAN_KEY, low + width - 1) as i32;
  if (width >= WIDE) return tallyAll(bits, n, low, bins, shift, largest, last, counts);
  const lows = i32x4.splat(low);
  const widths = i32x4.splat(width);
  const lasts = i32x4.splat(last);
  const largests = i32x4.splat(largest);
  let above = i32x4.splat(0);
  for (const end = bits + 4 * n; bits < end; bits += 32) {
    const first = keysOf(v128.load(bits), largests);
    const second = keysOf(v128.load(bits, 16), largests);
    above = i32x4.sub(above, i32x4.gt_s(first, lasts));
    above = i32x4.sub(above, i32x4.gt_s(second, lasts));
    const inFirst = i32x4.lt_u(i32x4.sub(first, lows), widths);
    const inSecond = i32x4.lt_u(i32x4.sub(second, lows), widths);
    let inside = i32x4.bitmask(inFirst) | (i32x4.bitmask(inSecond) << 4);
    while (inside !== 0) {
      const word = load<i32>(bits + 4 * ctz(inside)) & MAGNITUDE;
      const bin = (((word > largest ? NAN_KEY : word) - low) as u32) >> shift;
      const place = counts + 4 * (bin as usize);
      store<u32>(place, load<u32>(place) + 1);
      inside &= inside - 1;
    }
  }
  return total(above);
}

/** Gathers the keys [low, low + width), `largest` as above; returns how many. */
export function gatherKeys(bits: usize, n: usize, low: i32, width: u32, largest: i32, into: usize): i32 {
  const lows = i32x4.splat(low);
  const widths = i32x4.splat(width);
  const largests = i32x4.splat(largest);
  const from = into;
  for (const end = bits + 4 * n; bits < end; bits += 16) {
    const key = keysOf(v128.load(bits), largests);
    const lanes = i32x4.bitmask(i32x4.lt_u(i32x4.sub(key, lows), widths));
    pack(key, lanes, into);
    into += 4 * (popcnt(lanes) as usize);
  }
  return ((into - from) >> 2) as i32;
}

function keysOf(bits: v128, largest: v128): v128 {
  const key = v128.and(bits, i32x4.splat(MAGNITUDE));
  return v128.or(key, v128.and(i32x4.gt_s(key, largest), i32x4.splat(NAN_KEY)));
}

function tallyAll(bits: usize, n: usize, low: i32, bins: u32, shift: u32, largest: i32, last: i32, counts: usize): i32 {
  let above = 0;
  for (const end = bits + 4 * n; bits < end; bits += 4) {
    let key = load<i32>(bits) & MAGNITUDE;
    if (key > largest) key = NAN_KEY;
    const bin = ((key - low) as u32) >> shift;
    if (bin < bins) {
      const place = counts + 4 * (bin as usize);
      store<u32>(place, load<u32>(place) + 1);
    }
    above += i32(key > last);
  }
  return above;
}

/** How many of `n` words have this key. */
export function countEqual(bits: usize, n: usize, key: i32): i32 {
  const keys = i32x4.splat(key);
  const magnitude = i32x4.splat(MAGNITUDE);
  let count = i32x4.splat(0);
  for (const end = bits + 4 * n; bits < end; bits += 16) {
    count = i32x4.sub(count, i32x4.eq(v128.and(v128.load(bits), magnitude), keys));
  }
  return total(count);
}

/** Values whose key is below `limit`, which is not 0, become 0 in place. Returns how many are kept. Finite values only. */
export function trim(bits: usize, n: usize, limit: i32): i32 {
  const below = i32x4.splat(limit - 1);
  const magnitude = i32x4.splat(MAGNITUDE);
  let kept = i32x4.splat(0);
  for (const end = bits + 4 * n; bits < end; bits += 16) {
    const word = v128.load(bits);
    const keep = i32x4.gt_s(v128.and(word, magnitude), below);
    v128.store(bits, v128.and(word, keep));
    kept = i32x4.sub(kept, keep);
  }
  return total(kept);
}
