/**
 * counts of two models. What happens at a position depends on its class, which only the weights decide, and on which of the
 * two are kept there: a density is a histogram of both, and every figure is a sum of some of its buckets.
 */
import { emptyFigures, type Figures } from '../merge/figures';
import type { Cut } from './held-slot';

/** Bits of a class: A and B are the two models, x and y their weighted values. Those named for A have B's just above them. */
export const NONZERO_A = 1;
/** The two have opposite signs, before weighting. */
export const OPPOSITE = 4;
/** x (y) agrees where it alone is kept: it is neither 0 nor NaN. */
export const ALONE_A = 8;
/** A (B) agrees where both are kept. */
export const AGREES_A = 32;
export const CLASSES = 128;
/** Above the class: which are kept. */
export const KEPT_A = 128;
export const KEPT_B = 256;
const BUCKETS = 512;

/** Class of every position. Densities and `rescale` do not enter. */
export function classify(a: Float32Array, b: Float32Array, weightA: number, weightB: number, classes: Uint8Array): void {
  for (let p = 0; p < classes.length; p++) {
    const u = a[p]!;
    const v = b[p]!;
    const x = Math.fround(u * weightA);
    const y = Math.fround(v * weightB);
    const upA = Number(x > 0);
    const downA = Number(x < 0);
    const upB = Number(y > 0);
    const downB = Number(y < 0);
    // gamma is +1 where e >= 0, so a NaN elects -1.
    const up = Number(Math.fround(x + y) >= 0);
    const down = 1 - up;
    const opposite = (Number(u > 0) & Number(v < 0)) | (Number(u < 0) & Number(v > 0));
    classes[p] =
      Number(u !== 0) |
      (Number(v !== 0) << 1) |
      (opposite << 2) |
      ((upA | downA) << 3) |
      ((upB | downB) << 4) |
      (((upA & up) | (downA & down)) << 5) |
      (((upB & up) | (downB & down)) << 6);
  }
}

/** Two, so that a bucket is not waited for when the next position adds to it as well. */
const even = new Int32Array(BUCKETS);
const odd = new Int32Array(BUCKETS);

/** Figures of positions [begin, end) before reserving; `reserved`, `nonfinite` and `overflow` are left at 0. */
export function countPair(a: Cut, b: Cut, classes: Uint8Array, begin: number, end: number, elects: boolean): Figures {
  even.fill(0);
  odd.fill(0);
  tally(a.rank, a.kept, b.rank, b.kept, classes, begin, end);
  const figures = emptyFigures(2);
  figures.numel = end - begin;
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    const count = even[bucket]! + odd[bucket]!;
    if (count === 0) continue;
    const both = (bucket & KEPT_A) !== 0 && (bucket & KEPT_B) !== 0;
    const conflict = both && (bucket & OPPOSITE) !== 0;
    if (conflict) figures.conflict += count;
    for (let model = 0; model < 2; model++) {
      if ((bucket & (KEPT_A << model)) === 0) continue;
      figures.kept[model]! += count;
      if ((bucket & (NONZERO_A << model)) === 0) continue;
      figures.nonzero[model]! += count;
      if (!elects) continue;
      const agrees = (bucket & ((both ? AGREES_A : ALONE_A) << model)) !== 0;
      if (!agrees) figures.discarded[model]! += count;
      else if (conflict) figures.won[model]! += count;
    }
  }
  figures.between[0] = figures.conflict;
  return figures;
}

function tally(rankA: Int32Array, keptA: number, rankB: Int32Array, keptB: number, classes: Uint8Array, begin: number, end: number): void {
  const pairs = begin + ((end - begin) & ~1);
  for (let p = begin; p < pairs; p += 2) {
    // The sign of rank - K, moved to its bit.
    even[classes[p]! | (((rankA[p]! - keptA) >>> 24) & KEPT_A) | (((rankB[p]! - keptB) >>> 23) & KEPT_B)]!++;
    odd[classes[p + 1]! | (((rankA[p + 1]! - keptA) >>> 24) & KEPT_A) | (((rankB[p + 1]! - keptB) >>> 23) & KEPT_B)]!++;
  }
  if (pairs < end) even[classes[pairs]! | (((rankA[pairs]! - keptA) >>> 24) & KEPT_A) | (((rankB[pairs]! - keptB) >>> 23) & KEPT_B)]!++;
}

/**
 * Positions where both are kept and A (or B: `model` 1) does not agree although its weighted value is not 0, into `places`;
 * returns how many. Where it alone is kept it agrees.
 */
export function discardedPlaces(a: Cut, b: Cut, classes: Uint8Array, model: 0 | 1, places: Int32Array): number {
  const alone = 3 + model;
  const agrees = 5 + model;
  const { rank: rankA, kept: keptA } = a;
  const { rank: rankB, kept: keptB } = b;
  let count = 0;
  for (let p = 0; p < classes.length; p++) {
    const own = classes[p]!;
    places[count] = p;
    count += ((rankA[p]! - keptA) & (rankB[p]! - keptB) & 0x80000000) >>> 31 & (own >>> alone) & ~(own >>> agrees);
  }
  return count;
}
