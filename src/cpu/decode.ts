/** decode: a block of one input in f32, and its task vector (merging.md section 1). Twin of reference/decode.ts. */
import { f16Values } from '../bytes/floats';
import { bytesPerValue, type MergedDtype } from '../bytes/dtypes';
import type { Lane } from './scratch';

/** One input of a part, as numbers in place. */
export type Raw =
  | { readonly dtype: 'BF16'; readonly words: Uint16Array<ArrayBuffer> }
  | { readonly dtype: 'F16'; readonly words: Uint16Array<ArrayBuffer> }
  | { readonly dtype: 'F32'; readonly words: Float32Array<ArrayBuffer> }
  | { readonly dtype: 'F64'; readonly words: Float64Array<ArrayBuffer> };

import { INFINITY_KEY } from '../reference/select';

/** Little-endian bytes as numbers, copied only where they start between words. */
export function rawOf(bytes: Uint8Array<ArrayBuffer>, dtype: MergedDtype): Raw {
  const width = bytesPerValue(dtype);
  const { buffer, byteOffset, byteLength } = bytes.byteOffset % width === 0 ? bytes : bytes.slice();
  const count = byteLength / width;
  if (dtype === 'F32') return { dtype, words: new Float32Array(buffer, byteOffset, count) };
  if (dtype === 'F64') return { dtype, words: new Float64Array(buffer, byteOffset, count) };
  return { dtype, words: new Uint16Array(buffer, byteOffset, count) };
}

/** Elements [at, at + n) of an input in f32: F16, BF16 and F32 exactly, F64 rounded once; zeros for an input without them. */
export function decodeBlock(raw: Raw | null, at: number, n: number, into: Lane): void {
  if (raw === null) into.f32.fill(0, 0, n);
  else if (raw.dtype === 'BF16') decodeBf16(raw.words, at, n, into.bits);
  else if (raw.dtype === 'F16') decodeF16(raw.words, at, n, into.bits, f16Values());
  else if (raw.dtype === 'F32') into.f32.set(raw.words.subarray(at, at + n));
  else decodeF64(raw.words, at, n, into.f32);
}

function decodeBf16(words: Uint16Array, at: number, n: number, bits: Int32Array): void {
  for (let j = 0; j < n; j++) bits[j] = words[at + j]! << 16;
}
function decodeF16(words: Uint16Array, at: number, n: number, bits: Int32Array, table: Uint32Array): void {
  for (let j = 0; j < n; j++) bits[j] = table[words[at + j]!]!;
}
function decodeF64(words: Float64Array, at: number, n: number, values: Float32Array): void {
  for (let j = 0; j < n; j++) values[j] = words[at + j]!;
}

/** tau = theta - base, one f32 subtraction a value, in place of theta. */
export function subtract(theta: Float32Array, base: Float32Array, n: number): void {
  for (let j = 0; j < n; j++) theta[j] = Math.fround(theta[j]! - base[j]!);
}

/** Whether all of a block's values are finite; integers alone. */
export function allFinite(bits: Int32Array, n: number): boolean {
  let beyond = 0;
  for (let j = 0; j < n; j++) beyond |= INFINITY_KEY - 1 - (bits[j]! & 0x7fffffff);
  return beyond >= 0;
}

export function countNonfinite(bits: Int32Array, n: number): number {
  let count = 0;
  for (let j = 0; j < n; j++) count += (INFINITY_KEY - 1 - (bits[j]! & 0x7fffffff)) >>> 31;
  return count;
}
