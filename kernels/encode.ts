/**
 * encode: merged values in the output dtype, rounded once to nearest even (merging.md section 4). Twin of src/cpu/encode.ts. Both
 * return false when some value is no number or rounds to infinity: what they wrote is no good then.
 */
import { MAGNITUDE } from './keys';

/** Least magnitudes that round to infinity. */
const BF16_OVERFLOW: i32 = 0x7f7f8000;
const F16_OVERFLOW: i32 = 0x477ff000;
/** 2^-14, the least magnitude that is normal in F16. */
const F16_NORMAL: i32 = 0x38800000;

export function encodeBf16(bits: usize, n: usize, into: usize): bool {
  let beyond = i32x4.splat(0);
  for (const end = bits + 4 * n; bits < end; bits += 32, into += 16) {
    const first = v128.load(bits);
    const second = v128.load(bits, 16);
    v128.store(into, i16x8.narrow_i32x4_u(toBf16(first), toBf16(second)));
    beyond = v128.or(beyond, v128.or(reaches(first, BF16_OVERFLOW), reaches(second, BF16_OVERFLOW)));
  }
  return !v128.any_true(beyond);
}

export function encodeF16(bits: usize, n: usize, into: usize): bool {
  let beyond = i32x4.splat(0);
  for (const end = bits + 4 * n; bits < end; bits += 32, into += 16) {
    const first = v128.load(bits);
    const second = v128.load(bits, 16);
    v128.store(into, i16x8.narrow_i32x4_u(toF16(first), toF16(second)));
    beyond = v128.or(beyond, v128.or(reaches(first, F16_OVERFLOW), reaches(second, F16_OVERFLOW)));
  }
  return !v128.any_true(beyond);
}

function toBf16(word: v128): v128 {
  const odd = v128.and(i32x4.shr_u(word, 16), i32x4.splat(1));
  return i32x4.shr_u(i32x4.add(i32x4.add(word, i32x4.splat(0x7fff)), odd), 16);
}

function toF16(word: v128): v128 {
  const magnitude = v128.and(word, i32x4.splat(MAGNITUDE));
  const odd = v128.and(i32x4.shr_u(magnitude, 13), i32x4.splat(1));
  const normal = i32x4.shr_u(i32x4.add(i32x4.add(magnitude, i32x4.splat(0xfff - 0x38000000)), odd), 13);
  // One ulp of 0.5 is 2^-24, the step of the subnormals: the f32 addition rounds to it, to nearest even.
  const half = f32x4.splat(0.5);
  const subnormal = i32x4.sub(f32x4.add(magnitude, half), half);
  const rounded = v128.bitselect(subnormal, normal, i32x4.lt_s(magnitude, i32x4.splat(F16_NORMAL)));
  return v128.or(rounded, v128.and(i32x4.shr_u(word, 16), i32x4.splat(0x8000)));
}

function reaches(word: v128, key: i32): v128 {
  return i32x4.ge_s(v128.and(word, i32x4.splat(MAGNITUDE)), i32x4.splat(key));
}
