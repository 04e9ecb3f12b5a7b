import { describe, expect, it } from 'vitest';
import { binEdge, distributionOf, distributionTable, logTicks, onLogAxis } from '../../../src/analysis/distribution';
import { DISTRIBUTION_BINS } from '../../../src/merge/exploring';

/** Bin of a magnitude, from its bits as the backends do it. */
const binOf = (value: number) => new Uint32Array(new Float32Array([value]).buffer)[0]! >>> 20;

function counts(entries: Readonly<Record<number, number>>): Uint32Array {
  const all = new Uint32Array(DISTRIBUTION_BINS);
  for (const [bin, count] of Object.entries(entries)) all[Number(bin)] = count;
  return all;
}

describe('bins of |tau|', () => {
  it('are eighths of a binade: 1, 1.125, ..., 1.875, 2', () => {
    const one = binOf(1);
    expect(Array.from({ length: 9 }, (_, i) => binEdge(one + i))).toEqual([1, 1.125, 1.25, 1.375, 1.5, 1.625, 1.75, 1.875, 2]);
  });

  it('hold exactly the values from their edge to below the next', () => {
    for (const value of [2 ** -20, 0.001953125, 0.0123, 3e-39, 1e38]) {
      const bin = binOf(value);
      expect(binEdge(bin)).toBeLessThanOrEqual(Math.fround(value));
      expect(binEdge(bin + 1)).toBeGreaterThan(Math.fround(value));
    }
    expect(binEdge(0)).toBe(0);
    expect(binEdge(2040)).toBe(Infinity);
    expect(binEdge(2039)).toBeLessThan(Infinity);
  });
});

describe('a distribution', () => {
  it('runs over what any model has, with zeros and non-finite values apart', () => {
    const one = binOf(1);
    const { edges, models } = distributionOf({ counts: [counts({ 0: 2, [one]: 3, [one + 2]: 4, 2044: 1 }), null, counts({ [one + 1]: 5 })] });
    expect(edges).toEqual([1, 1.125, 1.25, 1.375]);
    expect(models[0]).toEqual({ total: 10, shares: [0.3, 0, 0.4], zero: 0.2, below: 0, nonfinite: 0.1 });
    expect(models[1]).toBeNull();
    expect(models[2]).toEqual({ total: 5, shares: [0, 1, 0], zero: 0, below: 0, nonfinite: 0 });
  });

  it('leaves at most 0.2 % of a model left of the axis, and says how much', () => {
    const one = binOf(1);
    const { edges, models } = distributionOf({ counts: [counts({ [one - 80]: 2, [one - 40]: 1, [one]: 997 })] });
    expect(edges[0]).toBe(binEdge(one - 40));
    expect(models[0]!.below).toBe(0.002);
    const shares = models[0]!.shares.reduce((sum, part) => sum + part, 0);
    expect(shares + models[0]!.below).toBeCloseTo(1, 12);
  });

  it('of nothing but zeros has no axis', () => {
    const { edges, models } = distributionOf({ counts: [counts({ 0: 7 })] });
    expect(edges).toEqual([]);
    expect(models[0]).toEqual({ total: 7, shares: [], zero: 1, below: 0, nonfinite: 0 });
  });
});

describe('the logarithmic axis', () => {
  it('places values by their exponent', () => {
    expect([0.25, 0.5, 1, 4, 8].map((value) => onLogAxis([0.25, 1, 4], value))).toEqual([0, 0.25, 0.5, 1, 1.25]);
  });
  it('is ticked at powers of ten, of two where it is short', () => {
    expect(logTicks([0.0001, 0.5])).toEqual([0.0001, 0.001, 0.01, 0.1]);
    expect(logTicks([0.5, 1, 4])).toEqual([0.5, 1, 2, 4]);
  });
});

it('as a table has the ends of every bar and the share of each model that takes part', () => {
  const one = binOf(1);
  const { columns, rows } = distributionTable(distributionOf({ counts: [counts({ [one]: 1, [one + 1]: 3 }), null] }), ['SFT', 'CT']);
  expect(columns.map(({ label }) => label)).toEqual(['|tau| from', '|tau| below', 'share of SFT']);
  expect(rows.map((row) => row.map((cell) => (cell.kind === 'number' ? cell.value : cell)))).toEqual([
    [1, 1.125, 0.25],
    [1.125, 1.25, 0.75],
  ]);
});
