/**
 * select: the K-th largest of many keys, wherever their parts lie (architecture.md, ideas 4 and 5). Twin of reference/select.ts.
 *
 * A round counts the keys of one range, bin by bin, and how many lie above it. The first range is a guess from a sample (the
 * bracket): where it holds the K-th key and its bins are one key wide, one pass over the keys is all. A guess that misses is
 * followed by all the keys on the side where the K-th is; a bin that holds it by a range of its own. Whatever the guess, the
 * result is the same.
 */
import { NAN_KEY } from '../reference/select';

/** Keys [low, low + bins * 2^shift). */
export interface KeyRange {
  readonly low: number;
  readonly bins: number;
  readonly shift: number;
}
export interface Tally {
  /** Keys per bin. */
  readonly counts: Uint32Array<ArrayBuffer>;
  /** Keys above the range. */
  readonly above: number;
}
/** And of all keys, those below the range too. */
export interface TallyOfAll extends Tally {
  readonly total: number;
}

/** Keys are 31 bits. */
const KEYS = 2 ** 31;
/** 1 MiB of counts a part: a twelfth of what a part of the usual size holds, and still in a core's second cache. */
const MOST_BINS = 2 ** 18;
const FEWEST_BINS = 2 ** 11;

/** How many bins pay for so many keys: counts are cleared, moved and added up in every round. */
export function binsFor(keys: number): number {
  return Math.min(MOST_BINS, Math.max(FEWEST_BINS, 2 ** Math.floor(Math.log2(Math.max(1, keys / 4)))));
}

/** The range [low, end) in at most `most` bins. */
export function rangeOf(low: number, end: number, most: number): KeyRange {
  const shift = Math.max(0, Math.ceil(Math.log2((end - low) / most)));
  return { low, bins: Math.ceil((end - low) / 2 ** shift), shift };
}
export const endOf = ({ low, bins, shift }: KeyRange) => low + bins * 2 ** shift;
/** Whether every key of `inner` is in `outer`. */
export const rangeHolds = (outer: KeyRange, inner: KeyRange) => outer.low <= inner.low && endOf(inner) <= endOf(outer);
/** Four binades: what a bracket of a sample spans unless the sample says next to nothing. */
const NARROW = 2 ** 25;
/** Whether few of all keys are likely to be in a range. */
export const isNarrow = (range: KeyRange) => endOf(range) - range.low <= NARROW;
export const allKeys = (most: number): KeyRange => rangeOf(0, KEYS, most);

/** How far from the K-th of a sample the K-th of all may be, in standard deviations of independent draws. */
const BRACKET_DEVIATIONS = 6;

/**
 * Where the `count`-th largest of `keys` keys is likely to be, from a sample of them in ascending order. `deviation`: of the number
 * of sampled keys above it, where it is more than that of independent draws.
 */
export function bracket(sample: Uint32Array, count: number, keys: number, most: number, deviation = 0): KeyRange {
  const share = count / keys;
  const above = share * sample.length;
  const margin = BRACKET_DEVIATIONS * Math.max(deviation, Math.sqrt(above * (1 - share))) + 1;
  const place = (rank: number) => sample.length - Math.round(rank);
  const lowest = place(above + margin);
  const highest = place(above - margin);
  return rangeOf(lowest < 0 ? 0 : sample[lowest]!, highest >= sample.length ? KEYS : sample[highest]! + 1, most);
}

/** The K-th key found: `take` of the `ties` keys equal to it are selected, and all above it. */
export interface Found {
  readonly threshold: number;
  readonly take: number;
}

/** What a round tells of the `count`-th largest key: it, or the range to look at next. */
export function narrow(range: KeyRange, { counts, above }: Tally, count: number, most: number): Found | KeyRange {
  const { low, bins, shift } = range;
  if (above >= count) return rangeOf(endOf(range), KEYS, most);
  let reached = above;
  for (let bin = bins - 1; bin >= 0; bin--) {
    const here = counts[bin]!;
    if (reached + here >= count) {
      const first = low + bin * 2 ** shift;
      return shift === 0 ? { threshold: first, take: count - reached } : rangeOf(first, first + 2 ** shift, most);
    }
    reached += here;
  }
  return rangeOf(0, low, most);
}

/**
 * Counts a block's keys into `counts`; returns how many are above the range. Keys beyond `largest` count as NAN_KEY: every NaN
 * is the largest (INFINITY_KEY where the keys are the bits of |value|, NAN_KEY where they are complements).
 */
export function tallyBlock(bits: Int32Array, n: number, { low, bins, shift }: KeyRange, largest: number, counts: Uint32Array): number {
  const from = low | 0;
  const last = Math.min(NAN_KEY, low + bins * 2 ** shift - 1);
  let above = 0;
  for (let j = 0; j < n; j++) {
    let key = bits[j]! & 0x7fffffff;
    if (key > largest) key = NAN_KEY;
    // Below the range the difference is negative, and as an unsigned number beyond every bin.
    const bin = (key - from) >>> shift;
    if (bin < bins) counts[bin]!++;
    above += (last - key) >>> 31;
  }
  return above;
}

/** Adds keys that were counted into the bins of `range`, as `tallyBlock` does; returns how many are above it. */
export function addCounted(from: { readonly keys: Int32Array; readonly counts: Uint32Array }, range: KeyRange, counts: Uint32Array): number {
  let above = 0;
  for (const [i, key] of from.keys.entries()) {
    if (key >= endOf(range)) above += from.counts[i]!;
    else if (key >= range.low) counts[(key - range.low) >>> range.shift]! += from.counts[i]!;
  }
  return above;
}

/** Gathers a block's keys of a range into `into`: how many they are, and how many are above it. `largest` as in `tallyBlock`. */
export function gatherKeys(bits: Int32Array, n: number, { low, bins, shift }: KeyRange, largest: number, into: Int32Array): { found: number; above: number } {
  const from = low | 0;
  const last = Math.min(NAN_KEY, low + bins * 2 ** shift - 1);
  let found = 0;
  let above = 0;
  for (let j = 0; j < n; j++) {
    let key = bits[j]! & 0x7fffffff;
    if (key > largest) key = NAN_KEY;
    into[found] = key;
    found += Number((key - from) >>> shift < bins);
    above += (last - key) >>> 31;
  }
  return { found, above };
}

/** Adds `part` into `sum`. */
export function addCounts(sum: Uint32Array, part: Uint32Array): void {
  for (let bin = 0; bin < sum.length; bin++) sum[bin]! += part[bin]!;
}
