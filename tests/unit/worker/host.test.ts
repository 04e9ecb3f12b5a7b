/** Which backend is used, and what happens when its device is lost (faults.md 27, 30, 31). */
import { describe, expect, it } from 'vitest';
import { DeviceLostError, GpuUnavailableError, InvalidRecipeError } from '../../../src/bytes/errors';
import type { Backend } from '../../../src/merge/backend';
import { BackendHost } from '../../../src/worker/host';
import type { BackendReport } from '../../../src/worker/protocol';

const disposed: string[] = [];
function backendOf(kind: 'webgpu' | 'cpu', label: string, chunkBytes = 1000): Backend {
  return {
    info: { kind, label, software: false, arithmetic: 'native' },
    chunkBytes,
    merge: () => Promise.reject(new Error('unused')),
    hold: () => Promise.reject(new Error('unused')),
    dispose: () => void disposed.push(label),
  };
}

/** Devices that will be given, in order; then none. */
function setUp(devices: readonly (number | null)[]) {
  disposed.length = 0;
  const reports: BackendReport[] = [];
  let asked = 0;
  const host = new BackendHost(
    {
      webgpu: async () => {
        const chunkBytes = devices[asked++] ?? null;
        if (chunkBytes === null) throw new GpuUnavailableError('no-adapter', 'none');
        return { backend: backendOf('webgpu', `gpu ${asked}`, chunkBytes), selfTest: [{ pass: 'trim', ok: true, detail: '' }] };
      },
      cpu: () => backendOf('cpu', 'cpu'),
    },
    (report) => reports.push(report),
  );
  return { host, reports };
}
const labels = (reports: readonly BackendReport[]) => reports.map(({ info, gpuProblem }) => [info.label, gpuProblem?.code ?? null]);
const settle = () => new Promise((resolve) => setTimeout(resolve, 0));

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
    expect(disposed).toEqual(['gpu 1']);
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

  it('is replaced by a new one and the work begins again', async () => {
    const { host, reports } = setUp([1000, 1000]);
    expect(await lose(host, 1)).toEqual(['gpu 1', 'gpu 2']);
    expect(labels(reports)).toEqual([['gpu 2', null]]);
    await settle();
    expect(disposed).toEqual(['gpu 1']);
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
    expect(disposed.sort()).toEqual(['gpu 1', 'gpu 2']);
  });
  it('met by two requests is replaced once', async () => {
    const { host, reports } = setUp([1000, 1000]);
    await host.start('auto');
    expect(await Promise.all([lose(host, 1), lose(host, 1)])).toEqual([['gpu 1', 'gpu 2'], ['gpu 1', 'gpu 2']]);
    expect(reports).toHaveLength(1);
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
