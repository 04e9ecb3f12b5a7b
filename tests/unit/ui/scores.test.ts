/** Which rows of a table of scores are of the recipe on the screen, and where they stand (issue 5, results of a grid). */
import { describe, expect, it } from 'vitest';
import { defaultRecipe } from '../../../src/recipe/presets';
import { readResults } from '../../../src/recipe/results';
import { scorePlane } from '../../../src/ui/charts/surface/scores';

const RECIPE = defaultRecipe('base', 'a', ['b']);
const MODELS = [
  { name: 'sft-flan', symbol: 'sft' },
  { name: 'ct-4M', symbol: 'ct' },
];
const plane = (csv: string, recipe = RECIPE, axes: readonly [number, number] = [0, 1]) => scorePlane(readResults(csv, 'r.csv'), 'bleu', recipe, MODELS, axes);

describe('scores on the plane', () => {
  const CSV = 'density of sft-flan,density of ct-4M,bleu\n0.2,1,20\n0.01,1,10\n0.2,0.4,15\n';

  it('stand at their densities in ascending order, on either axis', () => {
    const { densities, cells, others } = plane(CSV)!;
    expect(densities).toEqual([[0.01, 0.2], [0.4, 1]]);
    expect(cells.map(({ ix, iy, value }) => [ix, iy, value])).toEqual([[1, 1, 20], [0, 1, 10], [1, 0, 15]]);
    expect(others).toBe(0);
    expect(plane(CSV, RECIPE, [1, 0])!.cells.map(({ ix, iy, value }) => [ix, iy, value])).toEqual([[1, 1, 20], [1, 0, 10], [0, 1, 15]]);
  });

  it('are found by the symbol of a model too, the last of two rows for one pair', () => {
    expect(plane('k_SFT,k_ct,bleu\n0.2,1,20\n0.2,1,21\n')!.cells.map(({ value }) => value)).toEqual([21]);
  });

  it('leave out rows of another method, lambda, slack or third density, and say how many', () => {
    const csv = 'density of sft-flan,density of ct-4M,method,lambda,slack,bleu\n0.2,1,ties_sv,1,0.04,1\n0.2,1,ties,1,,2\n0.2,1,ties_sv,0.5,0.04,3\n0.2,1,ties_sv,1,0.1,4\n0.4,1,,,,5\n';
    const { cells, others } = plane(csv)!;
    expect(cells.map(({ value }) => value)).toEqual([1, 5]);
    expect(others).toBe(3);
    const three = { ...RECIPE, models: [...RECIPE.models, { model: 'c', weight: 1, density: 0.3 }] };
    const models = [...MODELS, { name: 'ct-y', symbol: 'ct2' }];
    const third = readResults('k_sft,k_ct,density of ct-y,bleu\n0.2,1,0.3,1\n0.4,1,0.5,2\n0.6,1,,3\n', 'r.csv');
    expect(scorePlane(third, 'bleu', three, models, [0, 1])!.cells.map(({ value }) => value)).toEqual([1, 3]);
  });

  it('are none where no row is of the recipe, or none says both densities', () => {
    expect(plane('k_sft,bleu\n0.2,1\n')).toBeNull();
    expect(plane('k_sft,k_ct,method,bleu\n0.2,1,linear,1\n')).toBeNull();
  });
});
