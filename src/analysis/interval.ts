/** Where a proportion lies, from the variance of its numerator or from the few events that were seen. */

/** Bounds of a proportion, in [0, 1]. `upper`: too few events for two sides, the value is below `high` (the page reads "< high"). */
export interface Interval {
  readonly low: number;
  readonly high: number;
  readonly kind: 'two-sided' | 'upper';
}

/** 97.5 % points of Student's t by degrees of freedom; the last is the normal distribution's. */
const T_975: readonly (readonly [number, number])[] = [
  [1, 12.706], [2, 4.303], [3, 3.182], [4, 2.776], [5, 2.571], [6, 2.447], [7, 2.365], [8, 2.306], [10, 2.228],
  [12, 2.179], [15, 2.131], [20, 2.086], [30, 2.042], [60, 2], [Infinity, 1.96],
];
/** 95 % point of the normal distribution. */
const Z_95 = 1.6449;

/** 97.5 % point of Student's t; `freedom` may be fractional, and counts as 1 below it. Linear in 1 / freedom between the table's rows. */
export function studentQuantile(freedom: number): number {
  const above = T_975.findIndex(([rows]) => rows >= freedom);
  if (above <= 0) return T_975[0]![1];
  const [rowsBelow, below] = T_975[above - 1]!;
  const [rowsAbove, at] = T_975[above]!;
  const share = (1 / rowsBelow - 1 / freedom) / (1 / rowsBelow - 1 / rowsAbove);
  return below + share * (at - below);
}

/**
 * 95 % upper bound of a Poisson mean of which `events` were seen: half the 95 % point of chi-squared with 2 (events + 1)
 * degrees of freedom, by Wilson and Hilferty's cube root (within 1 %). `events` may be fractional.
 */
export function poissonUpper(events: number): number {
  const freedom = 2 * (events + 1);
  const spread = 2 / (9 * freedom);
  return (freedom / 2) * (1 - spread + Z_95 * Math.sqrt(spread)) ** 3;
}

/**
 * Wilson's interval of a proportion `value` whose variance is `variance`, at as many independent draws as would have that
 * variance (Korn and Graubard's effective size); `quantile` is the two-sided point. Never leaves [0, 1].
 */
export function wilson(value: number, variance: number, quantile: number): { readonly low: number; readonly high: number } {
  if (variance <= 0) return { low: value, high: value };
  // The squared quantile over the effective size; not finite for a value of 0 or 1, which says nothing about that size.
  const pull = (quantile * quantile * variance) / (value * (1 - value));
  if (!Number.isFinite(pull)) return { low: 0, high: 1 };
  const centre = (value + pull / 2) / (1 + pull);
  const half = Math.sqrt(quantile * quantile * variance + (pull * pull) / 4) / (1 + pull);
  return { low: Math.max(0, centre - half), high: Math.min(1, centre + half) };
}
