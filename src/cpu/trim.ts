/** trim: values below the threshold become 0 (merging.md section 2). Twin of reference/trim.ts. */
import { drawInto, type Draw } from '../merge/draw';
import { INFINITY_KEY, NAN_KEY } from '../reference/select';

/** Which keys of a part are selected. */
export interface Cut {
  /** Every key above it is. */
  readonly threshold: number;
  /** Of those equal to it: the first so many of the part, 0 for none, Infinity for all of them. */
  readonly take: number;
  /** Of all those: only what this draw keeps. */
  readonly draw?: PartDraw;
}
/** A draw, and the flat index of the part's first element. */
export interface PartDraw extends Draw {
  readonly first: number;
}
/** Everything is selected. */
export const WHOLE: Cut = { threshold: 0, take: Infinity };
/** Nothing is, NaN included. */
export const NOTHING: Cut = { threshold: NAN_KEY, take: 0 };

/** The keys of a part against its cut, block by block and in order. */
export class Cutter {
  private remaining: number;
  private passed = 0;
  /** Elements of the part up to and including the last one taken among equals; null while it is not met. */
  last: number | null = null;

  constructor(private readonly cut: Cut) {
    this.remaining = cut.take;
  }

  /** Least key that is selected: before the last of the equals is met, and after it. */
  get limit(): number {
    // Beyond every key when NaN themselves are cut off: 2^31 - 1 - key never is negative then.
    return this.remaining > 0 ? this.cut.threshold : this.cut.threshold + 1;
  }

  /**
   * Advances by a block of `n` keys, signs disregarded; no NaN but that of the largest key. Returns up to which of them the
   * limit before this call holds; from there on the limit after it does.
   */
  advance(keys: Int32Array, n: number, countTies = countEqual): number {
    let until = n;
    if (this.remaining > 0 && this.remaining !== Infinity) {
      const ties = countTies(keys, n, this.cut.threshold);
      if (ties < this.remaining) this.remaining -= ties;
      else {
        until = placeOfEqual(keys, this.cut.threshold, this.remaining) + 1;
        this.remaining = 0;
        this.last = this.passed + until;
      }
    }
    this.passed += n;
    return until;
  }
}

/** Gives every NaN of a block the largest key, in place. */
export function settleNan(bits: Int32Array, n: number): void {
  for (let j = 0; j < n; j++) if ((bits[j]! & 0x7fffffff) > INFINITY_KEY) bits[j] = NAN_KEY;
}

/** How many of `n` words have this key. */
export function countEqual(keys: Int32Array, n: number, threshold: number): number {
  let count = 0;
  for (let j = 0; j < n; j++) count += Number((keys[j]! & 0x7fffffff) === threshold);
  return count;
}

/** Place of the `nth` (from 1) of the keys that are `threshold`. */
function placeOfEqual(keys: Int32Array, threshold: number, nth: number): number {
  let j = -1;
  for (let found = 0; found < nth; found++) do j++; while ((keys[j]! & 0x7fffffff) !== threshold);
  return j;
}

/** Values of the `n` from element `at` of the part on that the draw drops become 0, in place. Returns how many are kept. Finite values only. */
export function dropBlock(bits: Int32Array, n: number, draw: PartDraw, at: number, mask: Uint8Array): number {
  drawInto(draw, draw.first + at, mask, 0, n);
  let kept = 0;
  for (let j = 0; j < n; j++) {
    bits[j] = bits[j]! & -mask[j]!;
    kept += mask[j]!;
  }
  return kept;
}

/** Values of [from, to) whose key is below `limit` become 0, in place. Returns how many are kept. Finite values only. */
export function trimBlock(bits: Int32Array, from: number, to: number, limit: number): number {
  if (limit === 0) return to - from;
  const below = (limit - 1) | 0;
  let kept = 0;
  for (let j = from; j < to; j++) {
    const word = bits[j]!;
    const keep = (below - (word & 0x7fffffff)) >> 31;
    bits[j] = word & keep;
    kept -= keep;
  }
  return kept;
}
