/** Proportions of merging.md section 5, each with the two counts it is made of. */
import type { Figures } from '../merge/figures';

/** A proportion and its counts. `value` is in [0, 1] for figures of one merge, null when the denominator is 0. */
export interface Share {
  readonly value: number | null;
  readonly numerator: number;
  readonly denominator: number;
}

export function share(numerator: number, denominator: number): Share {
  return { value: denominator === 0 ? null : numerator / denominator, numerator, denominator };
}

/** A proportion the charts can draw; `model` indexes the models in recipe order. */
export type Metric =
  | { readonly kind: 'conflict' }
  | { readonly kind: 'won'; readonly model: number }
  | { readonly kind: 'discarded'; readonly model: number }
  | { readonly kind: 'nonzero'; readonly model: number }
  | { readonly kind: 'reserved'; readonly model: number }
  | { readonly kind: 'afterSlack'; readonly model: number }
  /** Positions where these two disagree, i < j. */
  | { readonly kind: 'between'; readonly i: number; readonly j: number };

/** Place of models i < j in `Figures.between`: (0,1), (0,2), ..., (1,2), ... */
export function pairIndex(i: number, j: number, models: number): number {
  return (i * (2 * models - i - 1)) / 2 + (j - i - 1);
}

/** Every two of `models` models, in the order of `Figures.between`. */
export function pairsOf(models: number): Extract<Metric, { kind: 'between' }>[] {
  return Array.from({ length: models }, (_, i) => i).flatMap((i) =>
    Array.from({ length: models - i - 1 }, (_, after) => ({ kind: 'between' as const, i, j: i + 1 + after })),
  );
}

/**
 * The proportion `metric` of summed or single figures: conflict / N, between_ij / N, won_i / N (Figure 3), discarded_i / kept_i
 * (Figure 4), nonzero_i / kept_i, reserved / kept_p, (discarded_p - reserved) / kept_p. For the last two `model` must be
 * the preferred one, since `reserved` counts its positions alone (section 6).
 */
export function metricShare(metric: Metric, figures: Figures): Share {
  if (metric.kind === 'conflict') return share(figures.conflict, figures.numel);
  if (metric.kind === 'between') return share(figures.between[pairIndex(metric.i, metric.j, figures.kept.length)] ?? 0, figures.numel);
  const i = metric.model;
  const kept = figures.kept[i] ?? 0;
  const discarded = figures.discarded[i] ?? 0;
  switch (metric.kind) {
    case 'won':
      return share(figures.won[i] ?? 0, figures.numel);
    case 'discarded':
      return share(discarded, kept);
    case 'nonzero':
      return share(figures.nonzero[i] ?? 0, kept);
    case 'reserved':
      return share(figures.reserved, kept);
    case 'afterSlack':
      return share(discarded - figures.reserved, kept);
  }
}

/**
 * Whether the positions won by the models add up to the conflicts, so that they can be stacked. They do for two models of
 * positive weight; with three, or a negative weight, several models may agree at one conflict (or none).
 */
export function wonPartitionsConflict(figures: Figures): boolean {
  const won = figures.won.reduce((sum, count) => sum + count, 0);
  // Half a position: estimates are scaled, hence fractional.
  return Math.abs(won - figures.conflict) < 0.5;
}
