/**
 * What DARE and DELLA keep: a value of a task vector by a number that is drawn for it (merging.md section 7). The number follows from the
 * seed, the model, the tensor's name and the flat index alone, by integers, so that every backend and every way of cutting a
 * tensor keeps the same values. (A sample numbers its elements for itself: exploring sees another draw of the same share.)
 *
 * The generator is Philox 2x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011): key the
 * seed, counter (index / 2, stream), one output word for each of two neighbours. Twin: shaders/lib/keep_drawn.wgsl.
 */
import type { TensorParameters } from '../recipe/types';

/** How one task vector is drawn. All u32. */
export interface Draw {
  readonly seed: number;
  /** Tells models and tensors apart. */
  readonly stream: number;
  /** Kept where the number drawn is below it: trunc(k * 2^32). */
  readonly limit: number;
}

/** The draw of model `model` in the tensor `name`; null where the density keeps everything. */
export function drawOf({ density, drop }: TensorParameters, name: string, model: number): Draw | null {
  const k = density[model]!;
  if (k >= 1) return null;
  return { seed: drop?.seed ?? 0, stream: streamOf(name, model), limit: Math.trunc(k * 2 ** 32) };
}

/** Writes for `to - from` elements from the flat index `first` on whether each is kept: 1 or 0 in `mask`, from place `from` on. */
export function drawInto({ seed, stream, limit }: Draw, first: number, mask: Uint8Array, from: number, to: number): void {
  let drawn = -1;
  for (let j = from; j < to; j++) {
    const index = first + j - from;
    const pair = Math.floor(index / 2);
    if (pair !== drawn) philox2x32(pair, stream, seed);
    drawn = pair;
    mask[j] = Number(words[index % 2]! < limit);
  }
}

/** The words drawn for `count` elements from the flat index `first` on. */
export function philoxWords({ seed, stream }: Draw, first: number, count: number): Uint32Array {
  const drawn = new Uint32Array(count);
  let last = -1;
  for (let j = 0; j < count; j++) {
    const index = first + j;
    const pair = Math.floor(index / 2);
    if (pair !== last) philox2x32(pair, stream, seed);
    last = pair;
    drawn[j] = words[index % 2]!;
  }
  return drawn;
}

/** FNV-1a over the model's place in the recipe and the UTF-8 bytes of the tensor's name (32 bits, public domain). */
export function streamOf(name: string, model: number): number {
  let hash = 0x811c9dc5;
  for (const byte of [model, ...new TextEncoder().encode(name)]) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

const ROUNDS = 10;
const MULTIPLIER = 0xd256d193;
const MULTIPLIER_LOW = MULTIPLIER & 0xffff;
const MULTIPLIER_HIGH = MULTIPLIER >>> 16;
const WEYL = 0x9e3779b9;

/** The two words of the last call of `philox2x32`. */
export const words = new Uint32Array(2);

/** Philox 2x32-10 of a counter (its low word first) and a key, into `words`. */
export function philox2x32(low: number, high: number, key: number): void {
  let x = low;
  let y = high;
  let k = key;
  for (let round = 0; round < ROUNDS; round++) {
    // The upper word of MULTIPLIER * x, from 16-bit halves: no partial sum exceeds 32 bits.
    const a = x & 0xffff;
    const b = x >>> 16;
    const middle = (Math.imul(b, MULTIPLIER_LOW) >>> 0) + ((Math.imul(a, MULTIPLIER_LOW) >>> 0) >>> 16);
    const cross = (Math.imul(a, MULTIPLIER_HIGH) >>> 0) + (middle & 0xffff);
    const upper = (Math.imul(b, MULTIPLIER_HIGH) >>> 0) + (middle >>> 16) + (cross >>> 16);
    const lower = Math.imul(MULTIPLIER, x);
    x = upper ^ k ^ y;
    y = lower;
    k = (k + WEYL) | 0;
  }
  words[0] = x;
  words[1] = y;
}
