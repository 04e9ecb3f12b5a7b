/** Slices that put whole models together again are a recipe; everything else is an error at its line. */
import { describe, expect, it } from 'vitest';
import { fromMergeKit } from '../../../src/recipe/mergekit';

const OPEN = new Set(['base', 'm1', 'm2']);
const read = (text: string, layers: number | null = 4) => fromMergeKit(text, (path) => (OPEN.has(path) ? path : null), () => layers);
const lines = (text: string, layers?: number | null) => read(text, layers).problems.map(({ severity, error }) => `${severity} ${error.reason} ${error.where.line}`);

const source = (model: string, range: string, parameters = '') => `      - model: ${model}\n        layer_range: ${range}\n${parameters && `        parameters: ${parameters}\n`}`;
const slice = (range: string, parameters = '', of = '') => `  - sources:\n${source('m1', range, parameters)}${source('m2', range)}${of && `    parameters: ${of}\n`}`;
const ties = (...slices: string[]) => `merge_method: ties\nbase_model: base\nslices:\n${slices.join('')}`;

describe('slices', () => {
  it('of all layers are the whole models, with parameters of the source before the slice before the whole', () => {
    const text = `${ties(slice('[0, 4]', '{weight: 0.5}', '{weight: 2, density: [0.2, 1], lambda: 0.7}'))}parameters: {weight: 3, density: 0.9, lambda: 1.5, normalize: false}\n`;
    const { recipe, problems } = read(text);
    expect(problems).toEqual([]);
    expect(recipe).toMatchObject({
      models: [
        { model: 'm1', weight: 0.5, density: [0.2, 1] },
        { model: 'm2', weight: 2, density: [0.2, 1] },
      ],
      lambda: 0.7,
      normalize: false,
    });
  });

  it('fall back below the last filter, outward through the slice', () => {
    const text = `${ties(slice('[0, 4]', '{density: {filter: mlp, value: 0.1}}', '{density: [{filter: norm, value: 1}]}'))}parameters: {density: 0.5}\n`;
    expect(read(text).recipe?.models[0]!.density).toEqual([{ filter: 'mlp', value: 0.1 }, { filter: 'norm', value: 1 }, { value: 0.5 }]);
  });

  it('that follow each other to the end are the whole models, as MergeKit files often say it', () => {
    const { recipe, problems } = read(ties(slice('[0, 1]', '{density: 0.2}'), slice('[1, 4]', '{density: 0.2}')));
    expect(problems).toEqual([]);
    expect(recipe?.models).toEqual([{ model: 'm1', weight: 1, density: 0.2 }, { model: 'm2', weight: 1, density: 1 }]);
  });

  it('may list the base, which has no task vector', () => {
    expect(lines(ties(`  - sources:\n${source('base', '[0, 4]')}${source('m1', '[0, 4]')}`))).toEqual(['warning base-listed 5']);
  });

  it.each([
    ['a gap', ties(slice('[0, 1]'), slice('[2, 4]')), ['error layers-not-whole 11']],
    ['layers twice', ties(slice('[0, 3]'), slice('[2, 4]')), ['error layers-not-whole 11']],
    ['layers from the middle', ties(slice('[1, 4]')), ['error layers-not-whole 6']],
    ['an early end', ties(slice('[0, 3]')), ['error layers-not-all 4']],
    ['an end beyond the last layer', ties(slice('[0, 2]'), slice('[2, 5]')), ['error layers-not-all 9']],
    ['layers of different places', ties(`  - sources:\n${source('m1', '[0, 4]')}${source('m2', '[4, 8]')}`), ['error layers-differ 8']],
    ['no range', ties('  - sources:\n      - model: m1\n'), ['error layer-range-malformed 5']],
    ['a range of one', ties(`  - sources:\n${source('m1', '[4]')}`), ['error layer-range-malformed 6']],
    ['a range backwards', ties(`  - sources:\n${source('m1', '[4, 0]')}`), ['error layer-range-malformed 6']],
    ['a range of words', ties(`  - sources:\n${source('m1', '[a, b]')}`), ['error layer-range-malformed 6']],
    ['other models in one slice', ties(slice('[0, 2]'), `  - sources:\n${source('m1', '[2, 4]')}`), ['error slice-models-differ 9']],
    ['other parameters in one slice', ties(slice('[0, 2]', '{weight: 1}'), slice('[2, 4]', '{weight: 0.5}')), ['error slice-parameters-differ 10']],
    ['a gradient over each slice', ties(slice('[0, 2]', '{weight: [0, 1]}'), slice('[2, 4]', '{weight: [0, 1]}')), ['error slice-gradient 10']],
    ['an unknown key of a source and of a slice', ties(`  - sources:\n${source('m1', '[0, 4]')}        scale: 1\n    residual: m1\n`), ['warning unknown-key 8', 'warning unknown-key 7']],
    ['a source without a model', ties('  - sources:\n      - layer_range: [0, 4]\n'), ['error model-missing 5']],
    ['no slices', 'merge_method: ties\nbase_model: base\nslices: []\n', ['error models-empty 3']],
  ])('are judged at the line: %s', (_name, text, expected) => {
    expect(lines(text)).toEqual(expected);
    expect(read(text).recipe === null).toBe(expected.some((line) => line.startsWith('error')));
  });

  it('names both numbers where the layers do not fit', () => {
    expect(read(ties(slice('[0, 3]'))).problems[0]!.error.where).toEqual({ model: 'm1', names: ['layer_range'], expected: 4, actual: 3, line: 4 });
    expect(read(ties(slice('[0, 1]'), slice('[2, 4]'))).problems[0]!.error.where).toEqual({ names: ['layer_range'], expected: 1, actual: 2, line: 11 });
  });

  it('are taken at their word where the number of layers is not known', () => {
    expect(lines(ties(slice('[0, 3]')), null)).toEqual([]);
  });

  it('report what they share once', () => {
    expect(lines(ties(slice('[0, 4]', '', '{weight: a}')))).toEqual(['error wrong-type 9']);
  });
});
