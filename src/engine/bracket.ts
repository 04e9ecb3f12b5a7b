/**
 * Selection that reads every key once: a sample brackets the last key kept, one pass counts what lies above and lists what lies
 * inside, and the digits are those of the list. Where the bracket misses, the host sees it in the counts and selects by radix.
 */
import { OutOfMemoryError } from '../bytes/errors';
import type { Group } from '../merge/backend';
import { keptOf } from '../merge/backend';
import type { TensorParameters } from '../recipe/types';
import type { LoadedChunk } from './chunk';
import type { Context, Overrides } from './context';
import { DIGITS } from './digits';
import type { GroupBuffers } from './group-buffers';
import { BLOCK_WORDS, BRACKET, SLACK_LANE } from './layout';
import type { BracketBuffers } from './passes/bracket';
import { prepareBracket } from './passes/bracket';
import { preparePick } from './passes/pick';
import type { Recording } from './recording';
import { blockCount } from './tables';

const STORAGE = 0x80 | 0x8 | 0x4; // GPUBufferUsage.STORAGE | COPY_DST | COPY_SRC
/** Storage bindings start at multiples of this on every adapter. */
const ALIGN = 256;
/** Of the first chunk's blocks, one in this many is the sample. */
const SAMPLE_EVERY = 16;
/** Lists have room for one in this many elements, MAX_ENTRIES of all lanes together. */
const ROOM = 4;
const MAX_ENTRIES = 2 ** 24;
const ENTRY_BYTES = 8;

export interface Bracketed {
  /** Before the first chunk is gathered. */
  frame(recording: Recording, chunk: LoadedChunk): void;
  gather(recording: Recording, chunk: LoadedChunk): void;
  /** After every chunk was gathered: thresholds and tie counts. */
  select(recording: Recording): void;
  /** What `held` judges. */
  readonly counts: { readonly buffer: GPUBuffer; readonly size: number };
  /** Whether every lane's bracket held its last key and the list had room, from the content of `counts`. */
  held(counts: Uint32Array): boolean;
  release(): void;
}

/** Whether the group is one tensor of a size that a sample pays for and a list has room for. */
export function isBracketable(context: Context, group: Group, buffers: GroupBuffers): boolean {
  const lanes = modelLanes(buffers);
  const [slot] = group.slots;
  if (group.slots.length !== 1 || !slot || lanes.length === 0) return false;
  return blockCount(group.chunks[0]!) >= context.bracketBlocks && lanes.length * slot.elements <= ROOM * MAX_ENTRIES;
}

function modelLanes({ lanes }: GroupBuffers): number[] {
  return lanes.filter((lane) => lane !== SLACK_LANE);
}

/** For a group that is bracketable. `first`: its first chunk. Null when the device has no room for the list. */
export async function prepareBracketed(
  context: Context,
  group: Group,
  parameters: readonly TensorParameters[],
  overrides: Overrides,
  buffers: GroupBuffers,
  first: LoadedChunk,
): Promise<Bracketed | null> {
  const lanes = modelLanes(buffers);
  const slot = group.slots[0]!;
  const { memory, device } = context;
  const { blocks } = first.tables;
  const step = ALIGN / ENTRY_BYTES;
  const capacity = step * Math.ceil(slot.elements / ROOM / step);
  const sampleBlocks = Math.ceil(first.tables.blockCount / SAMPLE_EVERY);
  const table = new Uint32Array(BLOCK_WORDS * sampleBlocks);
  for (let b = 0; b < sampleBlocks; b++) table.set(blocks.subarray(BLOCK_WORDS * SAMPLE_EVERY * b, BLOCK_WORDS * (SAMPLE_EVERY * b + 1)), BLOCK_WORDS * b);
  const passes = await Promise.all(
    lanes.map(async (lane) => {
      const [bracket, pick] = await Promise.all([prepareBracket(context, overrides, lane), preparePick(context, lane)]);
      return { lane, bracket, pick };
    }),
  );
  const borrowed: GPUBuffer[] = [];
  const borrow = async (label: string, size: number) => {
    const buffer = await memory.borrow(label, size, STORAGE);
    borrowed.push(buffer);
    return buffer;
  };
  const release = () => borrowed.forEach((buffer) => memory.release(buffer));
  let sample: GPUBuffer;
  let brackets: GPUBuffer;
  let entries: GPUBuffer;
  try {
    sample = await borrow('sample', table.byteLength);
    brackets = await borrow('brackets', lanes.length * ALIGN);
    entries = await borrow('bracket entries', lanes.length * capacity * ENTRY_BYTES);
  } catch (error) {
    release();
    // The radix passes need no list.
    if (error instanceof OutOfMemoryError) return null;
    throw error;
  }
  device.queue.writeBuffer(sample, 0, table);
  const targets = lanes.map((lane) => keptOf(parameters[0]!, lane, slot.modelElements[lane]!));
  const mine = lanes.map((lane, i): BracketBuffers => ({
    bracket: { buffer: brackets, offset: i * ALIGN, size: BRACKET.size },
    entries: { buffer: entries, offset: i * capacity * ENTRY_BYTES, size: capacity * ENTRY_BYTES },
    capacity,
    sample,
    sampleBlocks,
    elements: slot.modelElements[lane]!,
  }));
  return {
    frame: (recording, chunk) => passes.forEach(({ bracket }, i) => bracket.frame(recording, chunk, buffers, mine[i]!)),
    gather: (recording, chunk) => passes.forEach(({ bracket }, i) => bracket.gather(recording, chunk, buffers, mine[i]!)),
    select(recording) {
      passes.forEach(({ lane, bracket, pick }, i) => {
        bracket.settle(recording, buffers, mine[i]!);
        for (const digit of DIGITS) {
          bracket.digits(recording, buffers, mine[i]!, digit);
          pick(recording, buffers, digit);
        }
        buffers.clearTies(recording, lane);
        bracket.equals(recording, buffers, mine[i]!);
      });
    },
    counts: { buffer: brackets, size: lanes.length * ALIGN },
    held: (counts) =>
      targets.every((target, i) => {
        const at = (i * ALIGN) / 4;
        const above = counts[at + BRACKET.above / 4]!;
        const count = counts[at + BRACKET.count / 4]!;
        return above < target && target <= above + count && count <= capacity;
      }),
    release,
  };
}
