/** elect: weights, the sum e, the elected sign and who agrees (merging.md section 3). Twin of src/cpu/elect.ts. Finite values only. */

/** w * (tau^ * factor), each one f32 multiplication; by a factor of 1 the second is none. */
export function weigh(tau: usize, factor: f32, weight: f32, n: usize, into: usize): void {
  const factors = f32x4.splat(factor);
  const weights = f32x4.splat(weight);
  for (const end = tau + 4 * n; tau < end; tau += 16, into += 16) {
    v128.store(into, f32x4.mul(f32x4.mul(v128.load(tau), factors), weights));
  }
}

/** e += terms, in model order. */
export function addTerms(e: usize, terms: usize, n: usize): void {
  for (const end = e + 4 * n; e < end; e += 16, terms += 16) v128.store(e, f32x4.add(v128.load(e), v128.load(terms)));
}

/** 1 where e < 0: a sum that starts from +0 is never -0. */
export function elect(e: usize, n: usize, negative: usize): void {
  for (const end = e + 4 * n; e < end; e += 16, negative += 16) v128.store(negative, i32x4.shr_u(v128.load(e), 31));
}

/** 1 where sgn(w * tau^) is the elected sign; a zero never agrees. */
export function agree(terms: usize, negative: usize, n: usize, agrees: usize): void {
  const zero = f32x4.splat(0);
  const one = i32x4.splat(1);
  for (const end = terms + 4 * n; terms < end; terms += 16, negative += 16, agrees += 16) {
    const word = v128.load(terms);
    const other = v128.xor(i32x4.shr_u(word, 31), v128.load(negative));
    v128.store(agrees, v128.and(v128.andnot(f32x4.ne(word, zero), other), one));
  }
}
