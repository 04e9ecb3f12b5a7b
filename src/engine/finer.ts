/** A group cut finer than it was planned, for a device that has no room for its chunks: the same bytes, sets and counts. */
import { joinBytes } from '../bytes/join';
import { bytesPerValue } from '../bytes/dtypes';
import type { Group, GroupResult, ReadSegment, Segment, WriteSegment } from '../merge/backend';
import { addFigures, emptyFigures, type Figures } from '../merge/figures';
import { BLOCK } from './layout';

/** Some of the group's slots as a group of their own. */
export interface Part {
  readonly group: Group;
  /** Numbers of its slots in the group that was cut. */
  readonly slots: readonly number[];
}

/** Where a segment of a part comes from. */
interface Origin {
  readonly segment: Segment;
  readonly chunk: number;
  /** Place in the chunk. */
  readonly place: number;
  /** Elements of the segment before this piece. */
  readonly before: number;
}

export class FinerGroup {
  readonly parts: readonly Part[];
  private readonly origins = new Map<Segment, Origin>();

  /** Parts of at most `mostSlots`, whose chunks have at most `chunkBytes` of inputs and output, or one block of the engine where that is more. */
  constructor(
    private readonly whole: Group,
    chunkBytes: number,
    mostSlots = Infinity,
  ) {
    const all = whole.chunks.flatMap((chunk, c) => chunk.map((segment, place): Origin => ({ segment, chunk: c, place, before: 0 })));
    const runs = runsOfSlots(all, chunkBytes, mostSlots, (segment) => segmentBytes(whole, segment));
    this.parts = runs.map((run) => this.part(run, chunkBytes));
  }

  /** Reads what the parts ask for: a segment that was cut once for all of its pieces, kept until the last one took its own. */
  reader(read: ReadSegment): ReadSegment {
    const kept = new Map<number, { readonly segment: Segment; readonly bytes: Promise<Uint8Array<ArrayBuffer>> }>();
    return async (piece, input) => {
      const { segment, before } = this.origins.get(piece)!;
      if (piece.count === segment.count) return read(segment, input);
      const last = kept.get(input);
      const own = last?.segment === segment ? last : { segment, bytes: read(segment, input) };
      kept.set(input, own);
      const bytes = await own.bytes;
      if (before + piece.count === segment.count) kept.delete(input);
      const width = bytesPerValue(this.whole.slots[segment.slot]!.inputs[input]!);
      return bytes.subarray(before * width, (before + piece.count) * width);
    };
  }

  /** Takes what the parts write, in order, and hands on whole segments. */
  writer(write: WriteSegment): WriteSegment {
    let pieces: Uint8Array<ArrayBuffer>[] = [];
    return async (piece, bytes) => {
      const { segment, before } = this.origins.get(piece)!;
      if (piece.count === segment.count) return write(segment, bytes);
      pieces.push(bytes);
      if (before + piece.count < segment.count) return;
      const whole = joinBytes(pieces);
      pieces = [];
      return write(segment, whole);
    };
  }

  /** The group's result from those of its parts, in order. */
  result(results: readonly GroupResult[]): GroupResult {
    const models = this.whole.slots[0]!.inputs.length - 1;
    const segments: Figures[][] = this.whole.chunks.map((chunk) => chunk.map(() => emptyFigures(models)));
    this.parts.forEach(({ group }, p) =>
      group.chunks.forEach((chunk, c) =>
        chunk.forEach((piece, s) => {
          const { chunk: of, place } = this.origins.get(piece)!;
          addFigures(segments[of]![place]!, results[p]!.segments[c]![s]!);
        }),
      ),
    );
    return { slots: results.flatMap(({ slots }) => slots), segments };
  }

  private part(run: readonly Origin[], chunkBytes: number): Part {
    const slots = [...new Set(run.map(({ segment }) => segment.slot))];
    const chunks: Segment[][] = [];
    let room = 0;
    for (const origin of run) {
      const { segment } = origin;
      const each = segmentBytes(this.whole, segment) / segment.count;
      for (let before = 0; before < segment.count; ) {
        // Several slots have one chunk, which they fit.
        if (chunks.length === 0 || (slots.length === 1 && room < each * Math.min(BLOCK, segment.count - before))) {
          chunks.push([]);
          room = chunkBytes;
        }
        const most = slots.length > 1 ? Infinity : Math.max(1, Math.floor(room / each / BLOCK)) * BLOCK;
        const count = Math.min(most, segment.count - before);
        const piece: Segment = { ...segment, slot: slots.indexOf(segment.slot), first: segment.first + before, count };
        this.origins.set(piece, { ...origin, before });
        chunks.at(-1)!.push(piece);
        room -= count * each;
        before += count;
      }
    }
    return { group: { method: this.whole.method, slots: slots.map((s) => this.whole.slots[s]!), chunks }, slots };
  }
}

/** Bytes of inputs and output of the largest chunk. */
export function largestChunk(group: Group): number {
  return Math.max(...group.chunks.map((chunk) => chunk.reduce((sum, segment) => sum + segmentBytes(group, segment), 0)));
}

function segmentBytes({ slots }: Group, { slot, count, present }: Segment): number {
  const { inputs, outDtype } = slots[slot]!;
  return count * inputs.reduce((sum, dtype, input) => sum + (dtype !== null && present[input] ? bytesPerValue(dtype) : 0), bytesPerValue(outDtype));
}

/** Neighbouring slots together as far as they fit; one that does not fit is a run of its own. */
function runsOfSlots(all: readonly Origin[], most: number, mostSlots: number, bytesOf: (segment: Segment) => number): Origin[][] {
  const bySlot = new Map<number, Origin[]>();
  for (const origin of all) bySlot.set(origin.segment.slot, [...(bySlot.get(origin.segment.slot) ?? []), origin]);
  const runs: Origin[][] = [];
  let held = Infinity;
  let slots = 0;
  for (const own of bySlot.values()) {
    const bytes = own.reduce((sum, { segment }) => sum + bytesOf(segment), 0);
    if (held + bytes > most || slots === mostSlots) {
      runs.push([]);
      held = 0;
      slots = 0;
    }
    runs.at(-1)!.push(...own);
    held += bytes;
    slots++;
  }
  return runs;
}
