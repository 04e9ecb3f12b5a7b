/** trim: the K_i values of each task vector that a merge keeps (merging.md section 2). Twin of shaders/pick.wgsl and locate.wgsl. */
import { type Kept, type Slot } from '../merge/backend';
import { hasInput, type Run } from './decode';
import { magnitudeKey, selectLargest } from './select';

/** tau_i of one model in one slot, ready to be trimmed. */
export interface TaskVector {
  /** As the slot's arrays; 0 where the model has no elements. */
  readonly tau: Float32Array<ArrayBuffer>;
  /** Runs that the model has. */
  readonly runs: readonly Run[];
  /** Keys of the elements that the model has, run after run. */
  readonly keys: Uint32Array;
  /** The keys sorted; made once, so that another density is a look-up. */
  ascending(): Uint32Array;
  /** As `tau`: POSITIVE, NEGATIVE, NOT_A_NUMBER, or 0 for a zero. */
  readonly signs: Uint8Array;
}
export const POSITIVE = 1;
export const NEGATIVE = 2;
export const NOT_A_NUMBER = 4;

export function prepareTaskVector(slot: Slot, model: number, runs: readonly Run[], tau: Float32Array<ArrayBuffer>): TaskVector {
  const bits = new Uint32Array(tau.buffer);
  const mine = runs.filter((run) => hasInput(slot, run, model + 1));
  const keys = new Uint32Array(mine.reduce((sum, run) => sum + run.segment.count, 0));
  let k = 0;
  for (const run of mine) for (let p = run.begin; p < run.end; p++) keys[k++] = magnitudeKey(bits[p]!);
  const signs = new Uint8Array(tau.length);
  for (let p = 0; p < tau.length; p++) signs[p] = signOf(tau[p]!);
  let sorted: Uint32Array | null = null;
  return { tau, runs: mine, keys, ascending: () => (sorted ??= keys.slice().sort()), signs };
}

function signOf(value: number): number {
  if (value > 0) return POSITIVE;
  if (value < 0) return NEGATIVE;
  return value === 0 ? 0 : NOT_A_NUMBER;
}

export interface Trimmed {
  readonly kept: Kept;
  /** K_i. */
  readonly count: number;
  /** As the slot's arrays: 1 where tau^_i is tau_i, 0 where it is trimmed or the model has no element. */
  readonly mask: Uint8Array;
}

/**
 * Keeps the K_i largest |tau_i|, equal magnitudes by lowest flat index. `countOf` tells K_i of N, the elements that the model
 * has in the group: those of the tensor, or those of the sample.
 */
export function trim(slot: Slot, vector: TaskVector, countOf: (elements: number) => number): Trimmed {
  const { keys, runs, tau } = vector;
  const mask = new Uint8Array(tau.length);
  const count = countOf(keys.length);
  if (count === keys.length) {
    for (const run of runs) mask.fill(1, run.begin, run.end);
    return { kept: { threshold: 0, cutoff: slot.elements }, count, mask };
  }
  const { threshold, last } = selectLargest(keys, vector.ascending(), count);
  let cutoff = 0;
  let first = 0;
  for (const run of runs) {
    const mine = keys.subarray(first, first + run.segment.count);
    for (let j = 0; j < mine.length; j++) {
      const key = mine[j]!;
      mask[run.begin + j] = Number(key > threshold) | (Number(key === threshold) & Number(first + j <= last));
    }
    if (first <= last) cutoff = run.segment.first + Math.min(last - first, mine.length - 1) + 1;
    first += mine.length;
  }
  return { kept: { threshold, cutoff }, count, mask };
}
