/** Reading a group's inputs chunk by chunk, one chunk ahead of the backend. */
import type { Group, ReadSegment, Segment } from './backend';
import type { ByteRange } from './plan-types';
import type { Sources } from './reading';

/** One input of one chunk: read together, handed out segment by segment. */
interface Batch {
  readonly loaded: Promise<ReadonlyMap<string, Uint8Array<ArrayBuffer>>>;
  /** Segments not handed out yet. */
  readonly left: Set<string>;
}

/**
 * Serves `Backend.merge`. One input of a chunk is one batch: neighbours in a few large reads, in whatever order the backend asks
 * for the segments. Once a batch that was asked for is here, the same input of the next chunk is on its way. So what is held is
 * at most what the backend has not yet taken of one chunk and the chunk after it, however large the tensor is.
 */
export class ChunkReader {
  private readonly chunkOf = new Map<string, number>();
  private readonly batches = new Map<string, Batch>();

  /** Hears that the group's last chunk was asked for and is here: once or more for every input and pass over the group. */
  onLastChunk: () => void = () => {};

  constructor(
    private readonly group: Group,
    private readonly sources: Sources,
    private readonly rangeOf: (segment: Segment, input: number) => ByteRange,
  ) {
    for (const [chunk, segments] of group.chunks.entries()) for (const segment of segments) this.chunkOf.set(keyOf(segment), chunk);
  }

  /** Reads the first chunk: every input, the files side by side. */
  async begin(): Promise<void> {
    await Promise.all(this.group.slots[0]!.inputs.map((_, input) => this.batch(0, input)?.loaded ?? Promise.resolve()));
  }

  /** A segment asked for again within its batch, or in a later pass over the group, is read again. */
  readonly read: ReadSegment = async (segment, input) => {
    const key = keyOf(segment);
    const chunk = this.chunkOf.get(key)!;
    const batch = this.batch(chunk, input)!;
    if (!batch.left.delete(key)) return this.sources.read(this.rangeOf(segment, input));
    if (batch.left.size === 0) this.batches.delete(batchKey(chunk, input));
    const bytes = (await batch.loaded).get(key)!;
    if (chunk + 1 < this.group.chunks.length) this.batch(chunk + 1, input);
    else this.onLastChunk();
    return bytes;
  };

  /** The batch, begun now if it was not; null where the input has nothing of the chunk. */
  private batch(chunk: number, input: number): Batch | null {
    const known = this.batches.get(batchKey(chunk, input));
    if (known) return known;
    const segments = this.group.chunks[chunk]!.filter(({ present }) => present[input]);
    if (segments.length === 0) return null;
    const keys = segments.map(keyOf);
    const loaded = this.sources.readAll(segments.map((segment) => this.rangeOf(segment, input))).then((bytes) => new Map(keys.map((key, i) => [key, bytes[i]!])));
    // Met by whoever asks for one of its segments, or never when an earlier read fails.
    loaded.catch(() => {});
    const batch = { loaded, left: new Set(keys) };
    this.batches.set(batchKey(chunk, input), batch);
    return batch;
  }
}

const keyOf = ({ slot, first }: Segment) => `${slot}:${first}`;
const batchKey = (chunk: number, input: number) => `${chunk}:${input}`;
