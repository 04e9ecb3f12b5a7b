/** Reading a sample: many small blocks, neighbours together. */
import { bytesPerValue } from '../bytes/dtypes';
import { throwIfAborted } from './abort';
import type { ReadSegment, Segment } from './backend';
import type { ByteRange } from './plan-types';
import { Sources, elementRange } from './reading';
import type { OpenShard } from './reading';
import type { SamplePlan } from './sample';

/** Bytes of one input's segments that are read together. */
const BATCH_BYTES = 16 * 2 ** 20;

/** Segments of one input that are read when the first of them is asked for. */
interface Batch {
  readonly segments: { readonly key: string; readonly range: ByteRange }[];
  bytes: number;
  /** By segment; each is handed out once. */
  loaded: Promise<Map<string, Uint8Array<ArrayBuffer>>> | null;
}

/**
 * Reads a sample for `Backend.hold`, by the segments' true places in their tensors, in any order and at the same time; what is
 * asked for twice is read again. Rejects with CancelledError after `signal` was aborted, and as the sources do.
 */
export function readSample(plan: SamplePlan, openShard: OpenShard, signal?: AbortSignal): ReadSegment {
  const sources = new Sources(openShard, {
    ready: async () => throwIfAborted(signal),
    reading: (_, read) => read(),
  });
  const places = placesOf(plan);
  return async (segment, input) => {
    const key = keyOf(segment, input);
    const { batch, range } = places.get(key)!;
    batch.loaded ??= sources
      .readAll(batch.segments.map(({ range }) => range))
      .then((bytes) => new Map(batch.segments.map((member, i) => [member.key, bytes[i]!])));
    const loaded = await batch.loaded;
    const bytes = loaded.get(key);
    loaded.delete(key);
    return bytes ?? sources.read(range);
  };
}

/** Where the bytes of every segment of every input are, and with which others they are read. */
function placesOf({ group, inputs, segments }: SamplePlan): Map<string, { readonly batch: Batch; readonly range: ByteRange }> {
  const places = new Map<string, { batch: Batch; range: ByteRange }>();
  const open: Batch[] = [];
  group.chunks[0]!.forEach((segment, place) => {
    const slot = group.slots[segment.slot]!;
    segment.present.forEach((present, input) => {
      if (!present) return;
      const bytes = segment.count * bytesPerValue(slot.inputs[input]!);
      const current = open[input];
      const batch = current && current.bytes + bytes <= BATCH_BYTES ? current : (open[input] = { segments: [], bytes: 0, loaded: null });
      const key = keyOf(segment, input);
      const range = elementRange(slot, input, inputs[segment.slot]![input]!, segments[place]!.first, segment.count);
      batch.segments.push({ key, range });
      batch.bytes += bytes;
      places.set(key, { batch, range });
    });
  });
  return places;
}

const keyOf = ({ slot, first }: Segment, input: number) => `${slot}:${first}:${input}`;
