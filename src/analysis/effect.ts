/** How far a merge moves the model, and along which task vector: lengths and cosines from sums (merging.md sections 1 and 4). */
import type { SlotEffect } from '../merge/exploring';
import type { Exactness } from './aggregate';
import { exactnessOf, weightOf, type Part } from './parts';

/** Lengths and cosines of summed or single sums. Null where a length is 0. */
export interface Effect {
  /** |lambda tau_m| / |theta_init|. */
  readonly change: number | null;
  /** Per model: |tau_i| / |theta_init|, untrimmed. */
  readonly tau: readonly (number | null)[];
  /** Per model: cosine of tau_m with tau_i. */
  readonly cosine: readonly (number | null)[];
  /** Cosines of tau_i with tau_j for i < j: (0,1), (0,2), ..., (1,2), ... */
  readonly between: readonly (number | null)[];
  readonly exactness: Exactness;
}

/** The effect over several tensors: squares and products are summed, never the ratios. `models`: how many the recipe has. */
export function effectOver(parts: readonly Part<SlotEffect>[], models: number): Effect {
  const tau2 = new Array<number>(models).fill(0);
  const along = new Array<number>(models).fill(0);
  const between = new Array<number>((models * (models - 1)) / 2).fill(0);
  let [base2, change2] = [0, 0];
  for (const part of parts) {
    const { view } = part;
    const weight = weightOf(part);
    base2 += view.base2 * weight;
    change2 += view.change2 * weight;
    view.tau2.forEach((value, i) => (tau2[i]! += value * weight));
    view.along.forEach((value, i) => (along[i]! += value * weight));
    view.between.forEach((value, i) => (between[i]! += value * weight));
  }
  const ratio = (above: number, below: number) => (below > 0 ? Math.sqrt(above / below) : null);
  const cosine = (product: number, a2: number, b2: number) => (a2 > 0 && b2 > 0 ? Math.max(-1, Math.min(1, product / Math.sqrt(a2 * b2))) : null);
  const pairs = tau2.flatMap((_, i) => tau2.slice(i + 1).map((__, k) => [i, i + 1 + k] as const));
  return {
    change: ratio(change2, base2),
    tau: tau2.map((value) => ratio(value, base2)),
    cosine: along.map((product, i) => cosine(product, change2, tau2[i]!)),
    between: pairs.map(([i, j], pair) => cosine(between[pair]!, tau2[i]!, tau2[j]!)),
    exactness: exactnessOf(parts),
  };
}
