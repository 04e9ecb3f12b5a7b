/** Which backend is used, and what happens when its device is lost (faults.md 27, 30, 31). */
import { BufferRing } from '../../../src/bytes/buffer-ring';
import { describe, expect, it } from 'vitest';
import { DeviceLostError, GpuUnavailableError, InvalidRecipeError, OutOfMemoryError } from '../../../src/bytes/errors';
import type { Backend, Group } from '../../../src/merge/backend';
import { BackendHost } from '../../../src/worker/host';
import type { BackendReport } from '../../../src/worker/protocol';
import { resilient } from '../../../src/worker/resilient';

const disposed: string[] = [];
function backendOf(kind: 'webgpu' | 'cpu', label: string, chunkBytes = 1000): Backend {
  return {
    info: { kind, label, software: false, arithmetic: 'native' },
    chunkBytes,
    merge: () => Promise.reject(new Error('unused')),
    tally: () => Promise.reject(new Error('unused')),
    hold: () => Promise.reject(new Error('unused')),
    adapt: () => Promise.reject(new Error('unused')),
    dispose: () => void disposed.push(label),
  };
}

/** Devices that will be given, in order; then none. `speeds` are measured by label; what has none cannot be measured. */
function setUp(devices: readonly (number | null)[], speeds: Readonly<Record<string, number>> = {}) {
  disposed.length = 0;
  const reports: BackendReport[] = [];
  let asked = 0;
  const measured: string[] = [];
  const host = new BackendHost(
    {
      webgpu: async () => {
        const chunkBytes = devices[asked++] ?? null;
        if (chunkBytes === null) throw new GpuUnavailableError('no-adapter', 'none');
        return { backend: backendOf('webgpu', `gpu ${asked}`, chunkBytes), selfTest: [{ pass: 'trim', ok: true, detail: '' }] };
      },
      cpu: () => backendOf('cpu', 'cpu'),
      recheck: ({ kind }) => backendOf('cpu', `after ${kind}`),
      measure: async ({ info }) => {
        measured.push(info.label);
        return speeds[info.label] ?? null;
      },
    },
    (report) => reports.push(report),
  );
  return { host, reports, measured };
}
const labels = (reports: readonly BackendReport[]) => reports.map(({ info, gpuProblem }) => [info.label, gpuProblem?.code ?? null]);
const settle = () => new Promise((resolve) => setTimeout(resolve, 0));

describe('an adapter that fails the self-test', () => {
  it('is named, refused, and replaced by the CPU; asked for by name, it is refused and what was in use stays', async () => {
    const factory = {
      webgpu: () => Promise.reject(new GpuUnavailableError('self-test-failed', 'Card X: trim: 3 instead of 4', { names: ['trim'], actual: 'Card X' })),
      cpu: () => backendOf('cpu', 'cpu'),
      recheck: () => backendOf('cpu', 'recheck'),
      measure: async () => null,
    };
    const host = new BackendHost(factory, () => undefined);
    const report = await host.start('auto');
    expect(report).toMatchObject({ info: { kind: 'cpu' }, why: 'alone', gpuProblem: { reason: 'self-test-failed', where: { names: ['trim'], actual: 'Card X' } } });
    await expect(host.start('webgpu')).rejects.toMatchObject({ reason: 'self-test-failed' });
    expect(host.info?.kind).toBe('cpu');
  });
});

describe('calibration', () => {
  it('auto takes the faster of a real GPU and the CPU, and disposes of the other', async () => {
    const fast = setUp([1000], { 'gpu 1': 500e6, cpu: 60e6 });
    expect(await fast.host.start('auto')).toMatchObject({ info: { label: 'gpu 1' }, speeds: [{ kind: 'webgpu', label: 'gpu 1', parametersPerSecond: 500e6 }, { kind: 'cpu', label: 'cpu', parametersPerSecond: 60e6 }] });
    expect(disposed).toEqual(['cpu']);
    const slow = setUp([1000], { 'gpu 1': 10e6, cpu: 60e6 });
    expect(await slow.host.start('auto')).toMatchObject({ info: { label: 'cpu' }, speeds: [{ label: 'cpu' }, { label: 'gpu 1' }] });
    expect(disposed).toEqual(['gpu 1']);
  });
  it('auto measures nothing where there is no choice, so that nothing delays the first charts', async () => {
    const { host, measured } = setUp([], { cpu: 60e6 });
    expect(await host.start('auto')).toMatchObject({ info: { label: 'cpu' }, speeds: [] });
    expect(measured).toEqual([]);
  });
  it('what was not measured at the start is measured once it is asked for, and then known', async () => {
    const { host, measured } = setUp([], { cpu: 60e6 });
    expect(await host.throughput()).toBeNull();
    await host.start('auto');
    expect([await host.throughput(), await host.throughput(), measured]).toEqual([60e6, 60e6, ['cpu']]);
  });
  it('what is asked for by name is used, however slow, measured, and compared with what was measured before', async () => {
    const { host } = setUp([1000], { 'gpu 1': 10e6, cpu: 60e6 });
    expect(await host.start('webgpu')).toMatchObject({ info: { label: 'gpu 1' }, speeds: [{ label: 'gpu 1' }] });
    expect(await host.start('cpu')).toMatchObject({ info: { label: 'cpu' }, speeds: [{ label: 'cpu' }, { label: 'gpu 1' }] });
  });
  it('what cannot be measured is no reason to change', async () => {
    const { host } = setUp([1000], { cpu: 60e6 });
    expect(await host.start('auto')).toMatchObject({ info: { label: 'gpu 1' }, speeds: [{ label: 'cpu' }], why: 'unmeasured' });
  });
  it('the report says why the backend is the one in use', async () => {
    const whyOf = async (devices: number[], choice: 'auto' | 'cpu' | 'webgpu') => (await setUp(devices, { 'gpu 1': 2, cpu: 1 }).host.start(choice)).why;
    expect([await whyOf([1000], 'auto'), await whyOf([], 'auto'), await whyOf([1000], 'webgpu'), await whyOf([], 'cpu')]).toEqual(['faster', 'alone', 'asked', 'asked']);
  });
  it('on demand measures both, and what is in use stays in use', async () => {
    const { host } = setUp([1000], { 'gpu 1': 10e6, cpu: 60e6 });
    await host.start('cpu');
    expect(await host.calibrate()).toMatchObject({ info: { label: 'cpu' }, gpuProblem: null, speeds: [{ label: 'cpu', parametersPerSecond: 60e6 }, { label: 'gpu 1', parametersPerSecond: 10e6 }], why: 'asked' });
    expect(disposed).toEqual(['gpu 1']);
    expect(host.info?.label).toBe('cpu');
  });
  it('on demand without an adapter says what is missing beside the one figure', async () => {
    const { host } = setUp([], { cpu: 60e6 });
    expect(await host.calibrate()).toMatchObject({ info: { label: 'cpu' }, gpuProblem: { reason: 'no-adapter' }, speeds: [{ label: 'cpu' }] });
  });
});

describe('choosing', () => {
  it('auto takes WebGPU where there is one, with its self-test', async () => {
    const report = await setUp([1000]).host.start('auto');
    expect(report).toMatchObject({ info: { label: 'gpu 1' }, gpuProblem: null, selfTest: [{ pass: 'trim', ok: true }] });
  });
  it('auto takes the CPU where there is none, and says why', async () => {
    const report = await setUp([]).host.start('auto');
    expect(report).toMatchObject({ info: { label: 'cpu' }, gpuProblem: { code: 'gpu-unavailable', reason: 'no-adapter' }, selfTest: [] });
  });
  it('webgpu rejects where there is none, and what was in use stays', async () => {
    const { host } = setUp([]);
    await host.start('cpu');
    await expect(host.start('webgpu')).rejects.toMatchObject({ code: 'gpu-unavailable' });
    expect(host.info?.label).toBe('cpu');
    expect(disposed).toEqual([]);
  });
  it('cpu asks for no device; a change disposes of the backend before', async () => {
    const { host } = setUp([1000]);
    await host.start('auto');
    expect(labels([await host.start('cpu')])).toEqual([['cpu', null]]);
    await settle();
    // The CPU was measured against it.
    expect(disposed).toEqual(['cpu', 'gpu 1']);
  });
  it('use without a start begins with auto', async () => {
    expect(await setUp([1000]).host.use(async ({ info }) => info.label)).toBe('gpu 1');
  });
});

describe('a lost device', () => {
  const lose = (host: BackendHost, times: number) => {
    const tried: string[] = [];
    const result = host.use(async ({ info }) => {
      tried.push(info.label);
      if (tried.length <= times) throw new DeviceLostError('lost', 'lost');
      return tried;
    });
    return result;
  };

  it('with two groups of a merge: both begin again in their order, on a backend that takes one at a time, whichever learns of the loss first', async () => {
    for (const first of [0, 1]) {
      const begun: string[] = [];
      const losses: (() => void)[] = [];
      const group = (name: string): Group => ({ method: 'ties', slots: [{ name, elements: 1, inputs: [], modelElements: [], outDtype: 'BF16' }], chunks: [[]] });
      const buffers = { webgpu: new BufferRing(0), cpu: new BufferRing(0) };
      const merging = (kind: 'webgpu' | 'cpu'): Backend => ({
        ...backendOf(kind, kind),
        concurrency: kind === 'webgpu' ? 2 : 1,
        buffers: buffers[kind],
        merge: async ({ slots }, _, __, write) => {
          begun.push(`${kind} ${slots[0]!.name}`);
          if (kind === 'webgpu') await new Promise((_resolve, reject) => losses.push(() => reject(new DeviceLostError('lost', 'lost'))));
          await write({ slot: 0, first: 0, count: 1, present: [] }, new Uint8Array(2));
          return { slots: [], segments: [] };
        },
      });
      const host = new BackendHost({ webgpu: async () => ({ backend: losses.length === 0 ? merging('webgpu') : await Promise.reject(new Error('none')), selfTest: [] }), cpu: () => merging('cpu'), recheck: () => merging('cpu'), measure: async () => null }, () => {});
      await host.start('webgpu');
      const backend = resilient(host, await host.use(async (planned) => planned));
      expect([backend.concurrency, backend.buffers === buffers.webgpu]).toEqual([2, true]);
      const written: string[] = [];
      const merge = (name: string, turn: Promise<unknown>) =>
        backend.merge(group(name), [], () => Promise.reject(new Error('unused')), async () => {
          await turn;
          written.push(name);
        });
      // The second is written after the first, as the pipeline has it.
      const a = merge('a', Promise.resolve());
      const b = merge('b', a);
      await settle();
      losses[first]!();
      await settle();
      losses[1 - first]!();
      await Promise.all([a, b]);
      expect([begun, written]).toEqual([['webgpu a', 'webgpu b', 'cpu a', 'cpu b'], ['a', 'b']]);
      // What is read from now on is lent by the one that gives it back.
      expect(backend.buffers).toBe(buffers.cpu);
    }
  });
  it('is replaced by a new one and the work begins again', async () => {
    const { host, reports } = setUp([1000, 1000]);
    expect(await lose(host, 1)).toEqual(['gpu 1', 'gpu 2']);
    expect(labels(reports)).toEqual([['gpu 2', null]]);
    expect(reports[0]!.why).toBe('instead');
    await settle();
    // The CPU was measured against it.
    expect(disposed).toEqual(['cpu', 'gpu 1']);
  });
  it('lost twice: the CPU, with the cause', async () => {
    const { host, reports } = setUp([1000, 1000, 1000]);
    expect(await lose(host, 2)).toEqual(['gpu 1', 'gpu 2', 'cpu']);
    expect(labels(reports)).toEqual([['gpu 2', null], ['cpu', 'device-lost']]);
  });
  it('no new adapter: the CPU', async () => {
    const { host, reports } = setUp([1000]);
    expect(await lose(host, 1)).toEqual(['gpu 1', 'cpu']);
    expect(labels(reports)).toEqual([['cpu', 'device-lost']]);
  });
  it('a new device with smaller chunks cannot carry on what was planned: the CPU', async () => {
    const { host } = setUp([1000, 999]);
    expect(await lose(host, 1)).toEqual(['gpu 1', 'cpu']);
    await settle();
    expect(disposed.sort()).toEqual(['cpu', 'gpu 1', 'gpu 2']);
  });
  it('met by two requests is replaced once', async () => {
    const { host, reports } = setUp([1000, 1000]);
    await host.start('auto');
    expect(await Promise.all([lose(host, 1), lose(host, 1)])).toEqual([['gpu 1', 'gpu 2'], ['gpu 1', 'gpu 2']]);
    expect(reports).toHaveLength(1);
  });
  it('one without room: the CPU, with the cause, where that may be; else it is the caller\'s, as the CPU\'s own is', async () => {
    const { host, reports } = setUp([1000]);
    await host.start('webgpu');
    const full = async ({ info }: Backend) => (info.kind === 'cpu' ? info.label : await Promise.reject(new OutOfMemoryError('device-memory', 'none', { actual: 7, expected: 9 })));
    await expect(host.use(full)).rejects.toMatchObject({ reason: 'device-memory' });
    // That the machine has no memory is not told by the graphics card, and the CPU needs as much.
    const short = [new OutOfMemoryError('host-memory', 'none', { expected: 9 }), new RangeError('Array buffer allocation failed')];
    for (const error of short) await expect(host.use(() => Promise.reject(error), () => true)).rejects.toMatchObject({ reason: 'host-memory' });
    expect([host.info?.kind, reports]).toEqual(['webgpu', []]);
    expect(await host.use(full, () => true)).toBe('cpu');
    expect(reports).toMatchObject([{ info: { label: 'cpu' }, why: 'no-room', gpuProblem: { code: 'out-of-memory', reason: 'device-left', where: { actual: 7, expected: 9 } } }]);
    await expect(host.use(() => Promise.reject(new OutOfMemoryError('hold', 'none', {})), () => true)).rejects.toMatchObject({ reason: 'hold' });
  });
  it('every other failure is the caller\'s', async () => {
    const { host, reports } = setUp([1000, 1000]);
    await expect(host.use(() => Promise.reject(new InvalidRecipeError('models-empty', 'm')))).rejects.toMatchObject({ code: 'invalid-recipe' });
    expect(reports).toEqual([]);
  });
  it('a backend changed by the user under a request: the request runs again on the new one', async () => {
    const { host } = setUp([1000]);
    await host.start('auto');
    const tried: string[] = [];
    const result = await host.use(async ({ info }) => {
      tried.push(info.label);
      if (tried.length > 1) return tried;
      await host.start('cpu');
      throw new Error('used after dispose');
    });
    expect(result).toEqual(['gpu 1', 'cpu']);
  });
});
