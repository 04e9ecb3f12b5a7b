/** The task vectors of one slot, read block by block on the host: what decisions that no backend makes are made from. */
import { decodeToF32 } from '../../bytes/floats';
import { bytesPerValue } from '../../bytes/dtypes';
import { throwIfAborted } from '../abort';
import type { Group, ReadSegment, Segment, Slot } from '../backend';
import { chunkInputBytes } from '../steps';

/** Elements that are decoded at a time. */
const BLOCK = 2 ** 14;
/** Values that are looked at before other events get their turn. */
const VALUES_AT_ONCE = 2 ** 22;
/** Input bytes of a group that are kept between the readings of it; those of one chunk always are, as a backend has them at once. */
const KEPT_BYTES = 256 * 2 ** 20;

const NAN_KEY = 0x7fffffff;
const INFINITY_KEY = 0x7f800000;

/** A segment, and where its elements lie among those of the slot that the group covers. */
export interface Part {
  readonly segment: Segment;
  /** Its place in the group. */
  readonly chunk: number;
  readonly index: number;
  readonly begin: number;
  readonly end: number;
}

/** Neighbouring elements of one part. */
export interface Block {
  readonly part: Part;
  /** First element among those of the slot that the group covers. */
  readonly begin: number;
  /** Its flat index in the slot. */
  readonly first: number;
  readonly count: number;
  readonly base: Float32Array<ArrayBuffer>;
  /** tau_i per model; null where it has none of these elements. */
  readonly taus: readonly (Float32Array<ArrayBuffer> | null)[];
  /** NaN or infinite values per input. */
  nonfinite(): number[];
  /** Keys of |tau| of a model that has the elements: every NaN has the largest. */
  keys(model: number): Uint32Array;
}

/** The parts of each slot of a group, in order. */
export function partsOf(group: Group): Part[][] {
  const parts: Part[][] = group.slots.map(() => []);
  group.chunks.forEach((segments, chunk) => {
    for (const [index, segment] of segments.entries()) {
      const mine = parts[segment.slot]!;
      const begin = mine.at(-1)?.end ?? 0;
      mine.push({ segment, chunk, index, begin, end: begin + segment.count });
    }
  });
  return parts;
}

export class SlotVectors {
  /** Elements of the slot that the group covers. */
  readonly length: number;
  /** Per model: how many of them it has. */
  readonly elements: readonly number[];

  constructor(
    readonly slot: Slot,
    readonly parts: readonly Part[],
    private readonly read: ReadSegment,
    private readonly signal: AbortSignal | undefined,
  ) {
    this.length = parts.at(-1)?.end ?? 0;
    this.elements = slot.inputs.slice(1).map((_, model) => parts.reduce((sum, { segment }) => sum + (this.has(segment, model + 1) ? segment.count : 0), 0));
  }

  /** Visits all blocks in flat order. Rejects as `read` does, and with CancelledError. */
  async each(visit: (block: Block) => void): Promise<void> {
    let since = 0;
    for (const part of this.parts) {
      throwIfAborted(this.signal);
      const bytes = await Promise.all(this.slot.inputs.map(async (_, input) => (this.has(part.segment, input) ? this.read(part.segment, input) : null)));
      for (let at = 0; at < part.segment.count; at += BLOCK) {
        const count = Math.min(BLOCK, part.segment.count - at);
        visit(this.block(part, bytes, at, count));
        since += count * bytes.length;
        if (since < VALUES_AT_ONCE) continue;
        since = 0;
        await new Promise((resolve) => setTimeout(resolve));
        throwIfAborted(this.signal);
      }
    }
  }

  has({ present }: Segment, input: number): boolean {
    return this.slot.inputs[input] !== null && present[input] === true;
  }

  private block(part: Part, bytes: readonly (Uint8Array<ArrayBuffer> | null)[], at: number, count: number): Block {
    const values = bytes.map((own, input) => {
      const dtype = this.slot.inputs[input];
      if (own === null || dtype == null) return null;
      const width = bytesPerValue(dtype);
      if (own.byteLength !== part.segment.count * width) {
        throw new RangeError(`${this.slot.name}, input ${input}: ${own.byteLength / width} values instead of ${part.segment.count}`);
      }
      return decodeToF32(own.subarray(at * width, (at + count) * width), dtype);
    });
    const base = values[0] ?? new Float32Array(count);
    let counted: number[] | null = null;
    const taus = values.slice(1).map((theta) => theta && differences(theta, base));
    const known: (Uint32Array | undefined)[] = [];
    return {
      part,
      begin: part.begin + at,
      first: part.segment.first + at,
      count,
      base,
      taus,
      nonfinite: () => (counted ??= values.map((own) => (own ? countNonfinite(own) : 0))),
      keys: (model) => (known[model] ??= keysOf(taus[model]!)),
    };
  }
}

/** theta - theta_init, one f32 subtraction each. */
function differences(theta: Float32Array, base: Float32Array): Float32Array<ArrayBuffer> {
  const tau = new Float32Array(theta.length);
  for (let j = 0; j < tau.length; j++) tau[j] = theta[j]! - base[j]!;
  return tau;
}

function countNonfinite(values: Float32Array<ArrayBuffer>): number {
  const bits = new Uint32Array(values.buffer);
  let count = 0;
  for (let j = 0; j < bits.length; j++) if ((bits[j]! & 0x7fffffff) >= INFINITY_KEY) count++;
  return count;
}

/** The bits of |value|, which order as unsigned integers. */
export function keysOf(values: Float32Array<ArrayBuffer>): Uint32Array {
  const keys = new Uint32Array(values.length);
  const bits = new Uint32Array(values.buffer);
  for (let j = 0; j < keys.length; j++) {
    const magnitude = bits[j]! & 0x7fffffff;
    keys[j] = magnitude > INFINITY_KEY ? NAN_KEY : magnitude;
  }
  return keys;
}

/** Reads each input of a segment once, or once more where there is too much to keep. */
export class Reading {
  private readonly kept = new Map<string, Promise<Uint8Array<ArrayBuffer>>>();
  private readonly keepsAll: boolean;

  constructor(
    group: Group,
    private readonly source: ReadSegment,
  ) {
    this.keepsAll = keepsAll(group);
  }

  /** For looking at: the bytes stay this reading's own. */
  readonly look: ReadSegment = (segment, input) => (this.keepsAll ? this.held(segment, input) : this.source(segment, input));

  /** As `look`, kept until `forget`. */
  held(segment: Segment, input: number): Promise<Uint8Array<ArrayBuffer>> {
    const key = keyOf(segment, input);
    const known = this.kept.get(key);
    if (known) return known;
    const bytes = this.source(segment, input);
    this.kept.set(key, bytes);
    return bytes;
  }

  forget(segment: Segment, inputs: number): void {
    for (let input = 0; input < inputs; input++) this.kept.delete(keyOf(segment, input));
  }
}

function keepsAll(group: Group): boolean {
  return group.chunks.length === 1 || inputBytes(group) <= KEPT_BYTES;
}

const inputBytes = (group: Group) => group.chunks.reduce((sum, chunk) => sum + chunkInputBytes(group, chunk), 0);

/** Most bytes that a reading of a group and the decisions about it hold beside what its backend does. */
export function hostBytes(group: Group): number {
  const bits = group.slots.reduce((sum, { elements, inputs }) => sum + (elements / 8) * (inputs.length - 1), 0);
  const chunks = group.chunks.map((chunk) => chunkInputBytes(group, chunk));
  return Math.ceil(bits) + (keepsAll(group) ? inputBytes(group) : Math.max(...chunks));
}

const keyOf = ({ slot, first }: Segment, input: number) => `${slot}:${first}:${input}`;
