/** counts of any number of models, and of two with `rescale` (merging.md section 5). */
import { emptyFigures, type Figures } from '../merge/figures';
import type { Run } from '../reference/decode';
import { termAt, type Cut } from './held-slot';

const POSITIVE = 1;
const NEGATIVE = 2;
const BOTH = POSITIVE | NEGATIVE;

/** tau^_i of one model, before rescaling and weighting; trimmed by a mask of bits, as the sets are as random as branches get. */
export function trimInto({ tau, rank, kept }: Cut, into: Int32Array<ArrayBuffer>): Float32Array {
  const bits = new Int32Array(tau.buffer, tau.byteOffset, tau.length);
  for (let p = 0; p < bits.length; p++) into[p] = bits[p]! & ((rank[p]! - kept) >> 31);
  return new Float32Array(into.buffer, into.byteOffset, tau.length);
}

/** e = sum_i w_i tau^_i in f32 and in model order; `trimmed` are tau^ per model. */
export function sumTerms(cuts: readonly (Cut | null)[], trimmed: readonly (Float32Array | null)[], e: Float32Array): void {
  e.fill(0);
  for (const [model, cut] of cuts.entries()) if (cut !== null) addTerms(trimmed[model]!, cut.factor, cut.weight, e);
}

function addTerms(values: Float32Array, factor: number, weight: number, e: Float32Array): void {
  for (let p = 0; p < values.length; p++) e[p] = Math.fround(e[p]! + Math.fround(Math.fround(values[p]! * factor) * weight));
}

/**
 * Figures of one run before reserving; `reserved`, `nonfinite` and `overflow` are left at 0.
 *
 * @param trimmed tau^ per model
 * @param e of the whole slot; null for methods that elect no sign
 * @param seen scratch, as long as the slot
 */
export function countMany(
  cuts: readonly (Cut | null)[],
  trimmed: readonly (Float32Array | null)[],
  e: Float32Array | null,
  { begin, end }: Run,
  seen: Uint8Array,
): Figures {
  const figures = emptyFigures(cuts.length);
  figures.numel = end - begin;
  seen.fill(0, begin, end);
  for (const values of trimmed) if (values !== null) addSigns(values, begin, end, seen);
  for (let p = begin; p < end; p++) figures.conflict += Number(seen[p] === BOTH);
  for (const [model, cut] of cuts.entries()) {
    const values = trimmed[model];
    if (cut === null || !values) continue;
    figures.kept[model] = countKept(cut, begin, end);
    figures.nonzero[model] = countNonzero(values, begin, end);
    if (e === null) continue;
    const { won, agreeing } = countAgreeing(values, cut, e, begin, end, seen);
    figures.won[model] = won;
    figures.discarded[model] = figures.nonzero[model] - agreeing;
  }
  let pair = 0;
  for (let i = 0; i < cuts.length; i++) {
    for (let j = i + 1; j < cuts.length; j++, pair++) {
      const [a, b] = [trimmed[i], trimmed[j]];
      if (a && b) figures.between[pair] = countOpposite(a, b, begin, end);
    }
  }
  return figures;
}

function addSigns(values: Float32Array, begin: number, end: number, seen: Uint8Array): void {
  for (let p = begin; p < end; p++) seen[p]! |= Number(values[p]! > 0) | (Number(values[p]! < 0) << 1);
}

function countKept({ rank, kept }: Cut, begin: number, end: number): number {
  let count = 0;
  for (let p = begin; p < end; p++) count += (rank[p]! - kept) >>> 31;
  return count;
}

function countNonzero(values: Float32Array, begin: number, end: number): number {
  let count = 0;
  for (let p = begin; p < end; p++) count += Number(values[p] !== 0);
  return count;
}

function countAgreeing(values: Float32Array, { factor, weight }: Cut, e: Float32Array, begin: number, end: number, seen: Uint8Array) {
  let won = 0;
  let agreeing = 0;
  for (let p = begin; p < end; p++) {
    const term = Math.fround(Math.fround(values[p]! * factor) * weight);
    const up = Number(e[p]! >= 0);
    const agrees = (Number(term > 0) & up) | (Number(term < 0) & (1 - up));
    won += agrees & Number(seen[p] === BOTH);
    agreeing += agrees;
  }
  return { won, agreeing };
}

function countOpposite(a: Float32Array, b: Float32Array, begin: number, end: number): number {
  let count = 0;
  for (let p = begin; p < end; p++) {
    const u = a[p]!;
    const v = b[p]!;
    count += (Number(u > 0) & Number(v < 0)) | (Number(u < 0) & Number(v > 0));
  }
  return count;
}

/** Positions where the preferred model is discarded although its weighted value is not 0, into `places`; returns how many. */
export function discardedOfMany(preferred: Cut, e: Float32Array, places: Int32Array): number {
  let count = 0;
  for (let p = 0; p < e.length; p++) {
    const term = termAt(preferred, p);
    const up = Number(e[p]! >= 0);
    places[count] = p;
    count += (Number(term > 0) & (1 - up)) | (Number(term < 0) & up);
  }
  return count;
}
