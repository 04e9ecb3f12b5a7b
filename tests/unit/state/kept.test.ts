import { describe, expect, it } from 'vitest';
import { namesOf } from '../../../src/ui/checkpoints/Reopen';
import { checkpoint, settle, studio, type Studio } from './fakes';

const picked = (name: string) => ({ path: `${name}/model.safetensors`, handle: null, root: { name } });

async function drop(one: Studio, roots: readonly string[], checkpoints: readonly string[] = roots): Promise<void> {
  void one.controller.drop(roots.map(picked));
  await settle();
  one.worker.last('open').resolve({ checkpoints: checkpoints.map((name) => checkpoint(name)), problems: [], ignored: [], results: [] });
  await settle();
}
const keptOf = (one: Studio) => one.store.getState().kept.map(({ name, checkpoints }) => [name, checkpoints.map((own) => own.name)]);

describe('what was open is kept for the next page', () => {
  it('each folder with its checkpoints, and the handle of a folder never goes to the worker', async () => {
    const one = studio();
    await drop(one, ['base', 'sft']);
    expect(keptOf(one)).toEqual([['sft', ['sft']], ['base', ['base']]]);
    expect(one.worker.last('open').payload.files).toEqual(['base', 'sft'].map((name) => ({ path: `${name}/model.safetensors`, handle: null })));
    // A folder of several that nothing else was dropped with, whatever the paths in it have become.
    await drop(one, ['cache'], ['a', 'b']);
    expect(keptOf(one)[0]).toEqual(['cache', ['a', 'b']]);
  });

  it('a shard that came alone is kept with the checkpoint that a later one completes', async () => {
    const one = studio();
    await drop(one, ['part-1'], []);
    expect(keptOf(one)).toEqual([]);
    void one.controller.drop([picked('part-2')]);
    await settle();
    const of = (name: string) => ({ file: { id: name, path: name, size: 1, modified: 0 }, headerBytes: 8, metadata: {} });
    one.worker.last('open').resolve({ checkpoints: [{ ...checkpoint('whole'), shards: [of('part-1'), of('part-2')] }], problems: [], ignored: [], results: [] });
    await settle();
    expect(keptOf(one)).toEqual([['part-2', ['whole']], ['part-1', ['whole']]]);
  });

  it('is forgotten when its card is removed, and on request', async () => {
    const one = studio();
    await drop(one, ['base', 'sft']);
    void one.controller.close('id:base');
    one.worker.last('close').resolve(null);
    await settle();
    expect(keptOf(one)).toEqual([['sft', ['sft']]]);
    await one.controller.forgetKept(one.store.getState().kept.map(({ key }) => key));
    expect(keptOf(one)).toEqual([]);
  });

  it('is opened again in one go; what the user does not let be read is a problem of that name alone', async () => {
    const one = studio();
    one.picks.kept = ['ct', 'sft', 'base'].map((name, i) => ({ key: 3 - i, name, session: 1, checkpoints: [{ id: `id:${name}`, name }] }));
    one.picks.refused = ['sft'];
    await one.controller.lookAtKept();
    void one.controller.reopenKept([1, 2, 3]);
    await settle();
    expect(one.worker.of('open').map(({ payload }) => payload.files.map(({ path }) => path))).toEqual([['base/model.safetensors', 'ct/model.safetensors']]);
    expect(one.store.getState().checkpoints.problems.map(({ file, error }) => [file, error.reason])).toEqual([['sft', 'permission']]);
  });

  it('nothing is where the browser gives no handle', async () => {
    const one = studio();
    void one.controller.drop([{ path: 'base/model.safetensors', handle: null }]);
    await settle();
    one.worker.last('open').resolve({ checkpoints: [checkpoint('base')], problems: [], ignored: [], results: [] });
    await settle();
    expect(keptOf(one)).toEqual([]);
  });

  it('is named in the order of opening', () => {
    const root = (key: number, ...names: string[]) => ({ key, checkpoints: names.map((name) => ({ id: name, name })) });
    expect([namesOf([root(1, 'base')]), namesOf([root(3, 'ct'), root(1, 'base'), root(2, 'sft')]), namesOf([root(1, 'a', 'b', 'c', 'd', 'e')])]).toEqual(['base', 'base, sft and ct', 'a and 4 more']);
  });
});
