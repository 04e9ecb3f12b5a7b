/** encode: merged values in the output dtype, rounded once to nearest even (merging.md section 4). Twin of reference/encode.ts. */
import type { OutputDtype } from '../bytes/dtypes';
import { f32ToBf16, f32ToF16 } from '../bytes/floats';

/** The output of a part as numbers. */
export type Output =
  | { readonly dtype: 'F32'; readonly words: Int32Array<ArrayBuffer> }
  | { readonly dtype: 'BF16' | 'F16'; readonly words: Uint16Array<ArrayBuffer> };

/** Least magnitude that rounds to infinity in bf16. */
const BF16_OVERFLOW = 0x7f7f8000;

/** `into`: a buffer that is large enough, whose bytes are written over. */
export function createOutput(dtype: OutputDtype, count: number, into?: ArrayBuffer): Output {
  if (dtype === 'F32') return { dtype, words: into ? new Int32Array(into, 0, count) : new Int32Array(count) };
  return { dtype, words: into ? new Uint16Array(into, 0, count) : new Uint16Array(count) };
}

/** Writes a block at `at`; returns how many finite values became infinite. */
export function encodeBlock(bits: Int32Array, n: number, output: Output, at: number): number {
  if (output.dtype === 'F32') {
    const { words } = output;
    for (let j = 0; j < n; j++) words[at + j] = bits[j]!;
    return 0;
  }
  if (output.dtype === 'F16') return encodeF16(bits, n, output.words, at);
  return roundToBf16(bits, n, output.words, at) ? 0 : encodeBf16(bits, n, output.words, at);
}

/** False when some value is no number or rounds to infinity: those need a closer look. */
function roundToBf16(bits: Int32Array, n: number, words: Uint16Array, at: number): boolean {
  let beyond = 0;
  for (let j = 0; j < n; j++) {
    const word = bits[j]!;
    words[at + j] = (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
    beyond |= BF16_OVERFLOW - 1 - (word & 0x7fffffff);
  }
  return beyond >= 0;
}

function encodeBf16(bits: Int32Array, n: number, words: Uint16Array, at: number): number {
  let overflow = 0;
  for (let j = 0; j < n; j++) {
    const word = f32ToBf16(bits[j]! >>> 0);
    words[at + j] = word;
    overflow += Number((word & 0x7fff) === 0x7f80 && (bits[j]! & 0x7fffffff) < 0x7f800000);
  }
  return overflow;
}

function encodeF16(bits: Int32Array, n: number, words: Uint16Array, at: number): number {
  let overflow = 0;
  for (let j = 0; j < n; j++) {
    const word = f32ToF16(bits[j]! >>> 0);
    words[at + j] = word;
    overflow += Number((word & 0x7fff) === 0x7c00 && (bits[j]! & 0x7fffffff) < 0x7f800000);
  }
  return overflow;
}
