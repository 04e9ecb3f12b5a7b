/** Rule: faults.md row 36 - a cancelled merge does not wait for a map that never settles, and the next one does not wait on that device. */
import { expect, it } from 'vitest';
import { Watchdog } from '../../../src/bytes/watchdog';
import { createWebGpuBackend } from '../../../src/engine/backend';
import type { AdaptRequest } from '../../../src/merge/adapting';
import type { Backend, Group, GroupResult } from '../../../src/merge/backend';
import type { TensorParameters } from '../../../src/recipe/types';
import { BackendHost } from '../../../src/worker/host';
import type { BackendReport } from '../../../src/worker/protocol';
import { resilient } from '../../../src/worker/resilient';
import { FAST, TestTime } from '../test-time';

Object.assign(globalThis, {
  GPUBufferUsage: { MAP_READ: 1, MAP_WRITE: 2, COPY_SRC: 4, COPY_DST: 8, UNIFORM: 64, STORAGE: 128, INDIRECT: 256 },
  GPUMapMode: { READ: 1, WRITE: 2 },
  GPUShaderStage: { COMPUTE: 4 },
});

/** Whatever is asked of it gives more of the same. */
const anything = (): unknown => new Proxy(() => undefined, { get: (_, name) => (name === 'then' ? undefined : anything()), apply: anything });

/** Takes every command, and answers no map until its buffer is destroyed. */
function silentDevice() {
  const alive = new Set<object>();
  const waits: (() => void)[] = [];
  const isAsked = new Promise<void>((resolve) => waits.push(resolve));
  const createBuffer = ({ size }: GPUBufferDescriptor) => {
    let gone: (error: unknown) => void = () => {};
    const buffer = {
      size,
      mapAsync() {
        waits[0]!();
        return new Promise((_, reject) => (gone = reject));
      },
      destroy() {
        alive.delete(buffer);
        gone(new DOMException('destroyed', 'AbortError'));
      },
    };
    alive.add(buffer);
    return buffer;
  };
  const limits = { maxStorageBufferBindingSize: 2 ** 27, maxBufferSize: 2 ** 28 };
  const own = {
    limits,
    lost: new Promise(() => {}),
    createBuffer,
    createShaderModule: () => ({ getCompilationInfo: async () => ({ messages: [] }) }),
    popErrorScope: async () => null,
    queue: new Proxy({}, { get: (_, name) => (name === 'onSubmittedWorkDone' ? async () => undefined : anything()) }),
  };
  const device = new Proxy(own, { get: (known, name) => (name in known ? known[name as keyof typeof known] : anything()) });
  return { device: device as unknown as GPUDevice, alive, isAsked };
}

const GROUP: Group = {
  method: 'task_arithmetic',
  slots: [{ name: 'w', elements: 64, inputs: ['BF16', 'BF16'], modelElements: [64], outDtype: 'BF16' }],
  chunks: [[{ slot: 0, first: 0, count: 64, present: [true, true] }]],
};
const PARAMETERS: TensorParameters[] = [{ weight: [1], density: [1], lambda: 1, normalize: false, rescale: false }];
const read = async () => new Uint8Array(128);
const none = () => Promise.reject(new Error('unused'));
const REQUEST: AdaptRequest = { base: new Uint8Array(128), dtype: 'BF16', first: 0, columns: 8, rank: 1, scale: 1, left: new Float32Array(8), right: new Float32Array(8) };

it.each<[string, (backend: Backend, signal: AbortSignal) => Promise<unknown>]>([
  ['a group', (backend, signal) => backend.merge(GROUP, PARAMETERS, read, none, { signal })],
  ['a count', (backend, signal) => backend.tally(GROUP, PARAMETERS, [{ model: 0, prefer: 0, rows: 1, digit: { shift: 20, bits: 11 }, slots: [{ row: 0, low: 0 }] }], read, { signal })],
  ['a piece of an adapter', (backend, signal) => backend.adapt(REQUEST, signal)],
])('%s is not waited for, the next group has another device, and nothing of the silent one is left', async (_, ask) => {
  const { device, alive, isAsked } = silentDevice();
  const time = new TestTime();
  const silent = await createWebGpuBackend(device, { arithmetic: 'integer', watchdog: new Watchdog(time) });
  const result: GroupResult = { slots: [], segments: [] };
  const answering: Backend = { ...silent, merge: async () => result, dispose: () => {} };
  const given = [silent, answering];
  const reports: BackendReport[] = [];
  const factory = { webgpu: async () => ({ backend: given.shift() ?? (await none()), selfTest: [] }), cpu: () => answering, recheck: () => answering, measure: async () => null };
  const host = new BackendHost(factory, (report) => reports.push(report), new Watchdog(FAST));
  await host.start('webgpu');
  const backend = resilient(host, silent);
  const controller = new AbortController();
  const cancelled = ask(backend, controller.signal);
  await Promise.race([isAsked, cancelled]);
  controller.abort();
  // No time goes by on the device's own watch.
  await expect(cancelled).rejects.toMatchObject({ code: 'cancelled' });
  expect([reports.length, alive.size > 0]).toEqual([0, true]);

  const next = backend.merge(GROUP, PARAMETERS, read, none);
  await time.pass(10_000);
  expect(reports).toEqual([]);
  await time.pass(2000);
  expect(await next).toBe(result);
  expect(reports.map(({ why, info }) => [why, info.kind])).toEqual([['instead', 'webgpu']]);
  await time.pass(2000);
  expect([alive.size, time.timers]).toEqual([0, 0]);
});
