/** Differences of two estimates, and how sure they are. */
import { describe, expect, it } from 'vitest';
import { difference } from '../../../src/analysis/compare';
import type { Estimate } from '../../../src/analysis/estimate';

const of = (value: number | null, low?: number, high?: number): Estimate => ({
  value, numerator: (value ?? 0) * 100, denominator: value === null ? 0 : 100,
  interval: low === undefined || high === undefined ? null : { low, high, kind: 'two-sided' },
});

describe('difference', () => {
  it('of exact figures has no interval', () => expect(difference(of(0.25), of(0.5))).toEqual({ value: 0.25, interval: null }));
  it('has no value where one side has nothing to divide by', () => expect(difference(of(null), of(0.5))).toEqual({ value: null, interval: null }));
  it('has the interval of the one side that is an estimate', () => {
    const { value, interval } = difference(of(0.5), of(0.25, 0.125, 0.5));
    expect([value, interval]).toEqual([-0.25, { low: -0.375, high: 0 }]);
    const other = difference(of(0.25, 0.125, 0.5), of(0.5));
    expect([other.value, other.interval]).toEqual([0.25, { low: 0, high: 0.375 }]);
  });
  it('adds both sides as if independent, each end from the ends that make it', () => {
    // Down: b falls by 0.3, a rises by 0.4. Up: b rises by 0.06, a falls by 0.08.
    const { interval } = difference(of(0.4, 0.32, 0.8), of(0.5, 0.2, 0.56));
    expect(interval!.low).toBeCloseTo(0.1 - 0.5, 12);
    expect(interval!.high).toBeCloseTo(0.1 + 0.1, 12);
  });
});
