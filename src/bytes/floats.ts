/**
 * Exact conversions between the dtypes that are merged and f32 (merging.md section 1), by integer arithmetic on the bits,
 * so that every platform gives the same bits. Arrays are little-endian, as safetensors is and as every platform with
 * WebGPU is.
 */
import { bytesPerValue } from './dtypes';
import type { MergedDtype, OutputDtype } from './dtypes';

const F32_INFINITY = 0x7f800000;
const F16_INFINITY = 0x7c00;

/** f16 bits (u16) to f32 bits (u32). Exact, NaN payload and sign included. */
export function f16ToF32(bits: number): number {
  const sign = (bits & 0x8000) << 16;
  const exponent = (bits >>> 10) & 0x1f;
  const mantissa = bits & 0x3ff;
  if (exponent === 0x1f) return (sign | F32_INFINITY | (mantissa << 13)) >>> 0;
  if (exponent !== 0) return (sign | ((exponent + 112) << 23) | (mantissa << 13)) >>> 0;
  if (mantissa === 0) return sign >>> 0;
  // Every f16 subnormal is a normal f32: move its leading one to the implicit place.
  const shift = Math.clz32(mantissa) - 21;
  return (sign | ((113 - shift) << 23) | (((mantissa << shift) & 0x3ff) << 13)) >>> 0;
}

/** f32 bits (u32) to f16 bits (u16), rounded once, to nearest even. From 65520 on: infinity. NaN stays NaN (made quiet). */
export function f32ToF16(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > F32_INFINITY) return sign | F16_INFINITY | 0x200 | ((magnitude >>> 13) & 0x3ff);
  // 65520, half-way between the largest f16 and the next step: the even neighbour is infinity.
  if (magnitude >= 0x477ff000) return sign | F16_INFINITY;
  // From 2^-14 on the result is normal; a carry out of the mantissa raises the exponent, as it should.
  if (magnitude >= 0x38800000) {
    const rebiased = magnitude - 0x38000000;
    return sign | ((rebiased + 0xfff + ((rebiased >>> 13) & 1)) >>> 13);
  }
  // 2^-25 is half of the smallest subnormal: a tie that goes to zero, as everything below does.
  if (magnitude <= 0x33000000) return sign;
  const shift = 126 - (magnitude >>> 23);
  const mantissa = (magnitude & 0x7fffff) | 0x800000;
  return sign | ((mantissa + (1 << (shift - 1)) - 1 + ((mantissa >>> shift) & 1)) >>> shift);
}

/** bf16 bits (u16) to f32 bits (u32). Exact. */
export function bf16ToF32(bits: number): number {
  return (bits << 16) >>> 0;
}

/** f32 bits (u32) to bf16 bits (u16), rounded once, to nearest even. NaN stays NaN (made quiet). */
export function f32ToBf16(bits: number): number {
  // Rounding a NaN could carry it into infinity or lose a payload that is all in the lower half.
  if ((bits & 0x7fffffff) > F32_INFINITY) return (bits >>> 16) | 0x40;
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

let f16Table: Uint32Array | null = null;
/** f16ToF32 of every pattern, made when first needed: 256 KiB that make decoding as fast as copying. */
export function f16Values(): Uint32Array {
  f16Table ??= Uint32Array.from({ length: 0x10000 }, (_, bits) => f16ToF32(bits));
  return f16Table;
}

/**
 * Values of `bytes` as f32: F16, BF16 and F32 exactly, F64 rounded once to nearest even (merging.md section 1). The bytes
 * need no alignment; the result shares no memory with them. RangeError when they are not whole values.
 */
export function decodeToF32(bytes: Uint8Array, dtype: MergedDtype): Float32Array<ArrayBuffer> {
  const width = bytesPerValue(dtype);
  if (bytes.byteLength % width !== 0) {
    throw new RangeError(`${bytes.byteLength} bytes are not whole ${dtype} values of ${width} bytes`);
  }
  const count = bytes.byteLength / width;
  if (dtype === 'F32') return new Float32Array(new Uint8Array(bytes).buffer);
  // A view when aligned, else a copy: typed arrays must start at a multiple of their width.
  const aligned = bytes.byteOffset % width === 0 ? bytes : new Uint8Array(bytes);
  switch (dtype) {
    case 'F64':
      return new Float32Array(new Float64Array(aligned.buffer, aligned.byteOffset, count));
    case 'F16': {
      const from = new Uint16Array(aligned.buffer, aligned.byteOffset, count);
      const to = new Uint32Array(count);
      const table = f16Values();
      for (let i = 0; i < count; i++) to[i] = table[from[i]!]!;
      return new Float32Array(to.buffer);
    }
    case 'BF16': {
      const from = new Uint16Array(aligned.buffer, aligned.byteOffset, count);
      const to = new Uint32Array(count);
      for (let i = 0; i < count; i++) to[i] = from[i]! << 16;
      return new Float32Array(to.buffer);
    }
  }
}

/** Little-endian bytes of f32 values in `dtype`, each rounded once to nearest even. Shares no memory with `values`. */
export function encodeFromF32(values: Float32Array, dtype: OutputDtype): Uint8Array<ArrayBuffer> {
  const count = values.length;
  const from = new Uint32Array(values.buffer, values.byteOffset, count);
  if (dtype === 'F32') return new Uint8Array(from.slice().buffer);
  const to = new Uint16Array(count);
  if (dtype === 'F16') for (let i = 0; i < count; i++) to[i] = f32ToF16(from[i]!);
  else for (let i = 0; i < count; i++) to[i] = f32ToBf16(from[i]!);
  return new Uint8Array(to.buffer);
}
