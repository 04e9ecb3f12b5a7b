/** Reading a sample: many small blocks, neighbours together, several reads at a time. */
import { CancelledError } from '../bytes/errors';
import { throwIfAborted } from './abort';
import type { ReadSegment, Segment } from './backend';
import { inputPart } from './inputs';
import type { Adapt, InputPart } from './inputs';
import type { ByteRange } from './plan-types';
import { Sources } from './reading';
import type { OpenShard } from './reading';
import type { SamplePlan } from './sample';

/** Reads under way at once. A read of a File costs Chromium 1 to 2 ms of waiting and little work, see bench/RESULTS-explore.md. */
const AT_ONCE = 16;
/** A gap between two blocks that costs less to read than a read of its own. */
const GAP_BYTES = 64 * 2 ** 10;
/** Largest read. */
const MOST_BYTES = 16 * 2 ** 20;

/** One read, and the blocks it serves. */
export interface SampleRun {
  readonly range: ByteRange;
  readonly blocks: readonly Block[];
}
/** One of the ranges of a segment in an input. */
interface Block {
  readonly key: string;
  readonly at: number;
  readonly range: ByteRange;
}

/** The reads a sample takes, in the order of their places. */
export function sampleRuns(plan: SamplePlan): SampleRun[] {
  return runsOf(partsOf(plan));
}

/** What is to be read of every segment, by segment and input. */
function partsOf({ group, inputs, segments }: SamplePlan): Map<string, InputPart> {
  const parts = new Map<string, InputPart>();
  group.chunks[0]!.forEach((segment, place) => {
    segment.present.forEach((present, input) => {
      if (!present) return;
      const whole = inputs[segment.slot]![input]!;
      parts.set(keyOf(segment, input), inputPart(group.slots[segment.slot]!, input, whole, segments[place]!.first, segment.count));
    });
  });
  return parts;
}

function runsOf(parts: ReadonlyMap<string, InputPart>): SampleRun[] {
  const blocks = [...parts].flatMap(([key, { ranges }]) => ranges.map((range, at): Block => ({ key, at, range })));
  const runs: { range: ByteRange; blocks: SampleRun['blocks'][number][] }[] = [];
  for (const block of blocks.sort((a, b) => compare(a.range, b.range))) {
    const { range } = block;
    const last = runs.at(-1);
    const joins = last && sameFile(last.range, range) && range.begin - last.range.end <= GAP_BYTES && Math.max(range.end, last.range.end) - last.range.begin <= MOST_BYTES;
    if (joins) {
      last.range = { ...last.range, end: Math.max(range.end, last.range.end) };
      last.blocks.push(block);
    } else {
      runs.push({ range, blocks: [block] });
    }
  }
  return runs;
}

/**
 * Reads a sample whole, then hands it to `Backend.hold` by the segments' true places in their tensors, in any order; what is asked
 * for twice is read again. All is read before a backend is kept busy: on the way there it has other questions to answer. Before
 * each read `ready` is waited for. `adapt` forms the values of adapters. Rejects with CancelledError after `signal` was aborted, and as `ready` and the sources do.
 */
export async function readSample(
  plan: SamplePlan,
  openShard: OpenShard,
  signal?: AbortSignal,
  ready?: () => Promise<void>,
  adapt?: Adapt,
): Promise<ReadSegment> {
  let isOver = false;
  const sources = new Sources(openShard, {
    ready: async () => {
      throwIfAborted(signal);
      await ready?.();
      throwIfAborted(signal);
      if (isOver) throw new CancelledError();
    },
    reading: (_, read) => read(),
    signal,
  }, adapt);
  const found = new Map<string, Uint8Array<ArrayBuffer>[]>();
  const parts = partsOf(plan);
  const queue = runsOf(parts).values();
  const reader = async () => {
    for (const { range, blocks } of queue) {
      const bytes = await sources.read(range);
      for (const block of blocks) {
        const pieces = found.get(block.key) ?? [];
        pieces[block.at] = cut(bytes, range, block.range);
        found.set(block.key, pieces);
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, reader));
  } catch (error) {
    isOver = true;
    throw error;
  }
  return async (segment, input) => {
    const key = keyOf(segment, input);
    const pieces = found.get(key);
    found.delete(key);
    const part = parts.get(key)!;
    return pieces ? sources.valuesOf(part, pieces) : sources.readPart(part);
  };
}

/** A copy unless it is the whole: a view would keep everything that was read with it, and one that starts between words cannot be read as numbers. */
function cut(bytes: Uint8Array<ArrayBuffer>, whole: ByteRange, { begin, end }: ByteRange): Uint8Array<ArrayBuffer> {
  return bytes.length === end - begin ? bytes : bytes.slice(begin - whole.begin, end - whole.begin);
}

const keyOf = ({ slot, first }: Segment, input: number) => `${slot}:${first}:${input}`;
const sameFile = (a: ByteRange, b: ByteRange) => a.checkpoint === b.checkpoint && a.shard === b.shard;

function compare(a: ByteRange, b: ByteRange): number {
  if (a.checkpoint !== b.checkpoint) return a.checkpoint < b.checkpoint ? -1 : 1;
  return a.shard - b.shard || a.begin - b.begin || a.end - b.end;
}
