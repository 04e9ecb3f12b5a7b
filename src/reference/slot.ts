/** The passes of one slot, in the order of merging.md. */
import { keptOf, type Kept, type Slot } from '../merge/backend';
import { drawOf } from '../merge/draw';
import type { Figures } from '../merge/figures';
import { readsDensity, traitsOf } from '../recipe/methods';
import type { Method, TensorParameters } from '../recipe/types';
import { countRun } from './counts';
import { taskVector, type Run, type SlotValues } from './decode';
import { elect, sumInModelOrder, sumOfNonfinite, weigh } from './elect';
import { drop } from './drop';
import { applyTaskVector, averageTaskVectors, disjointMerge, linear } from './merge';
import type { Pace } from './pace';
import { rescaleFactor } from './rescale';
import { giveBack, reserve } from './slack';
import { prepareTaskVector, trim, type TaskVector, type Trimmed } from './trim';

/** What a slot needs to be decided again with other parameters. */
export interface PreparedSlot {
  readonly slot: Slot;
  readonly runs: readonly Run[];
  readonly length: number;
  readonly vectors: readonly (TaskVector | null)[];
  readonly nonfinite: SlotValues['nonfinite'];
}

/** Everything decided about a slot; arrays are over its elements. */
export interface SlotDecision {
  readonly kept: readonly (Kept | null)[];
  readonly reserved: Kept | null;
  /** Per run. `overflow` is 0. */
  readonly figures: readonly Figures[];
  readonly weights: readonly number[];
  readonly weighted: readonly (Float32Array | null)[];
  /** sum_i w_i tau^_i. */
  readonly e: Float32Array<ArrayBuffer>;
  /** The elected sign, before reserving; null for methods without election. */
  readonly gamma: Int8Array | null;
  /** 1 where the slack gives the position back; null without slack. */
  readonly reservedMask: Uint8Array | null;
  readonly special: Float32Array | null;
}

/** Which values of a task vector take part. */
export type Keep = (slot: Slot, vector: TaskVector, model: number, method: Method, parameters: TensorParameters) => Trimmed;

const keepByMethod: Keep = (slot, vector, model, method, parameters) => {
  const { keeps } = traitsOf(method);
  const draw = keeps === 'drawn' ? drawOf(parameters, slot.name, model) : null;
  return draw ? drop(slot, vector, draw) : trim(slot, vector, (elements) => (keeps === 'largest' ? keptOf(parameters, model, elements) : elements));
};

/** What `rescale` multiplies tau^_i by. */
function factorOf(tau: Float32Array, mask: Uint8Array, { density, drop }: TensorParameters, model: number): number {
  return drop?.rescaleBy === 'density' ? Math.fround(1 / Math.min(1, density[model]!)) : rescaleFactor(tau, mask);
}

/** Task vectors and their keys. */
export async function prepareSlot(values: SlotValues, pace: Pace): Promise<PreparedSlot> {
  const { slot, runs, length, nonfinite } = values;
  const vectors: (TaskVector | null)[] = [];
  for (const [model, theta] of values.models.entries()) {
    await pace.pause();
    vectors.push(theta === null ? null : prepareTaskVector(slot, model, runs, taskVector(values, model)));
  }
  return { slot, runs, length, vectors, nonfinite };
}

/** Trims or drops, elects, reserves and counts, as the method does. Weights are rounded to f32 once. */
export async function decideSlot(
  method: Method,
  prepared: PreparedSlot,
  parameters: TensorParameters,
  pace: Pace,
  keep: Keep = keepByMethod,
): Promise<SlotDecision> {
  const { slot, runs, length, vectors } = prepared;
  const { elects, slack: hasSlack } = traitsOf(method);
  const weights = parameters.weight.map(Math.fround);
  const rescales = readsDensity(method) && parameters.rescale;

  const kept: (Kept | null)[] = [];
  const masks: (Uint8Array | null)[] = [];
  const counts: number[] = [];
  const weighted: (Float32Array | null)[] = [];
  for (const [model, vector] of vectors.entries()) {
    await pace.pause();
    const trimmed = vector && keep(slot, vector, model, method, parameters);
    const factor = parameters.factor?.[model] ?? (vector && trimmed && rescales ? factorOf(vector.tau, trimmed.mask, parameters, model) : 1);
    kept.push(trimmed?.kept ?? null);
    masks.push(trimmed?.mask ?? null);
    counts.push(trimmed?.count ?? 0);
    weighted.push(vector && trimmed && weigh(vector.tau, trimmed.mask, factor, weights[model]!));
  }

  await pace.pause();
  const e = sumInModelOrder(length, weighted);
  const special = elects ? sumOfNonfinite(vectors, weighted, weights, e) : null;
  const gamma = elects ? elect(e) : null;

  await pace.pause();
  const slack = hasSlack ? parameters.slack : undefined;
  const prefer = slack?.prefer ?? -1;
  const preferred = weighted[prefer] ?? null;
  const reserved =
    slack && gamma && preferred ? reserve(slack, runs, counts[prefer]!, preferred, e, gamma, special) : null;
  const reservedMask = reserved?.mask ?? null;

  const decisions = { vectors, kept: masks, weighted, gamma, reserved: reservedMask };
  const figures: Figures[] = [];
  for (const [r, run] of runs.entries()) {
    await pace.pause();
    figures.push(countRun(run, decisions, prepared.nonfinite[r]!));
  }
  return { kept, reserved: reserved?.selection ?? null, figures, weights, weighted, e, gamma, reservedMask, special };
}

/** theta_m in f32, over the slot's elements. */
export function mergeSlot(
  method: Method,
  values: SlotValues,
  { weights, weighted, e, gamma, reservedMask, special }: SlotDecision,
  parameters: TensorParameters,
): Float32Array {
  if (traitsOf(method).of === 'values') return linear(values, weights, parameters.normalize);
  const tau =
    gamma === null
      ? averageTaskVectors(values, e, weights, parameters.normalize)
      : disjointMerge(weighted, weights, reservedMask ? giveBack(gamma, reservedMask) : gamma, parameters.normalize, special);
  return applyTaskVector(values.base, tau, Math.fround(parameters.lambda));
}
