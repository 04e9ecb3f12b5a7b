/** Running one merge step: its inputs from a reader, its output and tails in order. */
import { IncompatibleCheckpointsError, StudioError } from '../bytes/errors';
import { bytesPerValue } from '../bytes/dtypes';
import type { Backend, BackendInfo, GroupResult, ReadSegment, Segment, WriteSegment } from './backend';
import type { ChunkReader } from './chunk-reading';
import { copyPart } from './copying';
import type { InputRange, MergeStep } from './plan-types';
import type { GroupMeter, Meter } from './progress';
import type { Sources } from './reading';
import { SpotCheck } from './spot-check';
import type { Checked, Recompute } from './spot-check';
import type { Tally, TallyCounts } from './tally-types';

/** Takes output bytes in the order of the file; they are the caller's again when it resolves. */
export type Write = (bytes: Uint8Array) => Promise<void>;

/** What serves a group's segments. */
export type SegmentReader = Pick<ChunkReader, 'read'>;

/** A merge step whose reading has begun. */
export interface Prepared {
  readonly step: MergeStep;
  readonly reader: SegmentReader;
  /** A failure is met by `mergeStep`. */
  readonly ready: Promise<void>;
}

export interface StepContext {
  readonly backend: Backend;
  readonly sources: Sources;
  /** Resolves to where the output goes when everything before it is written. */
  readonly turn: Promise<Write>;
  readonly meter: Meter;
  readonly signal: AbortSignal;
  /** Computes a sample of what the backend merges again; absent: nothing is checked. */
  readonly recompute: Recompute | undefined;
}

export interface GroupOutcome {
  readonly result: GroupResult;
  /** Finite values that became infinite while tails were copied. */
  readonly tailOverflow: number;
  readonly checked: Checked;
  /** The backend that began it, and the one that ended it where the first was lost. */
  readonly madeBy: readonly BackendInfo[];
}

/**
 * Merges a prepared step and writes its output when its turn has come: merged rows, then their tail, slot by slot. Rejects with
 * StudioError `internal`: `backend-output` when the backend does not write every segment whole, once and in order, `computed-differs`
 * when a value is not what it is by `recompute`.
 */
export async function mergeStep({ step, reader, ready }: Prepared, { backend, sources, turn, meter, signal, recompute }: StepContext): Promise<GroupOutcome> {
  await ready;
  const { group, parameters, tails } = step;
  const expected = group.chunks.flat();
  let next = 0;
  let tailOverflow = 0;
  let written: Promise<void> = Promise.resolve();
  const busy = meter.group();
  const spots = recompute ? new SpotCheck(step, recompute) : null;

  const take = async (segment: Segment, bytes: Uint8Array<ArrayBuffer>) => {
    const slot = group.slots[segment.slot]!;
    const due = expected[next++];
    const wanted = segment.count * bytesPerValue(slot.outDtype);
    if (!due || due.slot !== segment.slot || due.first !== segment.first || bytes.length !== wanted) {
      const where = { tensor: slot.name, expected: wanted, actual: bytes.length };
      throw new StudioError('internal', 'backend-output', `${slot.name}: ${bytes.length} bytes out of turn, ${wanted} were due`, where);
    }
    spots?.output(segment, bytes);
    const write = await turn;
    await write(bytes);
    if (segment.first + segment.count < slot.elements) return;
    for (const part of tails[segment.slot]!) tailOverflow += await copyPart(part, sources, write);
  };
  // A backend need not wait for one write before the next; the file must.
  const writeSegment: WriteSegment = (segment, bytes) => {
    written = written.then(() => take(segment, bytes));
    const handed = busy.handing(() => written);
    handed.catch(() => {});
    return handed;
  };

  let result: GroupResult;
  const begunBy = backend.info;
  try {
    result = await busy.computing(() => backend.merge(group, parameters, counted(step, reader, meter, busy, spots), writeSegment, { signal }));
  } finally {
    await written;
  }
  if (next !== expected.length) {
    const { name } = group.slots[expected[next]!.slot]!;
    throw new StudioError('internal', 'backend-output', `${name}: the backend wrote ${next} of ${expected.length} segments`, { tensor: name, expected: expected.length, actual: next });
  }
  return { result, tailOverflow, madeBy: [begunBy, backend.info], checked: (await spots?.compare(result)) ?? { values: 0, tensors: 0 } };
}

/** Counts keys of a prepared step. */
export async function tallyStep({ step, reader, ready }: Prepared, { backend, meter, signal }: StepContext, tallies: readonly Tally[]): Promise<TallyCounts[]> {
  await ready;
  const busy = meter.group();
  return busy.computing(() => backend.tally(step.group, step.parameters, tallies, counted(step, reader, meter, busy, null), { signal }));
}

/** Reads for the backend, telling the meter of segments that are read a second time and the check of what they hold. */
function counted({ group }: MergeStep, reader: SegmentReader, meter: Meter, busy: GroupMeter, spots: SpotCheck | null): ReadSegment {
  const known = new Set<string>();
  const counts = new Map(group.chunks.flat().map(({ slot, first, count }) => [`${slot}:${first}`, count]));
  return (segment, input) => {
    const key = `${segment.slot}:${segment.first}:${input}`;
    // Elements within a segment are read beside all of it.
    const isWhole = counts.get(`${segment.slot}:${segment.first}`) === segment.count;
    if (!isWhole || known.has(key)) meter.readingAgain(segment.count * bytesPerValue(group.slots[segment.slot]!.inputs[input]!));
    if (isWhole) known.add(key);
    return busy.handing(async () => {
      const bytes = await reader.read(segment, input);
      if (isWhole) spots?.input(segment, input, bytes);
      return bytes;
    });
  };
}

/**
 * Throws IncompatibleCheckpointsError `nonfinite` when inputs of the step held NaN or infinite values: the tensors, how many
 * values, and the model of the first.
 */
export function refuseNonfinite({ group, inputs }: MergeStep, { slots }: GroupResult): void {
  const found = slots.flatMap(({ figures }, s) => figures.nonfinite.flatMap((count, input) => (count > 0 ? [{ name: group.slots[s]!.name, count, model: modelOf(inputs[s]![input]!) }] : [])));
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

/** Whose values they are: those of an adapter are not its base's. */
function modelOf({ checkpoint, adapted }: InputRange): string {
  return adapted?.left.range.checkpoint ?? checkpoint;
}
