/** counts: figures of a block (merging.md section 5). Twin of src/cpu/counts.ts. Flags are 0 and 1. */
import { total } from './keys';

/** Adds a model's kept signs to those seen. */
export function addSigns(tau: usize, n: usize, positives: usize, negatives: usize): void {
  const zero = f32x4.splat(0);
  const one = i32x4.splat(1);
  for (const end = tau + 4 * n; tau < end; tau += 16, positives += 16, negatives += 16) {
    const word = v128.load(tau);
    v128.store(positives, v128.or(v128.load(positives), v128.and(f32x4.gt(word, zero), one)));
    v128.store(negatives, v128.or(v128.load(negatives), v128.and(f32x4.lt(word, zero), one)));
  }
}

/** 1 where both signs were seen; returns how many. */
export function conflict(positives: usize, negatives: usize, n: usize, into: usize): i32 {
  let count = i32x4.splat(0);
  for (const end = positives + 4 * n; positives < end; positives += 16, negatives += 16, into += 16) {
    const both = v128.and(v128.load(positives), v128.load(negatives));
    v128.store(into, both);
    count = i32x4.add(count, both);
  }
  return total(count);
}

export function countNonzero(bits: usize, n: usize): i32 {
  const zero = f32x4.splat(0);
  let count = i32x4.splat(0);
  for (const end = bits + 4 * n; bits < end; bits += 16) count = i32x4.sub(count, f32x4.ne(v128.load(bits), zero));
  return total(count);
}

export function countOnes(flags: usize, n: usize): i32 {
  let count = i32x4.splat(0);
  for (const end = flags + 4 * n; flags < end; flags += 16) count = i32x4.add(count, v128.load(flags));
  return total(count);
}

export function countBoth(a: usize, b: usize, n: usize): i32 {
  let count = i32x4.splat(0);
  for (const end = a + 4 * n; a < end; a += 16, b += 16) count = i32x4.add(count, v128.and(v128.load(a), v128.load(b)));
  return total(count);
}

/** Positions where two models keep values of opposite signs. */
export function countOpposite(a: usize, b: usize, n: usize): i32 {
  const zero = f32x4.splat(0);
  let count = i32x4.splat(0);
  for (const end = a + 4 * n; a < end; a += 16, b += 16) {
    const x = v128.load(a);
    const y = v128.load(b);
    const apart = i32x4.shr_s(v128.xor(x, y), 31);
    count = i32x4.sub(count, v128.and(v128.and(f32x4.ne(x, zero), f32x4.ne(y, zero)), apart));
  }
  return total(count);
}
