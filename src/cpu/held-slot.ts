/** What is held of a slot: task vectors and, per value, its rank, so that trimming at any density is one comparison. */
import { keptOf, type Group, type Kept, type ReadSegment, type Slot } from '../merge/backend';
import { traitsOf } from '../recipe/methods';
import type { Method, TensorParameters } from '../recipe/types';
import { decodeSlot, hasInput, taskVector, type Run, type SlotValues } from '../reference/decode';
import type { Pace } from '../reference/pace';
import { rescaleFactor } from '../reference/rescale';
import { magnitudeKey, NAN_KEY } from '../reference/select';
import { ascendingOrder } from './held-order';

/** Rank of an element that the model does not have: no density keeps it. */
export const NO_RANK = 0x7fffffff;

/** One model of a slot; arrays are over the slot's elements. */
export interface HeldModel {
  /** 0 where the model has no element. */
  readonly tau: Float32Array<ArrayBuffer>;
  /** Place among the model's values by magnitude, largest first, equal ones by lowest index; or NO_RANK. Kept where rank < K. */
  readonly rank: Int32Array<ArrayBuffer>;
  /** Elements that the model has. */
  readonly count: number;
}

export interface HeldSlot {
  readonly slot: Slot;
  readonly runs: readonly Run[];
  readonly length: number;
  /** theta_init; the first model's values where there is no base. */
  readonly base: Float32Array;
  /** theta_i, for `linear`, which merges these; else none. */
  readonly thetas: readonly (Float32Array | null)[];
  /** Per model; null for one that takes no part. */
  readonly models: readonly (HeldModel | null)[];
  /** 1 where some tau is not finite; null when all are. */
  readonly odd: Uint8Array | null;
  /** Per run, per input. */
  readonly nonfinite: readonly (readonly number[])[];
}

/** Arrays that all slots share, as long as the longest of them; what is in them lasts until the next slot. */
export interface Scratch {
  readonly e: Float32Array<ArrayBuffer>;
  readonly bytes: Uint8Array;
  readonly words: readonly [Int32Array, Int32Array, Int32Array];
  /** Room for the trimmed values of a model; made when first asked for. */
  trimmed(model: number): Int32Array<ArrayBuffer>;
}

export function createScratch(length: number): Scratch {
  const words = () => new Int32Array(length);
  const rooms: Int32Array<ArrayBuffer>[] = [];
  return {
    e: new Float32Array(length),
    bytes: new Uint8Array(length),
    words: [words(), words(), words()],
    trimmed: (model) => (rooms[model] ??= words()),
  };
}

/** One allocation per model over all slots: what a group of thousands of small tensors would otherwise scatter. */
export class Store {
  private readonly tau: readonly Float32Array<ArrayBuffer>[];
  private readonly rank: readonly Int32Array<ArrayBuffer>[];
  private at = 0;

  constructor(group: Group, elements: number) {
    const models = Math.max(0, ...group.slots.map(({ inputs }) => inputs.length - 1));
    this.tau = Array.from({ length: models }, () => new Float32Array(elements));
    this.rank = Array.from({ length: models }, () => new Int32Array(elements));
  }

  /** Reads, decodes and ranks the next slot. Rejects as `decodeSlot` does. */
  async hold(method: Method, slot: Slot, runs: readonly Run[], read: ReadSegment, scratch: Scratch, pace: Pace): Promise<HeldSlot> {
    const values = await decodeSlot(slot, runs, read, pace);
    const begin = this.at;
    const end = (this.at += values.length);
    const models: (HeldModel | null)[] = [];
    for (const [model, theta] of values.models.entries()) {
      await pace.pause();
      if (theta === null) {
        models.push(null);
        continue;
      }
      const tau = this.tau[model]!.subarray(begin, end);
      const rank = this.rank[model]!.subarray(begin, end);
      tau.set(taskVector(values, model));
      models.push({ tau, rank, count: rankValues(tau, runs.filter((run) => hasInput(slot, run, model + 1)), rank, scratch) });
    }
    return heldSlot(method, values, models);
  }
}

function heldSlot(method: Method, { slot, runs, length, base, models: thetas, nonfinite }: SlotValues, models: readonly (HeldModel | null)[]): HeldSlot {
  return { slot, runs, length, base, thetas: traitsOf(method).of === 'values' ? thetas : [], models, odd: oddPlaces(length, models), nonfinite };
}

/** Ranks the values of `runs`; returns how many there are. */
function rankValues(tau: Float32Array<ArrayBuffer>, runs: readonly Run[], rank: Int32Array, { words }: Scratch): number {
  const bits = new Int32Array(tau.buffer, tau.byteOffset, tau.length);
  const count = runs.reduce((sum, { begin, end }) => sum + end - begin, 0);
  const keys = words[0].subarray(0, count);
  let k = 0;
  for (const { begin, end } of runs) {
    // The largest first: the complements ascend.
    for (let p = begin; p < end; p++) keys[k++] = NAN_KEY - magnitudeKey(bits[p]!);
  }
  const order = ascendingOrder(keys, [words[1], words[2]]);
  for (let place = 0; place < count; place++) keys[order[place]!] = place;
  rank.fill(NO_RANK);
  k = 0;
  for (const { begin, end } of runs) {
    rank.set(keys.subarray(k, k + end - begin), begin);
    k += end - begin;
  }
  return count;
}

function oddPlaces(length: number, models: readonly (HeldModel | null)[]): Uint8Array | null {
  let odd: Uint8Array | null = null;
  for (const model of models) {
    if (model === null) continue;
    for (let p = 0; p < length; p++) {
      if (Number.isFinite(model.tau[p]!)) continue;
      odd ??= new Uint8Array(length);
      odd[p] = 1;
    }
  }
  return odd;
}

/** What the parameters make of one model: w_i tau^_i at p is `termAt`. */
export interface Cut {
  readonly tau: Float32Array;
  readonly rank: Int32Array;
  /** K_i: kept where rank < kept. */
  readonly kept: number;
  /** Of `rescale`; 1 without. */
  readonly factor: number;
  /** f32. */
  readonly weight: number;
}

/** Per model, null for one that takes no part. */
export function cutsOf({ models }: HeldSlot, elects: boolean, parameters: TensorParameters): (Cut | null)[] {
  const { weight, rescale } = parameters;
  return models.map((model, m) => {
    if (model === null) return null;
    const { tau, rank } = model;
    // All of them for methods that do not trim.
    const kept = elects ? keptOf(parameters, m, model.count) : model.count;
    const factor = elects && rescale ? rescaleFactor(tau, Uint8Array.from(rank, (place) => Number(place < kept))) : 1;
    return { tau, rank, kept, factor, weight: Math.fround(weight[m]!) };
  });
}

/** w_i tau^_i: rescaled, then weighted, each one f32 multiplication; 0 where it is trimmed. */
export function termAt({ tau, rank, kept, factor, weight }: Cut, p: number): number {
  return rank[p]! < kept ? Math.fround(Math.fround(tau[p]! * factor) * weight) : 0;
}

/** The cut as every backend says it. */
export function keptSet({ slot, runs, models }: HeldSlot, cuts: readonly (Cut | null)[]): (Kept | null)[] {
  const bits = new Int32Array(1);
  const value = new Float32Array(bits.buffer);
  return cuts.map((cut, m) => {
    if (cut === null) return null;
    if (cut.kept === models[m]!.count) return { threshold: 0, cutoff: slot.elements };
    if (cut.kept === 0) return { threshold: NAN_KEY, cutoff: 0 };
    const last = cut.rank.indexOf(cut.kept - 1);
    value[0] = cut.tau[last]!;
    return { threshold: magnitudeKey(bits[0]!), cutoff: flatIndex(runs, last) + 1 };
  });
}

/** Flat index in the slot of the element at `place` of the slot's arrays. */
export function flatIndex(runs: readonly Run[], place: number): number {
  const run = runs.find(({ end }) => place < end)!;
  return run.segment.first + place - run.begin;
}
