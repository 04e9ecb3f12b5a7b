/** An interrupted merge at the destination: found, taken over when its checkpoints are open, carried on or removed. */
import { describe, expect, it } from 'vitest';
import { DestinationError, DiskFullError } from '../../../src/bytes/errors';
import { DEFAULT_CHOICES } from '../../../src/merge/plan-types';
import { defaultRecipe } from '../../../src/recipe/presets';
import type { Unfinished } from '../../../src/worker/protocol';
import { mergeWords } from '../../../src/ui/run/merge-words';
import { opened, settle, studio } from './fakes';

const NAMES = ['base', 'sft', 'ct-x-4M'];
/** As it was begun at another time: under other ids. */
const MERGE = {
  recipe: { ...defaultRecipe('then:base', 'then:sft', ['then:ct-x-4M']), lambda: 0.5 },
  choices: { ...DEFAULT_CHOICES, extraRows: { from: 'then:sft' } },
  text: { text: 'merge_method: ties # mine\n', paths: { 'then:base': '/b' } },
  shardBytes: 5e8,
  sources: NAMES.map((name) => ({ id: `then:${name}`, name, fingerprint: name, bytes: 100, contents: name })),
  started: Date.UTC(2026, 10, 21, 12),
  shards: 3,
  done: 2,
  bytesDone: 3.1e9,
  bytes: 4.7e9,
  madeBy: ['CPU, 2 workers'],
  keepsOld: false,
} as const;
const UNFINISHED: Unfinished = { folder: 'merged-model', merge: MERGE, problem: null, files: ['a'] };

async function found() {
  const one = studio();
  const looked = one.controller.lookAtTarget();
  one.worker.last('unfinished').resolve(UNFINISHED);
  await looked;
  return one;
}

describe('an unfinished merge', () => {
  it('is carried on with its own recipe, choices, text and shard size, in the ids of what is open', async () => {
    const one = await found();
    await one.controller.resume();
    expect(one.worker.of('merge')).toHaveLength(0);
    await opened(one, ...NAMES);
    void one.controller.resume();
    const { recipe, choices, text, shardBytes, resume, replace, destination } = one.worker.last('merge').payload;
    expect([recipe.base, recipe.models.map(({ model }) => model), recipe.lambda, recipe.slack.prefer]).toEqual(['id:base', ['id:sft', 'id:ct-x-4M'], 0.5, 'id:sft']);
    expect([choices.extraRows, text, shardBytes, resume, replace, destination]).toEqual([{ from: 'id:sft' }, { ...MERGE.text, paths: { 'id:base': '/b' } }, 5e8, true, false, null]);
    expect(one.store.getState().decisions.present.recipe).toEqual(recipe);
    expect(one.store.getState().target.unfinished).toBe(null);
  });

  it('is looked for again when a merge fails, and what could not be removed is kept on the screen', async () => {
    const one = studio();
    await opened(one, ...NAMES);
    void one.controller.merge();
    one.worker.emit({ event: 'left', names: ['model-00001-of-00002.safetensors'] });
    one.worker.last('merge').reject(new DiskFullError('full'));
    await settle();
    one.worker.last('unfinished').resolve(UNFINISHED);
    await settle();
    expect(one.store.getState().target).toMatchObject({ unfinished: { folder: 'merged-model' }, left: ['model-00001-of-00002.safetensors'] });
  });

  it('is removed on request, and looked for once more', async () => {
    const one = await found();
    const removed = one.controller.removeUnfinished();
    one.worker.last('removeUnfinished').resolve({ left: ['b'] });
    await settle();
    one.worker.last('unfinished').resolve(null);
    await removed;
    expect(one.store.getState().target).toMatchObject({ unfinished: null, left: ['b'] });
  });

  it('beside it a finished export in private storage is told of, and removed on request', async () => {
    const one = studio();
    const stamps = [{ name: 'model.safetensors', bytes: 3, modified: 5 }];
    void one.controller.lookAtTarget();
    one.worker.last('stored').resolve({ stamps });
    await settle();
    expect(one.store.getState().target.stored).toEqual(stamps);
    const removed = one.controller.removeStored();
    expect(one.worker.last('removeStored').payload).toEqual({ stamps });
    one.worker.last('removeStored').reject(new DestinationError('export-gone', 'gone', {}));
    await settle();
    one.worker.last('stored').resolve({ stamps: [] });
    one.worker.last('unfinished').resolve(null);
    await removed;
    expect(one.store.getState().target).toMatchObject({ stored: [], problem: { reason: 'export-gone' } });
  });

  it('an answer about a destination that is not chosen any more is dropped', async () => {
    const one = studio();
    const first = one.controller.lookAtTarget();
    one.controller.usePrivateStorage();
    const [old, latest] = one.worker.of('unfinished');
    latest!.resolve(null);
    await settle();
    old!.resolve(UNFINISHED);
    await first;
    expect(one.store.getState().target.unfinished).toBe(null);
  });

  it('says what it is', () => {
    const words = mergeWords(MERGE).replaceAll('\u00a0', ' ');
    expect(words).toMatch(/^TIES-SV of sft and ct-x-4M on base, begun .*2026.*: 2 of 3 shards \(3\.1 GB of 4\.7 GB\) are finished, made by CPU, 2 workers\.$/);
    expect(mergeWords({ ...MERGE, done: 0, madeBy: [], keepsOld: true })).toMatch(/0 of 3 shards .* are finished\. The older export there is as it was\.$/);
  });
});
