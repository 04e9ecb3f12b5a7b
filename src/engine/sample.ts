/**
 * A sample of a tensor's keys, taken on the host while its chunks are uploaded: the device then reads no input for it. What it says is
 * a guess, which decides how much is gathered, how large the lists are, and nothing else.
 */
import { bytesPerValue, type MergedDtype } from '../bytes/dtypes';
import { bf16ToF32, f16Values } from '../bytes/floats';
import type { Group, Segment } from '../merge/backend';

/** Values of a first chunk that are looked at, 4 ms of the host's: six deviations of the rank are 1.3 % of all then, at a density of 0.2. */
export const SAMPLED = 2 ** 15;
/** The golden ratio's fraction: its multiples fall evenly and in step with no row length. */
const STEP = (Math.sqrt(5) - 1) / 2;

/** Places in a run of `count` elements, spread over all of it; all of them where there are no more than `most`. */
export function samplePlaces(count: number, most: number): Uint32Array {
  if (count <= most) return Uint32Array.from({ length: count }, (_, i) => i);
  return Uint32Array.from({ length: most }, (_, i) => Math.floor((((i + 0.5) * STEP) % 1) * count));
}

export class KeySample {
  /** Places of one element: the same all through the tensor. */
  private readonly rate: number;
  /** f32 values of each segment that was seen, by input. */
  private readonly values = new Map<Segment, Float32Array[]>();
  /** Inputs of segments that were taken: it grows until every chunk was loaded once. */
  taken = 0;

  /** `group`: of one slot. */
  constructor(private readonly group: Group) {
    const total = group.chunks[0]!.reduce((sum, { count }) => sum + count, 0);
    this.rate = Math.min(1, SAMPLED / total);
  }

  /** Takes its part of one input's bytes of a segment, the first time. */
  take(segment: Segment, input: number, bytes: Uint8Array): void {
    const own = this.values.get(segment) ?? [];
    this.values.set(segment, own);
    if (own[input]) return;
    const dtype = this.group.slots[0]!.inputs[input]!;
    const read = READERS[dtype];
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const width = bytesPerValue(dtype);
    const places = samplePlaces(segment.count, Math.ceil(this.rate * segment.count));
    const values = new Float32Array(places.length);
    // Not Float32Array.from: that takes eight times as long.
    for (let i = 0; i < places.length; i++) values[i] = read(view, places[i]! * width);
    own[input] = values;
    this.taken++;
  }

  /** Keys of one model's task vector at the sampled places that it has, of all chunks taken so far, in ascending order. */
  keys(model: number): Uint32Array {
    const all = [...this.values.values()].flatMap(({ 0: base, [model + 1]: own }) => (base && own ? [own.map((value, i) => value - base[i]!)] : []));
    const keys = new Uint32Array(all.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const values of all) {
      // NaN of whatever bits as the largest key.
      const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
      for (let i = 0; i < bits.length; i++) keys[at++] = Number.isNaN(values[i]) ? 0x7fffffff : bits[i]! & 0x7fffffff;
    }
    return keys.sort();
  }
}

const word = new DataView(new ArrayBuffer(4));
function ofBits(bits: number): number {
  word.setUint32(0, bits);
  return word.getFloat32(0);
}
const READERS: Readonly<Record<MergedDtype, (view: DataView, at: number) => number>> = {
  F32: (view, at) => view.getFloat32(at, true),
  F16: (view, at) => ofBits(f16Values()[view.getUint16(at, true)]!),
  BF16: (view, at) => ofBits(bf16ToF32(view.getUint16(at, true))),
  F64: (view, at) => view.getFloat64(at, true),
};

/** Keys [low, high), and how many of the sample they are. */
export interface KeyBracket {
  readonly low: number;
  readonly high: number;
  readonly inside: number;
}

/**
 * Keys that are likely to hold the last of the largest `kept` of `elements`, from a sample in ascending order. `width` 1: six deviations
 * of a fair sample, and 1 in 256 for neighbours being alike; 0: four deviations, 1 fair sample in 15,000; between them what is between.
 */
export function bracketOf(sample: Uint32Array, kept: number, elements: number, width = 1): KeyBracket {
  const share = kept / elements;
  const rank = share * sample.length;
  const deviation = Math.sqrt(rank * (1 - share));
  const [narrow, wide] = [4 * deviation + FEW, Math.max(4 * deviation + FEW, 6 * deviation + sample.length / 256)];
  const margin = narrow + width * (wide - narrow);
  const largest = (place: number) => sample[sample.length - place]!;
  const [first, last] = [Math.floor(rank - margin), Math.ceil(rank + margin)];
  const low = last > sample.length ? 0 : largest(last);
  const high = first < 1 ? 2 ** 31 : largest(first) + 1;
  return { low, high, inside: placeOf(sample, high) - placeOf(sample, low) };
}

/** Places beside the deviations: of ranks of a few, whose share is no normal variable. */
const FEW = 8;

/** How many of the ascending keys are below `key`. */
function placeOf(keys: Uint32Array, key: number): number {
  let [begin, end] = [0, keys.length];
  while (begin < end) {
    const middle = (begin + end) >>> 1;
    if (keys[middle]! < key) begin = middle + 1;
    else end = middle;
  }
  return begin;
}
