/** elect: weights, the sum e and the elected sign (merging.md section 3). Twin of shaders/lib/elect.wgsl. */
import type { TaskVector } from './trim';

/** w_i * tau^_i: tau_i is rescaled, then weighted, each one f32 multiplication; 0 where it is trimmed. */
export function weigh(tau: Float32Array, mask: Uint8Array, factor: number, weight: number): Float32Array {
  const weighted = new Float32Array(tau.length);
  for (let p = 0; p < tau.length; p++) {
    if (mask[p] === 1) weighted[p] = Math.fround(Math.fround(tau[p]! * factor) * weight);
  }
  return weighted;
}

/** e = sum_i w_i * tau^_i in f32, in model order. */
export function sumInModelOrder(length: number, weighted: readonly (Float32Array | null)[]): Float32Array<ArrayBuffer> {
  const e = new Float32Array(length);
  for (const terms of weighted) {
    if (terms === null) continue;
    for (let p = 0; p < length; p++) e[p] = Math.fround(e[p]! + terms[p]!);
  }
  return e;
}

/** gamma: +1 where e >= 0, else -1; so NaN elects -1 (merging.md section 8). */
export function elect(e: Float32Array): Int8Array {
  const gamma = new Int8Array(e.length);
  for (let p = 0; p < e.length; p++) gamma[p] = e[p]! >= 0 ? 1 : -1;
  return gamma;
}

/** Whether sgn(w_i * tau^_i) = gamma; a zero and a NaN never agree. */
export function agrees(weighted: number, gamma: number): boolean {
  return weighted * gamma > 0;
}

/**
 * What values that are not finite make of tau_m, trimmed ones included; 0 where all are finite. Their f32 sum is what
 * merging.md section 8 asks for: NaN if there is a NaN or both infinities meet, else the infinity. Null when there are none.
 */
export function sumOfNonfinite(
  vectors: readonly (Pick<TaskVector, 'tau'> | null)[],
  weighted: readonly (Float32Array | null)[],
  weights: readonly number[],
  e: Float32Array,
): Float32Array | null {
  // e alone does not tell: a ranking over several tensors may keep nothing of this one.
  return allFinite(e) && vectors.every((vector) => vector === null || allFinite(vector.tau)) ? null : nonfiniteTerms(vectors, weighted, weights, e.length);
}

/** As `sumOfNonfinite`, of values whether or not there are any such. */
export function nonfiniteTerms(
  vectors: readonly (Pick<TaskVector, 'tau'> | null)[],
  weighted: readonly (Float32Array | null)[],
  weights: readonly number[],
  length: number,
): Float32Array {
  const special = new Float32Array(length);
  for (const [model, terms] of weighted.entries()) {
    const tau = vectors[model]?.tau;
    if (terms === null || tau === undefined) continue;
    for (let p = 0; p < length; p++) {
      if (Number.isFinite(terms[p]!) && Number.isFinite(tau[p]!)) continue;
      special[p]! += Number.isFinite(terms[p]!) ? tau[p]! * weights[model]! : terms[p]!;
    }
  }
  return special;
}

function allFinite(values: Float32Array): boolean {
  for (let p = 0; p < values.length; p++) if (!Number.isFinite(values[p]!)) return false;
  return true;
}
