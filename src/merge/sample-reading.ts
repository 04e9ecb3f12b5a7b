/** Reading a sample: many small blocks, neighbours together, several reads at a time. */
import { throwIfAborted } from './abort';
import type { ReadSegment, Segment } from './backend';
import type { ByteRange } from './plan-types';
import { Sources, elementRange } from './reading';
import type { OpenShard } from './reading';
import type { SamplePlan } from './sample';

/** Reads under way at once. A read of a File costs Chromium 1 to 2 ms of waiting and little work, see bench/RESULTS-explore.md. */
const AT_ONCE = 16;
/** Bytes read and not yet asked for at which no further read begins. */
const AHEAD_BYTES = 64 * 2 ** 20;
/** A gap between two blocks that costs less to read than a read of its own. */
const GAP_BYTES = 64 * 2 ** 10;
/** Largest read. */
const MOST_BYTES = 16 * 2 ** 20;

/** One read, and the blocks it serves. */
export interface SampleRun {
  readonly range: ByteRange;
  readonly blocks: readonly { readonly key: string; readonly range: ByteRange }[];
}

/** The reads a sample takes, in the order in which a backend asks for segments: by the first block each serves. */
export function sampleRuns({ group, inputs, segments }: SamplePlan): SampleRun[] {
  const blocks = group.chunks[0]!.flatMap((segment, place) =>
    segment.present.flatMap((present, input) => {
      const slot = group.slots[segment.slot]!;
      if (!present) return [];
      return [{ key: keyOf(segment, input), range: elementRange(slot, input, inputs[segment.slot]![input]!, segments[place]!.first, segment.count) }];
    }),
  );
  const runs: { range: ByteRange; first: number; blocks: SampleRun['blocks'][number][] }[] = [];
  const byPlace = [...blocks.keys()].sort((a, b) => compare(blocks[a]!.range, blocks[b]!.range));
  for (const at of byPlace) {
    const { range } = blocks[at]!;
    const last = runs.at(-1);
    const joins = last && sameFile(last.range, range) && range.begin - last.range.end <= GAP_BYTES && Math.max(range.end, last.range.end) - last.range.begin <= MOST_BYTES;
    if (joins) {
      last.range = { ...last.range, end: Math.max(range.end, last.range.end) };
      last.first = Math.min(last.first, at);
      last.blocks.push(blocks[at]!);
    } else {
      runs.push({ range, first: at, blocks: [blocks[at]!] });
    }
  }
  return runs.sort((a, b) => a.first - b.first);
}

/**
 * Reads a sample for `Backend.hold`, by the segments' true places in their tensors, in any order and at the same time; what is
 * asked for twice is read again. Before each read `ready` is waited for. Rejects with CancelledError after `signal` was aborted,
 * and as `ready` and the sources do.
 */
export function readSample(plan: SamplePlan, openShard: OpenShard, signal?: AbortSignal, ready: () => Promise<void> = async () => {}): ReadSegment {
  const reading = new Reading(sampleRuns(plan), openShard, async () => {
    throwIfAborted(signal);
    await ready();
    throwIfAborted(signal);
  });
  const placeOf = ({ slot, first, count }: Segment, input: number) => {
    const place = group.chunks[0]!.findIndex((one) => one.slot === slot && one.first === first);
    return elementRange(group.slots[slot]!, input, plan.inputs[slot]![input]!, plan.segments[place]!.first, count);
  };
  const { group } = plan;
  return (segment, input) => reading.take(keyOf(segment, input), () => placeOf(segment, input));
}

class Reading {
  private readonly sources: Sources;
  /** By block; each is handed out once. */
  private readonly runOf = new Map<string, number>();
  private readonly loads: (Promise<Map<string, Uint8Array<ArrayBuffer>>> | null)[];
  private next = 0;
  private underWay = 0;
  private aheadBytes = 0;
  private hasFailed = false;

  constructor(
    private readonly runs: readonly SampleRun[],
    openShard: OpenShard,
    ready: () => Promise<void>,
  ) {
    this.sources = new Sources(openShard, { ready, reading: (_, read) => read() });
    this.loads = runs.map(() => null);
    runs.forEach(({ blocks }, run) => blocks.forEach(({ key }) => this.runOf.set(key, run)));
  }

  /** A block's bytes; `range` is read where it was handed out before. */
  async take(key: string, range: () => ByteRange): Promise<Uint8Array<ArrayBuffer>> {
    const run = this.runOf.get(key);
    if (run === undefined) return this.sources.read(range());
    this.runOf.delete(key);
    this.pump();
    const loading = this.loads[run] ?? this.load(run);
    const loaded = await loading;
    const bytes = loaded.get(key)!;
    loaded.delete(key);
    this.aheadBytes -= bytes.length;
    this.pump();
    return bytes;
  }

  private pump(): void {
    while (!this.hasFailed && this.next < this.runs.length && this.underWay < AT_ONCE && this.aheadBytes < AHEAD_BYTES) {
      const run = this.next++;
      if (this.loads[run] === null) void this.load(run);
    }
  }

  private load(run: number): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
    const { range, blocks } = this.runs[run]!;
    this.underWay++;
    this.aheadBytes += blocks.reduce((sum, block) => sum + block.range.end - block.range.begin, 0);
    const loading = this.sources.read(range).then((bytes) => {
      this.underWay--;
      this.pump();
      return new Map(blocks.map((block) => [block.key, cut(bytes, range, block.range)]));
    });
    // Whoever asks for a block of it meets the failure; no further read begins.
    loading.catch(() => {
      this.hasFailed = true;
    });
    this.loads[run] = loading;
    return loading;
  }
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
