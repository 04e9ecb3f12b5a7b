import { describe, expect, it } from 'vitest';
import { CancelledError, MalformedFileError } from '../../../src/bytes/errors';
import { OVERTAKE_MS } from '../../../src/state/latest';
import { REST_MS } from '../../../src/state/planner';
import { figuresOf, opened, PLAN, settle, SAMPLE, studio, type Studio } from './fakes';

const density = (one: Studio) => one.store.getState().decisions.present.recipe.models[0]!.density;

describe('memory of a merge', () => {
  it('is told to the worker with every start, and the plan is made anew', async () => {
    const one = studio();
    await opened(one, 'base', 'sft');
    const started = { info: { kind: 'cpu', label: 'CPU', software: false, arithmetic: 'native' }, gpuProblem: null, selfTest: [], speeds: [], why: 'asked', automaticMemory: 7e8 } as const;
    void one.controller.startBackend('cpu');
    expect(one.worker.last('start').payload).toEqual({ choice: 'cpu' });
    one.worker.last('start').resolve(started);
    await settle();
    expect(one.store.getState().backend.memory).toEqual({ chosen: null, automatic: 7e8 });
    one.clock.pass(REST_MS);
    const plans = one.worker.of('plan').length;
    void one.controller.setMemory(1e9);
    expect(one.worker.last('start').payload).toEqual({ choice: 'cpu', memoryBytes: 1e9 });
    one.worker.last('start').resolve(started);
    await settle();
    one.clock.pass(REST_MS);
    expect(one.worker.of('plan').length).toBe(plans + 1);
    expect(one.store.getState().backend.memory).toEqual({ chosen: 1e9, automatic: 7e8 });
    // The same again starts nothing.
    void one.controller.setMemory(1e9);
    expect(one.worker.of('start')).toHaveLength(2);
    void one.controller.setMemory(null);
    expect(one.worker.last('start').payload).toEqual({ choice: 'cpu' });
  });
});

describe('opening', () => {
  it('goes from a drop to roles, a recipe, figures and a plan', async () => {
    const one = studio();
    void one.controller.drop([{ path: 'base/model.safetensors', handle: null }]);
    expect(one.store.getState().checkpoints.opening).toBe(1);
    await settle();
    one.worker.last('open').resolve({ checkpoints: [], problems: [], ignored: [], results: [] });
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
    one.worker.last('openSample').resolve({ checkpoints: [], problems: [{ file: 'sft/model.safetensors', error }, { file: 'b', error }], ignored: ['notes.txt'], results: [] });
    await settle();
    expect(one.store.getState().checkpoints.problems.map(({ file }) => file)).toEqual(['sft/model.safetensors', 'b']);
    await opened(one, 'sft');
    one.controller.dismissProblem('b');
    expect(one.store.getState().checkpoints).toMatchObject({ problems: [], ignored: ['notes.txt'] });
  });

  it('shows the table of scores that was dropped last, on the surface, until it is closed', async () => {
    const one = studio();
    const table = (file: string) => ({ file, metrics: ['bleu'], rows: [] });
    void one.controller.openSample();
    one.worker.last('openSample').resolve({ checkpoints: [], problems: [], ignored: [], results: [table('a.csv'), table('b.csv')] });
    await settle();
    expect(one.store.getState().results?.file).toBe('b.csv');
    expect(one.store.getState().view.chart.tab).toBe('surface');
    await opened(one, 'sft');
    expect(one.store.getState().results?.file).toBe('b.csv');
    one.controller.closeResults();
    expect(one.store.getState().results).toBeNull();
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
    one.worker.last('explore').resolve({ tensors: [figuresOf('a', 1)], milliseconds: 5, sample: SAMPLE });
    await settle();
    expect(one.store.getState().figures).toMatchObject({ loading: true, tensors: [{ tensor: 'a' }] });
    one.clock.paint();
    expect(one.worker.of('explore')).toHaveLength(2);
    expect(one.worker.last('explore').payload.recipe.models[0]!.density).toBe(0.5);
    one.worker.last('explore').resolve({ tensors: [figuresOf('a', 2)], milliseconds: 4, sample: SAMPLE });
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
    slow.resolve({ tensors: [figuresOf('old', 1)], milliseconds: 1, sample: SAMPLE });
    one.worker.last('explore').resolve({ tensors: [figuresOf('new', 1)], milliseconds: 1, sample: SAMPLE });
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
    await ask((request) => request.resolve({ tensors: [figuresOf('a', 1)], milliseconds: 1, sample: SAMPLE }));
    await ask((request) => request.reject(new CancelledError()));
    expect(one.store.getState().figures.problem).toBeNull();
    await ask((request) => request.reject(new Error('boom')));
    expect(one.store.getState().figures).toMatchObject({ loading: false, problem: { code: 'internal' } });
    expect(one.store.getState().figures.tensors).toHaveLength(1);
    await ask((request) => request.resolve({ tensors: [], milliseconds: 1, sample: SAMPLE }));
    expect(one.store.getState().figures.problem).toBeNull();
  });

  it('asks for nothing while the recipe has no meaning', async () => {
    const one = studio();
    await opened(one, 'base', 'sft', 'ct-x-4M');
    one.clock.paint();
    one.worker.last('explore').resolve({ tensors: [], milliseconds: 1, sample: SAMPLE });
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
    one.worker.last('start').resolve({ info: { kind: 'cpu', label: 'CPU', software: false, arithmetic: 'native' }, gpuProblem: null, selfTest: [], speeds: [], why: 'asked' });
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

describe('the state', () => {
  it('is the same after JSON: values only', async () => {
    const one = studio();
    await opened(one, 'base', 'sft', 'ct-x-4M');
    expect(JSON.parse(JSON.stringify(one.store.getState()))).toEqual(one.store.getState());
  });
});
