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

function intervalOf(metric: Metric, { value, denominator }: Share, aggregate: Aggregate): Interval | null {
  const { spread } = aggregate;
  if (value === null || spread === null) return null;
  const variance = numberOf(metric, spread.variance) / denominator ** 2;
  // 0 says that the total is known: what is reserved, say, is a share of K_p while enough values are discarded.
  if (variance === 0) return { low: value, high: value, kind: 'two-sided' };
  // What is reserved, and what is left, are parts of the discarded: these are the events, and no draws of their own.
  const isPart = metric.kind === 'reserved' || metric.kind === 'afterSlack';
  const few = fewEvents(isPart ? { kind: 'discarded', model: metric.model } : metric, denominator, aggregate);
  if (few) return few;
  const doubt = numberOf(metric, spread.doubt) / denominator ** 4;
  const quantile = studentQuantile(doubt > 0 ? (variance * variance) / doubt : Infinity);
  if (!isPart) return { ...wilson(value, variance, quantile), kind: 'two-sided' };
  const half = quantile * Math.sqrt(variance);
  // Twice: what is seen of it is about half, since it is largest where the two numbers are equal and falls to both sides.
  const kink = (2 * spread.kink) / denominator;
  const [low, high] = metric.kind === 'reserved' ? [value - half, value + half + kink] : [value - half - kink, value + half];
  return { low: Math.max(0, low), high: Math.min(1, high), kind: 'two-sided' };
}

/** A bound where the sample met fewer than FEW_EVENTS events, or values that are none; null where it met enough of both. */
function fewEvents(metric: Metric, denominator: number, { figures, events, counted, spread }: Aggregate): Interval | null {
  const [seen, all, known] = [metricShare(metric, events), metricShare(metric, figures), metricShare(metric, counted)];
  const drawn = events.numel - counted.numel;
  // Elements that one drawn value stands for.
  const weight = (figures.numel - counted.numel) / drawn;
  // Values inside a block are alike: so many events are worth fewer independent ones.
  const conflicts = events.conflict - counted.conflict;
  const design = conflicts < FEW_EVENTS ? 1 : Math.max(1, spread!.variance.conflict / (conflicts * weight * weight));
  /** Upper bound of a total of which `sampled` events were met in the drawn blocks, standing for `total`. */
  const bound = (sampled: number, total: number) => (sampled > 0 ? total / sampled : weight) * design * poissonUpper(sampled / design);
  const met = seen.numerator - known.numerator;
  if (met < FEW_EVENTS) {
    const high = Math.min(1, (known.numerator + bound(met, all.numerator - known.numerator)) / denominator);
    return known.numerator < FEW_EVENTS ? { low: 0, high, kind: 'upper' } : { low: known.numerator / denominator, high, kind: 'two-sided' };
  }
  const others = (share: Share) => share.denominator - share.numerator;
  const missed = others(seen) - others(known);
  if (missed >= FEW_EVENTS) return null;
  const none = others(known) + bound(missed, others(all) - others(known));
  return { low: Math.max(0, 1 - none / denominator), high: 1 - others(known) / denominator, kind: 'two-sided' };
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
