/** Cutting a slot into chunks and segments: pure arithmetic on element counts. */
import { bytesPerValue } from '../bytes/dtypes';
import type { ElementRange, Segment, Slot } from './backend';

/** Elements of a slot; every flat index is a u32 on the device. */
export const MAX_SLOT_ELEMENTS = 2 ** 32 - 1;
/** Chunk edges are multiples of this where the budget allows: whole workgroups on the device, whole pages on the disk. */
export const EDGE_ELEMENTS = 4096;

/** Bytes that one element takes in a chunk: every input that takes part and the output. */
export function bytesPerElement({ inputs, outDtype }: Slot): number {
  return inputs.reduce((sum, dtype) => sum + (dtype === null ? 0 : bytesPerValue(dtype)), bytesPerValue(outDtype));
}

/** Bytes of a whole slot in one chunk: every input and the output, each filled up to whole pairs of elements. */
export function slotBytes(slot: Slot): number {
  return 2 * Math.ceil(slot.elements / 2) * bytesPerElement(slot);
}

/**
 * Elements of one chunk within `budget` bytes: a multiple of EDGE_ELEMENTS, or where that many do not fit the largest even
 * number; 2 when not even that fits, since a chunk cannot be smaller.
 */
export function elementsPerChunk(budget: number, perElement: number): number {
  const most = Math.floor(budget / perElement);
  const step = most >= EDGE_ELEMENTS ? EDGE_ELEMENTS : 2;
  return Math.max(2, most - (most % step));
}

/** [0, elements) in pieces of `each` elements, which is even; only the last may be shorter or odd. None for 0 elements. */
export function chunkRanges(elements: number, each: number): ElementRange[] {
  const count = Math.ceil(elements / each);
  return Array.from({ length: count }, (_, i) => ({ first: i * each, end: Math.min(elements, (i + 1) * each) }));
}

/**
 * Elements [first, end) of a slot as segments, cut where the rows of a model end, so that each input has all of a segment
 * or nothing. A model's end may be odd, and then the segment after it begins there (see `Segment.first`).
 */
export function segmentsOf(slot: Slot, index: number, { first, end }: ElementRange): Segment[] {
  const gaps = slot.modelElements.map((own, model) => slot.absent?.[model] ?? [{ first: own, end: slot.elements }]);
  const within = gaps.flatMap((ranges) => ranges.flatMap((gap) => [gap.first, gap.end])).filter((edge) => edge > first && edge < end);
  const edges = [...new Set([first, ...within, end])].sort((a, b) => a - b);
  // Gaps are in order, as segments are: each model's next one is looked at until it is passed.
  const next = gaps.map(() => 0);
  return edges.slice(0, -1).map((begin, i) => {
    const has = gaps.map((ranges, model) => {
      while (next[model]! < ranges.length && ranges[next[model]!]!.end <= begin) next[model]!++;
      const gap = ranges[next[model]!];
      return gap === undefined || gap.first > begin;
    });
    return { slot: index, first: begin, count: edges[i + 1]! - begin, present: slot.inputs.map((dtype, input) => dtype !== null && (input === 0 || has[input - 1]!)) };
  });
}

/** Bytes of a segment in all the inputs that have it. */
export function segmentInputBytes(slot: Slot, { count, present }: Segment): number {
  return slot.inputs.reduce((sum, dtype, input) => sum + (dtype !== null && present[input] ? count * bytesPerValue(dtype) : 0), 0);
}
