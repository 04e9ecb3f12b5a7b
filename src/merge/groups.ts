/** Running one merge step: its inputs ahead of time, its output and tails in order. */
import { IncompatibleCheckpointsError, StudioError } from '../bytes/errors';
import { bytesPerValue } from '../bytes/dtypes';
import type { Backend, GroupResult, ReadSegment, Segment, WriteSegment } from './backend';
import { ChunkReader } from './chunk-reading';
import { copyPart } from './copying';
import type { MergeStep, Step } from './plan-types';
import type { Meter } from './progress';
import { elementRange } from './reading';
import type { Sources } from './reading';

/** A merge step whose reading has begun. */
export interface Prepared {
  readonly step: MergeStep;
  readonly reader: ChunkReader;
  /** A failure is met by `mergePrepared`. */
  readonly ready: Promise<void>;
}

/** The merge steps of a run, one of them read ahead. */
export class StepQueue {
  private ahead: { readonly at: number; readonly prepared: Prepared } | null = null;

  constructor(
    private readonly steps: readonly Step[],
    private readonly sources: Sources,
    /** Bytes that reading ahead may hold. */
    private readonly budget: number,
  ) {}

  /** Starts reading the beginning of step `at`, once; nothing where that is no merge. */
  prefetch(at: number): void {
    const step = this.steps[at];
    if (step?.kind !== 'merge' || this.ahead?.at === at) return;
    const { group, inputs } = step;
    const reader = new ChunkReader(group, this.sources, ({ slot, first, count }, input) => elementRange(group.slots[slot]!, input, inputs[slot]![input]!, first, count), this.budget);
    const ready = reader.begin();
    ready.catch(() => {});
    this.ahead = { at, prepared: { step, reader, ready } };
  }

  /** Merge step `at`. */
  take(at: number): Prepared {
    this.prefetch(at);
    return this.ahead!.prepared;
  }
}

export interface MergeContext {
  readonly backend: Backend;
  readonly sources: Sources;
  readonly write: (bytes: Uint8Array) => Promise<void>;
  readonly meter: Meter;
  readonly signal: AbortSignal | undefined;
  /** All of the step has been read once: what comes next may be. Called any number of times. */
  readonly onReadOut: () => void;
}

export interface GroupOutcome {
  readonly result: GroupResult;
  /** Finite values that became infinite while tails were copied. */
  readonly tailOverflow: number;
}

/**
 * Merges a prepared step and hands its output to `write`: merged rows, then their tail, slot by slot. Rejects with StudioError
 * `internal` when the backend does not write every segment whole, once and in order.
 */
export async function mergePrepared({ step, reader, ready }: Prepared, context: MergeContext): Promise<GroupOutcome> {
  const { backend, sources, write, meter, signal, onReadOut } = context;
  await ready;
  const { group, parameters, tails } = step;
  const expected = group.chunks.flat();
  let next = 0;
  let tailOverflow = 0;
  let written: Promise<void> = Promise.resolve();
  reader.onLastStretch = onReadOut;

  const take = async (segment: Segment, bytes: Uint8Array<ArrayBuffer>) => {
    const slot = group.slots[segment.slot]!;
    const due = expected[next++];
    const wanted = segment.count * bytesPerValue(slot.outDtype);
    if (!due || due.slot !== segment.slot || due.first !== segment.first || bytes.length !== wanted) {
      const where = { tensor: slot.name, expected: wanted, actual: bytes.length };
      throw new StudioError('internal', 'backend-output', `${slot.name}: ${bytes.length} bytes out of turn, ${wanted} were due`, where);
    }
    await write(bytes);
    if (segment.first + segment.count < slot.elements) return;
    for (const part of tails[segment.slot]!) tailOverflow += await copyPart(part, sources, write);
  };
  // A backend need not wait for one write before the next; the file must.
  const writeSegment: WriteSegment = (segment, bytes) => {
    written = written.then(() => take(segment, bytes));
    const handed = meter.handing(() => written);
    handed.catch(() => {});
    return handed;
  };

  let result: GroupResult;
  try {
    result = await meter.computing(() => backend.merge(group, parameters, counted(step, reader, meter), writeSegment, signal ? { signal } : {}));
  } finally {
    await written;
  }
  if (next !== expected.length) {
    const { name } = group.slots[expected[next]!.slot]!;
    throw new StudioError('internal', 'backend-output', `${name}: the backend wrote ${next} of ${expected.length} segments`, { tensor: name, expected: expected.length, actual: next });
  }
  return { result, tailOverflow };
}

/** Reads for the backend, telling the meter of segments that are read a second time. */
function counted({ group }: MergeStep, reader: ChunkReader, meter: Meter): ReadSegment {
  const known = new Set<string>();
  return (segment, input) => {
    const key = `${segment.slot}:${segment.first}:${input}`;
    if (known.has(key)) meter.readingAgain(segment.count * bytesPerValue(group.slots[segment.slot]!.inputs[input]!));
    known.add(key);
    return meter.handing(() => reader.read(segment, input));
  };
}

/**
 * Throws IncompatibleCheckpointsError `nonfinite` when inputs of the step held NaN or infinite values: the tensors, how many
 * values, and the model of the first.
 */
export function refuseNonfinite({ group, inputs }: MergeStep, { slots }: GroupResult): void {
  const found = slots.flatMap(({ figures }, s) => figures.nonfinite.flatMap((count, input) => (count > 0 ? [{ name: group.slots[s]!.name, count, model: inputs[s]![input]!.checkpoint }] : [])));
  const [first] = found;
  if (!first) return;
  const list = found.map(({ name, count, model }) => `${name} (${count} in ${model})`).join(', ');
  throw new IncompatibleCheckpointsError('nonfinite', `NaN or infinite values: ${list}; later tensors were not looked at`, {
    tensor: first.name,
    model: first.model,
    names: [...new Set(found.map(({ name }) => name))],
    actual: found.reduce((sum, { count }) => sum + count, 0),
  });
}
