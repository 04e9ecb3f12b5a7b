/** The compared snapshot on the series: its figures under the names of the recipe on the screen. */
import { describe, expect, it } from 'vitest';
import { breakDown } from '../../../src/analysis/aggregate';
import { placeOf } from '../../../src/checkpoint/places';
import { emptyFigures } from '../../../src/merge/figures';
import type { Compared } from '../../../src/ui/charts/compared';
import { MODULES } from '../../../src/ui/charts/labels';
import { besideColumns, besideLines, besideNumbers, type SeriesBeside } from '../../../src/ui/charts/series/beside';
import type { SeriesPoint } from '../../../src/ui/charts/series/useSeries';

const Q = 'model.layers.0.self_attn.q_proj.weight';

/** A merge in the snapshot's order of models: CT first, then SFT. */
function point(id: string, x: number, discarded: [number, number], conflict: number): SeriesPoint {
  const figures = { ...emptyFigures(2), numel: 1000, kept: [500, 200], discarded, conflict };
  const breakdown = breakDown([{ tensor: Q, elements: 1000, exact: true, thresholds: [null, null], spread: null, figures }], placeOf, MODULES, 2);
  return { x, breakdown, member: { id, name: id, tokens: x, byHand: false, steps: null, included: true, current: false } };
}
const points = [point('a', 10, [50, 20], 100), point('b', 20, [50, 60], 250)];
const of: Compared = {
  name: 'kept', breakdown: breakDown([], placeOf, MODULES, 2), electing: true, models: [1, 0], densities: [1, 0.2], preferred: 1, reference: 'base', slack: { s: null, of: 'retained' },
};
const beside: SeriesBeside = { of, points, metrics: [{ kind: 'discarded', model: 0 }, { kind: 'conflict' }], names: ['SFT', 'CT'] };

describe('the compared snapshot on the series', () => {
  it('is a line per figure, of the same model wherever the snapshot lists it', () => {
    const lines = besideLines(beside);
    expect(lines.map(({ points: own }) => own.map(({ x, y }) => [x, y]))).toEqual([[[10, 10], [20, 30]], [[10, 10], [20, 25]]]);
    expect(lines.every(({ label }) => label.startsWith('kept: '))).toBe(true);
    expect(new Set(lines.map(({ dash }) => dash)).size).toBe(2);
    expect(besideLines(null)).toEqual([]);
  });

  it('leaves out what the snapshot has no figure of', () => {
    expect(besideLines({ ...beside, of: { ...of, electing: false } })).toHaveLength(1);
    expect(besideLines({ ...beside, of: { ...of, models: [null, 0] } })).toHaveLength(1);
  });

  it('has numbers per checkpoint, and none for one it cannot merge', () => {
    expect(besideNumbers(beside, 'b').map(({ value }) => [value.numerator, value.denominator])).toEqual([[60, 200], [250, 1000]]);
    expect(besideNumbers(beside, 'c')).toEqual([]);
  });

  it('is columns of the table, per group, empty where it has none', () => {
    const [discarded] = besideColumns(beside);
    expect([discarded!.cellOf('a', null), discarded!.cellOf('a', '0')]).toMatchObject([
      { kind: 'share', share: { value: 0.1, numerator: 20, denominator: 200 } },
      { kind: 'share', share: { value: 0.1 } },
    ]);
    expect([discarded!.cellOf('a', '7'), discarded!.cellOf('c', null)]).toMatchObject([{ share: { value: null } }, { share: { value: null } }]);
  });
});
