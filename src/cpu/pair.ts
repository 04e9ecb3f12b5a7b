/**
 * The common case in one piece: two models under TIES, with or without slack. What the general passes do one after the other, with the
 * same operations in the same order, so that every bit is the same; a third of their loads and stores are left.
 */
import { applyBlock } from './merge';
import type { Decision } from './part-types';
import { weighBlock } from './elect';
import { INFINITY_KEY, NAN_KEY } from '../reference/select';
import type { Lane, Scratch } from './scratch';

/** Counts of all the blocks so far. */
export interface PairCounts {
  conflict: number;
  nonzeroX: number;
  nonzeroY: number;
  agreeX: number;
  agreeY: number;
  wonX: number;
  wonY: number;
}
export interface Pair {
  readonly x: number;
  readonly y: number;
  readonly weightX: number;
  readonly weightY: number;
  readonly factorX: number;
  readonly factorY: number;
  readonly lambda: number;
  /** By who agrees: 0 nobody, 1 the first, 2 the second, 3 both. */
  readonly divisors: Float32Array;
  readonly counts: PairCounts;
}

/** The pair of a part whose elements exactly two models have, or null. */
export function pairOf(present: readonly number[], { weights, factors, lambda, normalize }: Decision): Pair | null {
  if (present.length !== 2) return null;
  const [x, y] = present as [number, number];
  const [weightX, weightY] = [weights[x]!, weights[y]!];
  const sums = normalize ? [0, weightX, weightY, Math.fround(weightX + weightY)] : [1, 1, 1, 1];
  return {
    x, y, weightX, weightY, lambda,
    factorX: factors[x]!,
    factorY: factors[y]!,
    divisors: Float32Array.from(sums, (d) => (d === 0 ? 1 : d)),
    counts: { conflict: 0, nonzeroX: 0, nonzeroY: 0, agreeX: 0, agreeY: 0, wonX: 0, wonY: 0 },
  };
}

/** w * tau^ of both, and their sum in `scratch.e`. */
function weighPair(pair: Pair, scratch: Scratch, n: number): { readonly termX: Lane; readonly termY: Lane } {
  const weighted = (model: number, factor: number, weight: number) => {
    if (factor === 1 && weight === 1) return scratch.tau(model);
    const term = scratch.term(model);
    weighBlock(scratch.tau(model).f32, factor, weight, n, term.f32);
    return term;
  };
  const termX = weighted(pair.x, pair.factorX, pair.weightX);
  const termY = weighted(pair.y, pair.factorY, pair.weightY);
  addPairTerms(scratch.e.f32, termX.f32, termY.f32, n);
  return { termX, termY };
}

/** theta_m of a block whose values are finite and trimmed, into `scratch.merged`. */
export function mergePairBlock(pair: Pair, scratch: Scratch, n: number): void {
  const [tauX, tauY] = [scratch.tau(pair.x), scratch.tau(pair.y)];
  const { termX, termY } = weighPair(pair, scratch, n);
  const { sum, divisor } = scratch;
  countPair(pair.counts, tauX.bits, tauY.bits, termX.bits, termY.bits, scratch.e.bits, n, sum.bits, divisor.bits, scratch.negative);
  averagePair(sum.f32, divisor.f32, scratch.negative, pair.divisors, n);
  applyBlock(scratch.base, sum, pair.lambda, n, scratch.merged);
}

/** D of such a block where `prefer` is one of the two, as `gatherMargins` (slack.ts) finds it. Returns how many. */
export function gatherPairMargins(pair: Pair, prefer: number, scratch: Scratch, n: number): number {
  const { termX, termY } = weighPair(pair, scratch, n);
  const terms = (prefer === pair.x ? termX : termY).bits;
  const { e, marginKeys, marginPlaces } = scratch;
  let found = 0;
  for (let j = 0; j < n; j++) {
    const word = terms[j]!;
    const margin = e.bits[j]! & 0x7fffffff;
    marginKeys[found] = NAN_KEY - margin;
    marginPlaces[found] = j;
    found += (((word & 0x7fffffff) + 0x7fffffff) & (word ^ e.bits[j]!) & (margin - INFINITY_KEY)) >>> 31;
  }
  return found;
}

/**
 * Gives the first `given` places of D back: what is merged there is the preferred model's value. The other's is the larger one and
 * of the opposite sign, or the place would not be in D, so it had won and has no part in it now. Returns the sum of its |w * tau^|.
 */
export function reservePair(pair: Pair, prefer: number, scratch: Scratch, given: number): number {
  const { x, y, factorX, factorY, weightX, weightY, lambda, divisors } = pair;
  const preferX = prefer === x;
  const [own, other] = preferX ? [scratch.tau(x), scratch.tau(y)] : [scratch.tau(y), scratch.tau(x)];
  const [factor, weight, otherFactor, otherWeight] = preferX ? [factorX, weightX, factorY, weightY] : [factorY, weightY, factorX, weightX];
  const divisor = divisors[preferX ? 1 : 2]!;
  const { base, merged, marginPlaces } = scratch;
  let cost = 0;
  for (let k = 0; k < given; k++) {
    const j = marginPlaces[k]!;
    cost += Math.abs(Math.fround(Math.fround(other.f32[j]! * otherFactor) * otherWeight));
    const tau = Math.fround(Math.fround(Math.fround(own.f32[j]! * factor) * weight) / divisor);
    if (tau === 0) merged.bits[j] = base.bits[j]!;
    else merged.f32[j] = base.f32[j]! + Math.fround(lambda * tau);
  }
  return cost;
}

/** e, from +0 as every sum is. */
function addPairTerms(e: Float32Array, x: Float32Array, y: Float32Array, n: number): void {
  for (let j = 0; j < n; j++) e[j] = Math.fround(Math.fround(0 + x[j]!) + y[j]!);
}

/** Counts, and what agrees: the terms of the first in `agreeX`, of the second in `agreeY`, 0 elsewhere, and who it is in `who`. */
function countPair(
  counts: PairCounts,
  tauX: Int32Array,
  tauY: Int32Array,
  termX: Int32Array,
  termY: Int32Array,
  e: Int32Array,
  n: number,
  agreeX: Int32Array,
  agreeY: Int32Array,
  who: Int32Array,
): void {
  let conflict = 0;
  let nonzeroX = 0;
  let nonzeroY = 0;
  let agreedX = 0;
  let agreedY = 0;
  let wonX = 0;
  let wonY = 0;
  for (let j = 0; j < n; j++) {
    const tx = tauX[j]!;
    const ty = tauY[j]!;
    const x = termX[j]!;
    const y = termY[j]!;
    const sign = e[j]!;
    // -1 where a value is not 0: its magnitude taken from 0 is negative then. Not a unary minus, which would make a float of 0.
    const hasX = (0 - (tx & 0x7fffffff)) >> 31;
    const hasY = (0 - (ty & 0x7fffffff)) >> 31;
    const clash = hasX & hasY & ((tx ^ ty) >> 31);
    const withX = ((0 - (x & 0x7fffffff)) & ~(x ^ sign)) >> 31;
    const withY = ((0 - (y & 0x7fffffff)) & ~(y ^ sign)) >> 31;
    nonzeroX -= hasX;
    nonzeroY -= hasY;
    conflict -= clash;
    agreedX -= withX;
    agreedY -= withY;
    wonX -= clash & withX;
    wonY -= clash & withY;
    agreeX[j] = x & withX;
    agreeY[j] = y & withY;
    who[j] = (withX & 1) | (withY & 2);
  }
  counts.conflict += conflict;
  counts.nonzeroX += nonzeroX;
  counts.nonzeroY += nonzeroY;
  counts.agreeX += agreedX;
  counts.agreeY += agreedY;
  counts.wonX += wonX;
  counts.wonY += wonY;
}

/** tau_m into `x`. */
function averagePair(x: Float32Array, y: Float32Array, who: Int32Array, divisors: Float32Array, n: number): void {
  for (let j = 0; j < n; j++) x[j] = Math.fround(Math.fround(x[j]! + y[j]!) / divisors[who[j]!]!);
}
