import { describe, expect, it } from 'vitest';
import { CancelledError, DestinationError, DiskFullError, MalformedFileError } from '../../../src/bytes/errors';
import { OVERTAKE_MS } from '../../../src/state/explore';
import { ENTRY_MS } from '../../../src/state/throttle';
import { REST_MS } from '../../../src/state/planner';
import { figuresOf, opened, PLAN, PROGRESS, settle, studio, type Studio } from './fakes';

const density = (one: Studio) => one.store.getState().decisions.present.recipe.models[0]!.density;

describe('opening', () => {
  it('goes from a drop to roles, a recipe, figures and a plan', async () => {
    const one = studio();
    void one.controller.drop([{ path: 'base/model.safetensors', handle: null }]);
    expect(one.store.getState().checkpoints.opening).toBe(1);
    await settle();
    one.worker.last('open').resolve({ checkpoints: [], problems: [], ignored: [] });
    await settle();
    expect(one.worker.of('explore')).toHaveLength(0);

    await opened(one, 'base', 'sft', 'ct-x-4M');
    const { checkpoints, decisions } = one.store.getState();
    expect([checkpoints.opening, checkpoints.open.length]).toEqual([0, 3]);
    expect(decisions.present.recipe.models.map(({ model }) => model)).toEqual(['id:sft', 'id:ct-x-4M']);
    one.clock.paint();
    expect(one.worker.last('explore').payload.recipe).toBe(decisions.present.recipe);
    expect(one.worker.of('plan')).toHaveLength(0);
    one.clock.pass(REST_MS);
    expect(one.worker.last('plan').payload).toEqual({ recipe: decisions.present.recipe, choices: decisions.present.choices, shardBytes: 5e9 });
  });

  it('lists what could not be opened until it opens or is dismissed', async () => {
    const one = studio();
    const error = new MalformedFileError('file-truncated', 'short', { file: 'sft/model.safetensors' }).toWire();
    void one.controller.openSample();
    one.worker.last('openSample').resolve({ checkpoints: [], problems: [{ file: 'sft/model.safetensors', error }, { file: 'b', error }], ignored: ['notes.txt'] });
    await settle();
    expect(one.store.getState().checkpoints.problems.map(({ file }) => file)).toEqual(['sft/model.safetensors', 'b']);
    await opened(one, 'sft');
    one.controller.dismissProblem('b');
    expect(one.store.getState().checkpoints).toMatchObject({ problems: [], ignored: ['notes.txt'] });
  });

  it('keeps a checkpoint that is opened twice once', async () => {
    const one = studio();
    await opened(one, 'base', 'sft');
    await opened(one, 'sft');
    expect(one.store.getState().checkpoints.open.map(({ name }) => name)).toEqual(['base', 'sft']);
  });

  it('says when the worker cannot open at all, and is ready again', async () => {
    const one = studio();
    void one.controller.openSample();
    one.worker.last('openSample').reject(new Error('dead'));
    await settle();
    const { problems, opening } = one.store.getState().checkpoints;
    expect([problems[0]?.file, problems[0]?.error.code, opening]).toEqual(['the sample family', 'internal', 0]);
  });

  it('closes a checkpoint in the worker, then here', async () => {
    const one = studio();
    await opened(one, 'base', 'sft', 'ct-x-4M');
    void one.controller.close('id:sft');
    expect(one.store.getState().checkpoints.open).toHaveLength(3);
    one.worker.last('close').resolve(null);
    await settle();
    expect(one.store.getState().checkpoints.open.map(({ name }) => name)).toEqual(['base', 'ct-x-4M']);
    expect(one.store.getState().decisions.present.recipe.slack.prefer).toBe('id:ct-x-4M');
  });
});

describe('figures', () => {
  it('asks once a frame, one request at a time, the latest recipe next', async () => {
    const one = studio();
    await opened(one, 'base', 'sft', 'ct-x-4M');
    one.clock.paint();
    for (const k of [0.3, 0.4, 0.5]) {
      one.controller.setModel(0, { density: k }, 'density 0');
      one.clock.paint();
    }
    expect(one.worker.of('explore')).toHaveLength(1);
    one.worker.last('explore').resolve({ tensors: [figuresOf('a', 1)], milliseconds: 5 });
    await settle();
    expect(one.store.getState().figures).toMatchObject({ loading: true, milliseconds: 5 });
    one.clock.paint();
    expect(one.worker.of('explore')).toHaveLength(2);
    expect(one.worker.last('explore').payload.recipe.models[0]!.density).toBe(0.5);
    one.worker.last('explore').resolve({ tensors: [figuresOf('a', 2)], milliseconds: 4 });
    await settle();
    one.clock.paint();
    expect(one.store.getState().figures).toMatchObject({ loading: false, problem: null });
    expect(one.store.getState().figures.tensors[0]!.figures.conflict).toBe(2);
    expect(one.worker.of('explore')).toHaveLength(2);
  });

  it('lets a recipe that rests overtake an older request, which then counts no more', async () => {
    const one = studio();
    await opened(one, 'base', 'sft', 'ct-x-4M');
    one.clock.paint();
    const slow = one.worker.last('explore');
    for (let i = 0; i < 5; i++) {
      one.controller.setModel(0, { density: 0.3 + i / 10 }, 'density 0');
      one.clock.pass(OVERTAKE_MS - 1);
    }
    expect(one.worker.of('explore')).toHaveLength(1);
    one.clock.pass(1);
    expect(one.worker.of('explore')).toHaveLength(2);
    expect(one.worker.last('explore').payload.recipe.models[0]!.density).toBeCloseTo(0.7);
    slow.reject(new CancelledError());
    await settle();
    expect(one.store.getState().figures.loading).toBe(true);
    slow.resolve({ tensors: [figuresOf('old', 1)], milliseconds: 1 });
    one.worker.last('explore').resolve({ tensors: [figuresOf('new', 1)], milliseconds: 1 });
    await settle();
    expect(one.store.getState().figures).toMatchObject({ loading: false, tensors: [{ tensor: 'new' }] });
  });

  it('keeps the last figures beside a problem, says nothing of a cancellation, and recovers', async () => {
    const one = studio();
    await opened(one, 'base', 'sft', 'ct-x-4M');
    const ask = async (answer: (request: ReturnType<typeof one.worker.last<'explore'>>) => void) => {
      one.controller.setRecipe({ lambda: Math.random() }, 'lambda');
      one.clock.paint();
      answer(one.worker.last('explore'));
      await settle();
    };
    await ask((request) => request.resolve({ tensors: [figuresOf('a', 1)], milliseconds: 1 }));
    await ask((request) => request.reject(new CancelledError()));
    expect(one.store.getState().figures.problem).toBeNull();
    await ask((request) => request.reject(new Error('boom')));
    expect(one.store.getState().figures).toMatchObject({ loading: false, problem: { code: 'internal' } });
    expect(one.store.getState().figures.tensors).toHaveLength(1);
    await ask((request) => request.resolve({ tensors: [], milliseconds: 1 }));
    expect(one.store.getState().figures.problem).toBeNull();
  });

  it('asks for nothing while the recipe has no meaning', async () => {
    const one = studio();
    await opened(one, 'base', 'sft', 'ct-x-4M');
    one.clock.paint();
    one.worker.last('explore').resolve({ tensors: [], milliseconds: 1 });
    await settle();
    one.controller.setRecipe({ lambda: NaN }, 'lambda');
    one.clock.paint();
    one.clock.pass(REST_MS);
    expect([one.worker.of('explore').length, one.worker.of('plan').length]).toEqual([1, 0]);
    expect(one.store.getState().plan).toEqual({ summary: null, loading: false, problem: null });
  });

  it('waits for the backend that is starting, and asks anew when it is there', async () => {
    const one = studio();
    void one.controller.startBackend('webgpu');
    await opened(one, 'base', 'sft', 'ct-x-4M');
    one.clock.paint();
    expect(one.worker.of('explore')).toHaveLength(0);
    expect([one.store.getState().figures.loading, one.store.getState().plan.loading]).toEqual([true, true]);
    one.worker.last('start').resolve({ info: { kind: 'cpu', label: 'CPU', software: false, arithmetic: 'native' }, gpuProblem: null, selfTest: [] });
    await settle();
    one.clock.paint();
    expect(one.worker.of('explore')).toHaveLength(1);
    expect(one.store.getState().backend).toMatchObject({ choice: 'webgpu', starting: false, problem: null });
  });
});

describe('the plan', () => {
  it('is asked for once the decisions rest, and an overtaken reply is dropped', async () => {
    const one = studio();
    await opened(one, 'base', 'sft', 'ct-x-4M');
    one.clock.pass(REST_MS);
    const first = one.worker.last('plan');
    one.controller.setShardBytes(1e9);
    first.resolve({ ...PLAN, tensors: 1 });
    await settle();
    expect(one.store.getState().plan).toEqual({ summary: null, loading: true, problem: null });
    one.clock.pass(REST_MS - 1);
    expect(one.worker.of('plan')).toHaveLength(1);
    one.clock.pass(1);
    one.worker.last('plan').resolve(PLAN);
    await settle();
    expect(one.store.getState().plan).toEqual({ summary: PLAN, loading: false, problem: null });
  });
});

describe('undo', () => {
  it('makes one step of a drag and restores roles with the recipe', async () => {
    const one = studio();
    await opened(one, 'base', 'sft', 'ct-x-4M');
    for (const k of [0.3, 0.31, 0.32]) one.controller.setModel(0, { density: k }, 'density 0');
    one.controller.settle();
    one.controller.setModel(0, { density: 0.5 }, 'density 0');
    one.controller.setRole('id:sft', 'base');
    one.controller.undo();
    expect(one.store.getState().decisions.present.roles).toMatchObject({ 'id:base': 'base', 'id:sft': 'sft' });
    one.controller.undo();
    expect(density(one)).toBe(0.32);
    one.controller.undo();
    expect(density(one)).toBe(0.2);
    one.controller.redo();
    expect(density(one)).toBe(0.32);
  });

  it('keeps a checkpoint opened in between when it goes back', async () => {
    const one = studio();
    await opened(one, 'base', 'sft');
    one.controller.setModel(0, { density: 0.7 }, 'density 0');
    await opened(one, 'ct-x-4M');
    one.controller.undo();
    expect(one.store.getState().decisions.present.recipe.models.map(({ model, density: k }) => [model, k])).toEqual([
      ['id:sft', 0.2],
      ['id:ct-x-4M', 1],
    ]);
  });
});

describe('a merge', () => {
  async function merging(): Promise<Studio> {
    const one = studio();
    await opened(one, 'base', 'sft', 'ct-x-4M');
    one.clock.paint();
    one.worker.last('explore').resolve({ tensors: [figuresOf('a', 1), figuresOf('b', 1)], milliseconds: 1 });
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

  it('asks for no estimates while it runs, drops those still on their way, and asks again when it fails', async () => {
    const one = studio();
    await opened(one, 'base', 'sft', 'ct-x-4M');
    one.clock.paint();
    one.controller.setModel(0, { density: 0.4 }, 'density 0');
    void one.controller.merge();
    one.worker.last('explore').resolve({ tensors: [figuresOf('late', 1)], milliseconds: 1 });
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
    one.worker.last('merge').resolve({ destination: 'd', privateStorage: true, files: [], seconds: 1, backend, tensors: 2, verified: 2, overflow: 0 });
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
    expect(one.store.getState().job).toEqual({ status: 'cancelled' });
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

  it('keeps how far it came when it fails', async () => {
    const one = await merging();
    one.worker.emit({ event: 'progress', progress: PROGRESS });
    one.worker.last('merge').reject(new DiskFullError('full', { file: 'x' }));
    await settle();
    expect(one.store.getState().job).toEqual({ status: 'failed', error: { code: 'disk-full', reason: 'disk-full', message: 'full', where: { file: 'x' } }, progress: PROGRESS });
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
  });

  it('saves an exported file under its name', async () => {
    const one = studio();
    void one.controller.download('model.safetensors');
    one.worker.last('exported').resolve({ handle: 1 });
    await settle();
    expect(one.picks.saved).toEqual(['model.safetensors']);
  });
});

describe('the state', () => {
  it('is the same after JSON: values only', async () => {
    const one = studio();
    await opened(one, 'base', 'sft', 'ct-x-4M');
    expect(JSON.parse(JSON.stringify(one.store.getState()))).toEqual(one.store.getState());
  });
});
