/** How a group lies in parts: the elements of a segment, cut further only where several workers would share one. */
import { bytesPerValue } from '../bytes/dtypes';
import type { Group, Segment, Slot } from '../merge/backend';
import type { PartSpec } from './part-types';

/** A part, and where it lies. */
export interface Piece {
  readonly spec: PartSpec;
  readonly segment: Segment;
  readonly chunk: number;
  /** Index of the segment in the chunk. */
  readonly place: number;
  /** First element of the part in the segment, even. */
  readonly offset: number;
  /** Whether the segment ends with it. */
  readonly isLast: boolean;
}

/** Below this many elements a part is not cut: what is said about it costs more than the work saved. */
const LEAST_CUT = 2 ** 18;

/** The parts of a group, in order, for so many workers. Chunks are cut only where there are too few to go round. */
export function piecesOf(group: Group, workers: number): Piece[] {
  const pieces: Piece[] = [];
  for (const [chunk, segments] of group.chunks.entries()) {
    const elements = segments.reduce((sum, { count }) => sum + count, 0);
    for (const [place, segment] of segments.entries()) {
      const share = Math.max(LEAST_CUT, Math.ceil(elements / workers));
      const cuts = group.chunks.length >= workers ? 1 : Math.max(1, Math.round(segment.count / share));
      const each = 2 * Math.ceil(segment.count / cuts / 2);
      for (let offset = 0; offset === 0 || offset < segment.count; offset += each) {
        const count = Math.min(each, segment.count - offset);
        pieces.push({ spec: specOf(group, segment, count), segment, chunk, place, offset, isLast: offset + count === segment.count });
      }
    }
  }
  return pieces;
}

function specOf({ method, slots }: Group, segment: Segment, count: number): PartSpec {
  const slot = slots[segment.slot]!;
  const dtypes = slot.inputs.map((dtype, input) => (segment.present[input] === true ? dtype : null));
  return { method, count, dtypes, origin: originOf(slot), outDtype: slot.outDtype };
}

/** The input that task vectors start from: the base, or where there is none the first model. */
function originOf({ inputs }: Slot): number {
  return Math.max(0, inputs.findIndex((dtype) => dtype !== null));
}

/** Elements of a slot's parts that model `model` has. */
export function elementsOf(pieces: readonly Piece[], model: number): number {
  return pieces.reduce((sum, { spec }) => sum + (spec.dtypes[model + 1] === null ? 0 : spec.count), 0);
}

/** Bytes of a group's inputs. */
export function inputBytes(pieces: readonly Piece[]): number {
  const perElement = ({ dtypes }: PartSpec) => dtypes.reduce((sum, dtype) => sum + (dtype === null ? 0 : bytesPerValue(dtype)), 0);
  return pieces.reduce((sum, { spec }) => sum + spec.count * perElement(spec), 0);
}
