/** merge: what is written, in f32 (merging.md sections 4 and 7). Twin of shaders/merge.wgsl. */
import { hasInput, type SlotValues } from './decode';
import { agrees } from './elect';

/** A sum of weights smaller than this counts as 1 in task arithmetic (merging.md section 7). */
export const LEAST_DIVISOR = 1e-8;

/** tau_m = sum_{agree} w_i tau^_i / d, with d = sum_{agree} w_i when `normalize`, else 1; d = 0 counts as 1. */
export function disjointMerge(
  weighted: readonly (Float32Array | null)[],
  weights: readonly number[],
  gamma: Int8Array,
  normalize: boolean,
  special: Float32Array | null,
): Float32Array {
  const sum = new Float32Array(gamma.length);
  const d = new Float32Array(gamma.length);
  for (const [model, terms] of weighted.entries()) {
    if (terms === null) continue;
    const weight = weights[model]!;
    for (let p = 0; p < gamma.length; p++) {
      if (!agrees(terms[p]!, gamma[p]!)) continue;
      sum[p] = Math.fround(sum[p]! + terms[p]!);
      d[p] = Math.fround(d[p]! + weight);
    }
  }
  for (let p = 0; p < gamma.length; p++) {
    if (special !== null && special[p] !== 0) sum[p] = special[p]!;
    else if (normalize && d[p] !== 0) sum[p] = Math.fround(sum[p]! / d[p]!);
  }
  return sum;
}

/** Weighted averaging: sum w_i theta_i / sum w_i; the base where no model has the element. */
export function linear(values: SlotValues, weights: readonly number[], normalize: boolean): Float32Array {
  const merged = new Float32Array(values.length);
  for (const run of values.runs) {
    const models = presentModels(values, run);
    const total = sumOfWeights(models, weights);
    const divisor = normalize && total !== 0 ? total : 1;
    for (let p = run.begin; p < run.end; p++) {
      let sum = 0;
      for (const model of models) sum = Math.fround(sum + Math.fround(weights[model]! * values.models[model]![p]!));
      merged[p] = models.length === 0 ? values.base[p]! : Math.fround(sum / divisor);
    }
  }
  return merged;
}

/** Task arithmetic: `e` is sum w_i tau_i; `normalize` divides it by the sum of the weights of the models present. */
export function averageTaskVectors(
  values: SlotValues,
  e: Float32Array,
  weights: readonly number[],
  normalize: boolean,
): Float32Array {
  if (!normalize) return e;
  const tau = new Float32Array(e.length);
  for (const run of values.runs) {
    const total = sumOfWeights(presentModels(values, run), weights);
    const divisor = Math.abs(total) < LEAST_DIVISOR ? 1 : total;
    for (let p = run.begin; p < run.end; p++) tau[p] = Math.fround(e[p]! / divisor);
  }
  return tau;
}

/** theta_m = theta_init + lambda * tau_m, two f32 operations; the base's own value where tau_m is 0. */
export function applyTaskVector(base: Float32Array, tau: Float32Array, lambda: number): Float32Array {
  const merged = new Float32Array(base.length);
  for (let p = 0; p < base.length; p++) {
    merged[p] = tau[p] === 0 ? base[p]! : Math.fround(base[p]! + Math.fround(lambda * tau[p]!));
  }
  return merged;
}

function presentModels({ slot, models }: SlotValues, run: SlotValues['runs'][number]): number[] {
  return [...models.keys()].filter((model) => hasInput(slot, run, model + 1));
}

function sumOfWeights(models: readonly number[], weights: readonly number[]): number {
  return models.reduce((sum, model) => Math.fround(sum + weights[model]!), 0);
}
