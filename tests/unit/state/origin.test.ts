/** A merged checkpoint, or only its YAML, reopens the recipe it was made by. */
import { describe, expect, it } from 'vitest';
import { exportMetadata } from '../../../src/export/files';
import type { Checkpoint } from '../../../src/checkpoint/types';
import { DEFAULT_CHOICES } from '../../../src/merge/plan-types';
import { toMergeKit } from '../../../src/recipe/mergekit';
import { RECIPE_KEY } from '../../../src/recipe/provenance';
import type { Recipe } from '../../../src/recipe/types';
import { originOf } from '../../../src/state/origin';
import { TIES } from '../recipe/recipes';
import { checkpoint, PROGRESS, settle, studio, type Studio } from './fakes';

/** As it was when it was merged: other ids than those of the page now, and base under another name. */
const THEN = { base: { ...checkpoint('base'), id: 'then:base', name: 'old-base' }, sft: { ...checkpoint('sft'), id: 'then:sft' }, ct: { ...checkpoint('ct'), id: 'then:ct' } };
const MADE: Recipe = {
  ...TIES,
  base: 'then:base',
  models: [{ model: 'then:sft', weight: 1, density: 0.3 }, { model: 'then:ct', weight: 0.5, density: 1 }],
  slack: { ...TIES.slack, prefer: 'then:sft' },
  tokenizerFrom: 'then:ct',
};
const NOW: Recipe = {
  ...MADE,
  base: 'id:base',
  models: [{ model: 'id:sft', weight: 1, density: 0.3 }, { model: 'id:ct', weight: 0.5, density: 1 }],
  slack: { ...TIES.slack, prefer: 'id:sft' },
  tokenizerFrom: 'id:ct',
};
const CHOICES = { ...DEFAULT_CHOICES, extraRows: { from: 'then:ct' }, leaveOut: { head: ['then:sft'] } };

function merged(metadata: Readonly<Record<string, string>> = exportMetadata(MADE, Object.values(THEN), CHOICES, new Map([['then:ct', 'c0'.repeat(32)]]))): Checkpoint {
  const made = checkpoint('merged');
  return { ...made, shards: [{ ...made.shards[0]!, metadata }] };
}
const open = (...names: string[]) => names.map((name) => checkpoint(name));
const YAML = toMergeKit({ ...NOW, outDtype: 'BF16' }, (id) => id.replace('id:', './runs/'));

describe('the origin of a checkpoint', () => {
  it('is the recipe of its metadata, over the checkpoints that are open, with what was decided about them', () => {
    const all = [...open('base', 'sft', 'ct'), merged()];
    expect(originOf(all[3]!, all, [])).toEqual({
      status: 'ready',
      recipe: NOW,
      choices: { ...DEFAULT_CHOICES, extraRows: { from: 'id:ct' }, leaveOut: { head: ['id:sft'] } },
      text: null,
      contents: { 'id:base': '00'.repeat(32), 'id:sft': '00'.repeat(32), 'id:ct': 'c0'.repeat(32) },
    });
  });

  it('keeps that rows were matched by id', () => {
    const made = merged(exportMetadata(MADE, Object.values(THEN), { ...CHOICES, rows: 'id' }, new Map()));
    const all = [...open('base', 'sft', 'ct'), made];
    expect(originOf(made, all, [])).toMatchObject({ status: 'ready', choices: { rows: 'id', extraRows: { from: 'id:ct' } } });
    const file = { file: 'merged/mergekit_config.yml', text: toMergeKit(NOW, (id) => id.slice(3), 'BF16', { ...DEFAULT_CHOICES, rows: 'id' }) };
    expect(originOf(merged({}), all, [file])).toMatchObject({ status: 'ready', choices: { ...DEFAULT_CHOICES, rows: 'id' } });
  });

  it('waits for its sources, by the names they had', () => {
    expect(originOf(merged(), [...open('sft'), merged()], [])).toEqual({ status: 'waiting', missing: ['old-base', 'ct'] });
  });

  it('takes names and comments from the YAML beside it', () => {
    const file = { file: 'merged/mergekit_config.yml', text: YAML.replace('density: 0.3', 'density: 0.3 # chosen by hand') };
    const all = [...open('base', 'sft', 'ct'), merged()];
    const origin = originOf(all[3]!, all, [{ ...file, file: 'other/mergekit_config.yml', text: '' }, file]);
    expect(origin).toMatchObject({ status: 'ready', recipe: NOW, text: { text: file.text, paths: { 'id:base': './runs/base' } } });
  });

  it('is the YAML beside it where another program merged it', () => {
    const files = [{ file: 'merged/mergekit_config.yml', text: YAML }];
    const all = [...open('base', 'sft', 'ct'), merged({})];
    expect(originOf(all[3]!, all, files)).toMatchObject({ status: 'ready', recipe: { ...NOW, outDtype: 'BF16' }, choices: DEFAULT_CHOICES });
    expect(originOf(all[3]!, all.slice(1), files)).toEqual({ status: 'waiting', missing: ['./runs/base'] });
    expect(originOf(all[3]!, all, [{ ...files[0]!, text: 'merge_method: moe\n' }])).toMatchObject({ status: 'unreadable', error: { reason: 'method-unsupported' } });
    expect(originOf(all[3]!, all, [])).toBeNull();
  });

  it('that was damaged says so', () => {
    expect(originOf(merged({ [RECIPE_KEY]: '{' }), [], [])).toMatchObject({ status: 'unreadable', error: { code: 'invalid-recipe', reason: 'recipe-not-json' } });
  });
});

async function drop(one: Studio, checkpoints: readonly Checkpoint[], recipes: readonly { file: string; text: string }[] = []): Promise<void> {
  void one.controller.drop([{ path: 'x', handle: null }]);
  await settle();
  one.worker.last('open').resolve({ checkpoints, problems: [], ignored: [], results: [], recipes });
  await settle();
}
const present = (one: Studio) => one.store.getState().decisions.present;

describe('reopening', () => {
  it('puts the recipe in the place of the present one, as one step of undo', async () => {
    const one = studio();
    await drop(one, [...open('base', 'sft', 'ct'), merged()]);
    // A decision that the merge did not have does not outlive it.
    one.controller.matchRows('id');
    const before = present(one);
    one.controller.reopenRecipe('id:merged');
    expect(present(one).choices.rows).toBeUndefined();
    expect(present(one)).toMatchObject({ recipe: NOW, choices: { extraRows: { from: 'id:ct' } }, roles: { 'id:base': 'base', 'id:sft': 'sft', 'id:ct': 'ct', 'id:merged': 'none' } });
    one.controller.undo();
    expect(present(one)).toEqual(before);
  });

  it('from a YAML alone happens at once where it reads, and when the last checkpoint comes where it waits', async () => {
    const one = studio();
    await drop(one, [], [{ file: 'mergekit_config.yml', text: YAML }]);
    expect(one.store.getState().draft).toEqual({ text: YAML, dropped: true });
    await drop(one, open('base', 'sft'));
    expect(one.store.getState().draft).not.toBeNull();
    await drop(one, open('ct'));
    expect(one.store.getState().draft).toBeNull();
    expect(present(one)).toMatchObject({ recipe: { ...NOW, outDtype: 'BF16' }, text: { text: YAML } });
    await drop(one, [], [{ file: 'again.yaml', text: YAML.replace('density: 0.3', 'density: 0.6') }]);
    expect(present(one).recipe.models[0]!.density).toBe(0.6);
  });

  it('leaves a text that says something to be read, and one that is being edited, to the user', async () => {
    const one = studio();
    await drop(one, open('base', 'sft', 'ct'));
    const { recipe } = present(one);
    await drop(one, [], [{ file: 'a.yml', text: `${YAML}slurp: 1\n` }]);
    expect(one.store.getState().draft?.dropped).toBe(true);
    one.controller.setDraft(YAML);
    await drop(one, open('other'));
    expect(one.store.getState().draft).toEqual({ text: YAML, dropped: false });
    expect(present(one).recipe).toEqual(recipe);
  });

  it('of a YAML beside a checkpoint waits to be asked for', async () => {
    const one = studio();
    await drop(one, [...open('base', 'sft', 'ct'), merged({})], [{ file: 'merged/mergekit_config.yml', text: YAML }]);
    expect(one.store.getState().draft).toBeNull();
    expect(present(one).recipe.models[0]!.density).not.toBe(0.3);
    one.controller.reopenRecipe('id:merged');
    expect(present(one).recipe.models[0]!.density).toBe(0.3);
  });
});

describe('verifying', () => {
  it('is a job over the recipe of the checkpoint, not the present one, and leaves the figures alone', async () => {
    const one = studio();
    await drop(one, [...open('base', 'sft', 'ct'), merged()]);
    void one.controller.verify('id:merged');
    expect(one.store.getState().job).toEqual({ status: 'running', kind: 'verify', progress: null });
    expect(one.worker.last('verify').payload).toMatchObject({ recipe: NOW, choices: { extraRows: { from: 'id:ct' } }, contents: { 'id:ct': 'c0'.repeat(32) }, merged: 'id:merged' });
    one.worker.emit({ event: 'progress', progress: PROGRESS });
    const verification = { tensors: 1, same: 1, values: 2, differing: 0, differences: [], missing: [], foreign: [], reshaped: [] };
    const report = { verification, otherSources: [], backend: { kind: 'cpu' as const, label: 'CPU', software: false }, seconds: 2 };
    one.worker.last('verify').resolve(report as never);
    await settle();
    expect(one.store.getState().job).toEqual({ status: 'verified', merged: 'id:merged', report });
    expect(present(one).recipe).not.toEqual(NOW);
  });

  it('asks for nothing while a source is not open', async () => {
    const one = studio();
    await drop(one, [...open('sft', 'ct'), merged()]);
    await one.controller.verify('id:merged');
    expect(one.worker.of('verify')).toHaveLength(0);
    expect(one.store.getState().job).toEqual({ status: 'idle' });
  });
});
