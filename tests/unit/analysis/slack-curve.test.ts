/** The slack curve: sums, slope, knee (merging.md section 6). */
import { describe, expect, it } from 'vitest';
import type { Part } from '../../../src/analysis/parts';
import { kneeOf, shareForAll, sharesUpTo, slackAt, slopes, sumSlackCurves, usedUp, type SlackCurve } from '../../../src/analysis/slack-curve';
import type { SlotSlackCurve } from '../../../src/merge/exploring';

const SHARES = [0, 0.1, 0.2, 0.3, 0.4];
const part = (elements: number, exact: boolean, view: Omit<SlotSlackCurve, 'reserved' | 'cost'> & { reserved: number[]; cost: number[] }): Part<SlotSlackCurve> => ({
  tensor: 't', elements, exact, view: { ...view, reserved: Float64Array.from(view.reserved), cost: Float64Array.from(view.cost) },
});
/** 100 kept, 40 discarded: the first positions are cheap. */
const CURVE: SlackCurve = { shares: SHARES, kept: 100, discarded: 40, magnitude: 200, reserved: [0, 10, 20, 30, 40], cost: [0, 1, 3, 10, 40], exactness: 'exact' };

describe('sumSlackCurves', () => {
  it('adds tensors, each sample scaled to the tensor it stands for', () => {
    const whole = part(50, true, { numel: 50, kept: 10, discarded: 4, magnitude: 20, reserved: [0, 1, 2, 3, 4], cost: [0, 1, 2, 4, 8] });
    const sampled = part(1000, false, { numel: 100, kept: 20, discarded: 8, magnitude: 30, reserved: [0, 2, 4, 6, 8], cost: [0, 2, 5, 9, 20] });
    expect(sumSlackCurves([whole, sampled], SHARES)).toEqual({
      shares: SHARES, kept: 210, discarded: 84, magnitude: 320, reserved: [0, 21, 42, 63, 84], cost: [0, 21, 52, 94, 208], exactness: 'partial',
    });
    expect(sumSlackCurves([whole], SHARES).exactness).toBe('exact');
    expect(sumSlackCurves([sampled], SHARES).exactness).toBe('estimate');
  });
});

describe('slackAt', () => {
  it.each([
    [0, 0, 0], [0.1, 10, 1], [0.15, 15, 2], [0.35, 35, 25], [0.4, 40, 40], [0.9, 40, 40],
  ])('at %d reserves %d for %d', (s, reserved, cost) => {
    const at = slackAt(CURVE, s);
    expect(at.reserved).toBeCloseTo(reserved, 9);
    expect(at.cost).toBeCloseTo(cost, 9);
  });
});

describe('slopes', () => {
  it('is the share of magnitude lost per share of kept values given back', () => {
    // The first step: 1 of 200 for 10 of 100.
    expect(slopes(CURVE).map(({ from, to, slope }) => [from, to, Number(slope.toFixed(6))])).toEqual([
      [0, 0.1, 0.05], [0.1, 0.2, 0.1], [0.2, 0.3, 0.35], [0.3, 0.4, 1.5],
    ]);
  });
  it('has no step where nothing more is reserved, and none where nothing is lost', () => {
    expect(slopes({ ...CURVE, reserved: [0, 10, 20, 20, 20], cost: [0, 1, 3, 3, 3] })).toHaveLength(2);
    expect(slopes({ ...CURVE, magnitude: 0 })).toEqual([]);
  });
});

describe('kneeOf', () => {
  it('is the share furthest below the chord, both axes from 0 to 1', () => {
    // Ahead by 0.25 - 0.025, 0.5 - 0.075, 0.75 - 0.25: the last is the most.
    expect(kneeOf(CURVE)).toBe(3);
    expect(kneeOf({ ...CURVE, cost: [0, 1, 3, 20, 40] })).toBe(2);
  });
  it('looks no further than where the curve is used up', () => {
    const flat: SlackCurve = { ...CURVE, discarded: 20, reserved: [0, 10, 20, 20, 20], cost: [0, 2, 8, 8, 8] };
    expect(usedUp(flat)).toBe(2);
    expect(kneeOf(flat)).toBe(1);
  });
  it('is none on a straight line, above its chord, or where nothing is reserved', () => {
    expect(kneeOf({ ...CURVE, cost: [0, 10, 20, 30, 40] })).toBeNull();
    expect(kneeOf({ ...CURVE, cost: [0, 30, 35, 38, 40] })).toBeNull();
    expect(kneeOf({ ...CURVE, reserved: [0, 0, 0, 0, 0], cost: [0, 0, 0, 0, 0] })).toBeNull();
  });
});

describe('shares to ask for', () => {
  it('go to where nearly all of every tensor is reserved', () => {
    expect(shareForAll([{ kept: 100, discarded: 9 }], 'retained')).toBe(0.09);
    // One small tensor that lags behind does not stretch the axis.
    expect(shareForAll([{ kept: 100_000, discarded: 9000 }, { kept: 10, discarded: 9 }], 'retained')).toBe(0.09);
    expect(shareForAll([{ kept: 100, discarded: 50 }, { kept: 100, discarded: 10 }], 'retained')).toBe(0.5);
    expect(shareForAll([{ kept: 100, discarded: 9 }], 'discarded')).toBe(1);
    expect(shareForAll([{ kept: 100, discarded: 0 }], 'retained')).toBe(1);
  });
  it('ascend from 0, hold what is marked, and are at most 1', () => {
    const shares = sharesUpTo(0.09, [0.04]);
    expect([shares[0], shares.at(-1), shares.includes(0.04), shares.length]).toEqual([0, 0.09, true, 50]);
    expect(shares.every((s, i) => i === 0 || s > shares[i - 1]!)).toBe(true);
    expect(sharesUpTo(0.01, [0.04]).at(-1)).toBe(0.04);
    expect(sharesUpTo(3, []).at(-1)).toBe(1);
  });
});
