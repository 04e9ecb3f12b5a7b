/** decode: a block of one input in f32, and its task vector (merging.md section 1). Twin of src/cpu/decode.ts. */
import { INFINITY_KEY, MAGNITUDE } from './keys';

/** `n` BF16 values at `from` as f32 at `into`. */
export function decodeBf16(from: usize, n: usize, into: usize): void {
  const zero = i32x4.splat(0);
  for (const end = from + 2 * n; from < end; from += 16, into += 32) {
    const words = v128.load(from);
    v128.store(into, i16x8.shuffle(zero, words, 0, 8, 1, 9, 2, 10, 3, 11));
    v128.store(into, i16x8.shuffle(zero, words, 4, 12, 5, 13, 6, 14, 7, 15), 16);
  }
}

/** `n` F16 values at `from` as f32 at `into`. */
export function decodeF16(from: usize, n: usize, into: usize): void {
  for (const end = from + 2 * n; from < end; from += 16, into += 32) {
    const words = v128.load(from);
    v128.store(into, f16ToF32(i32x4.extend_low_i16x8_u(words)));
    v128.store(into, f16ToF32(i32x4.extend_high_i16x8_u(words)), 16);
  }
}

function f16ToF32(words: v128): v128 {
  const magnitude = i32x4.shl(v128.and(words, i32x4.splat(0x7fff)), 13);
  // The exponent's bias changes by 112; the product is exact, and subnormals become normal by it.
  const value = f32x4.mul(magnitude, f32x4.splat(reinterpret<f32>((127 + 112) << 23)));
  const beyond = v128.and(i32x4.ge_s(magnitude, i32x4.splat(0x7c00 << 13)), i32x4.splat(INFINITY_KEY));
  return v128.or(v128.or(value, beyond), i32x4.shl(v128.and(words, i32x4.splat(0x8000)), 16));
}

/** tau = theta - base in place of theta. Returns whether all are finite. */
export function subtract(theta: usize, base: usize, n: usize): bool {
  let beyond = i32x4.splat(0);
  for (const end = theta + 4 * n; theta < end; theta += 32, base += 32) {
    const first = f32x4.sub(v128.load(theta), v128.load(base));
    const second = f32x4.sub(v128.load(theta, 16), v128.load(base, 16));
    v128.store(theta, first);
    v128.store(theta, second, 16);
    beyond = v128.or(beyond, v128.or(nonfinite(first), nonfinite(second)));
  }
  return !v128.any_true(beyond);
}

/** Decodes BF16 and subtracts: `subtract` after `decodeBf16`, without the values in between. */
export function subtractBf16(from: usize, base: usize, n: usize, into: usize): bool {
  const zero = i32x4.splat(0);
  let beyond = i32x4.splat(0);
  for (const end = from + 2 * n; from < end; from += 16, base += 32, into += 32) {
    const words = v128.load(from);
    const first = f32x4.sub(i16x8.shuffle(zero, words, 0, 8, 1, 9, 2, 10, 3, 11), v128.load(base));
    const second = f32x4.sub(i16x8.shuffle(zero, words, 4, 12, 5, 13, 6, 14, 7, 15), v128.load(base, 16));
    v128.store(into, first);
    v128.store(into, second, 16);
    beyond = v128.or(beyond, v128.or(nonfinite(first), nonfinite(second)));
  }
  return !v128.any_true(beyond);
}

export function allFinite(bits: usize, n: usize): bool {
  let beyond = i32x4.splat(0);
  for (const end = bits + 4 * n; bits < end; bits += 16) beyond = v128.or(beyond, nonfinite(v128.load(bits)));
  return !v128.any_true(beyond);
}

/** All bits of a lane where it holds a NaN or an infinity. */
function nonfinite(bits: v128): v128 {
  return i32x4.ge_s(v128.and(bits, i32x4.splat(MAGNITUDE)), i32x4.splat(INFINITY_KEY));
}
