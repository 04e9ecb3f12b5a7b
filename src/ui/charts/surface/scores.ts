/** Scores of merges validated elsewhere, on the plane of two models' densities. */
import type { Results, ResultRow } from '../../../recipe/results';
import { constantValue } from '../../../recipe/settings';
import type { Recipe } from '../../../recipe/types';

export interface ScorePlane {
  readonly densities: readonly [readonly number[], readonly number[]];
  /** At most one a pair of densities: the last row that has it. */
  readonly cells: readonly { readonly ix: number; readonly iy: number; readonly value: number; readonly row: ResultRow }[];
  /** Rows with this score that are of another recipe: another method, lambda, slack or third model's density. */
  readonly others: number;
}
/** What a model is called in a table: the name on its card or its symbol. */
export interface AxisName {
  readonly name: string;
  readonly symbol: string;
}

/**
 * The rows of `results` that differ from `recipe` in nothing but the densities of the models `axes` (indices). A row that does not
 * say what its method, lambda, slack or other densities were is taken to have the present ones. Null when no row is left.
 */
export function scorePlane(results: Results, metric: string, recipe: Recipe, models: readonly AxisName[], axes: readonly [number, number]): ScorePlane | null {
  const scored = results.rows.filter(({ scores }) => Object.hasOwn(scores, metric));
  const placed = scored.flatMap((row) => {
    const [kx, ky] = axes.map((model) => densityOf(row, models[model]!));
    return kx == null || ky == null || !isOf(row, recipe, models, axes) ? [] : [{ kx, ky, row }];
  });
  if (placed.length === 0) return null;
  const ascending = (values: readonly number[]) => [...new Set(values)].sort((a, b) => a - b);
  const densities = [ascending(placed.map(({ kx }) => kx)), ascending(placed.map(({ ky }) => ky))] as const;
  const cells = new Map(placed.map(({ kx, ky, row }) => [`${kx} ${ky}`, { ix: densities[0].indexOf(kx), iy: densities[1].indexOf(ky), value: row.scores[metric]!, row }]));
  return { densities, cells: [...cells.values()], others: scored.length - placed.length };
}

function densityOf({ densities }: ResultRow, { name, symbol }: AxisName): number | null {
  const key = Object.keys(densities).find((one) => one === name) ?? Object.keys(densities).find((one) => one.toLowerCase() === symbol);
  return key === undefined ? null : densities[key]!;
}

function isOf(row: ResultRow, recipe: Recipe, models: readonly AxisName[], axes: readonly [number, number]): boolean {
  const same = (said: number | null, own: number | null) => said === null || said === own;
  const others = recipe.models.every(({ density }, i) => axes.includes(i) || same(densityOf(row, models[i]!), constantValue(density)));
  const slack = recipe.method !== 'ties_sv' || same(row.slack, constantValue(recipe.slack.s));
  return (row.method === null || row.method === recipe.method) && same(row.lambda, constantValue(recipe.lambda)) && slack && others;
}
