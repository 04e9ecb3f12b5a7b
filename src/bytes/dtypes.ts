/** The dtypes of safetensors, and which of them the studio merges. Source: safetensors 0.8.0, `tensor.rs`. */

/** In the reference implementation's order: files are written by dtype descending in this order. */
export const DTYPES = [
  'BOOL', 'F4', 'F6_E2M3', 'F6_E3M2', 'U8', 'I8', 'F8_E5M2', 'F8_E4M3', 'F8_E8M0', 'F8_E4M3FNUZ', 'F8_E5M2FNUZ',
  'I16', 'U16', 'F16', 'BF16', 'I32', 'U32', 'F32', 'C64', 'F64', 'I64', 'U64',
] as const;
export type Dtype = (typeof DTYPES)[number];

const BITS: Readonly<Record<Dtype, number>> = {
  BOOL: 8, F4: 4, F6_E2M3: 6, F6_E3M2: 6, U8: 8, I8: 8, F8_E5M2: 8, F8_E4M3: 8, F8_E8M0: 8, F8_E4M3FNUZ: 8, F8_E5M2FNUZ: 8,
  I16: 16, U16: 16, F16: 16, BF16: 16, I32: 32, U32: 32, F32: 32, C64: 64, F64: 64, I64: 64, U64: 64,
};

/** Bits of one value. */
export function dtypeBits(dtype: Dtype): number {
  return BITS[dtype];
}

/** Position in the reference implementation's order; larger is written first. */
export function dtypeRank(dtype: Dtype): number {
  return DTYPES.indexOf(dtype);
}

export function isDtype(text: string): text is Dtype {
  return (DTYPES as readonly string[]).includes(text);
}

/** Dtypes whose values enter the arithmetic (merging.md section 1). */
export const MERGED_DTYPES = ['F32', 'F16', 'BF16', 'F64'] as const;
export type MergedDtype = (typeof MERGED_DTYPES)[number];
export function isMergedDtype(dtype: Dtype): dtype is MergedDtype {
  return (MERGED_DTYPES as readonly string[]).includes(dtype);
}

/** Dtypes a merge can write. F64 bases are written as F32 since the arithmetic is f32 (merging.md section 1). */
export const OUTPUT_DTYPES = ['F32', 'F16', 'BF16'] as const;
export type OutputDtype = (typeof OUTPUT_DTYPES)[number];

/** Bytes of one value of a merged dtype. */
export function bytesPerValue(dtype: MergedDtype): number {
  return BITS[dtype] / 8;
}

/** Integer and boolean dtypes: never merged, copied when all checkpoints agree (merging.md section 8). */
export function isIntegerDtype(dtype: Dtype): boolean {
  return dtype === 'BOOL' || /^[IU]\d+$/.test(dtype);
}
