/** decode: the values of one slot in f32 and its task vectors (merging.md section 1). */
import { decodeToF32 } from '../bytes/floats';
import type { Group, ReadSegment, Segment, Slot } from '../merge/backend';
import type { Pace } from './pace';

/** A segment of a slot, and where its elements lie in the slot's arrays: a sample's arrays leave out what was not drawn. */
export interface Run {
  readonly segment: Segment;
  readonly chunk: number;
  /** Index among the chunk's segments. */
  readonly place: number;
  /** First element in the slot's arrays. */
  readonly begin: number;
  /** Exclusive. */
  readonly end: number;
}

/** One slot as the group covers it. All arrays have `length` elements, in flat order; 0 where an input has none. */
export interface SlotValues {
  readonly slot: Slot;
  readonly runs: readonly Run[];
  readonly length: number;
  /** theta_init; the first model's values where there is no base. */
  readonly base: Float32Array;
  /** theta_i; null for a model that takes no part. */
  readonly models: readonly (Float32Array | null)[];
  /** Per run, per input: NaN or infinite values. */
  readonly nonfinite: readonly (readonly number[])[];
}

/** The runs of each slot of a group, in order. */
export function runsOf(group: Group): Run[][] {
  const runs: Run[][] = group.slots.map(() => []);
  group.chunks.forEach((segments, chunk) => {
    for (const [place, segment] of segments.entries()) {
      const mine = runs[segment.slot]!;
      const begin = mine.at(-1)?.end ?? 0;
      mine.push({ segment, chunk, place, begin, end: begin + segment.count });
    }
  });
  return runs;
}

/** Whether input `input` (base = 0) has the elements of `run`. */
export function hasInput(slot: Slot, run: Run, input: number): boolean {
  return slot.inputs[input] !== null && run.segment.present[input] === true;
}

/** Reads and decodes every run of a slot, each once. Throws RangeError when a read does not give the segment's bytes. */
export async function decodeSlot(slot: Slot, runs: readonly Run[], read: ReadSegment, pace: Pace): Promise<SlotValues> {
  const length = runs.at(-1)?.end ?? 0;
  const inputs = slot.inputs.map((dtype) => (dtype === null ? null : new Float32Array(length)));
  const nonfinite: number[][] = [];
  for (const run of runs) {
    const counts = inputs.map(() => 0);
    for (const [input, values] of inputs.entries()) {
      const dtype = slot.inputs[input];
      if (values === null || dtype == null || !hasInput(slot, run, input)) continue;
      await pace.pause();
      const decoded = decodeToF32(await read(run.segment, input), dtype);
      if (decoded.length !== run.segment.count) {
        throw new RangeError(`${slot.name}, input ${input}: ${decoded.length} values instead of ${run.segment.count}`);
      }
      values.set(decoded, run.begin);
      counts[input] = countNonfinite(decoded);
    }
    nonfinite.push(counts);
  }
  const [base, ...models] = inputs;
  return { slot, runs, length, base: base ?? models.find((m) => m !== null) ?? new Float32Array(length), models, nonfinite };
}

/** tau_i = theta_i - theta_init, one f32 subtraction a value; 0 where model `model` has no elements. */
export function taskVector(values: SlotValues, model: number): Float32Array<ArrayBuffer> {
  const { slot, runs, base } = values;
  const theta = values.models[model]!;
  const tau = new Float32Array(values.length);
  for (const run of runs) {
    if (!hasInput(slot, run, model + 1)) continue;
    for (let p = run.begin; p < run.end; p++) tau[p] = Math.fround(theta[p]! - base[p]!);
  }
  return tau;
}

function countNonfinite(values: Float32Array): number {
  let count = 0;
  for (let p = 0; p < values.length; p++) if (!Number.isFinite(values[p]!)) count++;
  return count;
}
