/** elect: weights, the sum e and the elected sign (merging.md section 3). Twin of reference/elect.ts. Finite values only. */

/** w * (tau^ * factor), each one f32 multiplication. */
export function weighBlock(tau: Float32Array, factor: number, weight: number, n: number, into: Float32Array): void {
  if (factor === 1) for (let j = 0; j < n; j++) into[j] = Math.fround(tau[j]! * weight);
  else for (let j = 0; j < n; j++) into[j] = Math.fround(Math.fround(tau[j]! * factor) * weight);
}

/** e += terms, in model order. */
export function addTerms(e: Float32Array, terms: Float32Array, n: number): void {
  for (let j = 0; j < n; j++) e[j] = Math.fround(e[j]! + terms[j]!);
}

/** 1 where e < 0: a sum that starts from +0 is never -0. */
export function electBlock(e: Int32Array, n: number, negative: Int32Array): void {
  for (let j = 0; j < n; j++) negative[j] = e[j]! >>> 31;
}

/** 1 where sgn(w * tau^) is the elected sign; a zero never agrees. */
export function agreeBlock(terms: Int32Array, negative: Int32Array, n: number, agrees: Int32Array): void {
  for (let j = 0; j < n; j++) {
    const word = terms[j]!;
    const nonzero = ((word & 0x7fffffff) + 0x7fffffff) >>> 31;
    agrees[j] = nonzero & ~((word >>> 31) ^ negative[j]!);
  }
}
