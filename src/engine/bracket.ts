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
import { BRACKET, SLACK_LANE } from './layout';
import { prepareGather } from './passes/gather';
import { prepareListed } from './passes/listed';
import { preparePick } from './passes/pick';
import type { Recording } from './recording';
import type { Residency } from './residency';
import { bracketOf } from './sample';
import { ALIGN, STORAGE } from './usage';

/** Lists have room for one in this many elements, and for one in FEWEST at the least. */
const ROOM = 4;
const FEWEST = 8;
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

/** Bytes of all lists where there is room for them. */
export function wantedRoom(elements: number, lanes: number): number {
  return lanes * ENTRY_BYTES * STEP * Math.ceil(elements / ROOM / STEP);
}

/** Entries of each lane's list, where all lists together may take `bytes`; null where that is too few to try. */
export function listCapacity(elements: number, lanes: number, bytes: number): number | null {
  const wanted = STEP * Math.ceil(elements / ROOM / STEP);
  const most = STEP * Math.floor(bytes / (lanes * ENTRY_BYTES * STEP));
  const capacity = Math.min(wanted, most);
  return capacity < elements / FEWEST ? null : capacity;
}

/**
 * Null where the group is not one whole tensor of a size that a sample pays for and a list has room for, or where the device has no
 * room for the list.
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
  const capacity = listCapacity(elements, lanes.length, context.listBytes);
  if (capacity === null) return null;
  const [gather, passes] = await Promise.all([
    prepareGather(context, overrides, lanes),
    Promise.all(lanes.map(async (lane) => ({ lane, listed: await prepareListed(context, lane), pick: await preparePick(context, lane) }))),
  ]);
  await residency.load(0);
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
  const targets = lanes.map((lane) => keptOf(parameters[0]!, lane, modelElements[lane]!));
  const words = new Uint32Array((lanes.length * ALIGN) / 4);
  lanes.forEach((lane, i) => {
    const { low, high } = bracketOf(residency.sample!.keys(lane), targets[i]!, modelElements[lane]!);
    words.set([low, high], (i * ALIGN) / 4);
  });
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
