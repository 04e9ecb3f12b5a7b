/**
 * Values that no file holds: a matrix plus the product of two thin ones, which is what an adapter makes of a tensor of its base.
 * They are formed by the backend, a segment at a time, so that the whole product is never anywhere.
 */
import type { MergedDtype } from '../bytes/dtypes';

/**
 * Elements [first, first + count) of `theta + scale * (P Q)`, row-major, `columns` to a row, in f32.
 *
 * For element (i, j), with every `fl` one f32 operation rounded to nearest even, nothing fused, subnormals kept:
 * `s = +0; for r = 0 .. rank - 1: s = fl(s + fl(P[i, r] * Q[r, j]))`, then `fl(theta[i, j] + fl(scale * s))`. A value that is
 * not a number is written as 0x7fc00000. So every backend gives the same bits.
 */
export interface AdaptRequest {
  /** theta of these elements, raw little-endian. */
  readonly base: Uint8Array<ArrayBuffer>;
  readonly dtype: MergedDtype;
  /** Flat index of the first element in the matrix. */
  readonly first: number;
  readonly columns: number;
  /** At least 1. */
  readonly rank: number;
  /** An f32 number. */
  readonly scale: number;
  /** P: rows x rank, row-major, its first row the one that holds element `first`, its last the one that holds the last element. */
  readonly left: Float32Array<ArrayBuffer>;
  /** Q: rank x columns, row-major. */
  readonly right: Float32Array<ArrayBuffer>;
}

/** Rows of the matrix that elements [first, first + count) touch: [begin, end). */
export function touchedRows(first: number, count: number, columns: number): { readonly begin: number; readonly end: number } {
  const begin = Math.floor(first / columns);
  return { begin, end: count === 0 ? begin : Math.floor((first + count - 1) / columns) + 1 };
}

/** Elements of a request. */
export function requestElements({ base, dtype }: Pick<AdaptRequest, 'base' | 'dtype'>): number {
  return base.byteLength / (dtype === 'F64' ? 8 : dtype === 'F32' ? 4 : 2);
}
