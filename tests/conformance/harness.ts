/** Groups made of tensors in memory, and what a backend makes of them. */
import { bytesPerValue, type MergedDtype, type OutputDtype } from '../../src/bytes/dtypes';
import type { Backend, Group, GroupResult, ReadSegment, Segment, Slot } from '../../src/merge/backend';
import type { Method, TensorParameters } from '../../src/recipe/types';

/** One input of a slot: as many values as it has, from the slot's first element on. */
export interface Input {
  readonly dtype: MergedDtype;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export interface SlotCase {
  readonly name: string;
  readonly elements: number;
  /** Base first, then the models. */
  readonly inputs: readonly (Input | null)[];
  readonly outDtype: OutputDtype;
  readonly parameters: TensorParameters;
  /** Elements of a row; one row where absent. */
  readonly row?: number;
}

/** A stretch [first, end) of a slot's elements. */
export interface Stretch {
  readonly slot: number;
  readonly first: number;
  readonly end: number;
}

export function valuesOf({ dtype, bytes }: Input): number {
  return bytes.byteLength / bytesPerValue(dtype);
}

/** The whole of every slot. */
export function wholeSlots(slots: readonly SlotCase[]): Stretch[] {
  return slots.map(({ elements }, slot) => ({ slot, first: 0, end: elements }));
}

/** `stretches` cut where an input ends (rows that a model does not have), so that presence is the same all through one. */
function cutWhereInputsEnd(slots: readonly SlotCase[], stretches: readonly Stretch[]): Stretch[] {
  return stretches.flatMap(({ slot, first, end }) => {
    const ends = slots[slot]!.inputs.flatMap((input) => (input === null ? [] : [valuesOf(input)]));
    const cuts = [...new Set([first, ...ends.filter((at) => at > first && at < end), end])].sort((a, b) => a - b);
    return cuts.slice(1).map((cut, i) => ({ slot, first: cuts[i]!, end: cut }));
  });
}

/** A group of `slots` that covers the stretches of each chunk. */
export function makeGroup(method: Method, slots: readonly SlotCase[], chunks: readonly (readonly Stretch[])[]): Group {
  const segments = chunks.map((stretches) =>
    cutWhereInputsEnd(slots, stretches).map(
      ({ slot, first, end }): Segment => ({
        slot,
        first,
        count: end - first,
        present: slots[slot]!.inputs.map((input) => input !== null && valuesOf(input) >= end),
      }),
    ),
  );
  const covered = (slot: number, input: number) =>
    segments.flat().reduce((sum, s) => sum + (s.slot === slot && s.present[input] === true ? s.count : 0), 0);
  return {
    method,
    slots: slots.map(
      ({ name, elements, inputs, outDtype, row }, s): Slot => ({
        name,
        elements,
        inputs: inputs.map((input) => input?.dtype ?? null),
        modelElements: inputs.slice(1).map((_, model) => covered(s, model + 1)),
        outDtype,
        ...(row === undefined ? {} : { row }),
      }),
    ),
    chunks: segments,
  };
}

export function readerOf(slots: readonly SlotCase[]): ReadSegment {
  return ({ slot, first, count }, input) => {
    const source = slots[slot]!.inputs[input];
    if (source == null) throw new Error(`input ${input} of ${slots[slot]!.name} takes no part and was read`);
    const width = bytesPerValue(source.dtype);
    return Promise.resolve(source.bytes.slice(first * width, (first + count) * width));
  };
}

/** As `readerOf`, in buffers lent by the backend, as the studio reads large inputs. */
export function lentReaderOf({ buffers }: Backend, slots: readonly SlotCase[]): ReadSegment {
  const read = readerOf(slots);
  return async (segment, input) => {
    const bytes = await read(segment, input);
    const lent = buffers!.lend(buffers!.take(bytes.length), bytes.length);
    lent.set(bytes);
    return lent;
  };
}

export interface Merged {
  readonly result: GroupResult;
  /** Per slot: the bytes written, in order. */
  readonly outputs: readonly Uint8Array<ArrayBuffer>[];
}

/** Merges, checking that every segment is written exactly once and in order. */
export async function mergeGroup(backend: Backend, group: Group, slots: readonly SlotCase[]): Promise<Merged> {
  const expected = group.chunks.flat();
  const parts: Uint8Array<ArrayBuffer>[][] = slots.map(() => []);
  let written = 0;
  const result = await backend.merge(
    group,
    slots.map(({ parameters }) => parameters),
    readerOf(slots),
    (segment, bytes) => {
      if (segment !== expected[written++]) throw new Error(`segment ${written} was written out of turn`);
      const width = bytesPerValue(slots[segment.slot]!.outDtype);
      if (bytes.byteLength !== segment.count * width) throw new Error(`${bytes.byteLength} bytes for ${segment.count} values`);
      parts[segment.slot]!.push(bytes.slice());
      return Promise.resolve();
    },
  );
  if (written !== expected.length) throw new Error(`${written} of ${expected.length} segments were written`);
  return { result, outputs: parts.map(concatenate) };
}

export async function mergeWhole(backend: Backend, method: Method, slots: readonly SlotCase[]): Promise<Merged> {
  return mergeGroup(backend, makeGroup(method, slots, [wholeSlots(slots)]), slots);
}

export function concatenate(parts: readonly Uint8Array<ArrayBuffer>[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}
