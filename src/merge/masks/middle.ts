/**
 * Breadcrumbs (Davari and Belilovsky, "Model Breadcrumbs: Scaling Multi-Task Model Merging with Sparse Masks", ECCV 2024): of each
 * task vector the share gamma of the largest magnitudes is left out as outliers, and of the rest the K = trunc(k N) largest are
 * kept. Where gamma and k together exceed 1, fewer are outliers: k is what is kept. Equal magnitudes are ranked by lowest flat
 * index, as in trimming. (MergeKit keeps nothing where gamma is less than one value, golden case breadcrumbs_03: here there are
 * then no outliers.)
 */
import { keptCount } from '../backend';
import { Bits } from './bits';
import { factorsOf, keepNonfinite, keptByPart, sumsFor, type Choose } from './choose';
import { selectLargest, type Wanted } from './select';

/** How many of n values are outliers, and how many of the rest are kept. */
export function middleCounts(density: number, gamma: number, n: number): { readonly outliers: number; readonly kept: number } {
  const kept = keptCount(density, n);
  return { outliers: Math.min(Math.trunc(gamma * n), n - kept), kept };
}

/** Every outlier is among those that are larger than the rest. */
function leaveOut(mask: Uint8Array, outliers: Uint8Array): void {
  for (let j = 0; j < mask.length; j++) mask[j]! ^= outliers[j]!;
}

export const chooseMiddle: Choose = async (vectors, parameters) => {
  const { slot, elements } = vectors;
  const models = [...elements.keys()].filter((model) => slot.inputs[model + 1] !== null);
  const counts = elements.map((n, model) => middleCounts(parameters.density[model]!, parameters.gamma?.[model] ?? 0, n));
  const cut = models.filter((model) => counts[model]!.kept < elements[model]!);
  const ranked = (model: number, count: number): Wanted => ({ count, keys: (block) => (block.taus[model] ? block.keys(model) : null) });
  const largest = await selectLargest(vectors, cut.flatMap((model) => [ranked(model, counts[model]!.outliers + counts[model]!.kept), ranked(model, counts[model]!.outliers)]));
  const bits = elements.map((_, model) => (cut.includes(model) ? new Bits(vectors.length) : null));
  const sums = sumsFor(parameters, bits);
  await vectors.each((block) => {
    for (const [c, model] of cut.entries()) {
      const tau = block.taus[model];
      if (!tau) continue;
      const keys = block.keys(model);
      const mask = largest[2 * c]!.taken(keys);
      const outliers = largest[2 * c + 1]!.taken(keys);
      leaveOut(mask, outliers);
      keepNonfinite(keys, mask);
      bits[model]!.write(block.begin, mask);
      sums[model]?.add(tau, mask);
    }
  });
  return { bits, parameters: factorsOf(parameters, sums), figures: keptByPart(vectors, bits) };
};
