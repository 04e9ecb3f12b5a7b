/** counts: the figures of one run (merging.md section 5). Twin of shaders/lib/count.wgsl. */
import { emptyFigures, type Figures } from '../merge/figures';
import type { Run } from './decode';
import { agrees } from './elect';
import { NEGATIVE, POSITIVE, type TaskVector } from './trim';

/** The decisions of one slot, as arrays over its elements. Per model, null for one that takes no part. */
export interface Decisions {
  readonly vectors: readonly (TaskVector | null)[];
  /** 1 where trimming keeps the value. */
  readonly kept: readonly (Uint8Array | null)[];
  readonly weighted: readonly (Float32Array | null)[];
  /** The elected sign before reserving; null for methods without election. */
  readonly gamma: Int8Array | null;
  /** 1 where the slack gives the position back; null without slack. */
  readonly reserved: Uint8Array | null;
}

const BOTH = POSITIVE | NEGATIVE;

/** Figures of `run`; won and discarded are those before reserving. `overflow` is left at 0. */
export function countRun(run: Run, decisions: Decisions, nonfinite: readonly number[]): Figures {
  const { gamma } = decisions;
  const figures = emptyFigures(decisions.vectors.length);
  const seen = signsSeen(run, decisions);
  figures.numel = run.end - run.begin;
  figures.nonfinite = [...nonfinite];
  for (let j = 0; j < seen.length; j++) figures.conflict += Number(seen[j] === BOTH);
  for (const [model, vector] of decisions.vectors.entries()) {
    const kept = decisions.kept[model];
    const weighted = decisions.weighted[model];
    if (vector === null || kept == null || weighted == null) continue;
    let retained = 0;
    let nonzero = 0;
    let won = 0;
    let dropped = 0;
    // Sums of 0 and 1 rather than branches, which would be as unpredictable as the signs are.
    for (let p = run.begin; p < run.end; p++) {
      // A NaN is among the values that are not 0.
      const here = kept[p]! & Number(vector.signs[p] !== 0);
      retained += kept[p]!;
      nonzero += here;
      if (gamma === null) continue;
      const agreeing = Number(agrees(weighted[p]!, gamma[p]!));
      won += agreeing & Number(seen[p - run.begin] === BOTH);
      dropped += here - agreeing;
    }
    figures.kept[model] = retained;
    figures.nonzero[model] = nonzero;
    figures.won[model] = won;
    figures.discarded[model] = dropped;
  }
  figures.between = conflictsBetween(run, decisions);
  countReserved(run, decisions, figures);
  return figures;
}

/** Which signs the kept values of a position have, before weighting; BOTH is a conflict. */
function signsSeen(run: Run, { vectors, kept }: Decisions): Uint8Array {
  const seen = new Uint8Array(run.end - run.begin);
  for (const [model, vector] of vectors.entries()) {
    const mask = kept[model];
    if (vector === null || mask == null) continue;
    for (let p = run.begin; p < run.end; p++) seen[p - run.begin]! |= mask[p]! * (vector.signs[p]! & BOTH);
  }
  return seen;
}

/** Per pair of models: positions where both keep values of opposite signs. */
function conflictsBetween({ begin, end }: Run, { vectors, kept }: Decisions): number[] {
  const counts: number[] = [];
  for (let i = 0; i < vectors.length; i++) {
    for (let j = i + 1; j < vectors.length; j++) {
      const [a, b, keptA, keptB] = [vectors[i], vectors[j], kept[i], kept[j]];
      let count = 0;
      if (a != null && b != null && keptA != null && keptB != null) {
        for (let p = begin; p < end; p++) count += keptA[p]! & keptB[p]! & Number(((a.signs[p]! | b.signs[p]!) & BOTH) === BOTH);
      }
      counts.push(count);
    }
  }
  return counts;
}

/** Positions given back, and what the models lose that had won there: sum |w_i tau^_i|. */
function countReserved(run: Run, { weighted, gamma, reserved }: Decisions, figures: Figures): void {
  if (reserved === null || gamma === null) return;
  for (let p = run.begin; p < run.end; p++) {
    if (reserved[p] === 0) continue;
    figures.reserved++;
    for (const terms of weighted) {
      if (terms !== null && agrees(terms[p]!, gamma[p]!)) figures.reservedCost += Math.abs(terms[p]!);
    }
  }
}
