/** Curves over layers and rules by kind of tensor, as the page edits them: what is edited resolves to what is drawn (section 9). */
import { describe, expect, it } from 'vitest';
import { asRules, FILTERS, layerOfPoint, pointsOf, resampled, withNewRule, withPoint } from '../../../src/recipe/curves';
import { evaluateSetting } from '../../../src/recipe/resolve';

describe('points of a gradient', () => {
  it('a number is a level line', () => expect([pointsOf(0.2), pointsOf([0.1, 0.4, 0.2])]).toEqual([[0.2, 0.2], [0.1, 0.4, 0.2]]));
  it('more points leave the curve as it is where the old ones are among them', () => {
    expect(resampled([0, 1], 5)).toEqual([0, 0.25, 0.5, 0.75, 1]);
    expect(resampled([0.1, 0.4, 0.2], 5)).toEqual([0.1, 0.25, 0.4, 0.3, 0.2]);
    for (const t of [0, 0.3, 0.5, 0.8, 1]) expect(evaluateSetting<number>(resampled([0.1, 0.4, 0.2], 5), '', t)).toBeCloseTo(Number(evaluateSetting<number>([0.1, 0.4, 0.2], '', t)), 9);
    expect(resampled([0.1, 0.25, 0.4, 0.3, 0.2], 3)).toEqual([0.1, 0.4, 0.2]);
    expect(resampled([0.1, 0.4], 1)).toEqual([0.1]);
  });
  it('one is moved alone, and lies at its layer', () => {
    expect(withPoint([0.1, 0.2, 0.3], 1, 0.9)).toEqual([0.1, 0.9, 0.3]);
    expect([0, 1, 2].map((i) => layerOfPoint(i, 3, 33))).toEqual([0, 16, 32]);
    expect([layerOfPoint(0, 1, 8), layerOfPoint(1, 2, 0)]).toEqual([0, 0]);
  });
});

describe('rules by kind', () => {
  it('mean what the setting meant, and end with the rule for all others', () => {
    expect(asRules([0.1, 0.3], 1)).toEqual([{ value: [0.1, 0.3] }]);
    expect(asRules([{ filter: 'mlp', value: 0.2 }], 1)).toEqual([{ filter: 'mlp', value: 0.2 }, { value: 1 }]);
    // What stands behind a rule for all is never reached.
    expect(asRules([{ filter: '*', value: 0.2 }, { filter: 'mlp', value: 0.5 }], 1)).toEqual([{ filter: '*', value: 0.2 }]);
  });
  it('a further kind starts where all others stand, so that adding it changes nothing', () => {
    const rules = withNewRule(withNewRule([{ value: 0.3 }]));
    expect(rules).toEqual([{ filter: 'self_attn', value: 0.3 }, { filter: 'mlp', value: 0.3 }, { value: 0.3 }]);
    expect(withNewRule(rules).at(-2)).toEqual({ filter: 'embed_tokens', value: 0.3 });
  });
  it.each([
    ['model.layers.0.self_attn.q_proj.weight', 'Attention'], ['model.layers.0.mlp.gate_proj.weight', 'MLP'], ['model.embed_tokens.weight', 'Embeddings'],
    ['lm_head.weight', 'Head'], ['model.layers.3.input_layernorm.weight', 'Norms'], ['model.norm.weight', 'Norms'],
  ])('%s is of %s alone', (name, label) => {
    expect(FILTERS.filter(({ filter }) => name.includes(filter)).map((one) => one.label)).toEqual([label]);
  });
});
