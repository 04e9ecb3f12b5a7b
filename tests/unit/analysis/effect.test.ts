/** Lengths and cosines of a merge, summed over tensors. */
import { describe, expect, it } from 'vitest';
import { effectOver } from '../../../src/analysis/effect';
import { byLayer, within, type Part } from '../../../src/analysis/parts';
import { placeOf } from '../../../src/checkpoint/places';
import type { SlotEffect } from '../../../src/merge/exploring';

const part = (tensor: string, elements: number, view: SlotEffect, exact = true): Part<SlotEffect> => ({ tensor, elements, exact, view });
const Q0 = 'model.layers.0.self_attn.q_proj.weight';
/** theta (3,4), tau_1 (1,0), tau_2 (0,2), change (1,1). */
const SMALL: SlotEffect = { numel: 2, base2: 25, tau2: [1, 4], between: [0], change2: 2, along: [1, 2] };

describe('effectOver', () => {
  it('gives lengths relative to the base and cosines', () => {
    const effect = effectOver([part(Q0, 2, SMALL)], 2);
    expect(effect.change).toBeCloseTo(Math.SQRT2 / 5, 12);
    expect(effect.tau).toEqual([0.2, 0.4]);
    expect(effect.cosine.map((c) => Number(c!.toFixed(12)))).toEqual([Number(Math.SQRT1_2.toFixed(12)), Number(Math.SQRT1_2.toFixed(12))]);
    expect([effect.between, effect.exactness]).toEqual([[0], 'exact']);
  });

  it('sums squares, never ratios, and scales samples to their tensors', () => {
    const other: SlotEffect = { numel: 10, base2: 75, tau2: [8, 1], between: [-2], change2: 7, along: [4, -1] };
    const effect = effectOver([part(Q0, 2, SMALL), part('lm_head.weight', 20, other, false)], 2);
    expect(effect.change).toBeCloseTo(Math.sqrt(16 / 175), 12);
    expect(effect.tau[0]).toBeCloseTo(Math.sqrt(17 / 175), 12);
    expect(effect.cosine[1]).toBeCloseTo(0 / 1, 12);
    expect(effect.cosine[0]).toBeCloseTo(9 / Math.sqrt(16 * 17), 12);
    expect(effect.between[0]).toBeCloseTo(-4 / Math.sqrt(17 * 6), 12);
    expect(effect.exactness).toBe('partial');
  });

  it('has nothing to say of lengths that are 0, and keeps three models apart', () => {
    expect(effectOver([part(Q0, 2, { ...SMALL, change2: 0, along: [0, 0] })], 2)).toMatchObject({ change: 0, cosine: [null, null] });
    expect(effectOver([], 2)).toMatchObject({ change: null, tau: [null, null], between: [null] });
    const three: SlotEffect = { numel: 3, base2: 1, tau2: [1, 1, 4], between: [0.5, 1, -1], change2: 1, along: [1, 0, 0] };
    expect(effectOver([part(Q0, 3, three)], 3).between).toEqual([0.5, 0.5, -0.5]);
  });
});

describe('parts by place', () => {
  const parts = ['lm_head.weight', 'model.layers.10.mlp.up_proj.weight', 'model.layers.2.self_attn.q_proj.weight', 'model.norm.weight', 'model.embed_tokens.weight', Q0].map((tensor) => ({ tensor }));

  it('layers ascend between what is before and what is after them', () => {
    expect(byLayer(parts, placeOf).map(({ key, layer, parts: own }) => [key, layer, own.length])).toEqual([
      ['embed', null, 1], ['0', 0, 1], ['2', 2, 1], ['10', 10, 1], ['head', null, 2],
    ]);
  });
  it('a scope is a layer, a module, or both', () => {
    const names = (layer: number | null, module: 'q' | 'up' | null) => within(parts, placeOf, { layer, module }).map(({ tensor }) => tensor);
    expect(names(null, null)).toHaveLength(6);
    expect(names(2, null)).toEqual(['model.layers.2.self_attn.q_proj.weight']);
    expect(names(null, 'q')).toEqual(['model.layers.2.self_attn.q_proj.weight', Q0]);
    expect(names(10, 'q')).toEqual([]);
  });
});
