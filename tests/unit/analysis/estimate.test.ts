/** Intervals of proportions: two sides where enough was met, a bound where not, none where all was counted. */
import { describe, expect, test } from 'vitest';
import { sumFigures, type TensorCounts } from '../../../src/analysis/aggregate';
import { estimate } from '../../../src/analysis/estimate';
import { poissonUpper, studentQuantile, wilson } from '../../../src/analysis/interval';
import { zeroNumbers } from '../../../src/analysis/numbers';
import { pairIndex } from '../../../src/analysis/share';
import { emptyFigures, type Figures } from '../../../src/merge/figures';

describe('quantiles', () => {
  // Published tables of Student's t; between rows linear in 1 / freedom.
  test.each([[1, 12.706], [2, 4.303], [9, 2.2620], [25, 2.0596], [120, 1.9799], [Infinity, 1.96], [0.5, 12.706]])('t of %d degrees of freedom', (freedom, expected) => {
    expect(Math.abs(studentQuantile(freedom) - expected)).toBeLessThan(0.006);
  });
  // Exact one-sided limits of a Poisson mean.
  test.each([[0, 2.996], [1, 4.744], [5, 10.513], [9, 15.705]])('%d events bound the mean by %d', (events, expected) => {
    expect(Math.abs(poissonUpper(events) / expected - 1)).toBeLessThan(0.01);
  });
  test("Wilson's interval of 20 of 100 independent draws", () => {
    const { low, high } = wilson(0.2, 0.2 * 0.8 / 100, 1.96);
    expect([low.toFixed(4), high.toFixed(4)]).toEqual(['0.1334', '0.2888']);
  });
});

const figuresOf = (numel: number, conflict: number): Figures => ({ ...emptyFigures(2), numel, conflict, between: [conflict], kept: [numel, numel] });
/** A tenth of a tensor was drawn. */
function sampled(tensor: string, conflict: number, variance: number, freedom = 1e9): TensorCounts {
  const of = (value: number) => ({ ...zeroNumbers(2), conflict: value, between: [value] });
  const spread = { totals: figuresOf(10_000, 10 * conflict), variance: of(variance), doubt: of(variance ** 2 / freedom), kink: 0 };
  return { tensor, figures: figuresOf(1000, conflict), exact: false, elements: 10_000, spread };
}
const conflictOf = (...parts: TensorCounts[]) => estimate({ kind: 'conflict' }, sumFigures(parts, 2));

describe('a proportion', () => {
  test('has the interval of its variance, which adds over tensors', () => {
    const one = conflictOf(sampled('a', 100, 40_000));
    const { low, high } = wilson(0.1, 40_000 / 10_000 ** 2, 1.96);
    expect(one).toMatchObject({ value: 0.1, numerator: 1000, denominator: 10_000, interval: { kind: 'two-sided' } });
    expect([one.interval!.low, one.interval!.high].map((bound) => bound.toFixed(9))).toEqual([low.toFixed(9), high.toFixed(9)]);
    const both = conflictOf(sampled('a', 100, 40_000), sampled('b', 100, 40_000)).interval!;
    expect((both.high - both.low) / (high - low)).toBeCloseTo(Math.SQRT1_2, 2);
  });
  test('has a wider one where few blocks tell it, by the degrees of freedom of all tensors together', () => {
    const width = (freedom: number) => {
      const { low, high } = conflictOf(sampled('a', 100, 10_000, freedom), sampled('b', 100, 10_000, freedom)).interval!;
      return high - low;
    };
    // Two tensors of 2 degrees of freedom and one variance have 4.
    expect(width(2) / width(1e9)).toBeCloseTo(studentQuantile(4) / 1.96, 1);
  });
  test('has none when exact, and none when a part does not know its spread', () => {
    const exact: TensorCounts = { tensor: 'e', figures: figuresOf(10_000, 700), exact: true, elements: 10_000 };
    expect(conflictOf(exact).interval).toBeNull();
    expect(conflictOf({ ...sampled('a', 100, 40_000), spread: null }, exact).interval).toBeNull();
    expect(conflictOf(sampled('a', 100, 40_000), exact).interval!.kind).toBe('two-sided');
  });
  test('of fewer than 10 events is below a bound', () => {
    expect(conflictOf(sampled('a', 9, 900)).interval).toEqual({ low: 0, high: (10 * poissonUpper(9)) / 10_000, kind: 'upper' });
    expect(conflictOf(sampled('a', 0, 1e-6)).interval).toEqual({ low: 0, high: (10 * poissonUpper(0)) / 10_000, kind: 'upper' });
    expect(conflictOf(sampled('a', 10, 1000)).interval!.kind).toBe('two-sided');
  });
  test('counted in full elsewhere, is bounded in what was drawn alone', () => {
    const exact: TensorCounts = { tensor: 'e', figures: figuresOf(10_000, 700), exact: true, elements: 10_000 };
    expect(conflictOf(sampled('a', 0, 1e-6), exact).interval).toEqual({ low: 700 / 20_000, high: (700 + 10 * poissonUpper(0)) / 20_000, kind: 'two-sided' });
  });
  test('of nearly everything is above a bound', () => {
    const { low, high, kind } = conflictOf(sampled('a', 1000, 1e-6)).interval!;
    expect([low, high, kind]).toEqual([1 - (10 * poissonUpper(0)) / 10_000, 1, 'two-sided']);
  });
  test('that is known although sampled has no width', () => {
    expect(conflictOf(sampled('a', 100, 0)).interval).toEqual({ low: 0.1, high: 0.1, kind: 'two-sided' });
  });
});

test('pairs are numbered (0,1), (0,2), ..., (1,2), ...', () => {
  expect([[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]].map(([i, j]) => pairIndex(i!, j!, 4))).toEqual([0, 1, 2, 3, 4, 5]);
});
