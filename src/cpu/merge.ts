/** merge: what is written, in f32 (merging.md sections 4 and 7). Twin of reference/merge.ts. */

/** sum += terms and d += weight where the model agrees. */
export function addAgreeing(
  terms: Int32Array,
  agrees: Int32Array,
  masked: { readonly f32: Float32Array; readonly bits: Int32Array },
  weight: number,
  n: number,
  sum: Float32Array,
  divisor: Float32Array,
): void {
  for (let j = 0; j < n; j++) masked.bits[j] = terms[j]! & -agrees[j]!;
  for (let j = 0; j < n; j++) sum[j] = Math.fround(sum[j]! + masked.f32[j]!);
  for (let j = 0; j < n; j++) divisor[j] = Math.fround(divisor[j]! + agrees[j]! * weight);
}

/** sum / d where d is not 0. */
export function divideBlock(sum: Float32Array, divisor: Float32Array, n: number): void {
  for (let j = 0; j < n; j++) {
    const d = divisor[j]!;
    sum[j] = Math.fround(sum[j]! / (d + Number(d === 0)));
  }
}

export function divideByConstant(values: Float32Array, divisor: number, n: number): void {
  for (let j = 0; j < n; j++) values[j] = Math.fround(values[j]! / divisor);
}

/** base + lambda * tau_m, two f32 operations; the base's own bits where tau_m is 0. */
export function applyBlock(
  base: { readonly f32: Float32Array; readonly bits: Int32Array },
  tau: { readonly f32: Float32Array; readonly bits: Int32Array },
  lambda: number,
  n: number,
  merged: { readonly f32: Float32Array; readonly bits: Int32Array },
): void {
  for (let j = 0; j < n; j++) merged.f32[j] = Math.fround(base.f32[j]! + Math.fround(lambda * tau.f32[j]!));
  for (let j = 0; j < n; j++) {
    const changed = -(((tau.bits[j]! & 0x7fffffff) + 0x7fffffff) >>> 31);
    merged.bits[j] = (merged.bits[j]! & changed) | (base.bits[j]! & ~changed);
  }
}

/** sum += w * theta, for weighted averaging. */
export function addWeighted(theta: Float32Array, weight: number, n: number, sum: Float32Array): void {
  for (let j = 0; j < n; j++) sum[j] = Math.fround(sum[j]! + Math.fround(weight * theta[j]!));
}
