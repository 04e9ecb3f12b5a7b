/** counts of any number of models, and of two with `rescale` (merging.md section 5). */
import { emptyFigures, type Figures } from '../merge/figures';
import type { Run } from '../reference/decode';
import { termAt, type Cut } from './held-slot';

const POSITIVE = 1;
const NEGATIVE = 2;
const BOTH = POSITIVE | NEGATIVE;

/** e = sum_i w_i tau^_i in f32 and in model order, over `length` elements. */
export function sumTerms(cuts: readonly (Cut | null)[], length: number, e: Float32Array): void {
  e.fill(0, 0, length);
  for (const cut of cuts) if (cut !== null) addTerms(cut, length, e);
}

function addTerms(cut: Cut, length: number, e: Float32Array): void {
  for (let p = 0; p < length; p++) e[p] = Math.fround(e[p]! + termAt(cut, p));
}

/**
 * Figures of one run before reserving; `reserved`, `nonfinite` and `overflow` are left at 0.
 *
 * @param e of the whole slot; null for methods that elect no sign
 * @param seen scratch, as long as the slot
 */
export function countMany(cuts: readonly (Cut | null)[], e: Float32Array | null, { begin, end }: Run, seen: Uint8Array): Figures {
  const figures = emptyFigures(cuts.length);
  figures.numel = end - begin;
  seen.fill(0, begin, end);
  for (const cut of cuts) if (cut !== null) addSigns(cut, begin, end, seen);
  for (let p = begin; p < end; p++) figures.conflict += Number(seen[p] === BOTH);
  for (const [model, cut] of cuts.entries()) {
    if (cut === null) continue;
    const { kept, nonzero, won, agreeing } = e === null ? countKept(cut, begin, end) : countAgreeing(cut, e, begin, end, seen);
    figures.kept[model] = kept;
    figures.nonzero[model] = nonzero;
    figures.won[model] = won;
    figures.discarded[model] = e === null ? 0 : nonzero - agreeing;
  }
  let pair = 0;
  for (let i = 0; i < cuts.length; i++) {
    for (let j = i + 1; j < cuts.length; j++, pair++) {
      const [a, b] = [cuts[i], cuts[j]];
      if (a && b) figures.between[pair] = countOpposite(a, b, begin, end);
    }
  }
  return figures;
}

function addSigns({ tau, rank, kept }: Cut, begin: number, end: number, seen: Uint8Array): void {
  for (let p = begin; p < end; p++) {
    const signs = Number(tau[p]! > 0) | (Number(tau[p]! < 0) << 1);
    seen[p]! |= signs & ((rank[p]! - kept) >> 31);
  }
}

function countKept({ tau, rank, kept }: Cut, begin: number, end: number) {
  const counts = { kept: 0, nonzero: 0, won: 0, agreeing: 0 };
  for (let p = begin; p < end; p++) {
    const here = (rank[p]! - kept) >>> 31;
    counts.kept += here;
    counts.nonzero += here & Number(tau[p] !== 0);
  }
  return counts;
}

function countAgreeing(cut: Cut, e: Float32Array, begin: number, end: number, seen: Uint8Array) {
  const { tau, rank, kept } = cut;
  let [all, nonzero, won, agreeing] = [0, 0, 0, 0];
  for (let p = begin; p < end; p++) {
    const here = (rank[p]! - kept) >>> 31;
    const term = termAt(cut, p);
    const up = Number(e[p]! >= 0);
    const agrees = (Number(term > 0) & up) | (Number(term < 0) & (1 - up));
    all += here;
    nonzero += here & Number(tau[p] !== 0);
    won += agrees & Number(seen[p] === BOTH);
    agreeing += agrees;
  }
  return { kept: all, nonzero, won, agreeing };
}

function countOpposite(a: Cut, b: Cut, begin: number, end: number): number {
  let count = 0;
  for (let p = begin; p < end; p++) {
    const u = a.tau[p]!;
    const v = b.tau[p]!;
    const opposite = (Number(u > 0) & Number(v < 0)) | (Number(u < 0) & Number(v > 0));
    count += opposite & (((a.rank[p]! - a.kept) & (b.rank[p]! - b.kept)) >>> 31);
  }
  return count;
}

/** Positions where the preferred model is discarded although its weighted value is not 0, into `places`; returns how many. */
export function discardedOfMany(preferred: Cut, e: Float32Array, length: number, places: Int32Array): number {
  let count = 0;
  for (let p = 0; p < length; p++) {
    const term = termAt(preferred, p);
    const up = Number(e[p]! >= 0);
    places[count] = p;
    count += (Number(term > 0) & (1 - up)) | (Number(term < 0) & up);
  }
  return count;
}
