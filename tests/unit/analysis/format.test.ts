import { describe, expect, test } from 'vitest';
import { formatCount, formatCounts, formatMagnitude, formatPercent, formatShare } from '../../../src/analysis/format';
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
