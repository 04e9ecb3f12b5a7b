/** Reading a group's inputs ahead of the backend, in reads that are large whatever its chunks are. */
import { bytesPerValue } from '../bytes/dtypes';
import type { Group, ReadSegment, Segment } from './backend';
import type { InputPart } from './inputs';
import type { Sources } from './reading';

/** One input of one stretch: read together, handed out segment by segment. */
interface Batch {
  readonly loaded: Promise<ReadonlyMap<string, readonly Uint8Array<ArrayBuffer>[]>>;
  /** Segments not handed out yet. */
  readonly left: Set<string>;
}

/** What a segment's values in one input are read and formed from. */
export type PartOf = (segment: Segment, input: number) => InputPart;
/** Per input: what was read of the first stretch together with other groups, the bytes of its ranges in their order; null: nothing. */
export type Given = ((() => Promise<readonly Uint8Array<ArrayBuffer>[]>) | null)[];

/** Chunks that are read together; at least one. */
interface Stretch {
  readonly segments: Segment[];
  /** Per input. */
  readonly bytes: number[];
}

/**
 * Bytes of one input that are read together when `budget` bytes may be held by reading ahead: of every input, what a backend is
 * taking, what comes next in the group, and the beginning of the next group.
 */
export function stretchBytes(budget: number, inputs: number): number {
  return Math.floor(budget / (3 * inputs));
}

/** The group's chunks in stretches of at most `most` bytes of any input, or of one chunk where that is more. */
export function stretchesOf({ slots, chunks }: Group, most: number): Stretch[] {
  const stretches: Stretch[] = [];
  for (const chunk of chunks) {
    const bytes = slots[0]!.inputs.map((_, input) =>
      chunk.reduce((sum, { slot, count, present }) => sum + (present[input] ? count * bytesPerValue(slots[slot]!.inputs[input]!) : 0), 0),
    );
    const last = stretches.at(-1);
    if (last && bytes.every((more, input) => last.bytes[input]! + more <= most)) {
      last.segments.push(...chunk);
      bytes.forEach((more, input) => (last.bytes[input]! += more));
    } else {
      stretches.push({ segments: [...chunk], bytes });
    }
  }
  return stretches;
}

/**
 * Serves `Backend.merge`. One input of a stretch is one batch: neighbours in a few large reads, in whatever order the backend asks
 * for the segments. Once a batch that was asked for is here, the same input of the next stretch is on its way. So what is held is
 * at most two stretches, however large the tensor is; a stretch is held until all of it is taken.
 */
export class ChunkReader {
  /** Hears that the group's last stretch is here: once or more for every input and pass over the group. */
  onLastStretch: () => void = () => {};
  private readonly stretches: readonly Stretch[];
  private readonly stretchOf = new Map<string, { readonly index: number; readonly count: number }>();
  private readonly batches = new Map<string, Batch>();
  /** Emptied as it is taken: a later pass reads for itself. */
  private readonly given: Given;

  constructor(
    group: Group,
    private readonly sources: Sources,
    private readonly partOf: PartOf,
    budget: number,
    given: Given = [],
  ) {
    this.given = [...given];
    this.stretches = stretchesOf(group, stretchBytes(budget, group.slots[0]!.inputs.length));
    for (const [index, { segments }] of this.stretches.entries()) for (const segment of segments) this.stretchOf.set(keyOf(segment), { index, count: segment.count });
  }

  /** Reads the first stretch: every input, the files side by side. */
  async begin(): Promise<void> {
    await Promise.all(this.stretches[0]!.bytes.map((_, input) => this.batch(0, input)?.loaded ?? Promise.resolve()));
  }

  /** A segment asked for again within its batch, or in a later pass over the group, is read again; elements within one for themselves. */
  readonly read: ReadSegment = async (segment, input) => {
    const key = keyOf(segment);
    const known = this.stretchOf.get(key);
    if (known?.count !== segment.count) return this.sources.readPart(this.partOf(segment, input));
    const { index } = known;
    const batch = this.batch(index, input)!;
    if (!batch.left.delete(key)) return this.sources.readPart(this.partOf(segment, input));
    if (batch.left.size === 0) this.batches.delete(batchKey(index, input));
    const bytes = (await batch.loaded).get(key)!;
    if (index + 1 < this.stretches.length) this.batch(index + 1, input);
    else this.onLastStretch();
    return this.sources.valuesOf(this.partOf(segment, input), bytes);
  };

  /** The batch, begun now if it was not; null where the input has nothing of the stretch. */
  private batch(index: number, input: number): Batch | null {
    const known = this.batches.get(batchKey(index, input));
    if (known) return known;
    const segments = this.stretches[index]!.segments.filter(({ present }) => present[input]);
    if (segments.length === 0) return null;
    const keys = segments.map(keyOf);
    const parts = segments.map((segment) => this.partOf(segment, input).ranges);
    const given = index === 0 ? this.given[input] : null;
    this.given[input] = null;
    const loaded = (given ? given() : this.sources.readAll(parts.flat())).then((bytes) => {
      let at = 0;
      return new Map(parts.map(({ length }, i) => [keys[i]!, bytes.slice(at, (at += length))]));
    });
    // Met by whoever asks for one of its segments, or never when an earlier read fails.
    loaded.catch(() => {});
    const batch = { loaded, left: new Set(keys) };
    this.batches.set(batchKey(index, input), batch);
    return batch;
  }
}

const keyOf = ({ slot, first }: Segment) => `${slot}:${first}`;
const batchKey = (index: number, input: number) => `${index}:${input}`;
