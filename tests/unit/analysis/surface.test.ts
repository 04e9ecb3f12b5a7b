import { describe, expect, it } from 'vitest';
import {
  cellEdges,
  FINE_DENSITIES,
  nearestDensity,
  PAPER_DENSITIES,
  sumSurfaces,
  surfaceShare,
  surfaceTable,
  type SurfacePart,
} from '../../../src/analysis/surface';
import { emptySurface } from '../../../src/merge/sweeps';

/** Two by two: counts are numbers that say where they belong. */
function part(numel: number, elements: number, exact: boolean): SurfacePart {
  const view = emptySurface(2, 2);
  view.numel = numel;
  view.conflict.set([1, 2, 3, 4]);
  view.wonX.set([1, 1, 2, 2]);
  view.wonY.set([0, 1, 1, 2]);
  view.discardedX.set([0, 1, 1, 2]);
  view.discardedY.set([1, 1, 2, 2]);
  view.keptX.set([5, 10]);
  view.keptY.set([4, 8]);
  view.nonzeroX.set([5, 9]);
  view.nonzeroY.set([2, 6]);
  return { tensor: 't', elements, exact, view };
}
const K = [0.5, 1];

describe('a surface', () => {
  it('adds tensors, a sample as much as the tensor it stands for', () => {
    const { counts, exactness } = sumSurfaces([part(10, 10, true), part(10, 30, false)], K, K);
    expect(counts.numel).toBe(40);
    expect([...counts.conflict]).toEqual([4, 8, 12, 16]);
    expect([...counts.keptX]).toEqual([20, 40]);
    expect([...counts.keptY]).toEqual([16, 32]);
    expect(exactness).toBe('partial');
  });

  it('is exact when every tensor was counted whole, an estimate when none was, and leaves the parts alone', () => {
    const one = part(10, 30, false);
    expect(sumSurfaces([part(10, 10, true)], K, K).exactness).toBe('exact');
    expect(sumSurfaces([one, one], K, K).exactness).toBe('estimate');
    expect(one.view.conflict[0]).toBe(1);
  });

  it('counts a sample without values as nothing', () => {
    expect(sumSurfaces([{ tensor: 't', elements: 5, exact: false, view: emptySurface(2, 2) }], K, K).counts.numel).toBe(0);
  });

  it('divides what is discarded by what that model keeps at its own density, conflicts by N', () => {
    const surface = sumSurfaces([part(10, 10, true)], K, K);
    expect(surfaceShare(surface, 'discardedX', 1, 0)).toEqual({ value: 0.1, numerator: 1, denominator: 10 });
    expect(surfaceShare(surface, 'discardedY', 1, 0)).toEqual({ value: 0.25, numerator: 1, denominator: 4 });
    expect(surfaceShare(surface, 'discardedY', 0, 1)).toEqual({ value: 0.25, numerator: 2, denominator: 8 });
    expect(surfaceShare(surface, 'conflict', 0, 1)).toEqual({ value: 0.3, numerator: 3, denominator: 10 });
    expect(surfaceShare(surface, 'wonY', 1, 1)).toEqual({ value: 0.2, numerator: 2, denominator: 10 });
    expect(surfaceShare(surface, 'nonzeroX', 1, 0)).toEqual({ value: 0.9, numerator: 9, denominator: 10 });
    expect(surfaceShare(surface, 'nonzeroY', 1, 1)).toEqual({ value: 0.75, numerator: 6, denominator: 8 });
  });

  it('has no share where nothing is kept', () => {
    expect(surfaceShare(sumSurfaces([], K, K), 'discardedX', 0, 0).value).toBeNull();
  });

  it('as a table has a row per pair of densities, x fastest', () => {
    const { columns, rows } = surfaceTable(sumSurfaces([part(10, 10, true)], K, K), ['k_sft', 'k_ct'], (figure) => figure);
    expect(columns.map(({ label }) => label).slice(0, 6)).toEqual(['k_sft', 'k_ct', 'counted', 'N', 'discardedX', 'discardedY']);
    expect(rows.map(([x, y]) => [x, y].map((cell) => (cell?.kind === 'text' ? cell.text : '')))).toEqual([
      ['0.5', '0.5'],
      ['1', '0.5'],
      ['0.5', '1'],
      ['1', '1'],
    ]);
    expect(rows.map((row) => row[2])).toEqual(rows.map(() => ({ kind: 'text', text: 'exact' })));
    expect(rows[2]![6]).toEqual({ kind: 'share', share: { value: 0.3, numerator: 3, denominator: 10, interval: null } });
  });
});

describe('the grids', () => {
  it('are the six densities of the paper, and 41 from 0.01 to 1', () => {
    expect(PAPER_DENSITIES).toEqual([0.01, 0.2, 0.4, 0.6, 0.8, 1]);
    expect([FINE_DENSITIES.length, FINE_DENSITIES[0], FINE_DENSITIES[1], FINE_DENSITIES[8], FINE_DENSITIES[40]]).toEqual([41, 0.01, 0.025, 0.2, 1]);
  });

  it('find the cell of any density', () => {
    expect([0.01, 0.1, 0.11, 0.3, 0.31, 2].map((k) => nearestDensity(PAPER_DENSITIES, k))).toEqual([0, 0, 1, 1, 2, 5]);
  });

  it('have cells whose edges lie halfway between densities', () => {
    expect(cellEdges([0.25, 0.5, 1])).toEqual([0.125, 0.375, 0.75, 1.25]);
  });
});
