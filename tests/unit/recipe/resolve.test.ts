import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { evaluateSetting, placeInLayers, resolveParameters, ruleFor } from '../../../src/recipe/resolve';
import type { Recipe, Setting } from '../../../src/recipe/types';
import { TIES } from './recipes';

interface Row {
  readonly tensor: string;
  readonly t: number;
  readonly setting: Setting<number> | Setting<boolean>;
  readonly expected: number | boolean | null;
}
const rows = JSON.parse(readFileSync(new URL('../../fixtures/params_evaluate_setting.json', import.meta.url), 'utf8')) as Row[];

describe('evaluateSetting (merging.md section 9)', () => {
  it('gives the 200 values MergeKit gives, to the bit', () => {
    expect(rows).toHaveLength(200);
    for (const { tensor, t, setting, expected } of rows) {
      expect(evaluateSetting(setting as Setting<number>, tensor, t), JSON.stringify({ tensor, t, setting })).toBe(expected);
    }
  });

  it('takes the first rule that matches, and null where none does', () => {
    const setting = [{ filter: 'mlp', value: 0.5 }, { filter: 'mlp.up', value: 0.9 }];
    expect(evaluateSetting(setting, 'model.layers.0.mlp.up_proj.weight', 0)).toBe(0.5);
    expect(evaluateSetting(setting, 'model.norm.weight', 0)).toBeNull();
  });
});

describe('placeInLayers (merging.md section 9)', () => {
  it.each([
    [0, 4, 0],
    [1, 4, 1 / 3],
    [3, 4, 1],
    [null, 4, 0],
    [0, 1, 0],
    [null, 0, 0],
  ])('layer %s of %i is at %d', (layer, layers, t) => {
    expect(placeInLayers(layer, layers)).toBe(t);
  });
});

/** The parameters of golden case ties_42_f32_gradient_filter. */
const GOLDEN_42: Recipe = {
  ...TIES,
  models: [
    { model: 'm1', weight: 1, density: [0.2, 0.5, 1] },
    { model: 'm2', weight: [{ filter: 'mlp', value: [0.5, 1] }, { filter: 'self_attn', value: 0.25 }, { value: 0.75 }], density: 0.8 },
  ],
  lambda: [1, 1.5],
};

describe('resolveParameters', () => {
  it.each([
    ['model.embed_tokens.weight', null, [1, 0.75], [0.2, 0.8], 1],
    ['model.layers.0.mlp.down_proj.weight', 0, [1, 0.5], [0.2, 0.8], 1],
    ['model.layers.1.self_attn.q_proj.weight', 1, [1, 0.25], [0.4, 0.8], 1.1666666666666667],
    ['model.layers.1.mlp.down_proj.weight', 1, [1, 0.6666666666666667], [0.4, 0.8], 1.1666666666666667],
    ['model.layers.2.mlp.down_proj.weight', 2, [1, 0.8333333333333333], [0.6666666666666666, 0.8], 1.3333333333333335],
    ['model.layers.3.mlp.down_proj.weight', 3, [1, 1], [1, 0.8], 1.5],
  ])('resolves golden case ties_42 for %s', (name, layer, weight, density, lambda) => {
    expect(resolveParameters(GOLDEN_42, name, layer, 4)).toEqual({ weight, density, lambda, normalize: true, rescale: false });
  });

  it('falls back where no filter matches: weight, density and lambda 1, slack none', () => {
    const nowhere = [{ filter: 'nowhere', value: 0.3 }];
    const recipe: Recipe = {
      ...TIES,
      method: 'ties_sv',
      models: [{ model: 'sft', weight: nowhere, density: nowhere }],
      lambda: nowhere,
      normalize: [{ filter: 'nowhere', value: false }],
      slack: { s: nowhere, of: 'retained', prefer: 'sft' },
    };
    expect(resolveParameters(recipe, 'w', null, 2)).toEqual({ weight: [1], density: [1], lambda: 1, normalize: true, rescale: false });
  });

  it.each([
    ['ties', true],
    ['ties_sv', true],
    ['linear', true],
    ['task_arithmetic', false],
  ] as const)('normalize of %s defaults to %s where no filter matches', (method, expected) => {
    const recipe: Recipe = { ...TIES, method, normalize: [{ filter: 'nowhere', value: !expected }] };
    expect(resolveParameters(recipe, 'w', null, 2).normalize).toBe(expected);
  });

  it('reads a gradient of normalize as Python reads a number: 0 is false', () => {
    const recipe: Recipe = { ...TIES, normalize: [0, 1] };
    expect([0, 1, 2].map((layer) => resolveParameters(recipe, 'w', layer, 3).normalize)).toEqual([false, true, true]);
  });

  it('gives slack to ties_sv only, with the preferred model by position', () => {
    const recipe: Recipe = { ...TIES, method: 'ties_sv', slack: { s: [0, 0.5], of: 'discarded', prefer: 'ct' } };
    expect(resolveParameters(recipe, 'w', 1, 3).slack).toEqual({ s: 0.25, of: 'discarded', prefer: 1 });
    expect(resolveParameters(recipe, 'w', 0, 3).slack).toBeUndefined();
    expect(resolveParameters({ ...recipe, method: 'ties' }, 'w', 1, 3).slack).toBeUndefined();
  });

  it('refuses a preferred model that is not listed', () => {
    const recipe: Recipe = { ...TIES, method: 'ties_sv', slack: { s: 0.1, of: 'retained', prefer: 'gone' } };
    expect(() => resolveParameters(recipe, 'w', 0, 1)).toThrowError(expect.objectContaining({ reason: 'prefer-not-a-model', where: { model: 'gone', names: ['slack'] } }) as Error);
  });

  it('leaves what the method does not read neutral', () => {
    const recipe: Recipe = { ...TIES, lambda: 0.5, rescale: true };
    expect(resolveParameters(recipe, 'w', 0, 1)).toMatchObject({ density: [0.2, 1], lambda: 0.5, rescale: true });
    expect(resolveParameters({ ...recipe, method: 'task_arithmetic' }, 'w', 0, 1)).toMatchObject({ density: [1, 1], lambda: 0.5, rescale: false });
    expect(resolveParameters({ ...recipe, method: 'linear' }, 'w', 0, 1)).toMatchObject({ density: [1, 1], lambda: 1, rescale: false });
  });

  it('refuses a linear merge whose weights sum to 0 for one tensor, and names it (merging.md section 7)', () => {
    const recipe: Recipe = {
      ...TIES,
      method: 'linear',
      models: [
        { model: 'sft', weight: [{ filter: 'norm', value: -0.5 }, { value: 1 }], density: 1 },
        { model: 'ct', weight: 0.5, density: 1 },
      ],
    };
    expect(resolveParameters(recipe, 'q_proj', 0, 1).weight).toEqual([1, 0.5]);
    expect(() => resolveParameters(recipe, 'norm', 0, 1)).toThrowError(
      expect.objectContaining({ code: 'invalid-recipe', reason: 'weights-sum-zero', where: { tensor: 'norm', names: ['weight'], actual: '-0.5, 0.5' } }) as Error,
    );
    expect(resolveParameters({ ...recipe, normalize: false }, 'norm', 0, 1).weight).toEqual([-0.5, 0.5]);
  });

  it('refuses weights that sum to 0 in f32 though not in float64', () => {
    expect(0.1 + 0.2 - 0.3).not.toBe(0);
    const models = [0.1, 0.2, -0.3].map((weight, index) => ({ model: `m${index}`, weight, density: 1 }));
    expect(() => resolveParameters({ ...TIES, method: 'linear', models }, 'w', 0, 1)).toThrowError(expect.objectContaining({ reason: 'weights-sum-zero' }) as Error);
  });
});

describe('ruleFor (merging.md section 9)', () => {
  const rules = [
    { filter: 'embed', action: 'take', from: 'ct' },
    { filter: 'embed_tokens', action: 'keep-base' },
    { filter: 'q_proj', action: 'merge' },
    { filter: '*', action: 'keep-base' },
  ] as const;

  it('takes the first that matches', () => {
    const recipe: Recipe = { ...TIES, rules };
    expect(ruleFor(recipe, 'model.embed_tokens.weight')).toBe(rules[0]);
    expect(ruleFor(recipe, 'model.layers.0.self_attn.q_proj.weight')).toBe(rules[2]);
    expect(ruleFor(recipe, 'model.norm.weight')).toBe(rules[3]);
  });

  it('is null where none does', () => {
    expect(ruleFor({ ...TIES, rules: rules.slice(0, 3) }, 'model.norm.weight')).toBeNull();
  });
});
