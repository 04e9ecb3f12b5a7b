/** What comes in while a job runs waits until it has ended: its exact figures are of the recipe it began with (studio.md, region 4). */
import { describe, expect, it } from 'vitest';
import { CancelledError } from '../../../src/bytes/errors';
import { REST_MS } from '../../../src/state/planner';
import { checkpoint, figuresOf, opened, SAMPLE, settle, studio, type Studio } from './fakes';

const models = (one: Studio) => one.store.getState().decisions.present.recipe.models.map(({ model }) => model);

async function scanning(...names: string[]): Promise<Studio> {
  const one = studio();
  await opened(one, ...names);
  one.clock.paint();
  one.worker.last('explore').resolve({ tensors: [figuresOf('a', 1)], milliseconds: 1, sample: SAMPLE });
  await settle();
  void one.controller.scan();
  return one;
}
async function ended(one: Studio): Promise<void> {
  one.worker.last('scan').resolve({ tensors: [figuresOf('a', 5, true)], seconds: 1 });
  await settle();
  one.clock.paint();
}

const YAML = 'merge_method: ties\nbase_model: base\nmodels:\n  - model: sft\n    parameters: {density: 0.35, weight: 1}\n  - model: ct-x-4M\n    parameters: {density: 1, weight: 1}\n';
async function dropRecipe(one: Studio): Promise<void> {
  void one.controller.drop([{ path: 'mine.yml', handle: null }]);
  await settle();
  one.worker.last('open').resolve({ checkpoints: [], problems: [], ignored: [], results: [], recipes: [{ file: 'mine.yml', text: YAML }] });
  await settle();
}

describe('while a job runs', () => {
  it('a checkpoint that comes in is listed, and takes part once the job has ended', async () => {
    const one = await scanning('base', 'ct-x-4M', 'ct-y-4M');
    const before = one.store.getState().decisions;
    await opened(one, 'sft');
    expect(one.store.getState().checkpoints.open.map(({ name }) => name)).toEqual(['base', 'ct-x-4M', 'ct-y-4M', 'sft']);
    expect(one.store.getState().decisions).toBe(before);
    one.clock.pass(REST_MS);
    await ended(one);
    expect(one.store.getState().decisions.present.roles['id:sft']).toBe('sft');
    expect(models(one)).toEqual(['id:sft', 'id:ct-x-4M', 'id:ct-y-4M']);
    expect(one.worker.of('explore')).toHaveLength(2);
    one.clock.pass(REST_MS);
    expect(one.worker.last('plan').payload.recipe.models).toHaveLength(3);
  });

  it('nothing that came in leaves the exact figures alone', async () => {
    const one = await scanning('base', 'sft', 'ct-x-4M');
    await ended(one);
    expect(one.worker.of('explore')).toHaveLength(1);
  });

  it('a dropped recipe waits, and is applied even where the job was cancelled', async () => {
    const one = await scanning('base', 'sft', 'ct-x-4M');
    const before = one.store.getState().decisions;
    await dropRecipe(one);
    expect(one.store.getState()).toMatchObject({ draft: { text: YAML, dropped: true } });
    expect(one.store.getState().decisions).toBe(before);
    one.worker.last('scan').reject(new CancelledError());
    await settle();
    expect(one.store.getState().draft).toBeNull();
    expect(one.store.getState().decisions.present.recipe.models[0]).toMatchObject({ model: 'id:sft', density: 0.35 });
  });

  it('the last checkpoint that a dropped recipe waits for does not apply it before the end', async () => {
    const one = await scanning('base', 'sft');
    const before = one.store.getState().decisions;
    await dropRecipe(one);
    await opened(one, 'ct-x-4M');
    expect(one.store.getState().decisions).toBe(before);
    await ended(one);
    expect(models(one)).toEqual(['id:sft', 'id:ct-x-4M']);
    expect(one.store.getState().decisions.present.recipe.models[0]!.density).toBe(0.35);
  });

  it('the last checkpoint that a link waits for does not apply it before the end', async () => {
    const from = studio();
    await opened(from, 'base', 'sft', 'ct-x-4M');
    from.controller.setModel(0, { density: 0.45 }, 'density');
    const one = studio();
    one.controller.readAddress(from.controller.address());
    await opened(one, 'base', 'sft');
    void one.controller.scan();
    const before = one.store.getState().decisions;
    await opened(one, 'ct-x-4M');
    expect(one.store.getState().decisions).toBe(before);
    expect(one.store.getState().wanted).not.toBeNull();
    await ended(one);
    expect(one.store.getState().wanted).toBeNull();
    expect(one.store.getState().decisions.present.recipe.models.map(({ density }) => density)).toEqual([0.45, 1]);
  });

  it('a link that is opened is applied at the end, in figures and plan too', async () => {
    const one = await scanning('base', 'sft', 'ct-x-4M');
    const from = studio();
    await opened(from, 'base', 'sft', 'ct-x-4M');
    from.controller.setModel(0, { density: 0.45 }, 'density');
    const before = one.store.getState().decisions;
    one.controller.readAddress(from.controller.address());
    expect(one.store.getState().decisions).toBe(before);
    await ended(one);
    expect(one.store.getState().wanted).toBeNull();
    expect(one.worker.last('explore').payload.recipe.models.map(({ density }) => density)).toEqual([0.45, 1]);
  });

  it('a file opened again is asked about anew at the end, since it may hold something else', async () => {
    const one = await scanning('base', 'sft', 'ct-x-4M');
    void one.controller.drop([{ path: 'x', handle: null }]);
    await settle();
    one.worker.last('open').resolve({ checkpoints: [{ ...checkpoint('sft'), fingerprint: 'other' }], problems: [], ignored: [], results: [] });
    await settle();
    await ended(one);
    expect(one.worker.of('explore')).toHaveLength(2);
  });
});
