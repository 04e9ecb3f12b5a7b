import { describe, expect, it } from 'vitest';
import { CancelledError, DestinationError, DiskFullError } from '../../../src/bytes/errors';
import { DEFAULT_CHOICES } from '../../../src/merge/plan-types';
import { ENTRY_MS } from '../../../src/state/throttle';
import type { Job } from '../../../src/state/types';
import { figuresOf, opened, PROGRESS, settle, SAMPLE, studio, type Studio } from './fakes';

const density = (one: Studio) => one.store.getState().decisions.present.recipe.models[0]!.density;

describe('a merge', () => {
  async function merging(): Promise<Studio> {
    const one = studio();
    await opened(one, 'base', 'sft', 'ct-x-4M');
    one.clock.paint();
    one.worker.last('explore').resolve({ tensors: [figuresOf('a', 1), figuresOf('b', 1)], milliseconds: 1, sample: SAMPLE });
    await settle();
    void one.controller.merge();
    return one;
  }

  it('lets reports in ten times a second, exact figures in the place of estimates', async () => {
    const one = await merging();
    let changes = 0;
    one.store.subscribe(() => changes++);
    for (let i = 1; i <= 50; i++) one.worker.emit({ event: 'progress', progress: { ...PROGRESS, tensorsDone: i } });
    one.worker.emit({ event: 'tensor', figures: [figuresOf('b', 7, true), figuresOf('c', 8, true)] });
    expect(changes).toBe(0);
    one.clock.pass(ENTRY_MS);
    expect(changes).toBe(1);
    const { job, figures } = one.store.getState();
    expect(job).toMatchObject({ status: 'running', progress: { tensorsDone: 50 } });
    expect(figures.tensors.map(({ tensor, exact, figures: { conflict } }) => [tensor, exact, conflict])).toEqual([
      ['a', false, 1],
      ['b', true, 7],
      ['c', true, 8],
    ]);
  });

  it('hands over the text the recipe was read from, whose comments the export keeps', async () => {
    const one = studio();
    await opened(one, 'base', 'sft', 'ct-x-4M');
    const { recipe } = one.store.getState().decisions.present;
    const text = { text: 'merge_method: ties # mine\n', paths: {} };
    one.controller.applyRecipe(recipe, text);
    one.controller.setRecipe({ lambda: 0.5 }, 'lambda');
    void one.controller.merge();
    expect(one.worker.last('merge').payload).toMatchObject({ recipe: { lambda: 0.5 }, text });
  });

  it('asks for no estimates while it runs, drops those still on their way, and asks again when it fails', async () => {
    const one = studio();
    await opened(one, 'base', 'sft', 'ct-x-4M');
    one.clock.paint();
    one.controller.setModel(0, { density: 0.4 }, 'density 0');
    void one.controller.merge();
    one.worker.last('explore').resolve({ tensors: [figuresOf('late', 1)], milliseconds: 1, sample: SAMPLE });
    await settle();
    one.clock.paint();
    expect(one.worker.of('explore')).toHaveLength(1);
    expect(one.store.getState().figures).toMatchObject({ tensors: [], loading: false, problem: null });
    one.worker.last('merge').reject(new DiskFullError('full'));
    await settle();
    one.clock.paint();
    expect(one.worker.of('explore')).toHaveLength(2);
  });

  it('keeps its exact figures when it has finished', async () => {
    const one = await merging();
    one.worker.emit({ event: 'tensor', figures: [figuresOf('a', 5, true), figuresOf('b', 7, true)] });
    const backend = { kind: 'cpu', label: 'CPU', software: false, arithmetic: 'native' } as const;
    one.worker.last('merge').resolve({ destination: 'd', privateStorage: true, files: [], stamps: [], shards: [], seconds: 1, backend, tensors: 2, verified: 2, checked: { values: 30, tensors: 2 }, rechecked: null, overflow: 0 });
    await settle();
    one.clock.paint();
    expect(one.worker.of('explore')).toHaveLength(1);
    expect(one.store.getState().figures.tensors.map(({ exact, figures: { conflict } }) => [exact, conflict])).toEqual([
      [true, 5],
      [true, 7],
    ]);
    one.controller.setModel(0, { density: 0.9 }, 'density 0');
    one.clock.paint();
    expect(one.worker.of('explore')).toHaveLength(2);
  });

  it('refuses edits while it runs, and starts no second one', async () => {
    const one = await merging();
    one.controller.setModel(0, { density: 0.9 }, 'density 0');
    one.controller.undo();
    await one.controller.merge();
    await one.controller.close('id:sft');
    expect(density(one)).toBe(0.2);
    expect([one.worker.of('merge').length, one.worker.of('close').length]).toEqual([1, 0]);
  });

  it('pauses, resumes, and ends as cancelled when told to', async () => {
    const one = await merging();
    const status = () => one.store.getState().job.status;
    void one.controller.pause(true);
    expect([status(), one.worker.last('pause').payload]).toEqual(['paused', { paused: true }]);
    one.worker.last('pause').resolve(null);
    await settle();
    void one.controller.pause(false);
    expect(status()).toBe('running');
    one.worker.last('pause').resolve(null);
    await settle();
    void one.controller.cancel();
    expect(status()).toBe('cancelling');
    one.worker.last('cancel').resolve(null);
    one.worker.last('merge').reject(new CancelledError());
    await settle();
    expect(one.store.getState().job).toEqual({ status: 'cancelled', kind: 'merge', kept: null });
    one.controller.dismiss();
    expect(status()).toBe('idle');
  });

  it('goes on when a pause or a cancellation does not reach the worker', async () => {
    const one = await merging();
    void one.controller.pause(true);
    one.worker.last('pause').reject(new Error('lost'));
    await settle();
    void one.controller.cancel();
    one.worker.last('cancel').reject(new Error('lost'));
    await settle();
    expect(one.store.getState().job.status).toBe('running');
  });

  it('keeps how far it came when it fails, and how many shards it leaves', async () => {
    const one = await merging();
    one.worker.emit({ event: 'progress', progress: PROGRESS });
    one.worker.emit({ event: 'kept', shards: 2 });
    one.worker.last('merge').reject(new DiskFullError('full', { file: 'x' }));
    await settle();
    expect(one.store.getState().job).toEqual({ status: 'failed', kind: 'merge', error: { code: 'disk-full', reason: 'disk-full', message: 'full', where: { file: 'x' } }, progress: PROGRESS, kept: 2 });
  });

  it('writes to the folder that was chosen, whose handle stays out of the store', async () => {
    const one = studio();
    await opened(one, 'base', 'sft', 'ct-x-4M');
    const handle = { secret: true };
    one.picks.folder = { name: 'out', handle };
    await one.controller.chooseTarget();
    one.controller.setReplace(true);
    void one.controller.merge();
    expect(one.worker.last('merge').payload).toMatchObject({ destination: { name: 'out', handle }, replace: true });
    expect(JSON.stringify(one.store.getState())).not.toContain('secret');
    expect(one.store.getState().target).toMatchObject({ folder: 'out', replace: true });
  });

  it('stays with the target it had when the picker is closed, and says when it fails', async () => {
    const one = studio();
    await one.controller.chooseTarget();
    expect(one.store.getState().target).toMatchObject({ folder: null, problem: null });
    one.picks.folder = new DestinationError('permission', 'no', {});
    await one.controller.chooseTarget();
    expect(one.store.getState().target).toMatchObject({ folder: null, problem: { code: 'destination', reason: 'permission' } });
    one.controller.dismissTargetProblem();
    expect(one.store.getState().target.problem).toBe(null);
  });

  it.each(['failed', 'cancelled'] as const)('what %s at one destination offers nothing about the next that is chosen', async (status) => {
    for (const choose of ['chooseTarget', 'usePrivateStorage'] as const) {
      const one = await merging();
      one.worker.last('merge').reject(status === 'failed' ? new DestinationError('not-empty', 'old', {}) : new CancelledError());
      await settle();
      expect(one.store.getState().job.status).toBe(status);
      one.picks.folder = { name: 'other', handle: 1 };
      await one.controller[choose]();
      expect(one.store.getState().job.status).toBe('idle');
    }
  });

  it('several are carried on where they were begun, and made anew in private storage alone', async () => {
    const one = studio();
    await opened(one, 'base', 'sft', 'ct-x-4M');
    const entries = [{ folder: 'a', recipe: one.store.getState().decisions.present.recipe, text: null, choices: DEFAULT_CHOICES }];
    void one.controller.exportBatch(entries);
    const summary = { destination: 'x', privateStorage: true, folders: [], stamps: [], table: 't', missing: ['a'], stopped: null, seconds: 1, backend: null as never };
    one.worker.last('batch').resolve(summary);
    await settle();
    const begun = one.worker.last('batch').payload;
    one.picks.folder = { name: 'other', handle: 1 };
    await one.controller.chooseTarget();
    one.controller.setShardBytes(7e8);
    void one.controller.resumeBatch();
    expect(one.worker.last('batch').payload).toEqual({ ...begun, resume: true });
    one.worker.last('batch').resolve(summary);
    await settle();
    void one.controller.renewBatch();
    expect(one.worker.last('batch').payload).toEqual({ ...begun, anew: true });
    one.worker.last('batch').resolve(summary);
    await settle();
    void one.controller.exportBatch(entries);
    one.worker.last('batch').resolve(summary);
    await settle();
    expect(one.worker.last('batch').payload.destination).toEqual({ name: 'other', handle: 1 });
    await one.controller.renewBatch();
    expect(one.worker.of('batch').length).toBe(4);
  });

  it('saves an exported file under its name', async () => {
    const one = studio();
    const was = { name: 'model.safetensors', bytes: 3, modified: 5 };
    void one.controller.download(was);
    expect(one.worker.last('exported').payload).toEqual({ was });
    one.worker.last('exported').resolve({ handle: 1 });
    await settle();
    expect(one.picks.saved).toEqual(['model.safetensors']);
  });

  it.each(['finished', 'batched'] as const)('keeps the report of what is %s, and its other downloads, when one fails', async (status) => {
    const one = studio();
    const stamps = ['model.safetensors', 'config.json'].map((name) => ({ name, bytes: 3, modified: 5 }));
    const job = { status, summary: { privateStorage: true, stamps } } as unknown as Job;
    one.store.setState({ job });
    void one.controller.download(stamps[0]!);
    one.worker.die();
    await settle();
    expect(one.store.getState()).toMatchObject({ target: { problem: { code: 'internal', reason: 'worker-died' } } });
    expect(one.store.getState().job).toBe(job);
    void one.controller.download(stamps[1]!);
    expect(one.store.getState().target.problem).toBe(null);
    one.worker.last('exported').resolve({ handle: 1 });
    await settle();
    expect(one.picks.saved).toEqual(['config.json']);
  });
});
