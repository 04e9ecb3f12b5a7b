import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { colourScale, ticksBetween } from '../../../src/analysis/scale';

describe('ticksBetween', () => {
  test.each([
    [0, 8.88, 5, [0, 2, 4, 6, 8, 10]],
    [0, 0.013, 5, [0, 0.005, 0.01, 0.015]],
    [0, 0.3, 3, [0, 0.1, 0.2, 0.3]],
    [0, 10, 5, [0, 2, 4, 6, 8, 10]],
    [7.9, 10.2, 5, [7, 8, 9, 10, 11]],
    [4, 4, 4, [0, 1, 2, 3, 4]],
    [0, 0, 5, [0, 1]],
  ])('%d to %d in at most %d steps', (min, max, intervals, expected) => {
    expect(ticksBetween(min, max, intervals)).toEqual(expected);
  });

  test('covers any range in at most as many equal steps, no two steps wider than it needs at either end', () => {
    const bound = fc.integer({ min: 0, max: 2 ** 31 - 1 }).map((count) => count / 1e9);
    fc.assert(
      fc.property(bound, bound, fc.integer({ min: 2, max: 10 }), (a, b, intervals) => {
        const [min, max] = [Math.min(a, b), Math.max(a, b)];
        fc.pre(max - min > 1e-8 * max);
        const ticks = ticksBetween(min, max, intervals);
        const step = ticks[1]! - ticks[0]!;
        expect(ticks.length - 1).toBeLessThanOrEqual(intervals);
        expect(ticks[0]!).toBeLessThanOrEqual(min + step * 1e-6);
        expect(ticks.at(-1)!).toBeGreaterThanOrEqual(max - step * 1e-6);
        expect(min - ticks[0]!).toBeLessThan(step * 1.001);
        expect(ticks.at(-1)! - max).toBeLessThan(step * 1.001);
      }),
    );
  });
});

describe('colourScale', () => {
  test('starts at 0 unless the values lie close together', () => {
    expect(colourScale([1, 10], 4)).toEqual([0, 2.5, 5, 7.5, 10]);
    expect(colourScale([8, 10], 4)).toEqual([8, 8.5, 9, 9.5, 10]);
  });
  test('one value, only zeros, nothing: still a scale', () => {
    expect(colourScale([8], 4)).toEqual([0, 2, 4, 6, 8]);
    expect(colourScale([0, 0], 4)).toEqual([0, 1]);
    expect(colourScale([], 4)).toEqual([0, 1]);
  });
});
