import { describe, expect, it } from 'vitest';
import { leftOutOfLink, readAddress, writeAddress } from '../../../src/state/address';
import { checkpoint, opened, studio } from './fakes';

const CHART = { tab: 'layers', layer: null, module: null, tensor: null } as const;

describe('the address', () => {
  it('brings the recipe back once the checkpoints it names are open, whatever their ids', async () => {
    const one = studio();
    await opened(one, 'base', 'sft', 'ct-x-4M');
    one.controller.setModel(0, { density: [0.1, 0.4] }, 'density 0');
    one.controller.setRole('id:ct-x-4M', 'base');
    one.controller.setChart({ tab: 'map', layer: 3, module: 'down' });
    const fragment = one.controller.address();
    expect(fragment).not.toContain('id%3A');

    const two = studio();
    two.controller.readAddress(`#${fragment}`);
    expect(two.store.getState().view.chart).toEqual({ tab: 'map', layer: 3, module: 'down', tensor: null });
    expect(two.store.getState().wanted?.names).toEqual(['ct-x-4M', 'sft', 'base']);
    expect(two.controller.address()).toBe(fragment);
    await opened(two, 'base', 'sft');
    expect(two.store.getState().wanted).not.toBeNull();
    // Two of three are open and merged by guess: reloading now must still find the link.
    expect(two.store.getState().decisions.present.recipe.models).toHaveLength(1);
    expect(two.controller.address()).toBe(fragment);
    await opened(two, 'ct-x-4M');
    expect(two.store.getState().wanted).toBeNull();
    expect(two.store.getState().decisions.present.recipe).toEqual(one.store.getState().decisions.present.recipe);
    expect(two.store.getState().decisions.present.roles).toEqual(one.store.getState().decisions.present.roles);
  });

  it('brings back what was decided where the checkpoints differ', async () => {
    const one = studio();
    await opened(one, 'base', 'sft', 'ct-x-4M');
    expect(one.controller.address()).not.toContain('c=');
    one.controller.matchRows('id');
    one.controller.leaveOut('id:sft', ['lm_head.weight'], true);
    one.controller.keepRowsOf('id:ct-x-4M');
    const fragment = one.controller.address();
    const two = studio();
    two.controller.readAddress(`#${fragment}`);
    expect(two.controller.address()).toBe(fragment);
    await opened(two, 'base', 'sft', 'ct-x-4M');
    expect(two.store.getState().decisions.present.choices).toEqual({ leaveOut: { 'lm_head.weight': ['id:sft'] }, extraRows: { from: 'id:ct-x-4M' }, integerFrom: {}, allowNonfinite: false, rows: 'id' });
    // Too long for a link: the recipe alone.
    const { checkpoints, decisions } = one.store.getState();
    expect(leftOutOfLink(decisions.present.choices, checkpoints.open)).toBeNull();
    one.controller.leaveOut('id:sft', Array.from({ length: 200 }, (_, i) => `model.layers.${i}.mlp.gate_proj.weight`), true);
    expect(one.controller.address()).not.toContain('c=');
    expect(one.controller.address()).toContain('r=');
    const { choices } = one.store.getState().decisions.present;
    expect(leftOutOfLink(choices, checkpoints.open)).toBe(JSON.stringify(choices).replace(',"integerFrom":{},"allowNonfinite":false', '').replaceAll('"id:', '"').length);
  });

  it('is one step of undo where the recipe before it was edited, and none where it was guessed', async () => {
    const one = studio();
    await opened(one, 'base', 'sft', 'ct-x-4M');
    one.controller.setModel(0, { density: 0.45 }, 'density');
    const link = one.controller.address();

    const two = studio();
    await opened(two, 'base', 'sft', 'ct-x-4M');
    two.controller.readAddress(link);
    expect(two.store.getState().decisions.past).toEqual([]);
    two.controller.setRecipe({ lambda: 0.5 }, 'lambda');
    two.controller.setRole('id:sft', 'none');
    const edited = two.store.getState().decisions.present;
    two.controller.readAddress(link);
    expect(two.store.getState().decisions.present.recipe).toEqual(one.store.getState().decisions.present.recipe);
    two.controller.undo();
    expect(two.store.getState().decisions.present).toBe(edited);
    two.controller.undo();
    expect(two.store.getState().decisions.present).toMatchObject({ recipe: { lambda: 0.5 }, roles: { 'id:sft': 'sft' } });
  });

  it('forgets a link on request: what is edited meanwhile stays, and is in the address', async () => {
    const one = studio();
    await opened(one, 'base', 'sft', 'ct-x-4M');
    const fragment = one.controller.address();
    const two = studio();
    two.controller.readAddress(`#${fragment}`);
    await opened(two, 'base', 'sft');
    two.controller.setRecipe({ lambda: 0.5 }, 'lambda');
    two.controller.forgetLink();
    expect(two.controller.address()).not.toBe(fragment);
    await opened(two, 'ct-x-4M');
    expect(two.store.getState().decisions.present.recipe.lambda).toBe(0.5);
  });

  it('holds no recipe where a name would be ambiguous', async () => {
    const one = studio();
    await opened(one, 'base', 'sft', 'ct-x-4M');
    const { present } = one.store.getState().decisions;
    const open = [checkpoint('base'), checkpoint('sft'), { ...checkpoint('ct-x-4M'), name: 'sft' }];
    expect(writeAddress(present, open, CHART)).toBe('');
  });

  it.each(['#r=', '#r={"v":1}', '#r=%7Bbroken', '#t=nowhere&l=-1&m=none', '#l=99999'])('takes %s for an address without a wish', (fragment) => {
    expect(readAddress(fragment)).toEqual({ wanted: null, chart: {} });
  });
});
