/** Counting keys of a group for a ranking over several tensors (merging.md sections 2 and 6, whole-model scope). */
import { throwIfAborted } from '../merge/abort';
import type { Group, ReadSegment } from '../merge/backend';
import type { Tally, TallyCounts } from '../merge/tally-types';
import type { TensorParameters } from '../recipe/types';
import type { Context } from './context';
import type { GroupBuffers } from './group-buffers';
import { createGroupBuffers } from './group-buffers';
import { SELECTION, SLACK_LANE, SLOT } from './layout';
import { groupOverrides } from './overrides';
import { prepareTally } from './passes/tally';
import { Residency } from './residency';
import { selectGroup } from './selecting';
import { trimmedLanes } from './tables';
import { STORAGE } from './usage';

/** Counts of one dispatch: rows beyond these are counted by another one over the same chunk. */
const MOST_BYTES = 16 * 2 ** 20;

/** `Backend.tally`. `budget`: bytes of inputs that may stay on the device between readings. */
export async function tallyGroup(
  context: Context,
  group: Group,
  parameters: readonly TensorParameters[],
  tallies: readonly Tally[],
  read: ReadSegment,
  budget: number,
  signal?: AbortSignal,
): Promise<TallyCounts[]> {
  const residency = new Residency(context, group, read, budget, signal);
  const buffers = await createGroupBuffers(context, group, parameters.map(withoutSlack));
  try {
    return await tallyResident(context, group, parameters, tallies, buffers, residency, signal);
  } finally {
    buffers.release();
    residency.release();
  }
}

export function withoutSlack({ slack: _, ...own }: TensorParameters): TensorParameters {
  return own;
}

/** The same with buffers that were made for `parameters` without their slack. */
export async function tallyResident(
  context: Context,
  group: Group,
  parameters: readonly TensorParameters[],
  tallies: readonly Tally[],
  buffers: GroupBuffers,
  residency: Residency,
  signal?: AbortSignal,
): Promise<TallyCounts[]> {
  const plain = parameters.map(withoutSlack);
  const ranksSlack = tallies.some(({ model }) => model === null);
  const selected = ranksSlack ? await selectGroup({ context, group, parameters: plain, buffers, residency }) : { overrides: groupOverrides(group, plain), first: null };
  const { overrides } = selected;
  let { first } = selected;
  const results = tallies.map(({ rows, digit }) => ({ counts: new Uint32Array(rows * 2 ** digit.bits), above: new Uint32Array(rows) }));
  const tasks = await Promise.all(
    tallies.flatMap((tally, t) => batchesOf(group, tally).map(async (rows) => ({ t, tally, rows, pass: await prepareTally(context, overrides, laneOf(tally)) }))),
  );
  // A group of several chunks has one slot, so one task a tally: all of them while a chunk is here.
  const rounds = group.chunks.length > 1 ? [tasks] : tasks.map((task) => [task]);
  for (const round of rounds) {
    throwIfAborted(signal);
    const loan = context.memory.loan();
    try {
      const counted: GPUBuffer[] = [];
      for (const { tally, rows } of round) counted.push(await loan.borrow('tally', rowBytes(tally) * rows.length, STORAGE));
      const clearing = context.record('tally');
      round.forEach(({ tally, rows }, i) => clearing.clear(counted[i]!, 0, rowBytes(tally) * rows.length));
      clearing.submit();
      for (let c = 0; c < group.chunks.length; c++) {
        const chunk = await residency.load(c);
        const recording = context.record('tally');
        // Before the selections are aimed elsewhere.
        first?.(recording, chunk);
        recording.submit();
        for (const [i, { tally, rows, pass }] of round.entries()) {
          aim(context, group, plain, tally, rows, buffers);
          pass(recording, chunk, buffers, tally.digit, counted[i]!);
          recording.submit();
        }
      }
      first = null;
      const words = await context.readBack(round.map(({ tally, rows }, i) => ({ buffer: counted[i]!, size: rowBytes(tally) * rows.length })));
      round.forEach(({ t, tally, rows }, i) => spread(new Uint32Array(words[i]!.buffer, words[i]!.byteOffset, words[i]!.byteLength / 4), tally, rows, results[t]!));
    } finally {
      loan.release();
    }
  }
  return results;
}

const laneOf = ({ model }: Tally) => model ?? SLACK_LANE;
const rowBytes = ({ digit }: Tally) => 4 * (2 ** digit.bits + 1);

/** The rows that slots of the group are counted in, as many together as one buffer takes. */
function batchesOf(group: Group, tally: Tally): number[][] {
  const wanted = group.slots.flatMap((_, s) => (takesPart(group, tally, s) ? [tally.slots[s]!.row] : []));
  const rows = [...new Set(wanted)];
  const each = Math.max(1, Math.floor(MOST_BYTES / rowBytes(tally)));
  return Array.from({ length: Math.ceil(rows.length / each) }, (_, i) => rows.slice(i * each, (i + 1) * each));
}

function takesPart(group: Group, { model, prefer, slots }: Tally, s: number): boolean {
  return slots[s] != null && group.slots[s]!.inputs[(model ?? prefer) + 1] != null;
}

/** Tells the shader which slots are counted, where, and from which key on. Lanes of models stay: `first` asks for them in the next chunk. */
function aim({ device: { queue } }: Context, group: Group, plain: readonly TensorParameters[], tally: Tally, rows: readonly number[], buffers: GroupBuffers): void {
  const lane = laneOf(tally);
  const place = new Map(rows.map((row, i) => [row, i]));
  const word = (value: number) => Uint32Array.of(value);
  for (let s = 0; s < group.slots.length; s++) {
    const at = takesPart(group, tally, s) ? place.get(tally.slots[s]!.row) : undefined;
    const others = trimmedLanes(group, s, plain[s]!) & ~(1 << lane);
    queue.writeBuffer(buffers.slots, s * SLOT.size + SLOT.trimmed, word(others | (at === undefined ? 0 : 1 << lane)));
    if (at === undefined) continue;
    queue.writeBuffer(buffers.slots, s * SLOT.size + SLOT.prefer, word(tally.prefer));
    queue.writeBuffer(buffers.slots, s * SLOT.size + SLOT.tally_row, word(at));
    queue.writeBuffer(buffers.state, lane * buffers.laneBytes + s * SELECTION.size + SELECTION.threshold, word(tally.slots[s]!.low));
  }
}

function spread(words: Uint32Array, { digit }: Tally, rows: readonly number[], { counts, above }: TallyCounts): void {
  const size = 2 ** digit.bits;
  rows.forEach((row, i) => {
    counts.set(words.subarray(i * (size + 1), i * (size + 1) + size), row * size);
    above[row] = words[i * (size + 1) + size]!;
  });
}
