/** Snapshots and what is estimated beside the recipe on the screen. */
import { describe, expect, it } from 'vitest';
import { CancelledError } from '../../../src/bytes/errors';
import { DEFAULT_CHOICES } from '../../../src/merge/plan-types';
import { REST_MS } from '../../../src/state/estimates';
import { comparedSeriesEstimates, comparedSeriesPoints, seriesMembers, seriesPoints } from '../../../src/state/series';
import { MAX_SNAPSHOTS, missingFor, readSnapshots, wordsOf, writeSnapshots } from '../../../src/state/snapshots';
import { figuresOf, opened, settle, studio, type Studio } from './fakes';

const present = (one: Studio) => one.store.getState().decisions.present;
const snapshots = (one: Studio) => one.store.getState().snapshots;
const estimates = (one: Studio) => one.worker.of('estimate');
const models = (asked: ReturnType<typeof estimates>[number]) => asked.payload.recipe.models.map(({ model }) => model);

async function family(...more: string[]): Promise<Studio> {
  const one = studio();
  await opened(one, 'base', 'sft', 'ct-x-1M', 'ct-x-4M', ...more);
  return one;
}

describe('snapshots', () => {
  it('keep recipe and choices by checkpoint names, under a name made from the recipe where none is given', async () => {
    const one = await family();
    one.controller.leaveOut('id:ct-x-4M', ['t'], true);
    expect([one.controller.keepSnapshot('  '), one.controller.keepSnapshot('mine')]).toEqual([true, true]);
    const [first, second] = snapshots(one).list;
    expect([first!.name, second!.name]).toEqual(['TIES-SV, k 0.2 and 1, s 0.04', 'mine']);
    expect(first!.recipe.models.map(({ model }) => model)).toEqual(['sft', 'ct-x-4M']);
    expect([first!.recipe.slack.prefer, first!.choices.leaveOut]).toEqual(['sft', { t: ['ct-x-4M'] }]);
  });

  it('are applied as one step of undo, roles and choices included', async () => {
    const one = await family();
    one.controller.keepSnapshot('paper');
    const before = present(one);
    one.controller.applyPreset('wavg');
    one.controller.mergeInstead('id:ct-x-4M', 'id:ct-x-1M');
    one.controller.applySnapshot(1);
    expect(present(one).recipe).toEqual(before.recipe);
    expect(present(one).roles).toEqual(before.roles);
    one.controller.undo();
    expect(present(one).recipe.method).toBe('linear');
    expect(present(one).recipe.models.map(({ model }) => model)).toEqual(['id:sft', 'id:ct-x-1M']);
  });

  it('wait for their checkpoints, and are found again by name after a reload', async () => {
    const one = await family();
    one.controller.keepSnapshot('paper');
    const kept = readSnapshots(writeSnapshots(snapshots(one)));
    expect(kept).toEqual(snapshots(one).list);

    const later = studio();
    later.store.setState({ snapshots: { list: kept, compared: null } });
    await opened(later, 'base', 'sft');
    expect(missingFor(kept[0]!, later.store.getState().checkpoints.open)).toEqual(['ct-x-4M']);
    const before = present(later);
    later.controller.applySnapshot(1);
    expect(present(later).recipe).toEqual(before.recipe);
  });

  it('are renamed, deleted, and bounded; a full list refuses instead of forgetting', async () => {
    const one = await family();
    for (let i = 0; i < MAX_SNAPSHOTS; i++) expect(one.controller.keepSnapshot(`s${i}`)).toBe(true);
    expect(one.controller.keepSnapshot('one too many')).toBe(false);
    one.controller.renameSnapshot(1, ' first ');
    one.controller.renameSnapshot(2, '   ');
    expect(snapshots(one).list.slice(0, 2).map(({ name }) => name)).toEqual(['first', 's1']);
    one.controller.compareWith(2);
    one.controller.deleteSnapshot(2);
    expect([snapshots(one).list.length, snapshots(one).compared]).toEqual([MAX_SNAPSHOTS - 1, null]);
    expect(studio().controller.keepSnapshot('nothing to keep')).toBe(false);
  });

  it.each([
    ['not text', null, 0],
    ['no list', '{"a":1}', 0],
    ['cut off', '[{"id":1', 0],
    ['no recipe', '[{"id":1,"name":"x","recipe":"{}","choices":{}}]', 0],
    ['two of one number', (text: string) => `[${text.slice(1, -1)},${text.slice(1, -1)}]`, 1],
    ['choices that are none', (text: string) => text.replace(/"choices":\{.*\}/, '"choices":{"leaveOut":[1],"extraRows":"all","integerFrom":{"t":3}}}'), 1],
  ])('read what the browser kept, %s', async (_, change, found) => {
    const one = await family();
    one.controller.keepSnapshot('x');
    const text = writeSnapshots(snapshots(one));
    const read = readSnapshots(typeof change === 'function' ? change(text) : change);
    expect(read).toHaveLength(found);
    if (found > 0) expect(read[0]!.choices).toEqual(DEFAULT_CHOICES);
  });

  it('say their recipe in a few words', async () => {
    const one = await family();
    const { recipe } = present(one);
    expect(wordsOf({ ...recipe, method: 'linear' })).toBe('WAVG, w 1 and 1');
    expect(wordsOf({ ...recipe, method: 'ties', models: recipe.models.map((model, i) => ({ ...model, density: 0.5, weight: i === 0 ? 1 : [0.2, 0.6] })) })).toBe('TIES, k 0.5 and 0.5, w 1 and 0.2 to 0.6');
    expect(wordsOf({ ...recipe, method: 'ties', lambda: 0.5, models: recipe.models.map((model) => ({ ...model, density: [0.1, 0.3] })) })).toBe('TIES, k 0.1 to 0.3 and 0.1 to 0.3, λ 0.5');
  });
});

describe('estimates', () => {
  it('of the compared snapshot are asked for once, and again when the snapshot is another', async () => {
    const one = await family();
    one.clock.pass(REST_MS);
    one.controller.keepSnapshot('a');
    one.controller.setRecipe({ method: 'ties' }, 'method');
    one.controller.keepSnapshot('b');
    one.clock.pass(REST_MS);
    expect(estimates(one)).toHaveLength(0);
    one.controller.compareWith(1);
    expect(estimates(one).at(-1)!.payload.recipe.method).toBe('ties_sv');
    estimates(one).at(-1)!.resolve({ tensors: [figuresOf('t', 3, true)] });
    await settle();
    expect(one.store.getState().estimates['snapshot 1']).toMatchObject({ problem: null, tensors: [{ tensor: 't' }] });
    one.controller.compareWith(2);
    expect(estimates(one).at(-1)!.payload.recipe.method).toBe('ties');
    estimates(one).at(-1)!.resolve({ tensors: [figuresOf('t', 4, true)] });
    await settle();
    one.controller.compareWith(1);
    expect(estimates(one)).toHaveLength(2);
  });

  it('of a series come one after the other, by tokens, and wait while the recipe moves', async () => {
    const one = await family('ct-x-256k', 'ct-y-1M');
    one.controller.setChart({ tab: 'series' });
    expect(estimates(one).map(models)).toEqual([['id:sft', 'id:ct-x-256k']]);
    estimates(one)[0]!.resolve({ tensors: [figuresOf('t', 1, true)] });
    await settle();
    expect(estimates(one).map(models)).toEqual([['id:sft', 'id:ct-x-256k'], ['id:sft', 'id:ct-x-1M']]);
    one.controller.setRecipe({ method: 'ties' }, 'method');
    estimates(one)[1]!.resolve({ tensors: [figuresOf('t', 2, true)] });
    await settle();
    // What came is of the recipe before: shown, but not current.
    const points = seriesPoints(one.store.getState());
    expect(points.map(({ member, estimate, current }) => [member.name, estimate?.tensors.length ?? 0, current])).toEqual([
      ['ct-x-256k', 1, false], ['ct-x-1M', 1, false], ['ct-x-4M', 0, false],
    ]);
  });

  it('that were cancelled are asked again, that failed say why, and a finer sample asks anew for what is not exact', async () => {
    const one = await family();
    one.controller.setChart({ tab: 'series' });
    estimates(one)[0]!.reject(new CancelledError());
    await settle();
    expect(estimates(one).map(models).at(-1)).toEqual(['id:sft', 'id:ct-x-1M']);
    estimates(one).at(-1)!.reject(new Error('broken'));
    await settle();
    expect(one.store.getState().estimates['series id:ct-x-1M']!.problem!.code).toBe('internal');
    estimates(one).at(-1)!.resolve({ tensors: [figuresOf('t', 2, false)] });
    await settle();
    const asked = estimates(one).length;
    one.worker.emit({ event: 'sample' });
    await settle();
    expect(estimates(one).slice(asked).map(models)).toEqual([['id:sft', 'id:ct-x-4M']]);
  });
});

describe('the series', () => {
  it('of the compared snapshot has the same checkpoints in the place of the snapshot\'s own, under its settings', async () => {
    const one = await family('ct-x-256k', 'ct-y-1M');
    one.controller.mergeInstead('id:ct-x-4M', 'id:ct-x-1M');
    one.controller.setRecipe({ method: 'ties' }, 'method');
    one.controller.keepSnapshot('ties');
    one.controller.mergeInstead('id:ct-x-1M', 'id:ct-x-4M');
    one.controller.setMethod('ties_sv');
    const wanted = () => comparedSeriesEstimates(one.store.getState()).map(({ slot, recipe }) => [slot, recipe.method, recipe.models[1]!.model]);
    expect(wanted()).toEqual([]);
    one.controller.compareWith(1);
    expect(wanted()).toEqual(['ct-x-256k', 'ct-x-1M', 'ct-x-4M'].map((name) => [`snapshot series id:${name}`, 'ties', `id:${name}`]));
    // Asked for after the points of the recipe on the screen, and theirs only while they are of the snapshot as it is.
    one.controller.setChart({ tab: 'series' });
    for (let i = 0; i < 7; i++) {
      estimates(one).at(-1)!.resolve({ tensors: [figuresOf('t', i, true)] });
      await settle();
    }
    const points = () => [...comparedSeriesPoints(one.store.getState())].map(([id, { models: count }]) => [id, count]);
    expect(points()).toEqual([['id:ct-x-256k', 2], ['id:ct-x-1M', 2], ['id:ct-x-4M', 2]]);
    // A snapshot of another run has no place for them.
    one.controller.mergeInstead('id:ct-x-4M', 'id:ct-y-1M');
    one.controller.keepSnapshot('other');
    one.controller.mergeInstead('id:ct-y-1M', 'id:ct-x-4M');
    one.controller.compareWith(2);
    expect(wanted()).toEqual([]);
  });

  it('is the run of the first CT; tokens by hand count before the name, and members by hand before the run', async () => {
    const one = await family('ct-y-1M', 'notes-model');
    const members = () => seriesMembers(one.store.getState()).map(({ name, tokens, included, current }) => [name, tokens, included, current]);
    expect(members()).toEqual([
      ['ct-x-1M', 2 ** 20, true, false], ['ct-y-1M', 2 ** 20, false, false], ['ct-x-4M', 2 ** 22, true, true], ['notes-model', null, false, false],
    ]);
    one.controller.setTokens('id:ct-x-1M', 9e9);
    one.controller.setInSeries('id:notes-model', true);
    one.controller.setInSeries('id:ct-x-4M', false);
    expect(members()).toEqual([
      ['ct-y-1M', 2 ** 20, false, false], ['ct-x-4M', 2 ** 22, false, true], ['ct-x-1M', 9e9, true, false], ['notes-model', null, true, false],
    ]);
    one.controller.setTokens('id:ct-x-1M', null);
    expect(members()[0]).toEqual(['ct-x-1M', 2 ** 20, true, false]);
  });

  it('merges another checkpoint of the run with the same settings, as one step of undo', async () => {
    const one = await family();
    one.controller.setModel(1, { density: 0.5 }, 'density');
    one.controller.mergeInstead('id:ct-x-4M', 'id:ct-x-1M');
    expect(present(one).recipe.models[1]).toEqual({ model: 'id:ct-x-1M', weight: 1, density: 0.5 });
    expect([present(one).roles['id:ct-x-1M'], present(one).roles['id:ct-x-4M']]).toEqual(['ct', 'none']);
    one.controller.undo();
    expect(present(one).recipe.models[1]!.model).toBe('id:ct-x-4M');
  });
});
