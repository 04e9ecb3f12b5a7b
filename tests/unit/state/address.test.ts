import { describe, expect, it } from 'vitest';
import { leftOutOfLink, readAddress, writeAddress } from '../../../src/state/address';
import type { Checkpoint } from '../../../src/checkpoint/types';
import { NO_SERIES } from '../../../src/state/series-names';
import { checkpoint, opened, settle, studio, type Studio } from './fakes';

const CHART = { tab: 'layers', layer: null, module: null, tensor: null, shown: {} } as const;

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
    expect(two.store.getState().view.chart).toEqual({ tab: 'map', layer: 3, module: 'down', tensor: null, shown: {} });
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

  it('holds the fingerprints, and says when a checkpoint of a name is another one', async () => {
    const of = (name: string, mark: string) => ({ ...checkpoint(name), fingerprint: mark.repeat(64) });
    const open = async (one: Studio, checkpoints: Checkpoint[]) => {
      void one.controller.drop([{ path: 'x', handle: null }]);
      await settle();
      one.worker.last('open').resolve({ checkpoints, problems: [], ignored: [], results: [] });
      await settle();
    };
    const one = studio();
    await open(one, [of('base', 'a'), of('sft', 'b'), of('ct-x-4M', 'c')]);
    const fragment = one.controller.address();
    expect(new URLSearchParams(fragment).get('f')).toBe(['a', 'b', 'c'].map((mark) => mark.repeat(12)).join('.'));

    const two = studio();
    two.controller.readAddress(`#${fragment}`);
    expect(two.store.getState().wanted?.fingerprints).toEqual({ base: 'a'.repeat(12), sft: 'b'.repeat(12), 'ct-x-4M': 'c'.repeat(12) });
    // Not lost while it waits.
    expect(two.controller.address()).toBe(fragment);
    await open(two, [of('base', 'a'), of('sft', 'b'), of('ct-x-4M', 'd')]);
    expect(two.store.getState()).toMatchObject({ wanted: null, unlike: [{ name: 'ct-x-4M', wanted: 'c'.repeat(12), open: 'd'.repeat(12) }] });
    two.controller.dismissUnlike();
    expect(two.store.getState().unlike).toEqual([]);

    // The same ones, and a link that holds none or broken ones: nothing to say.
    for (const link of [fragment, fragment.replace(/&f=[^&]*/, ''), fragment.replace(/&f=[^&]*/, '&f=x..aaaaaaaaaaaaz')]) {
      const three = studio();
      three.controller.readAddress(`#${link}`);
      await open(three, [of('base', 'a'), of('sft', 'b'), of('ct-x-4M', 'c')]);
      expect(three.store.getState()).toMatchObject({ wanted: null, unlike: [] });
    }
  });

  it('brings back what was typed into a series, the shard size, the tensor and what the tabs show, as their checkpoints open', async () => {
    const one = studio();
    await opened(one, 'base', 'sft', 'ct-x-4M', 'ct-y');
    one.controller.setTokens('id:ct-y', 3e9);
    one.controller.setTokens('id:ct-x-4M', 4e6);
    one.controller.setInSeries('id:ct-y', true);
    one.controller.setSeries({ along: 'id:ct-x-4M' });
    one.controller.setShardBytes(2e9);
    one.controller.setChart({ tensor: 'model.norm.weight', shown: { map: 'won:1', grid: 'fine' } });
    const fragment = one.controller.address();

    const two = studio();
    two.controller.readAddress(`#${fragment}`);
    expect(two.store.getState().view.chart).toMatchObject({ tensor: 'model.norm.weight', shown: { map: 'won:1', grid: 'fine' } });
    expect(two.controller.address()).toBe(fragment);
    await opened(two, 'base', 'sft', 'ct-x-4M');
    expect(two.store.getState().decisions.present.shardBytes).toBe(2e9);
    expect(two.store.getState().series).toEqual({ along: 'id:ct-x-4M', members: {}, tokens: { 'id:ct-x-4M': 4e6 } });
    // What still waits is in the address, and what is typed meanwhile counts.
    two.controller.setTokens('id:ct-x-4M', 5e6);
    expect(JSON.parse(new URLSearchParams(two.controller.address()).get('s')!)).toEqual({ along: 'ct-x-4M', members: { 'ct-y': true }, tokens: { 'ct-y': 3e9, 'ct-x-4M': 5e6 } });
    await opened(two, 'ct-y');
    expect(two.store.getState().series).toEqual({ along: 'id:ct-x-4M', members: { 'id:ct-y': true }, tokens: { 'id:ct-y': 3e9, 'id:ct-x-4M': 5e6 } });
    expect(two.store.getState().wantedSeries).toEqual(NO_SERIES);
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

  it.each(['#r=', '#r={"v":1}', '#r=%7Bbroken', '#t=nowhere&l=-1&m=none', '#l=99999', '#s={"along":3,"members":[1],"tokens":{"a":"4","b":-1}}', '#s={"members', '#v=[1]&n='])('takes %s for an address without a wish', (fragment) => {
    expect(readAddress(fragment)).toEqual({ wanted: null, chart: {}, series: NO_SERIES });
  });
});
