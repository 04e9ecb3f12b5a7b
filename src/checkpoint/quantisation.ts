/** Packed weights, by their tensors: what quantises them decides what to do about them (faults.md, row A 15). */
import type { Dtype } from '../bytes/dtypes';

interface Header {
  readonly name: string;
  readonly dtype: Dtype;
}
export interface Quantisation {
  /** For people: `GPTQ`. */
  readonly scheme: string;
  /** Number of packed tensors, and the first by name. */
  readonly tensors: number;
  readonly first: string;
}

/**
 * Names that only one scheme gives its parts. The first that fits a tensor decides; AWQ writes the same names as GPTQ, but no
 * `g_idx`. The integers of a normal checkpoint (`position_ids`, `num_batches_tracked`, masks) have none of these names.
 */
const BY_NAME: readonly (readonly [scheme: string, name: RegExp])[] = [
  ['GPTQ', /\.g_idx$/],
  ['AWQ', /\.qweight$/],
  ['compressed-tensors', /\.weight_packed$/],
  ['bitsandbytes 4-bit', /\.weight\.(?:quant_state\.bitsandbytes__\w+|absmax|quant_map|nested_absmax)$/],
  ['bitsandbytes 8-bit', /\.(?:SCB|weight_format)$/],
  ['MXFP4', /_(?:blocks|scales)$/],
  ['AQLM', /\.(?:codes|codebooks)$/],
  ['HQQ', /\.W_q$/],
];
/** Dtypes of weights that cannot be merged, as their scheme is called. */
const BY_DTYPE: readonly (readonly [scheme: string, dtype: RegExp])[] = [
  ['FP8', /^F8_/],
  ['FP6', /^F6_/],
  ['FP4', /^F4$/],
  ['integers', /^[IU]\d+$/],
];

/** How a checkpoint's weights are packed; null for a plain one. From names and dtypes of its tensors. */
export function quantisationOf(tensors: readonly Header[]): Quantisation | null {
  for (const [scheme, pattern] of BY_NAME) {
    // An MXFP4 block is of bytes; a parameter of that name in floating point is a plain one.
    const packed = tensors.filter(({ name, dtype }) => pattern.test(name) && (scheme !== 'MXFP4' || dtype === 'U8'));
    if (packed.length > 0) return { scheme, tensors: packed.length, first: packed[0]!.name };
  }
  const weights = tensors.filter(({ name }) => name.endsWith('.weight'));
  for (const [scheme, pattern] of BY_DTYPE) {
    const packed = weights.filter(({ dtype }) => pattern.test(dtype));
    // A single odd tensor can be decided about by itself.
    if (packed.length > 0 && 2 * packed.length > weights.length) return { scheme, tensors: packed.length, first: packed[0]!.name };
  }
  return null;
}
