/** Proportions with what is known of how far they may be off. */
import type { FigureNumbers } from '../merge/figures';
import type { Aggregate } from './aggregate';
import { type Interval, poissonUpper, studentQuantile, wilson } from './interval';
import { metricShare, pairIndex, type Metric, type Share } from './share';

/** `interval` holds the true proportion at 95 %; null when it is exact, has nothing to divide by, or no spread is known. */
export interface Estimate extends Share {
  readonly interval: Interval | null;
}

/** Below this many events in the sample their spread says nothing, and a bound is all that is claimed. */
export const FEW_EVENTS = 10;

export function estimate(metric: Metric, aggregate: Aggregate): Estimate {
  const share = metricShare(metric, aggregate.figures);
  return { ...share, interval: intervalOf(metric, share, aggregate) };
}

function intervalOf(metric: Metric, { value, numerator, denominator }: Share, { figures, events, spread }: Aggregate): Interval | null {
  if (value === null || spread === null) return null;
  const variance = numberOf(metric, spread.variance);
  if (variance === 0) return { low: value, high: value, kind: 'two-sided' };
  const seen = metricShare(metric, events);
  const unseen = seen.denominator - seen.numerator;
  const weight = figures.numel / events.numel;
  if (seen.numerator < FEW_EVENTS || unseen < FEW_EVENTS) {
    // Values inside a block are alike: so many events are worth fewer independent ones.
    const design = Math.max(1, designEffect(events, weight, spread.variance));
    const bound = (count: number, of: number) => {
      const each = count > 0 ? of / count : weight / denominator;
      return Math.min(1, each * design * poissonUpper(count / design));
    };
    if (seen.numerator < FEW_EVENTS) return { low: 0, high: bound(seen.numerator, value), kind: 'upper' };
    return { low: 1 - bound(unseen, 1 - value), high: 1, kind: 'two-sided' };
  }
  const doubt = numberOf(metric, spread.doubt);
  const quantile = studentQuantile(doubt > 0 ? (variance * variance) / doubt : Infinity);
  return { ...wilson(numerator / denominator, variance / (denominator * denominator), quantile), kind: 'two-sided' };
}

/** How much more the conflicts vary than if they fell independently. */
function designEffect(events: Aggregate['events'], weight: number, variance: FigureNumbers): number {
  if (events.conflict < FEW_EVENTS) return 1;
  return variance.conflict / (events.conflict * weight * weight);
}

function numberOf(metric: Metric, numbers: FigureNumbers): number {
  switch (metric.kind) {
    case 'conflict':
      return numbers.conflict;
    case 'between':
      return numbers.between[pairIndex(metric.i, metric.j, numbers.won.length)] ?? 0;
    case 'won':
      return numbers.won[metric.model] ?? 0;
    case 'discarded':
      return numbers.discarded[metric.model] ?? 0;
    case 'nonzero':
      return numbers.nonzero[metric.model] ?? 0;
    case 'reserved':
      return numbers.reserved;
    case 'afterSlack':
      return numbers.afterSlack;
  }
}
