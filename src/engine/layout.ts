/** The structs of shaders/lib/layout.wgsl on this side. tests/unit/engine/layout.test.ts holds them against the shader's text. */
import type { MergedDtype, OutputDtype } from '../bytes/dtypes';

/** Models one merge can have: a mask and a few arrays in the shaders have this size. */
export const MAX_MODELS = 8;
/** Selections of one slot: one per model and the slack's. */
export const LANES = MAX_MODELS + 1;
export const SLACK_LANE = MAX_MODELS;
/** Elements one workgroup takes. */
export const BLOCK = 8192;
export const THREADS = 256;
export const BINS = 2048;

/** Byte offset of each field; `size` is the stride in an array. All fields are u32 or arrays of u32. */
export const SEGMENT = { first: 0, count: 4, slot: 8, inputs: 12, output: 16, dtypes: 20, reserved: 24, offsets: 28, size: 64 } as const;
export const SLOT = {
  elements: 0, out_dtype: 4, trimmed: 8, normalize: 12, lambda: 16, prefer: 20, slack_target: 24,
  slack_low: 28, slack_high: 32, first_block: 36, block_count: 40, drawn: 44, seed: 48, tally_row: 52,
  weight: 56, factor: 88, stream: 120, limit: 152, size: 184,
} as const;
export const SELECTION = { threshold: 0, remaining: 4, cut_block: 8, cutoff: 12, size: 16 } as const;
export const BRACKET = { low: 0, high: 4, above: 8, count: 12, size: 16 } as const;
export const WORK = {
  lane: 0, shift: 4, digit_bits: 8, first_block: 12, end_block: 16, row: 20, block_base: 24, slot_count: 28, total: 32, zero: 36, size: 40,
} as const;

/** One request of shaders/adapt.wgsl. */
export const ADAPT = { dtype: 0, count: 4, columns: 8, column: 12, scale: 16, size: 20 } as const;

/** Words of an entry of the block table. */
export const BLOCK_WORDS = 3;

/** Fields of a segment's counts, in u32 words (shaders/lib/count.wgsl). */
export const COUNT = { conflict: 0, reserved: 1, overflow: 2, nonfinite: 3, models: 12, perModel: 4, between: 44, words: 72 } as const;

/** Place of models i < j among the counted pairs: the same for any number of models. */
export function pairIndex(i: number, j: number): number {
  return (j * (j - 1)) / 2 + i;
}

/** Words of one slot's exact sums (shaders/sums.wgsl). */
export const SUM_WORDS = 2048;

/** Vectors and kinds of sums of an effect, for a number of models (shaders/effect.wgsl). */
export const EFFECT = { firstTau: 2, firstSquare: 3, maxVectors: MAX_MODELS + 2, maxSums: 47 } as const;
export function effectKinds(models: number): number {
  return EFFECT.firstSquare + 2 * models + pairIndex(0, models);
}
/** Grids of one slot's surface (shaders/surface.wgsl). */
export const COUNTED = 5;

/** Code of a dtype in the shaders. */
export const DTYPE_CODE: Readonly<Record<MergedDtype, number>> = { F32: 0, F16: 1, BF16: 2, F64: 3 };
/** What stands for them where there are several. */
export const MIXED = 4;

export function outputWords(elements: number, dtype: OutputDtype): number {
  return dtype === 'F32' ? 2 * Math.ceil(elements / 2) : Math.ceil(elements / 2);
}

const scratch = new DataView(new ArrayBuffer(8));
/** f32 bits of a number, rounded once. */
export function f32Bits(value: number): number {
  scratch.setFloat32(0, value);
  return scratch.getUint32(0);
}
/** f64 bits of a number as [low, high]. */
export function f64Bits(value: number): [number, number] {
  scratch.setFloat64(0, value);
  return [scratch.getUint32(4), scratch.getUint32(0)];
}
