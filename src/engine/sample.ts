/**
 * A sample of a tensor's keys, taken on the host while its first chunk is uploaded: the device then reads no input for it. What
 * it says is a guess, which decides how much is gathered and nothing else.
 */
import { bytesPerValue, type MergedDtype } from '../bytes/dtypes';
import { bf16ToF32, f16Values } from '../bytes/floats';
import type { Group } from '../merge/backend';

/** Values of a chunk that are looked at: six deviations of the rank are 2 % of all then, at a density of 0.2. */
export const SAMPLED = 2 ** 14;
/** The golden ratio's fraction: its multiples fall evenly and in step with no row length. */
const STEP = (Math.sqrt(5) - 1) / 2;

/** Places in a run of `count` elements, spread over all of it; all of them where there are no more than `most`. */
export function samplePlaces(count: number, most: number): Uint32Array {
  if (count <= most) return Uint32Array.from({ length: count }, (_, i) => i);
  return Uint32Array.from({ length: most }, (_, i) => Math.floor((((i + 0.5) * STEP) % 1) * count));
}

export class KeySample {
  /** Per segment of the first chunk. */
  private readonly places: readonly Uint32Array[];
  /** f32 values, per segment and input. */
  private readonly values = new Map<string, Float32Array>();

  /** `group`: of one slot. */
  constructor(private readonly group: Group) {
    const chunk = group.chunks[0]!;
    const total = chunk.reduce((sum, { count }) => sum + count, 0);
    this.places = chunk.map(({ count }) => samplePlaces(count, Math.ceil((SAMPLED * count) / total)));
  }

  /** Takes its part of one input's bytes of the first chunk's segment number `segment`. */
  take(segment: number, input: number, bytes: Uint8Array): void {
    const dtype = this.group.slots[0]!.inputs[input]!;
    const read = READERS[dtype];
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const width = bytesPerValue(dtype);
    this.values.set(`${segment}:${input}`, Float32Array.from(this.places[segment]!, (place) => read(view, place * width)));
  }

  /** Keys of one model's task vector at the sampled places that it has, in ascending order. Once the first chunk is loaded. */
  keys(model: number): Uint32Array {
    const all = this.places.flatMap((_, segment) => {
      const base = this.values.get(`${segment}:0`);
      const own = this.values.get(`${segment}:${model + 1}`);
      return base && own ? [own.map((value, i) => value - base[i]!)] : [];
    });
    const keys = new Uint32Array(all.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const values of all) {
      // NaN of whatever bits as the largest key.
      const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
      for (const [i, value] of values.entries()) keys[at++] = Number.isNaN(value) ? 0x7fffffff : bits[i]! & 0x7fffffff;
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

/** Keys [low, high) that are likely to hold the last of the largest `kept` of `elements`, from a sample in ascending order. */
export function bracketOf(sample: Uint32Array, kept: number, elements: number): { readonly low: number; readonly high: number } {
  const share = kept / elements;
  const rank = share * sample.length;
  // Six deviations of a fair sample, and 1 in 256 for neighbours being alike.
  const margin = 6 * Math.sqrt(rank * (1 - share)) + sample.length / 256;
  const largest = (place: number) => sample[sample.length - place]!;
  const [first, last] = [Math.floor(rank - margin), Math.ceil(rank + margin)];
  return { low: last > sample.length ? 0 : largest(last), high: first < 1 ? 2 ** 31 : largest(first) + 1 };
}
