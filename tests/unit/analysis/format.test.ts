import { describe, expect, test } from 'vitest';
import { formatCount, formatCounts, formatEstimate, formatMagnitude, formatPercent, formatShare } from '../../../src/analysis/format';
import { share } from '../../../src/analysis/share';

const plain = (text: string) => text.replaceAll('\u00a0', ' ').replaceAll('\u202f', '_');

describe('formatPercent', () => {
  test.each([
    [0, '0 %'],
    [1e-12, '< 0.01 %'],
    [0.00009999, '< 0.01 %'],
    [0.0001, '0.01 %'],
    [0.00012699501227089307, '0.01 %'],
    [0.08882348645756938, '8.88 %'],
    [0.09994, '9.99 %'],
    [0.09996, '10.0 %'],
    [0.45321, '45.3 %'],
    [0.99942, '99.9 %'],
    [0.99961, '99.96 %'],
    [0.999950001, '> 99.99 %'],
    [1, '100 %'],
    [1.2347, '123.5 %'],
    [-0.02, '-2.00 %'],
    [null, '–'],
  ])('%d is %s', (value, text) => {
    expect(plain(formatPercent(value))).toBe(text);
  });
});

describe('formatEstimate', () => {
  const estimate = (value: number | null, low: number, high: number, kind: 'two-sided' | 'upper' = 'two-sided') =>
    plain(formatEstimate({ value, numerator: 0, denominator: 1, interval: { low, high, kind } }));

  test('without an interval is the proportion alone', () => {
    expect(plain(formatEstimate({ ...share(27977, 314973), interval: null }))).toBe('8.88 %');
    expect(estimate(null, 0, 1)).toBe('–');
    expect(estimate(0.25, 0.25, 0.25)).toBe('25.0 %');
  });
  test('has one number where both sides are alike: the wider one, rounded up', () => {
    expect(estimate(0.0431, 0.0419, 0.0443)).toBe('4.31 % ± 0.12');
    expect(estimate(0.0431, 0.0419, 0.04431)).toBe('4.31 % ± 0.13');
    expect(estimate(0.5, 0.471, 0.529)).toBe('50.0 % ± 2.9');
    expect(estimate(0.5, 0.35, 0.65)).toBe('50.0 % ± 15');
    expect(estimate(0.5, 0.499999, 0.500001)).toBe('50.0 % ± 0.01');
  });
  test('has both ends where they differ', () => {
    expect(estimate(0.0431, 0.039, 0.0521)).toBe('4.31 % (3.90 to 5.21)');
  });
  test('of few events is a bound, rounded up', () => {
    expect(estimate(0.0001, 0, 0.000191, 'upper')).toBe('< 0.02 %');
    expect(estimate(0, 0, 0.0000001, 'upper')).toBe('< 0.01 %');
    expect(estimate(0, 0, 0.0123, 'upper')).toBe('< 1.3 %');
  });
});

describe('counts', () => {
  test.each([
    [0, '0'],
    [999, '999'],
    [1000, '1_000'],
    [1575040, '1_575_040'],
    [6738415616, '6_738_415_616'],
    [27976.6, '27_977'],
  ])('%d is %s', (count, text) => {
    expect(plain(formatCount(count))).toBe(text);
  });

  test('a share carries both counts', () => {
    expect(plain(formatCounts(share(27977, 314973)))).toBe('27_977 of 314_973');
    expect(plain(formatShare(share(27977, 314973)))).toBe('8.88 % (27_977 of 314_973)');
    expect(plain(formatShare(share(0, 0)))).toBe('– (0 of 0)');
  });
});

test.each([
  [0, '0'],
  [0.001953125, '0.001953'],
  [12.5, '12.5'],
  [1.2345e-7, '1.23e-7'],
  [12345678, '1.23e+7'],
])('formatMagnitude(%d) is %s', (value, text) => {
  expect(formatMagnitude(value)).toBe(text);
});
