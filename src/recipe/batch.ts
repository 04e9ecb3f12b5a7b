/** Several recipes over the same checkpoints, each with a folder of its own to be exported to, and the table that goes with them. */
import { csvRows } from './csv';
import { constantValue } from './settings';
import type { Recipe } from './types';

export interface BatchEntry {
  /** Name of the folder: letters, digits, `.`, `_` and `-`, not starting with a dot. No two of a batch are equal, whatever the case. */
  readonly folder: string;
  readonly recipe: Recipe;
}

/** File systems allow 255 bytes; a path has other parts too. */
const MAX_FOLDER = 80;

/**
 * The recipe with every pair of `densities` for two of its models (checkpoint ids), the first model's slowest: the grid search
 * of arXiv 2407.03994 with its {0.01, 0.2, 0.4, 0.6, 0.8, 1}. `nameOf` gives the names that the folders carry, `ofSecond`
 * the densities of the second model where they are others. Throws RangeError
 * for a model that is not in the recipe.
 */
export function densityGrid(recipe: Recipe, [x, y]: readonly [string, string], densities: readonly number[], nameOf: (id: string) => string, ofSecond = densities): BatchEntry[] {
  for (const id of [x, y]) if (!recipe.models.some(({ model }) => model === id)) throw new RangeError(`${id} is no model of the recipe`);
  const nameWith = (kx: number, ky: number) => {
    const [first, second] = withinRoom(nameOf(x), nameOf(y), MAX_FOLDER - `-${kx}_-${ky}`.length);
    return `${first}-${kx}_${second}-${ky}`;
  };
  const named = densities.flatMap((kx) =>
    ofSecond.map((ky) => ({
      name: nameWith(kx, ky),
      recipe: { ...recipe, models: recipe.models.map((one) => ({ ...one, density: one.model === x ? kx : one.model === y ? ky : one.density })) },
    })),
  );
  return withFolders(named);
}

/** The beginnings of two names that take at most `room` together: the densities after them, which tell the folders apart, are not cut. */
function withinRoom(a: string, b: string, room: number): [string, string] {
  const half = room >> 1;
  return [a.slice(0, Math.max(half, room - b.length)), b.slice(0, Math.max(half, room - a.length))];
}

/** Entries with folder names made from `name`: other characters become `-`, equal ones are numbered. */
export function withFolders(named: readonly { readonly name: string; readonly recipe: Recipe }[]): BatchEntry[] {
  const taken = new Set<string>();
  return named.map(({ name, recipe }) => {
    const plain = name.replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^[.-]+/, '').slice(0, MAX_FOLDER).replace(/[.-]+$/, '') || 'merge';
    let folder = plain;
    for (let n = 2; taken.has(folder.toLowerCase()); n++) folder = `${plain}-${n}`;
    taken.add(folder.toLowerCase());
    return { folder, recipe };
  });
}

/** Columns of `batchTable` before the densities, and after them. */
export const FOLDER_COLUMN = 'folder';
export const METHOD_COLUMN = 'method';
export const LAMBDA_COLUMN = 'lambda';
export const SLACK_COLUMN = 'slack';
export const SCORE_COLUMN = 'score';
/** `density of NAME`, with the checkpoint's name. */
export const DENSITY_PREFIX = 'density of ';

/**
 * The table that is exported beside the folders of a batch (CSV, RFC 4180): a row each with what tells the recipes apart and an
 * empty column for a score, to be filled in and dropped back (recipe/results.ts). A parameter that is not one number for every
 * tensor is left empty.
 */
export function batchTable(entries: readonly BatchEntry[], nameOf: (id: string) => string): string {
  const models = [...new Set(entries.flatMap(({ recipe }) => recipe.models.map(({ model }) => model)))];
  const number = (value: number | null) => (value === null ? '' : String(value));
  const rows = entries.map(({ folder, recipe }) => [
    folder,
    recipe.method,
    ...models.map((id) => {
      const found = recipe.models.find(({ model }) => model === id);
      return found ? number(constantValue(found.density)) : '';
    }),
    number(constantValue(recipe.lambda)),
    recipe.method === 'ties_sv' ? number(constantValue(recipe.slack.s)) : '',
    '',
  ]);
  const head = [FOLDER_COLUMN, METHOD_COLUMN, ...models.map((id) => `${DENSITY_PREFIX}${nameOf(id)}`), LAMBDA_COLUMN, SLACK_COLUMN, SCORE_COLUMN];
  return csv([head, ...rows]);
}

/**
 * Of `table`, a `batchTable` of all entries, the rows of `folders` and those to which `before`, such a table as it came back, adds
 * something: with all columns that were added and what was filled in. Null where `before` is no table of these entries.
 */
export function withScores(table: string, folders: readonly string[], before: string): string | null {
  const [head, ...rows] = csvRows(table)!.map(({ cells }) => cells);
  const [oldHead, ...oldRows] = csvRows(before)?.map(({ cells }) => cells.map((cell) => cell.trim())) ?? [];
  const fixed = head!.slice(0, -1);
  if (!oldHead || new Set(oldHead).size < oldHead.length || !fixed.every((column) => oldHead.includes(column.trim()))) return null;
  const added = oldHead.filter((column) => !fixed.some((one) => one.trim() === column));
  const filled = new Map<string, readonly string[]>();
  for (const cells of oldRows) {
    const at = (column: string) => cells[oldHead.indexOf(column.trim())] ?? '';
    const row = rows.find(([folder]) => folder === at(FOLDER_COLUMN));
    if (!row || cells.length > oldHead.length || filled.has(row[0]!) || !fixed.every((column, i) => isSame(row[i]!, at(column)))) return null;
    filled.set(row[0]!, added.map(at));
  }
  const columns = added.length > 0 ? added : [SCORE_COLUMN];
  const kept = rows.filter(([folder]) => folders.includes(folder!) || filled.get(folder!)?.some((cell) => cell !== ''));
  return csv([[...fixed, ...columns], ...kept.map((row) => [...row.slice(0, -1), ...(filled.get(row[0]!) ?? columns.map(() => ''))])]);
}

/** Spreadsheets write a number in their own way. */
function isSame(ours: string, theirs: string): boolean {
  return ours.trim() === theirs || (ours !== '' && theirs !== '' && Number(ours) === Number(theirs.replace(',', '.')));
}

const csv = (rows: readonly (readonly string[])[]) => rows.map((cells) => cells.map(quoted).join(',')).join('\r\n') + '\r\n';
const quoted = (text: string) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
