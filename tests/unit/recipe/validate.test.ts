import { describe, expect, it } from 'vitest';
import type { Recipe, Setting } from '../../../src/recipe/types';
import { MAX_MODELS } from '../../../src/recipe/methods';
import { validateRecipe } from '../../../src/recipe/validate';
import { defaultRecipe, PRESETS } from '../../../src/recipe/presets';
import { TIES } from './recipes';

const problems = (change: Partial<Recipe>) => validateRecipe({ ...TIES, ...change }).map(({ reason, where }) => ({ reason, ...where }));
const reasons = (change: Partial<Recipe>) => problems(change).map(({ reason }) => reason);
const withDensity = (density: Setting<number>) => ({ models: [{ model: 'sft', weight: 1, density }] });
const withWeights = (...weights: Setting<number>[]) => ({ models: weights.map((weight, index) => ({ model: `m${index}`, weight, density: 1 })) });

describe('validateRecipe', () => {
  it('finds nothing wrong with a good recipe', () => {
    expect(problems({})).toEqual([]);
  });

  it.each([1e-9, 0.2, 1, 1.7, [0.2, 1], [{ filter: 'mlp', value: 0.5 }]])('accepts density %j (merging.md section 2; above 1 keeps everything)', (density) => {
    expect(reasons(withDensity(density))).toEqual([]);
  });

  it.each([
    [0, '0'],
    [-0.1, '-0.1'],
    [Number.NaN, 'NaN'],
    [Number.POSITIVE_INFINITY, 'Infinity'],
    [[0.5, 0], '0'],
    [[{ filter: 'mlp', value: [0.5, -1] }], '-1'],
  ])('refuses density %j', (density, actual) => {
    expect(problems(withDensity(density))).toEqual([{ reason: 'density-out-of-range', model: 'sft', names: ['density'], expected: '(0, 1]', actual }]);
  });

  it('does not judge what the method does not read', () => {
    const models = [{ model: 'sft', weight: 1, density: 0 }];
    expect(reasons({ models, method: 'linear', lambda: Number.NaN })).toEqual([]);
    expect(reasons({ slack: { s: 7, of: 'retained', prefer: 'gone' } })).toEqual([]);
  });

  it.each([Number.NaN, Number.NEGATIVE_INFINITY, [1, Number.NaN]])('refuses weight %j', (weight) => {
    expect(problems({ models: [{ model: 'ct', weight, density: 1 }] })).toMatchObject([{ reason: 'weight-not-finite', model: 'ct', names: ['weight'] }]);
  });

  it('refuses lambda and normalize that are no numbers', () => {
    expect(reasons({ lambda: [1, Number.POSITIVE_INFINITY] })).toEqual(['lambda-not-finite']);
    expect(reasons({ normalize: [0, Number.NaN] })).toEqual(['normalize-invalid']);
  });

  it('refuses empty and mixed lists', () => {
    expect(problems(withDensity([]))).toEqual([{ reason: 'gradient-empty', model: 'sft', names: ['density'] }]);
    expect(reasons({ lambda: [{ filter: 'mlp', value: [] }] })).toEqual(['gradient-empty']);
    expect(reasons({ lambda: [1, { value: 2 }] as unknown as Setting<number> })).toEqual(['setting-mixed']);
  });

  it('refuses linear weights that sum to 0 (merging.md section 7), with the weights', () => {
    expect(problems({ ...withWeights(0.5, -0.5), method: 'linear' })).toEqual([{ reason: 'weights-sum-zero', names: ['weight'], actual: '0.5, -0.5' }]);
    expect(reasons({ ...withWeights([1, 1], [{ value: -1 }]), method: 'linear' })).toEqual(['weights-sum-zero']);
    expect(reasons({ ...withWeights(0.5, -0.5), method: 'linear', normalize: false })).toEqual([]);
    expect(reasons({ ...withWeights(0.5, [-0.5, 1]), method: 'linear' })).toEqual([]);
    expect(reasons({ ...withWeights(0.5, -0.5) })).toEqual([]);
  });

  it('refuses slack outside [0, 1] and a preferred model that is absent or listed twice', () => {
    const slack = (s: Setting<number>, prefer: string): Partial<Recipe> => ({ method: 'ties_sv', slack: { s, of: 'retained', prefer } });
    expect(reasons(slack([0, 1], 'sft'))).toEqual([]);
    expect(problems(slack(1.01, 'sft'))).toEqual([{ reason: 'slack-out-of-range', names: ['slack'], expected: '[0, 1]', actual: '1.01' }]);
    expect(reasons(slack([0.1, -0.1], 'sft'))).toEqual(['slack-out-of-range']);
    expect(problems(slack(0.1, 'gone'))).toEqual([{ reason: 'prefer-not-a-model', model: 'gone', names: ['slack'] }]);
    const twice = [...TIES.models, TIES.models[0]!];
    expect(problems({ ...slack(0.1, 'sft'), models: twice })).toEqual([{ reason: 'prefer-ambiguous', model: 'sft', names: ['slack'], expected: 1, actual: 2 }]);
    expect(reasons({ ...slack(0.1, 'ct'), models: twice })).toEqual([]);
  });

  it('wants a base, and the base among the models, only as the method does', () => {
    expect(problems({ base: null })).toEqual([{ reason: 'base-missing', names: ['base'] }]);
    expect(reasons({ base: null, method: 'linear' })).toEqual([]);
    expect(problems({ base: 'ct' })).toEqual([{ reason: 'base-is-model', model: 'ct', names: ['models'] }]);
    expect(reasons({ base: 'ct', method: 'linear' })).toEqual([]);
  });

  it('wants 1 to 8 models and allows one twice', () => {
    // Once, whether or not slack would prefer one of them.
    for (const method of ['ties', 'ties_sv'] as const) expect(problems({ method, models: [] })).toEqual([{ reason: 'models-empty', names: ['models'], expected: 1, actual: 0 }]);
    const many = (count: number) => ({ models: Array.from({ length: count }, () => TIES.models[0]!) });
    expect(MAX_MODELS).toBe(8);
    expect(reasons(many(8))).toEqual([]);
    expect(problems(many(9))).toEqual([{ reason: 'models-too-many', names: ['models'], expected: 8, actual: 9 }]);
  });

  it('wants a source for take', () => {
    const rules = [{ filter: 'embed', action: 'take' }] as const;
    expect(problems({ rules })).toEqual([{ reason: 'rule-from-missing', names: ['rules'], actual: 'embed' }]);
  });
});

describe('presets', () => {
  const start: Recipe = { ...defaultRecipe('base', 'sft', ['ct1', 'ct2']), outDtype: 'F16', rules: [{ filter: 'norm', action: 'keep-base' }], tokenizerFrom: 'ct1' };
  const even = ['sft', 'ct1', 'ct2'].map((model) => ({ model, weight: 1, density: 1 }));
  const paper = even.map((model) => (model.model === 'sft' ? { ...model, density: 0.2 } : model));
  const kept = { base: 'base', outDtype: 'F16', rules: start.rules, tokenizerFrom: 'ct1', lambda: 1, rescale: false };

  it.each([
    ['paper', { method: 'ties', models: paper, normalize: true }],
    ['paper-slack', { method: 'ties_sv', models: paper, normalize: true, slack: { s: 0.04, of: 'retained', prefer: 'sft' } }],
    ['mergekit', { method: 'ties', models: even, normalize: true }],
    ['wavg', { method: 'linear', models: even, normalize: true }],
    ['task-arithmetic', { method: 'task_arithmetic', models: even, normalize: false }],
  ])('%s sets method and parameters, and keeps the rest', (id, expected) => {
    const messy: Recipe = { ...start, lambda: 0.3, rescale: true, normalize: [0, 1], models: start.models.map((model) => ({ ...model, weight: 9, density: 0.7 })) };
    const applied = PRESETS.find((preset) => preset.id === id)!.apply(messy);
    expect(applied).toMatchObject({ ...kept, ...expected });
    expect(validateRecipe(applied)).toEqual([]);
  });

  it('takes another model for SFT when told so', () => {
    const applied = PRESETS.find(({ id }) => id === 'paper-slack')!.apply(start, 'ct2');
    expect(applied.models.map(({ density }) => density)).toEqual([1, 1, 0.2]);
    expect(applied.slack.prefer).toBe('ct2');
  });

  it('starts with Paper + slack 4 %', () => {
    expect(defaultRecipe('base', 'sft', ['ct'])).toEqual({
      method: 'ties_sv',
      base: 'base',
      models: [
        { model: 'sft', weight: 1, density: 0.2 },
        { model: 'ct', weight: 1, density: 1 },
      ],
      lambda: 1,
      rescale: false,
      normalize: true,
      slack: { s: 0.04, of: 'retained', prefer: 'sft' },
      outDtype: 'base',
      rules: [],
      tokenizerFrom: null,
    });
  });

  it('starts without an SFT model with the first CT preferred and all densities 1', () => {
    const recipe = defaultRecipe('base', null, ['ct1', 'ct2']);
    expect(recipe.slack.prefer).toBe('ct1');
    expect(recipe.models.map(({ density }) => density)).toEqual([1, 1]);
  });
});
