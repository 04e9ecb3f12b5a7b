/** explore: the views of a held group, from the passes of the reference alone (merging.md sections 5 and 6). */
import { DISTRIBUTION_BINS, DISTRIBUTION_SHIFT, type SlackCurveRequest, type SlotDistribution, type SlotEffect, type SlotSlackCurve } from '../merge/exploring';
import type { GroupResult } from '../merge/backend';
import type { Method, TensorParameters } from '../recipe/types';
import type { SlotValues } from './decode';
import { mergeSlot, type PreparedSlot, type SlotDecision } from './slot';

/** Curve of one slot: R and the cost at each share from its evaluations, what there is to lose from `decision`. */
export function slackCurveOf(
  slot: number,
  { prefer }: SlackCurveRequest,
  { weighted, figures }: SlotDecision,
  results: readonly GroupResult[],
): SlotSlackCurve | null {
  if (weighted[prefer] == null) return null;
  let magnitude = 0;
  for (const [model, terms] of weighted.entries()) {
    if (model === prefer || terms === null) continue;
    for (const term of terms) if (Number.isFinite(term)) magnitude += Math.abs(term);
  }
  const at = results.map(({ slots }) => slots[slot]!.figures);
  return {
    numel: figures.reduce((sum, run) => sum + run.numel, 0),
    kept: figures.reduce((sum, run) => sum + run.kept[prefer]!, 0),
    discarded: figures.reduce((sum, run) => sum + run.discarded[prefer]!, 0),
    magnitude,
    reserved: Float64Array.from(at, ({ reserved }) => reserved),
    cost: Float64Array.from(at, ({ reservedCost }) => reservedCost),
  };
}

/** Sums of squares and products; positions where any of the vectors is not finite are left out. */
export function effectOf(
  method: Method,
  values: SlotValues,
  { vectors }: PreparedSlot,
  decision: SlotDecision,
  parameters: TensorParameters,
): SlotEffect {
  const merged = mergeSlot(method, values, decision, parameters);
  const taus = vectors.map((vector) => vector?.tau ?? null);
  const models = taus.length;
  let numel = 0;
  let base2 = 0;
  let change2 = 0;
  const tau2 = new Array<number>(models).fill(0);
  const along = new Array<number>(models).fill(0);
  const between = new Array<number>((models * (models - 1)) / 2).fill(0);
  for (let p = 0; p < values.length; p++) {
    const theta = values.base[p]!;
    const change = merged[p]! - theta;
    const here = taus.map((tau) => tau?.[p] ?? 0);
    if (!Number.isFinite(change) || !here.every(Number.isFinite)) continue;
    numel++;
    base2 += theta * theta;
    change2 += change * change;
    let pair = 0;
    for (let i = 0; i < models; i++) {
      tau2[i]! += here[i]! * here[i]!;
      along[i]! += change * here[i]!;
      for (let j = i + 1; j < models; j++) between[pair++]! += here[i]! * here[j]!;
    }
  }
  return { numel, base2, tau2, between, change2, along };
}

/** Eighths of a binade of every |tau|. */
export function distributionOf({ vectors }: PreparedSlot): SlotDistribution {
  return {
    counts: vectors.map((vector) => {
      if (vector === null) return null;
      const counts = new Uint32Array(DISTRIBUTION_BINS);
      for (const key of vector.keys) counts[key >>> DISTRIBUTION_SHIFT]!++;
      return counts;
    }),
  };
}
