import { describe, expect, it } from 'vitest';
import { mergeSeconds } from '../../../src/state/pace';
import { REST_MS } from '../../../src/state/planner';
import type { BackendReport } from '../../../src/worker/protocol';
import { opened, PLAN, SAMPLE, settle, studio } from './fakes';

const RATES = { parametersPerSecond: 50, readBytesPerSecond: 100 };
const report = (label: string): BackendReport => ({ info: { kind: 'cpu', label, software: false, arithmetic: 'native' }, gpuProblem: null, selfTest: [], speeds: [], why: 'alone' });

describe('how long a merge takes about', () => {
  it('the longer of moving bytes and computing, with verification, ranking and further models counted', () => {
    // PLAN: 30 parameters, 60 bytes read, 20 written and read again.
    expect(mergeSeconds(PLAN, 2, RATES)).toBe(1);
    expect(mergeSeconds(PLAN, 2, { ...RATES, parametersPerSecond: 10 })).toBe(3);
    expect(mergeSeconds(PLAN, 6, { ...RATES, parametersPerSecond: 10 })).toBe(9);
    expect(mergeSeconds(PLAN, 1, { ...RATES, parametersPerSecond: 10 })).toBe(3);
    expect(mergeSeconds({ ...PLAN, rankingReadings: 1 }, 2, { ...RATES, parametersPerSecond: 10 })).toBe(6);
  });
  it('is not said while either rate is unknown', () => {
    expect([null, { ...RATES, parametersPerSecond: null }, { ...RATES, readBytesPerSecond: null }].map((rates) => mergeSeconds(PLAN, 2, rates))).toEqual([null, null, null]);
  });
  it('rates are asked for once the charts have settled, anew for another backend, and an answer that is overtaken is left', async () => {
    const one = studio();
    await opened(one, 'base', 'sft');
    void one.controller.startBackend('auto');
    one.worker.last('start').resolve(report('CPU'));
    await settle();
    one.clock.paint();
    one.worker.last('explore').resolve({ tensors: [], milliseconds: 1, sample: { ...SAMPLE, settled: false } });
    one.clock.pass(REST_MS);
    one.worker.last('plan').resolve(PLAN);
    await settle();
    expect(one.worker.of('rates')).toHaveLength(0);
    one.worker.emit({ event: 'sample' });
    one.clock.paint();
    one.worker.last('explore').resolve({ tensors: [], milliseconds: 1, sample: SAMPLE });
    await settle();
    expect(one.worker.of('rates').map(({ payload }) => payload)).toEqual([{ checkpoints: ['id:base', 'id:sft'] }]);
    const first = one.worker.last('rates');
    one.worker.emit({ event: 'backend', report: report('Another') });
    await settle();
    expect(one.worker.of('rates')).toHaveLength(2);
    first.resolve({ ...RATES, parametersPerSecond: 1 });
    await settle();
    expect(one.store.getState().rates).toBeNull();
    one.worker.last('rates').resolve(RATES);
    await settle();
    expect(one.store.getState().rates).toEqual(RATES);
    // A change of the recipe alone asks nothing anew.
    one.controller.setRecipe({ lambda: 0.5 }, 'lambda');
    one.clock.pass(REST_MS);
    one.worker.last('plan').resolve(PLAN);
    await settle();
    expect(one.worker.of('rates')).toHaveLength(2);
  });
});
