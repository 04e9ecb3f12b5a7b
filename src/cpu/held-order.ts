/** order: sorting by radix, so that a density is a comparison of ranks and a slack a look-up (architecture.md, idea 5). */

/** Three digits of 31 bits: 11, 10 and 10 from the top. */
const BUCKETS = 2048;
const histograms = [new Int32Array(BUCKETS), new Int32Array(BUCKETS), new Int32Array(BUCKETS)] as const;

/**
 * Positions of `keys`, 31 bits each, in ascending order of key, equal keys by position. One of the two arrays of `scratch`,
 * each at least as long as the keys, holds the result.
 */
export function ascendingOrder(keys: Int32Array, scratch: readonly [Int32Array, Int32Array]): Int32Array {
  const n = keys.length;
  const [low, middle, high] = histograms;
  for (const histogram of histograms) histogram.fill(0);
  for (let i = 0; i < n; i++) {
    const key = keys[i]!;
    low[key & 0x3ff]!++;
    middle[(key >>> 10) & 0x3ff]!++;
    high[key >>> 20]!++;
  }
  let [from, into] = scratch;
  for (let i = 0; i < n; i++) from[i] = i;
  for (const [histogram, shift] of [[low, 0], [middle, 10], [high, 20]] as const) {
    const mask = shift === 20 ? 0x7ff : 0x3ff;
    // Equal in this digit, all of them: nothing moves. Differences of bf16 values often are in the lowest.
    if (n > 0 && histogram[(keys[0]! >>> shift) & mask] === n) continue;
    firstPlaces(histogram);
    for (let i = 0; i < n; i++) {
      const position = from[i]!;
      into[histogram[(keys[position]! >>> shift) & mask]!++] = position;
    }
    [from, into] = [into, from];
  }
  return from.subarray(0, n);
}

/** Counts into the first place of each bucket. */
function firstPlaces(histogram: Int32Array): void {
  let sum = 0;
  for (let bucket = 0; bucket < histogram.length; bucket++) {
    const count = histogram[bucket]!;
    histogram[bucket] = sum;
    sum += count;
  }
}

export interface Smallest {
  /** Key of the last one selected: everything below it is selected. */
  readonly threshold: number;
  /** Position of the last one selected among those equal to the threshold; -1 when nothing is. */
  readonly last: number;
}

/** The `count` smallest of `keys`, 31 bits each, equal ones by lowest position (0 <= count <= keys.length). */
export function selectSmallest(keys: Int32Array, count: number): Smallest {
  if (count === 0) return { threshold: 0, last: -1 };
  const [, , histogram] = histograms;
  let inside = keys;
  let threshold = 0;
  let left = count;
  for (const shift of [20, 10, 0]) {
    const mask = shift === 20 ? 0x7ff : 0x3ff;
    histogram.fill(0);
    for (let i = 0; i < inside.length; i++) histogram[(inside[i]! >>> shift) & mask]!++;
    let digit = 0;
    while (histogram[digit]! < left) left -= histogram[digit++]!;
    threshold |= digit << shift;
    if (shift > 0) inside = withDigit(inside, shift, mask, digit, histogram[digit]!);
  }
  let last = -1;
  for (; left > 0; left--) last = keys.indexOf(threshold, last + 1);
  return { threshold, last };
}

function withDigit(keys: Int32Array, shift: number, mask: number, digit: number, count: number): Int32Array {
  const found = new Int32Array(count);
  for (let i = 0, at = 0; at < count; i++) {
    if (((keys[i]! >>> shift) & mask) === digit) found[at++] = keys[i]!;
  }
  return found;
}
