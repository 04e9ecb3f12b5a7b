/** A batch's table goes out with an empty score and comes back with one; other people's tables are read by their columns. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MalformedFileError } from '../../../src/bytes/errors';
import { batchTable, densityGrid, withFolders, withScores } from '../../../src/recipe/batch';
import { csvRows } from '../../../src/recipe/csv';
import { defaultRecipe } from '../../../src/recipe/presets';
import { MAX_RESULTS_TEXT, readResults } from '../../../src/recipe/results';

const RECIPE = defaultRecipe('base', 'sft', ['ct']);
const nameOf = (id: string) => `${id}, "x"`;

function reason(text: string): string {
  try {
    readResults(text, 'r.csv');
  } catch (error) {
    expect(error).toBeInstanceOf(MalformedFileError);
    const { reason: slug, where } = error as MalformedFileError;
    expect(where.file).toBe('r.csv');
    return where.line === undefined ? slug : `${slug} ${where.line}`;
  }
  return 'taken';
}

describe('a grid of densities', () => {
  it('has every pair, the first model slowest, and nothing else changed', () => {
    const grid = densityGrid(RECIPE, ['sft', 'ct'], [0.01, 0.2, 1], (id) => id);
    expect(grid.map(({ folder }) => folder)).toEqual(['sft-0.01_ct-0.01', 'sft-0.01_ct-0.2', 'sft-0.01_ct-1', 'sft-0.2_ct-0.01', 'sft-0.2_ct-0.2', 'sft-0.2_ct-1', 'sft-1_ct-0.01', 'sft-1_ct-0.2', 'sft-1_ct-1']);
    expect(grid[5]!.recipe).toEqual({ ...RECIPE, models: [{ ...RECIPE.models[0], density: 0.2 }, { ...RECIPE.models[1], density: 1 }] });
    expect(() => densityGrid(RECIPE, ['sft', 'other'], [1], (id) => id)).toThrow(RangeError);
  });

  it('names the densities of each folder however long the names of the models are', () => {
    const long = 'Meta-Llama-3.1-8B-Instruct-continued-on-Uyghur-and-Tamil-step-';
    const folders = (nameOfModel: (id: string) => string) => densityGrid(RECIPE, ['sft', 'ct'], [0.2, 1], nameOfModel).map(({ folder }) => folder);
    for (const folder of folders((id) => `${long}${id}`)) expect(folder.length).toBeLessThanOrEqual(80);
    expect(folders((id) => `${long}${id}`).map((folder) => /-([\d.]+)_Meta.*-([\d.]+)$/.exec(folder)!.slice(1))).toEqual([['0.2', '0.2'], ['0.2', '1'], ['1', '0.2'], ['1', '1']]);
    // A short name leaves its room to the long one.
    expect(folders((id) => (id === 'sft' ? id : `${long}${id}`))[1]).toBe(`sft-0.2_${long}ct-1`);
  });

  it('has folder names that every file system takes, no two equal', () => {
    const folders = (names: string[]) => withFolders(names.map((name) => ({ name, recipe: RECIPE }))).map(({ folder }) => folder);
    expect(folders(['a/b', '../x', 'a b', 'A-B', '', '...', 'தமிழ் 4'])).toEqual(['a-b', 'x', 'a-b-2', 'A-B-3', 'merge', 'merge-2', '4']);
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 200 }), { maxLength: 12 }), (names) => {
        const made = folders(names);
        expect(new Set(made.map((folder) => folder.toLowerCase())).size).toBe(names.length);
        for (const folder of made) expect(folder).toMatch(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,90}$/);
      }),
    );
  });
});

describe('the table of a batch', () => {
  const grid = densityGrid(RECIPE, ['sft', 'ct'], [0.2, 1], nameOf);

  it('comes back as what was sent out once scores are filled in', () => {
    const table = batchTable(grid, nameOf);
    expect(reason(table)).toBe('results-without-scores');
    const scored = table.split('\r\n').map((line, i) => (i > 0 && line !== '' ? `${line}${20 + i}` : line)).join('\r\n');
    const { metrics, rows } = readResults(scored, 'r.csv');
    expect(metrics).toEqual(['score']);
    expect(rows.map(({ scores }) => scores)).toEqual([{ score: 21 }, { score: 22 }, { score: 23 }, { score: 24 }]);
    expect(rows[2]).toMatchObject({ folder: grid[2]!.folder, method: 'ties_sv', lambda: 1, slack: 0.04, line: 4 });
    expect(rows[2]!.densities).toEqual({ 'sft, "x"': 1, 'ct, "x"': 0.2 });
  });

  it('written anew keeps what was filled in, in any column, by folder; rows of folders that are gone stay when they have a score', () => {
    const table = batchTable(grid, nameOf);
    const [a, b, c, d] = grid.map(({ folder }) => folder);
    const rowOf = (text: string, folder: string) => csvRows(text)!.find(({ cells }) => cells[0] === folder)?.cells.slice(-2);
    // As a spreadsheet of another language saves it, with a column more.
    const cellOf = (cell: string) => (cell === '0.2' ? '0,20' : /[";]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
    const added = [['score', '"note; mine"'], ['x', '"a, b"'], ['y', ''], ['', '']];
    const rows = csvRows(batchTable(grid.slice(0, 3), nameOf))!.map(({ cells }, i) => [...cells.slice(0, -1).map(cellOf), ...added[i]!]);
    const own = `\ufeff${rows.map((cells) => cells.join(';')).join('\r\n')}\r\n`;
    const text = withScores(table, [a!, c!, d!], own)!;
    expect(csvRows(text)![0]!.cells.slice(-2)).toEqual(['score', 'note; mine']);
    expect([a, b, c, d].map((folder) => rowOf(text, folder!))).toEqual([['x', 'a, b'], ['y', ''], ['', ''], ['', '']]);
    expect(rowOf(withScores(table, [a!, d!], own)!, c!)).toBe(undefined);
  });

  it('of other recipes, or of none, is not taken for this one', () => {
    const table = batchTable(grid, nameOf);
    expect(withScores(table, [], table)).toBe(table.split('\r\n')[0] + '\r\n');
    const other = densityGrid({ ...RECIPE, lambda: 0.5 }, ['sft', 'ct'], [0.2, 1], nameOf);
    for (const before of [batchTable(other, nameOf), batchTable(grid.map((one) => ({ ...one, folder: `${one.folder}-x` })), nameOf), batchTable(grid, (id) => id), 'folder,score\r\n', '"', table + table.split('\r\n')[1]!]) {
      expect(withScores(table, [], before), before).toBe(null);
    }
  });

  it('leaves empty what is not one number for every tensor', () => {
    const curved = { ...RECIPE, method: 'ties' as const, lambda: [1, 2], models: [{ ...RECIPE.models[0]!, density: [0.1, 0.2] }] };
    expect(batchTable([{ folder: 'f', recipe: curved }], (id) => id)).toBe('folder,method,density of sft,lambda,slack,score\r\nf,ties,,,,\r\n');
  });
});

describe('a table of scores', () => {
  it('may be JSON, with other columns, symbols for densities and several scores', () => {
    const json = JSON.stringify({ rows: [{ k_sft: 0.2, k_ct: 1, bleu: 20.5, note: 'first' }, { k_sft: 0.4, k_ct: 1, scores: { bleu: 21, f1: 0.5 } }] });
    const { metrics, rows } = readResults(json, 'r.json');
    expect(metrics).toEqual(['bleu', 'f1']);
    expect(rows.map(({ line, densities, scores }) => ({ line, densities, scores }))).toEqual([
      { line: 1, densities: { sft: 0.2, ct: 1 }, scores: { bleu: 20.5 } },
      { line: 2, densities: { sft: 0.4, ct: 1 }, scores: { bleu: 21, f1: 0.5 } },
    ]);
  });

  it.each([
    ['', 'results-syntax'],
    ['k_sft,score\n', 'results-syntax'],
    ['k_sft,score\n0.2,1\n0.4\n', 'results-row 3'],
    ['k_sft,score\n"0.2,1\n', 'results-syntax'],
    ['[1, 2]', 'results-syntax'],
    ['{"a": 1}', 'results-syntax'],
    ['[{', 'results-syntax'],
    ['a,score\n0.2,1\n', 'results-without-densities'],
    ['k_sft,score\n0.2,\n', 'results-without-scores'],
    ['k_sft,score\n0.2,good\n', 'results-without-scores'],
    ['k_sft,score\n0.2,1\nhigh,1\n', 'results-number 3'],
    [' '.repeat(MAX_RESULTS_TEXT + 1), 'results-too-long'],
    [JSON.stringify([Object.fromEntries(Array.from({ length: 1001 }, (_, i) => [`k_${i}`, 1]))]), 'results-too-long'],
    ['k_sft;score\r\n0,2;1\r\n', 'results-number 2'],
    ['\ufeffk_sft;score\r\n\r\n0.2;1\r\n', 'taken'],
    ['k_sft\tscore\n0.2\t1', 'taken'],
  ])('%j: %s', (text, expected) => {
    expect(reason(text)).toBe(expected);
  });

  it('never fails in another way', () => {
    const piece = fc.constantFrom('k_sft', 'density of a', 'score', ',', ';', '\n', '"', '0.2', '1e999', '[', '{', '}', ']', ':', '__proto__', 'null');
    fc.assert(fc.property(fc.array(fc.oneof(piece, fc.string({ maxLength: 3 })), { maxLength: 30 }).map((parts) => parts.join('')), (text) => void reason(text)), { numRuns: 2000 });
  });
});

it('CSV keeps commas, quotes and line ends inside quotes, and counts lines through them', () => {
  expect(csvRows('a,"b ""c"", d\ne"\n\nf,g')).toEqual([
    { line: 1, cells: ['a', 'b "c", d\ne'] },
    { line: 4, cells: ['f', 'g'] },
  ]);
});
