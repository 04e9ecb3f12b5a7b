/** A family whose bytes are made when they are read: no disk, the same bytes on every machine and in any order of reading. */
import type { ByteSource } from '../../src/bytes/source';
import { layOutShard } from '../../src/format/safetensors/writer';
import { tensorsOf, type FamilyShape } from '../families.mjs';

export const GENERATED_MODELS = ['sft', 'ct'] as const;
export type GeneratedModel = 'base' | (typeof GENERATED_MODELS)[number];

/** Of a trained 7B: weights 0.02, a fine-tuning 0.0004, a continual pre-training 0.0008. */
const WEIGHT = 0.02;
const SFT = 0.0004;
const CT = 0.0008;
/** Rows that are trained alike: half a head of 128. */
const BAND = 64;
/** Columns that are trained alike. */
const STRETCH = 256;

/** Normal numbers that every row walks through from a place of its own. */
const NORMALS = normals(2 ** 20 + 2 ** 14);
const PLACES = 2 ** 20;

/**
 * One shard of one of the models. Neighbours are alike, as in trained models: how far a value is moved varies (log-normally) with
 * the layer, the band of 64 rows, the row and the stretch of 256 columns, and how often both models move a value the same way
 * varies with the layer, the band and the row. Values themselves are independent of each other.
 */
export function generatedShard(name: string, model: GeneratedModel, shape: FamilyShape): ByteSource {
  const tensors = tensorsOf(shape);
  const layout = layOutShard('model.safetensors', tensors.map(([own, size]) => ({ name: own, dtype: 'BF16' as const, shape: size })), {});
  const shapes = new Map(tensors);
  const header = layout.header;
  const placed = layout.tensors.map(({ name: own, begin }) => {
    const size = shapes.get(own)!;
    const columns = size.at(-1)!;
    return { name: own, begin: header.length + begin, columns, elements: size.reduce((a, b) => a * b, 1), seed: hashOf(own), layer: Number(/\.layers\.(\d+)\./.exec(own)?.[1] ?? 0) / shape.layers };
  });
  return {
    name,
    size: header.length + layout.payloadBytes,
    read: async (begin, end) => {
      const bytes = new Uint8Array(end - begin);
      if (begin < header.length) bytes.set(header.subarray(begin, Math.min(end, header.length)));
      for (const tensor of placed) {
        const first = Math.max(0, Math.floor((begin - tensor.begin) / 2));
        const last = Math.min(tensor.elements, Math.ceil((end - tensor.begin) / 2));
        if (first >= last) continue;
        const values = valuesOf(tensor, model, first, last);
        const from = Math.max(begin, tensor.begin + 2 * first);
        const skipped = from - (tensor.begin + 2 * first);
        bytes.set(new Uint8Array(values.buffer, skipped, Math.min(end, tensor.begin + 2 * last) - from), from - begin);
      }
      return bytes;
    },
  };
}

interface Placed {
  readonly columns: number;
  readonly seed: number;
  /** Depth in [0, 1). */
  readonly layer: number;
}

/** BF16 values [first, last) of a tensor. */
function valuesOf({ columns, seed, layer }: Placed, model: GeneratedModel, first: number, last: number): Uint16Array<ArrayBuffer> {
  const values = new Uint16Array(last - first);
  const value = new Float32Array(1);
  const bits = new Uint32Array(value.buffer);
  for (let at = first; at < last; ) {
    const row = Math.floor(at / columns);
    const column = at - row * columns;
    const end = Math.min(last, (row + 1) * columns, row * columns + (Math.floor(column / STRETCH) + 1) * STRETCH);
    const band = Math.floor(row / BAND);
    const stretch = Math.floor(column / STRETCH);
    const place = (what: number) => mixed(seed + what, row) % PLACES;
    const [weights, sft, ct] = [place(1) + column, place(2) + column, place(3) + column];
    const step = (what: number, of: number) => Math.exp(0.3 * (one(seed + what, band) + one(seed + what + 1, row) + one(seed + what + 2, stretch))) * of;
    const [sftStep, ctStep] = [step(10, SFT) * (0.6 + 0.8 * layer), step(20, CT) * (1.3 - 0.6 * layer)];
    const alike = Math.max(-0.9, Math.min(0.9, 0.1 + 0.2 * (one(seed + 30, band) + one(seed + 31, row)) + 0.3 * (layer - 0.5)));
    const apart = Math.sqrt(1 - alike * alike);
    const [a, b] = model === 'base' ? [0, 0] : model === 'sft' ? [sftStep, 0] : [ctStep * alike, ctStep * apart];
    for (let i = 0; at < end; i++, at++) {
      value[0] = WEIGHT * NORMALS[weights + i]! + a * NORMALS[sft + i]! + b * NORMALS[ct + i]!;
      // To nearest even.
      values[at - first] = (bits[0]! + 0x7fff + ((bits[0]! >>> 16) & 1)) >>> 16;
    }
  }
  return values;
}

/** Counter-based 32-bit generator (the finaliser of MurmurHash3). */
function mixed(seed: number, counter: number): number {
  let h = (seed ^ Math.imul(counter + 1, 0x9e3779b1)) >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** One normal number. */
const one = (seed: number, counter: number) => NORMALS[mixed(seed, counter) % PLACES]!;

/** By Box and Muller. */
function normals(count: number): Float32Array {
  const uniform = (counter: number) => (mixed(7, counter) + 0.5) / 2 ** 32;
  return Float32Array.from({ length: count }, (_, i) => Math.sqrt(-2 * Math.log(uniform(2 * i))) * Math.cos(2 * Math.PI * uniform(2 * i + 1)));
}

function hashOf(text: string): number {
  let state = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) state = Math.imul(state ^ byte, 0x01000193);
  // Room for the numbers added to it.
  return (state >>> 0) & 0x7fffff00;
}
