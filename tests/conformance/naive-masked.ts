/**
 * Breadcrumbs, DELLA and SCE as their definitions read, a whole tensor at a time and by sorting: nothing here is shared with the
 * code under test but the generator, whose words are its own test's business.
 */
import { decodeToF32, encodeFromF32 } from '../../src/bytes/floats';
import { philox2x32, streamOf, words } from '../../src/merge/draw';
import { traitsOf } from '../../src/recipe/methods';
import type { Method } from '../../src/recipe/types';
import { valuesOf, type SlotCase } from './harness';

const { fround } = Math;

interface Model {
  readonly tau: readonly number[];
  readonly kept: boolean[];
}

/** Output bytes and the figures that count positions. Finite values only. */
export function naiveMasked(method: Method, slot: SlotCase) {
  const { elements, inputs, parameters } = slot;
  const base = decodeToF32(inputs[0]!.bytes, inputs[0]!.dtype);
  const models = inputs.slice(1).map((input, m): Model | null => {
    if (input === null) return null;
    const theta = decodeToF32(input.bytes, input.dtype);
    const tau = Array.from(theta.subarray(0, valuesOf(input)), (value, j) => fround(value - base[j]!));
    return { tau, kept: keptOf(method, slot, m, tau) };
  });
  if (method === 'sce') selectVarying(models, elements, parameters.topk!);
  const weight = method === 'sce' ? energies(models) : parameters.weight;
  const factor = models.map((model) => (model && parameters.rescale ? fround(sum(model.tau) / sum(model.tau.filter((_, j) => model.kept[j]))) : 1));
  const counts = { kept: models.map(() => 0), nonzero: models.map(() => 0), conflict: 0, won: models.map(() => 0), discarded: models.map(() => 0) };
  const elects = traitsOf(method).elects;
  const merged = Float32Array.from(base, (theta, j) => {
    const here = models.map((model) => (model?.kept[j] ? model.tau[j]! : null));
    const weighted = here.map((tau, m) => (tau === null ? 0 : fround(fround(tau * factor[m]!) * fround(weight[m]!))));
    const votes = method === 'sce' ? here.map((tau) => tau ?? 0) : weighted;
    const e = votes.reduce((so, term) => fround(so + term), 0);
    const gamma = e >= 0 ? 1 : -1;
    const isConflict = here.some((tau) => tau !== null && tau > 0) && here.some((tau) => tau !== null && tau < 0);
    counts.conflict += Number(isConflict);
    let [total, divisor] = [0, 0];
    for (const [m, tau] of here.entries()) {
      if (tau === null) continue;
      const agrees = votes[m]! * gamma > 0;
      counts.kept[m]!++;
      counts.nonzero[m]! += Number(tau !== 0);
      if (elects) {
        counts.won[m]! += Number(isConflict && agrees);
        counts.discarded[m]! += Number(tau !== 0 && !agrees);
      }
      if (elects && !agrees) continue;
      total = fround(total + weighted[m]!);
      divisor = fround(divisor + fround(weight[m]!));
    }
    const normalizes = method === 'sce' || parameters.normalize;
    const taum = normalizes && divisor !== 0 ? fround(total / divisor) : total;
    return taum === 0 ? theta : fround(theta + fround(fround(parameters.lambda) * taum));
  });
  return { bytes: encodeFromF32(merged, slot.outDtype), figures: counts };
}

function keptOf(method: Method, { name, row, parameters }: SlotCase, m: number, tau: readonly number[]): boolean[] {
  const n = tau.length;
  const [k, gamma, epsilon] = [parameters.density[m]!, parameters.gamma?.[m] ?? 0, parameters.epsilon?.[m] ?? 0];
  const kept = new Array<boolean>(n).fill(true);
  if (method.startsWith('breadcrumbs')) {
    const descending = tau.map((_, j) => j).sort((a, b) => Math.abs(tau[b]!) - Math.abs(tau[a]!) || a - b);
    const count = Math.trunc(k * n);
    const outliers = Math.min(Math.trunc(gamma * n), n - count);
    kept.fill(false);
    for (const j of descending.slice(outliers, outliers + count)) kept[j] = true;
  }
  for (let begin = 0; method.startsWith('della') && begin < n; begin += row ?? n) {
    const places = tau.map((_, j) => j).slice(begin, begin + (row ?? n));
    const ascending = [...places].sort((a, b) => Math.abs(tau[a]!) - Math.abs(tau[b]!) || a - b);
    ascending.forEach((j, rank) => {
      philox2x32(j >> 1, streamOf(name, m), parameters.drop!.seed);
      kept[j] = words[j % 2]! / 2 ** 32 < k - epsilon + (2 * epsilon * rank) / (places.length - 1);
    });
  }
  return kept;
}

function selectVarying(models: readonly (Model | null)[], elements: number, topk: number): void {
  const variance = Array.from({ length: elements }, (_, j) => {
    const here = models.flatMap((model) => (model && j < model.tau.length ? [model.tau[j]!] : []));
    const mean = here.reduce((so, tau) => so + tau, 0) / here.length;
    return fround(here.reduce((so, tau) => so + (tau - mean) ** 2, 0) / here.length);
  });
  const count = Math.trunc(topk * variance.filter((value) => value !== 0).length);
  const chosen = new Set(variance.map((_, j) => j).sort((a, b) => variance[b]! - variance[a]! || a - b).slice(0, count));
  for (const model of models) model?.kept.forEach((_, j) => (model.kept[j] = chosen.has(j)));
}

function energies(models: readonly (Model | null)[]): number[] {
  const squares = models.map((model) => (model ? model.tau.reduce((so, tau, j) => so + (model.kept[j] ? tau * tau : 0), 0) / model.tau.length : 0));
  const total = squares.reduce((so, energy) => so + energy, 0);
  const present = models.filter((model) => model !== null).length;
  return squares.map((energy, m) => (total > 0 ? energy / total : models[m] ? 1 / present : 0));
}

const sum = (values: readonly number[]) => values.reduce((so, value) => so + Math.abs(value), 0);
