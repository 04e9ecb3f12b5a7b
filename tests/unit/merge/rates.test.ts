/** Events per kept value at the threshold (merge/rates.ts): examples worked by hand. */
import { describe, expect, it } from 'vitest';
import type { GroupResult } from '../../../src/merge/backend';
import { emptyFigures, type Figures } from '../../../src/merge/figures';
import { averageErrors, averageRates, measuredRates, probeParameters } from '../../../src/merge/rates';
import type { TensorParameters } from '../../../src/recipe/types';

const parameters = (...density: number[]): TensorParameters => ({ weight: density.map(() => 1), density, lambda: 1, normalize: true, rescale: false });
const figures = (models: number, some: Partial<Figures>): Figures => ({ ...emptyFigures(models), ...some });
const resultOf = (...slots: Figures[]): GroupResult => ({ slots: slots.map((own) => ({ figures: own, kept: [], reserved: null })), segments: [] });

describe('probeParameters', () => {
  it('keeps four fifths of one model at a time, and asks nothing of a model that no tensor trims', () => {
    const [first, second, third] = probeParameters([parameters(0.5, 1, 0.25), parameters(1, 1, 0.25)]);
    expect(first!.map(({ density }) => density)).toEqual([[0.4, 1, 0.25], [1, 1, 0.25]]);
    expect(second).toBeNull();
    expect(third!.map(({ density }) => density)).toEqual([[0.5, 1, 0.2], [1, 1, 0.2]]);
  });
});

describe('averageRates', () => {
  it('divides the events of a model by its kept values; with two models the other one wins and loses by them too', () => {
    const own = figures(2, { kept: [10, 20], conflict: 4, between: [4], won: [3, 1], discarded: [1, 3], nonzero: [9, 18] });
    // conflict, between, won 0 and 1, discarded 0 and 1, nonzero 0 and 1, reserved and its cost.
    expect(averageRates(own)).toEqual([
      [0.4, 0.4, 0.3, 0.1, 0.1, 0.3, 0.9, 0, 0, 0],
      [0.2, 0.2, 0.15, 0.05, 0.05, 0.15, 0, 0.9, 0, 0],
    ]);
  });

  it('leaves out, with three models, what a model has no part in; 0 where nothing is kept', () => {
    const own = figures(3, { kept: [10, 20, 0], conflict: 9, between: [5, 2, 4], won: [4, 3, 1], discarded: [1, 5, 3], nonzero: [8, 16, 0] });
    expect(averageRates(own)).toEqual([
      // Of nine conflicts it can have taken part in five: as often as it won or lost.
      [0.5, 0.5, 0.2, 0, 0.4, 0, 0, 0.1, 0, 0, 0.8, 0, 0, 0, 0],
      [0.4, 0.25, 0, 0.2, 0, 0.15, 0, 0, 0.25, 0, 0, 0.8, 0, 0, 0],
      new Array(15).fill(0),
    ]);
  });
});

describe('averageErrors', () => {
  it('is 0.6 of the rate of conflicts, less for rarer events, and 0 for values that are not 0', () => {
    const [first, second] = averageErrors([[0.4, 0.4, 0.3, 0.1, 0.1, 0.3, 0.9, 0, 0, 0], new Array<number>(10).fill(0)]);
    // sqrt(0.4 * 0.4), sqrt(0.4 * 0.3) and sqrt(0.4 * 0.1).
    const [most, rare] = [0.6 * Math.sqrt(0.12), 0.6 * 0.2];
    [0.24, 0.24, most, rare, rare, most, 0, 0, 0, 0].forEach((error, i) => expect(first![i]).toBeCloseTo(error, 12));
    expect(second).toEqual(new Array(10).fill(0));
  });
});

describe('measuredRates', () => {
  const conflicts = (kept: number, conflict: number) => figures(2, { kept: [kept, 50], conflict });

  it('is events lost over values no longer kept, leaning on tensors of the kind with the weight of 20 values', () => {
    const full = resultOf(conflicts(10, 6), conflicts(20, 12), conflicts(25, 10));
    const less = resultOf(conflicts(8, 5), conflicts(16, 9), conflicts(20, 5));
    const rates = measuredRates(full, [less, null], ['mlp', 'mlp', 'norm']);
    // Of `mlp` 6 values and 4 events are gone, 20 values with 40/3 events: (1 + 40/3) / (2 + 20) and (3 + 40/3) / (4 + 20).
    expect(rates[0]![0]![0]).toBeCloseTo(43 / 66, 12);
    expect(rates[1]![0]![0]).toBeCloseTo(49 / 72, 12);
    // 5 events with 5 values, and alone of its kind.
    expect(rates[2]![0]![0]).toBeCloseTo(1, 12);
    // Not probed: nothing of it is trimmed, so no threshold moves.
    expect(rates.map((own) => own[1])).toEqual(rates.map(() => new Array(10).fill(0)));
  });
});
