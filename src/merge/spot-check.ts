/**
 * Checking what a backend computes while it does: a seeded sample of every tensor's values is computed again, from the bytes that
 * the backend was given, and compared with the bytes that it wrote (merging.md section 8).
 */
import { StudioError } from '../bytes/errors';
import { decodeToF32 } from '../bytes/floats';
import { bytesPerValue } from '../bytes/dtypes';
import type { OutputDtype } from '../bytes/dtypes';
import type { Group, GroupResult, Segment, SlotResult } from './backend';
import type { MergeStep } from './plan-types';
import { drawsFor } from './random';
import type { TensorParameters } from '../recipe/types';

/** Runs of a tensor that are computed again, and elements of each: both ends, and places between them. */
const RUNS = 16;
const RUN_ELEMENTS = 16;

/** Some runs of one slot as a group of their own, one segment a run, with the decisions about the whole slot. */
export interface Spots {
  readonly group: Group;
  readonly parameters: TensorParameters;
  readonly decided: Pick<SlotResult, 'kept' | 'reserved' | 'chosen'>;
  /** Input bytes of a segment. */
  readonly read: (segment: Segment, input: number) => Promise<Uint8Array<ArrayBuffer>>;
}

/** Output bytes of the runs, one after the other; null where they do not follow from the runs and the decisions alone. */
export type Recompute = (spots: Spots) => Promise<Uint8Array<ArrayBuffer> | null>;

/** What was computed again and found to be the same. */
export interface Checked {
  readonly values: number;
  readonly tensors: number;
}

/** Watches one step. */
export class SpotCheck {
  /** By slot: its runs as segments, and of each the bytes of every input and of the output. */
  private readonly runs: readonly Run[][];

  constructor(
    private readonly step: MergeStep,
    private readonly recompute: Recompute,
  ) {
    this.runs = step.group.slots.map(({ name, elements }, slot) => runsOf(name, elements, step.group.chunks.flat().filter((segment) => segment.slot === slot)));
  }

  /** Bytes of a segment on their way to the backend. */
  input(segment: Segment, input: number, bytes: Uint8Array<ArrayBuffer>): void {
    const dtype = this.step.group.slots[segment.slot]!.inputs[input]!;
    for (const run of this.within(segment)) run.inputs[input] ??= part(bytes, segment, run.segment, bytesPerValue(dtype));
  }

  /** Merged bytes of a segment. */
  output(segment: Segment, bytes: Uint8Array<ArrayBuffer>): void {
    const width = bytesPerValue(this.step.group.slots[segment.slot]!.outDtype);
    for (const run of this.within(segment)) run.output = part(bytes, segment, run.segment, width);
  }

  /** Rejects with StudioError `internal`, `computed-differs`, naming the tensor, the flat index and both values. */
  async compare({ slots }: GroupResult): Promise<Checked> {
    let [values, tensors] = [0, 0];
    for (const [s, runs] of this.runs.entries()) {
      const count = await this.compareSlot(s, runs, slots[s]!);
      values += count;
      tensors += Number(count > 0);
    }
    return { values, tensors };
  }

  private async compareSlot(s: number, runs: readonly Run[], decided: SlotResult): Promise<number> {
    const { group, parameters } = this.step;
    const slot = group.slots[s]!;
    const segments = runs.map(({ segment }) => ({ ...segment, slot: 0 }));
    const own: Group = { method: group.method, slots: [slot], chunks: [segments] };
    const read: Spots['read'] = async (segment, input) => runs[segments.indexOf(segment)]!.inputs[input]!;
    const expected = await this.recompute({ group: own, parameters: parameters[s]!, decided, read });
    if (expected === null) return 0;
    const width = bytesPerValue(slot.outDtype);
    // What a tensor may have in all, merging.md section 8: a sample cannot be held to less.
    let left = Math.max(1, Math.floor(slot.elements / 10_000));
    let at = 0;
    for (const { segment, output } of runs) {
      const again = expected.subarray(at, at + segment.count * width);
      for (const { place, units, wanted, found } of differences(again, output!, slot.outDtype)) {
        if (units <= 1 && left-- > 0) continue;
        const index = segment.first + place;
        throw new StudioError('internal', 'computed-differs', `${slot.name}[${index}]: the backend gave ${found}, the reference ${wanted}`, {
          tensor: slot.name,
          index,
          expected: wanted,
          actual: found,
        });
      }
      at += again.length;
    }
    return runs.reduce((sum, { segment }) => sum + segment.count, 0);
  }

  private within({ slot, first, count }: Segment): Run[] {
    return this.runs[slot]!.filter(({ segment }) => segment.first >= first && segment.first < first + count);
  }
}

interface Run {
  readonly segment: Segment;
  readonly inputs: Uint8Array<ArrayBuffer>[];
  output: Uint8Array<ArrayBuffer> | null;
}

/** Runs of a slot, none across an end of its segments. `name` seeds the places, so that the same merge checks the same values. */
function runsOf(name: string, elements: number, segments: readonly Segment[]): Run[] {
  const draw = drawsFor(`spots ${name}`);
  const share = elements / RUNS;
  const starts = Array.from({ length: RUNS }, (_, r) => {
    if (r === 0) return 0;
    if (r === RUNS - 1) return Math.max(0, elements - RUN_ELEMENTS);
    return Math.floor(r * share) + draw(Math.max(1, Math.floor(share) - RUN_ELEMENTS));
  });
  const runs: Run[] = [];
  let end = 0;
  for (const start of starts) {
    const first = Math.max(start, end);
    const segment = segments.find((one) => first >= one.first && first < one.first + one.count);
    if (!segment) continue;
    end = Math.min(first + RUN_ELEMENTS, segment.first + segment.count);
    runs.push({ segment: { ...segment, first, count: end - first }, inputs: [], output: null });
  }
  return runs;
}

function part(bytes: Uint8Array<ArrayBuffer>, of: Segment, { first, count }: Segment, width: number): Uint8Array<ArrayBuffer> {
  const begin = (first - of.first) * width;
  return bytes.slice(begin, begin + count * width);
}

/** Places where two arrays of values differ, by how many units in the last place, and both values. A NaN is like another. */
function differences(expected: Uint8Array, actual: Uint8Array, dtype: OutputDtype) {
  const [wanted, found] = [decodeToF32(expected, dtype), decodeToF32(actual, dtype)];
  const [x, y] = [new Int32Array(wanted.buffer), new Int32Array(found.buffer)];
  // Values of a narrower dtype are steps of f32 apart that lie in its lower bits.
  const shift = dtype === 'BF16' ? 16 : 0;
  const result: { readonly place: number; readonly units: number; readonly wanted: number; readonly found: number }[] = [];
  for (let place = 0; place < x.length; place++) {
    if (Object.is(wanted[place], found[place])) continue;
    const units = dtype === 'F16' ? unitsOfF16(expected, actual, place) : Math.abs(rank(x[place]!) - rank(y[place]!)) / 2 ** shift;
    const isNumber = !Number.isNaN(wanted[place]) && !Number.isNaN(found[place]);
    result.push({ place, units: isNumber ? units : Infinity, wanted: wanted[place]!, found: found[place]! });
  }
  return result;
}

/** Bits of a float as a number that grows with it, a step for a unit in the last place; both zeros are 0. */
const rank = (bits: number) => (bits < 0 ? -(bits & 0x7fffffff) : bits);

function unitsOfF16(a: Uint8Array, b: Uint8Array, place: number): number {
  const rankOf = (bytes: Uint8Array) => {
    const bits = bytes[2 * place]! | (bytes[2 * place + 1]! << 8);
    return bits & 0x8000 ? -(bits & 0x7fff) : bits;
  };
  return Math.abs(rankOf(a) - rankOf(b));
}
