/** counts: figures of a block (merging.md section 5). Twin of reference/counts.ts. Sums of 0 and 1: signs cannot be predicted. */

/** Adds a model's kept signs to those seen. */
export function addSigns(tau: Int32Array, n: number, positives: Int32Array, negatives: Int32Array): void {
  for (let j = 0; j < n; j++) {
    const word = tau[j]!;
    const nonzero = ((word & 0x7fffffff) + 0x7fffffff) >>> 31;
    const sign = word >>> 31;
    positives[j]! |= nonzero & ~sign;
    negatives[j]! |= nonzero & sign;
  }
}

/** 1 where both signs were seen; returns how many. */
export function conflictBlock(positives: Int32Array, negatives: Int32Array, n: number, conflict: Int32Array): number {
  let count = 0;
  for (let j = 0; j < n; j++) count += conflict[j] = positives[j]! & negatives[j]!;
  return count;
}

export function countNonzero(bits: Int32Array, n: number): number {
  let count = 0;
  for (let j = 0; j < n; j++) count += ((bits[j]! & 0x7fffffff) + 0x7fffffff) >>> 31;
  return count;
}

export function countOnes(flags: Int32Array, n: number): number {
  let count = 0;
  for (let j = 0; j < n; j++) count += flags[j]!;
  return count;
}

export function countBoth(a: Int32Array, b: Int32Array, n: number): number {
  let count = 0;
  for (let j = 0; j < n; j++) count += a[j]! & b[j]!;
  return count;
}

/** Positions where two models keep values of opposite signs. */
export function countOpposite(a: Int32Array, b: Int32Array, n: number): number {
  let count = 0;
  for (let j = 0; j < n; j++) {
    const x = a[j]!;
    const y = b[j]!;
    count += (((x & 0x7fffffff) + 0x7fffffff) & ((y & 0x7fffffff) + 0x7fffffff) & (x ^ y)) >>> 31;
  }
  return count;
}
