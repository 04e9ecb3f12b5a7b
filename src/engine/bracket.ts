/**
 * Selection that reads every key once: a sample brackets the last key kept, one pass over all models at once counts what lies above
 * and lists what lies inside, and everything else is found in the list: the digits, and the index after the last tie kept. Whether
 * the bracket held is in the counts, which the host reads with the results; where it missed, the radix passes do it again.
 */
import { OutOfMemoryError } from '../bytes/errors';
import type { Group } from '../merge/backend';
import { keptOf } from '../merge/backend';
import type { TensorParameters } from '../recipe/types';
import type { LoadedChunk } from './chunk';
import type { Context, Extract, Overrides } from './context';
import { DIGITS } from './digits';
import type { GroupBuffers } from './group-buffers';
import { BLOCK, BRACKET, SLACK_LANE } from './layout';
import { prepareGather } from './passes/gather';
import { prepareListed } from './passes/listed';
import { preparePick } from './passes/pick';
import type { Recording } from './recording';
import type { Residency } from './residency';
import { bracketOf, type KeyBracket } from './sample';
import { ALIGN, STORAGE } from './usage';

/** Lists have room for one in this many elements at most, beyond which the radix passes cost less, but for one block at the least. */
const ROOM = 4;
/** Of what the sample says is inside: where there is room for it. */
const SPARE = 1.5;
/** Deviations of what the sample says is inside, at least. */
const DEVIATIONS = 6;
/** Of brackets (sample.ts): the widest for whose lists there is room. */
const WIDTHS = [1, 0.5, 0];
const ENTRY_BYTES = 8;
/** A lane's list begins where a binding can. */
const STEP = ALIGN / ENTRY_BYTES;

/** The last key kept of some model was not in its bracket, or the list had no room: nothing that followed from it holds. */
export class BracketMissed extends Error {}

export interface Bracketed {
  gather(recording: Recording, chunk: LoadedChunk): void;
  /** After every chunk was gathered: thresholds and cutoffs. */
  select(recording: Recording): void;
  /** What `check` judges. */
  readonly counts: Extract;
  /** Throws BracketMissed unless every lane's bracket held its last key and the list had room, by the content of `counts`. */
  check(counts: Uint8Array<ArrayBuffer>): void;
  release(): void;
}

function modelLanes({ lanes }: GroupBuffers): number[] {
  return lanes.filter((lane) => lane !== SLACK_LANE);
}

/** Bytes of all lists at most, where there is room for them. */
export function wantedRoom(elements: number, lanes: number): number {
  return lanes * ENTRY_BYTES * STEP * Math.ceil(Math.max(elements / ROOM, Math.min(elements, BLOCK)) / STEP);
}

/** What a sample says of one lane. */
export interface Inside {
  /** Keys of the sample, and those of them that are to be listed. */
  readonly sampled: number;
  readonly inside: number;
  /** Keys of the lane. */
  readonly elements: number;
}

/** Entries of a list that may have `most`; null where that is too few. */
export function listCapacity({ sampled, inside, elements }: Inside, most: number): number | null {
  const entries = (keys: number) => STEP * Math.ceil((elements * keys) / sampled / STEP);
  // What was looked at deviates from nothing.
  const unseen = Math.max(0, 1 - sampled / elements);
  const least = entries(inside + DEVIATIONS * Math.sqrt((inside + 1) * unseen));
  return least > most ? null : Math.min(most, Math.max(least, entries(SPARE * inside)));
}

export interface Brackets {
  /** Of each lane. */
  readonly ranges: readonly KeyBracket[];
  /** Entries of each lane's list. */
  readonly capacity: number;
}

/** A lane's sample, and how many of how many keys are kept. */
export interface LaneSample {
  readonly keys: Uint32Array;
  readonly kept: number;
  readonly elements: number;
}

/** The widest brackets for whose lists, all together, there is room in `bytes`; null where there is none for the narrowest. `elements`: of the tensor. */
export function chooseBrackets(elements: number, lanes: readonly LaneSample[], bytes: number): Brackets | null {
  if (lanes.some(({ keys }) => keys.length === 0)) return null;
  const most = STEP * Math.floor(Math.min(bytes, wantedRoom(elements, lanes.length)) / (lanes.length * ENTRY_BYTES * STEP));
  for (const width of WIDTHS) {
    const ranges = lanes.map((lane) => bracketOf(lane.keys, lane.kept, lane.elements, width));
    const capacities = ranges.map(({ inside }, i) => listCapacity({ sampled: lanes[i]!.keys.length, inside, elements: lanes[i]!.elements }, most));
    // A list begins where the one before it ends: all are as long as the longest.
    if (capacities.every((capacity) => capacity !== null)) return { ranges, capacity: Math.max(...capacities) };
  }
  return null;
}

/**
 * Null where the group is not one whole tensor of a size that a sample pays for, where lists of what the sample finds inside the
 * brackets are too long, or where the device has no room for them.
 */
export async function prepareBracketed(
  context: Context,
  group: Group,
  parameters: readonly TensorParameters[],
  overrides: Overrides,
  buffers: GroupBuffers,
  residency: Residency,
): Promise<Bracketed | null> {
  const lanes = modelLanes(buffers);
  if (residency.sample === null || lanes.length === 0) return null;
  const { elements, modelElements } = group.slots[0]!;
  await residency.fill();
  const targets = lanes.map((lane) => keptOf(parameters[0]!, lane, modelElements[lane]!));
  const samples = lanes.map((lane, i) => ({ keys: residency.sample!.keys(lane), kept: targets[i]!, elements: modelElements[lane]! }));
  const chosen = chooseBrackets(elements, samples, context.listBytes);
  if (chosen === null) return null;
  const { ranges, capacity } = chosen;
  const [gather, passes] = await Promise.all([
    prepareGather(context, overrides, lanes),
    Promise.all(lanes.map(async (lane) => ({ lane, listed: await prepareListed(context, lane), pick: await preparePick(context, lane) }))),
  ]);
  const loan = context.memory.loan();
  let brackets: GPUBuffer;
  let entries: GPUBuffer;
  try {
    brackets = await loan.borrow('brackets', lanes.length * ALIGN, STORAGE);
    entries = await loan.borrow('bracket entries', lanes.length * capacity * ENTRY_BYTES, STORAGE);
  } catch (error) {
    loan.release();
    // The radix passes need no list.
    if (error instanceof OutOfMemoryError) return null;
    throw error;
  }
  const words = new Uint32Array((lanes.length * ALIGN) / 4);
  ranges.forEach(({ low, high }, i) => words.set([low, high], (i * ALIGN) / 4));
  context.device.queue.writeBuffer(brackets, 0, words);
  const lists = lanes.map((_, i) => ({
    bracket: { buffer: brackets, offset: i * ALIGN, size: BRACKET.size },
    entries: { buffer: entries, offset: i * capacity * ENTRY_BYTES, size: capacity * ENTRY_BYTES },
    capacity,
  }));
  const whole = {
    brackets: { buffer: brackets, size: lanes.length * ALIGN },
    entries: { buffer: entries, size: lanes.length * capacity * ENTRY_BYTES },
  };
  return {
    gather: (recording, chunk) => gather(recording, chunk, buffers, whole),
    select(recording) {
      for (const { lane } of passes) buffers.clearTies(recording, lane);
      passes.forEach(({ listed, pick }, i) => {
        listed.settle(recording, buffers, lists[i]!);
        for (const digit of DIGITS) {
          listed.digits(recording, buffers, lists[i]!, digit);
          pick(recording, buffers, digit);
        }
        listed.cut(recording, buffers, lists[i]!);
      });
    },
    counts: { buffer: brackets, size: lanes.length * ALIGN },
    check(counts) {
      context.ledger.brackets.tried++;
      const found = new Uint32Array(counts.buffer);
      const held = targets.every((target, i) => {
        const at = (i * ALIGN) / 4;
        const above = found[at + BRACKET.above / 4]!;
        const count = found[at + BRACKET.count / 4]!;
        return above < target && target <= above + count && count <= capacity;
      });
      if (held) return;
      context.ledger.brackets.missed++;
      throw new BracketMissed();
    },
    release: () => loan.release(),
  };
}
