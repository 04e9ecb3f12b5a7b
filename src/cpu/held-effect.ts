/** effect and distribution of a held slot, for the views beside the figures. */
import { DISTRIBUTION_BINS, DISTRIBUTION_SHIFT, type SlotDistribution, type SlotEffect } from '../merge/exploring';
import { traitsOf } from '../recipe/methods';
import type { Method, TensorParameters } from '../recipe/types';
import { hasInput } from '../reference/decode';
import { elect, sumOfNonfinite } from '../reference/elect';
import { magnitudeKey } from '../reference/select';
import { mergeSlot, type SlotDecision } from '../reference/slot';
import { sumTerms, trimInto } from './held-many';
import type { Cut, HeldSlot } from './held-slot';

/** Sums of squares and products; positions where any of the vectors is not finite are left out. */
export function effectOf(
  method: Method,
  held: HeldSlot,
  cuts: readonly (Cut | null)[],
  reserved: Uint8Array | null,
  parameters: TensorParameters,
): SlotEffect {
  const { length, base, odd } = held;
  const merged = mergedValues(method, held, cuts, reserved, parameters);
  const change = new Float64Array(length);
  // Left out: 0 in every vector adds nothing to any sum.
  const counts = new Uint8Array(length);
  let [numel, base2, change2] = [0, 0, 0];
  for (let p = 0; p < length; p++) {
    const here = merged[p]! - base[p]!;
    if (!Number.isFinite(here) || (odd !== null && odd[p] === 1)) continue;
    change[p] = here;
    counts[p] = 1;
    numel++;
    base2 += base[p]! * base[p]!;
    change2 += here * here;
  }
  const taus = held.models.map((model) => model?.tau ?? null);
  const along = taus.map((tau) => (tau === null ? 0 : sumOfProducts(tau, change, counts)));
  const tau2 = taus.map((tau) => (tau === null ? 0 : sumOfProducts(tau, tau, counts)));
  const between: number[] = [];
  for (const [i, a] of taus.entries()) {
    for (const b of taus.slice(i + 1)) between.push(a === null || b === null ? 0 : sumOfProducts(a, b, counts));
  }
  return { numel, base2, tau2, between, change2, along };
}

function sumOfProducts(a: Float32Array, b: Float32Array | Float64Array, counts: Uint8Array): number {
  let sum = 0;
  for (let p = 0; p < counts.length; p++) if (counts[p] === 1) sum += a[p]! * b[p]!;
  return sum;
}

/** theta_m in f32; not finite where a value, or a value rescaled or weighted, is not. */
function mergedValues(
  method: Method,
  { slot, runs, length, base, thetas, models, nonfinite }: HeldSlot,
  cuts: readonly (Cut | null)[],
  reservedMask: Uint8Array | null,
  parameters: TensorParameters,
): Float32Array {
  const trimmed = cuts.map((cut) => cut && trimInto(cut, new Int32Array(length)));
  const e = new Float32Array(length);
  sumTerms(cuts, trimmed, e);
  const { elects } = traitsOf(method);
  const weights = parameters.weight.map(Math.fround);
  const weighted = elects ? cuts.map((cut, model) => cut && weightedValues(trimmed[model]!, cut)) : [];
  const decision: SlotDecision = {
    kept: [],
    reserved: null,
    figures: [],
    weights,
    weighted,
    e,
    gamma: elects ? elect(e) : null,
    reservedMask,
    special: elects ? sumOfNonfinite(models, weighted, weights, e) : null,
  };
  const values = { slot, runs, length, base, models: thetas.length > 0 ? thetas : models.map((model) => model?.tau ?? null), nonfinite };
  return mergeSlot(method, values, decision, parameters);
}

function weightedValues(values: Float32Array, { factor, weight }: Cut): Float32Array {
  return values.map((value) => Math.fround(Math.fround(value * factor) * weight));
}

/** Eighths of a binade of every |tau|. */
export function distributionOf({ slot, runs, models }: HeldSlot): SlotDistribution {
  return {
    counts: models.map((model, m) => {
      if (model === null) return null;
      const { tau } = model;
      const bits = new Int32Array(tau.buffer, tau.byteOffset, tau.length);
      const counts = new Uint32Array(DISTRIBUTION_BINS);
      for (const run of runs) {
        if (!hasInput(slot, run, m + 1)) continue;
        for (let p = run.begin; p < run.end; p++) counts[magnitudeKey(bits[p]!) >>> DISTRIBUTION_SHIFT]!++;
      }
      return counts;
    }),
  };
}
