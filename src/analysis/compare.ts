/** Two merges side by side: how a figure differs, and how surely. */
import type { Estimate } from './estimate';
import type { Interval } from './interval';

export interface Difference {
  /** b - a; null where one of the two has nothing to divide by. */
  readonly value: number | null;
  /** 95 %; null where both are exact. */
  readonly interval: Pick<Interval, 'low' | 'high'> | null;
}

/**
 * b - a with an interval from the two estimates' own, by Zou and Donner's recovery of variances (MOVER, 2008), as if the samples
 * were independent: where both look at the same blocks the true interval is narrower.
 */
export function difference(a: Estimate, b: Estimate): Difference {
  if (a.value === null || b.value === null) return { value: null, interval: null };
  const value = b.value - a.value;
  if (a.interval === null && b.interval === null) return { value, interval: null };
  const [la, ua] = a.interval === null ? [a.value, a.value] : [a.interval.low, a.interval.high];
  const [lb, ub] = b.interval === null ? [b.value, b.value] : [b.interval.low, b.interval.high];
  return {
    value,
    interval: { low: value - Math.hypot(b.value - lb, ua - a.value), high: value + Math.hypot(ub - b.value, a.value - la) },
  };
}
