/** The key under which exact figures are kept: everything that decides them enters, nothing else does. */
import { describe, expect, it } from 'vitest';
import { figuresKey } from '../../../src/merge/figures-key';
import { DEFAULT_CHOICES } from '../../../src/merge/plan-types';
import type { FitChoices } from '../../../src/merge/plan-types';
import { defaultRecipe } from '../../../src/recipe/presets';
import type { Recipe, RecipeModel } from '../../../src/recipe/types';

const RECIPE: Recipe = { ...defaultRecipe('base', 'sft', ['ct']), method: 'ties_sv', slack: { s: 0.04, of: 'retained', prefer: 'sft' } };
const key = (changes: Partial<Recipe> = {}, choices: Partial<FitChoices> = {}) => figuresKey({ ...RECIPE, ...changes }, { ...DEFAULT_CHOICES, ...choices });
const withFirst = (patch: Partial<RecipeModel>) => ({ models: RECIPE.models.map((model, i) => (i === 0 ? { ...model, ...patch } : model)) });

describe('figuresKey', () => {
  it.each<[string, Partial<Recipe>, Partial<FitChoices>]>([
    ['the method', { method: 'task_arithmetic' }, {}],
    ['the base', { base: 'other' }, {}],
    ['a model', withFirst({ model: 'other' }), {}],
    ['the order of models, which decides every sum', { models: RECIPE.models.toReversed() }, {}],
    ['a density', withFirst({ density: 0.21 }), {}],
    ['a density by layer', withFirst({ density: [0.2, 0.3] }), {}],
    ['a weight, which acts before the election', withFirst({ weight: 1.5 }), {}],
    ['the slack', { slack: { ...RECIPE.slack, s: 0.05 } }, {}],
    ['what the slack is a share of', { slack: { ...RECIPE.slack, of: 'discarded' } }, {}],
    ['who is preferred', { slack: { ...RECIPE.slack, prefer: 'ct' } }, {}],
    ['rescale', { rescale: true }, {}],
    ['trimming over the whole model', { scope: { trim: 'model', slack: 'tensor' } }, {}],
    ['a slack over the whole model', { scope: { trim: 'tensor', slack: 'model' } }, {}],
    ['a rule', { rules: [{ filter: 'norm', action: 'keep-base' }] }, {}],
    ['a model left out', {}, { leaveOut: { a: ['ct'] } }],
    ['extra rows', {}, { extraRows: { from: 'ct' } }],
  ])('depends on %s', (_what, changes, choices) => {
    expect(key(changes, choices)).not.toBe(key());
  });

  it.each<[string, Partial<Recipe>, Partial<FitChoices>]>([
    ['lambda', { lambda: 0.3 }, {}],
    ['a scope that is the default', { scope: { trim: 'tensor', slack: 'tensor' } }, {}],
    ['normalize', { normalize: false }, {}],
    ['the output dtype', { outDtype: 'F16' }, {}],
    ['the tokenizer', { tokenizerFrom: 'ct' }, {}],
    ['whose integers to keep', {}, { integerFrom: { ids: 'ct' } }],
    ['whether non-finite values are let through', {}, { allowNonfinite: true }],
  ])('does not depend on %s', (_what, changes, choices) => {
    expect(key(changes, choices)).toBe(key());
  });

  it('ways of writing one setting are one key, and a gradient of equal points is not, since interpolating may round', () => {
    const of = (density: RecipeModel['density']) => key(withFirst({ density }));
    const plain = of(0.5);
    expect(of([0.5])).toBe(plain);
    expect(of([{ value: 0.5 }])).toBe(plain);
    expect(of([{ filter: '*', value: [0.5] }, { filter: 'norm', value: 1 }])).toBe(plain);
    expect(of([{ filter: 'norm', value: 1 }, { filter: '', value: 0.5 }])).toBe(of([{ filter: 'norm', value: [1] }, { value: 0.5 }]));
    expect(of([0.5, 0.5])).not.toBe(plain);
  });

  it('TIES is TIES-SV without slack, and what a method does not read does not count', () => {
    expect(key({ method: 'ties' })).toBe(key({ slack: { ...RECIPE.slack, s: 0 } }));
    expect(key({ method: 'ties', slack: { ...RECIPE.slack, prefer: 'ct' } })).toBe(key({ method: 'ties' }));
    const linear = (changes: Partial<Recipe>) => key({ method: 'linear', ...changes });
    expect(linear({ ...withFirst({ density: 0.9 }), rescale: true })).toBe(linear({}));
    expect(linear(withFirst({ weight: 2 }))).not.toBe(linear({}));
  });

  it('leaving out is a set: its order does not count', () => {
    expect(key({}, { leaveOut: { b: ['ct'], a: ['ct', 'sft'] } })).toBe(key({}, { leaveOut: { a: ['sft', 'ct'], b: ['ct'] } }));
  });
});
