import { describe, expect, it } from 'vitest';
import { CancelledError } from '../../../src/bytes/errors';
import { figuresOf, opened, PROGRESS, SAMPLE, settle, studio, type Studio } from './fakes';

async function explored(): Promise<Studio> {
  const one = studio();
  await opened(one, 'base', 'sft', 'ct-x-4M');
  one.clock.paint();
  one.worker.last('explore').resolve({ tensors: [figuresOf('a', 1), figuresOf('b', 1)], milliseconds: 1, sample: SAMPLE });
  await settle();
  return one;
}

describe('a scan', () => {
  it('is a job that makes every figure exact and leaves no sample behind it', async () => {
    const one = await explored();
    expect(one.store.getState().figures.sample).toEqual(SAMPLE);
    void one.controller.scan();
    expect(one.store.getState().job).toEqual({ status: 'running', kind: 'scan', progress: null });
    const { recipe, choices } = one.store.getState().decisions.present;
    expect(one.worker.last('scan').payload).toEqual({ recipe, choices });
    one.worker.emit({ event: 'progress', progress: PROGRESS });
    one.worker.emit({ event: 'tensor', figures: [figuresOf('a', 5, true), figuresOf('b', 7, true)] });
    one.worker.last('scan').resolve({ tensors: [figuresOf('a', 5, true), figuresOf('b', 7, true)], seconds: 3 });
    await settle();
    one.clock.paint();
    const { job, figures } = one.store.getState();
    expect(job).toEqual({ status: 'counted', tensors: 2, seconds: 3 });
    expect([figures.sample, figures.tensors.map(({ exact, figures: { conflict } }) => [exact, conflict])]).toEqual([null, [[true, 5], [true, 7]]]);
    expect(one.worker.of('explore')).toHaveLength(1);
  });

  it('is paused and cancelled as a merge is, and then the figures are asked for again', async () => {
    const one = await explored();
    void one.controller.scan();
    void one.controller.pause(true);
    one.worker.last('pause').resolve(null);
    expect(one.store.getState().job).toMatchObject({ status: 'paused', kind: 'scan' });
    void one.controller.cancel();
    one.worker.last('cancel').resolve(null);
    one.worker.last('scan').reject(new CancelledError());
    await settle();
    one.clock.paint();
    expect(one.store.getState().job).toEqual({ status: 'cancelled', kind: 'scan', kept: null });
    expect(one.worker.of('explore')).toHaveLength(2);
  });
});

describe('a finer sample', () => {
  it('makes the page ask again, once the present question is answered', async () => {
    const one = await explored();
    one.worker.emit({ event: 'sample' });
    expect(one.store.getState().figures.loading).toBe(true);
    one.clock.paint();
    expect(one.worker.of('explore')).toHaveLength(2);
    one.worker.last('explore').resolve({ tensors: [figuresOf('a', 2)], milliseconds: 1, sample: { ...SAMPLE, values: 80 } });
    await settle();
    expect(one.store.getState().figures).toMatchObject({ loading: false, sample: { values: 80 } });
  });

  it('is nothing to a job that counts everything', async () => {
    const one = await explored();
    void one.controller.scan();
    one.worker.emit({ event: 'sample' });
    one.clock.paint();
    expect(one.worker.of('explore')).toHaveLength(1);
  });
});
