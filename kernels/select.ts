/** select: the keys of one range, and what is below a threshold (architecture.md, ideas 4 and 5). Twin of src/cpu/select.ts and trim.ts. */
import { MAGNITUDE, NAN_KEY, total } from './keys';
import { pack } from './pack';

/**
 * Gathers the keys [low, low + width) of `n` words; returns how many. Keys beyond `largest` count as NAN_KEY. An i32 at `above`
 * receives how many are beyond the range.
 */
export function gatherKeys(bits: usize, n: usize, low: i32, width: u32, largest: i32, into: usize, above: usize): i32 {
  const lasts = i32x4.splat(min<u32>(NAN_KEY, low + width - 1));
  let beyond = i32x4.splat(0);
  const lows = i32x4.splat(low);
  const widths = i32x4.splat(width);
  const largests = i32x4.splat(largest);
  const from = into;
  for (const end = bits + 4 * n; bits < end; bits += 16) {
    const key = keysOf(v128.load(bits), largests);
    beyond = i32x4.sub(beyond, i32x4.gt_s(key, lasts));
    const lanes = i32x4.bitmask(i32x4.lt_u(i32x4.sub(key, lows), widths));
    pack(key, lanes, into);
    into += 4 * (popcnt(lanes) as usize);
  }
  store<i32>(above, total(beyond));
  return ((into - from) >> 2) as i32;
}

function keysOf(bits: v128, largest: v128): v128 {
  const key = v128.and(bits, i32x4.splat(MAGNITUDE));
  return v128.or(key, v128.and(i32x4.gt_s(key, largest), i32x4.splat(NAN_KEY)));
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
