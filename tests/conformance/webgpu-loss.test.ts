/**
 * Rule: faults.md rows 30 to 32 and 36 - a device lost before any submission or map of a merge, or one that never answers, costs the
 * group it was at and nothing else: the merge goes on with the next device, and the file is the same to the bit.
 *
 * The loss is a pretence here, so that every place can be tried: submissions are dropped and resolve as they do on a lost device,
 * maps reject. `device.destroy()` follows at some places, and e2e crash the GPU process.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Watchdog, type WatchClock } from '../../src/bytes/watchdog';
import { Context } from '../../src/engine/context';
import { createWebGpuBackend } from '../../src/engine/backend';
import { requestStudioDevice } from '../../src/engine/device';
import type { BackendReport } from '../../src/worker/protocol';
import type { Backend } from '../../src/merge/backend';
import { planMerge } from '../../src/merge/plan';
import { DEFAULT_CHOICES } from '../../src/merge/plan-types';
import { runMerge } from '../../src/merge/run';
import { createReferenceBackend } from '../../src/reference/backend';
import { recomputeSpots } from '../../src/reference/spots';
import { BackendHost } from '../../src/worker/host';
import { resilient } from '../../src/worker/resilient';
import { familyOf, recipeOf } from '../unit/merge/family';
import { device, failOnUncaptured, make } from './adapter';

failOnUncaptured();
/** Three groups, the first in two chunks: the third begins while the first is at the device's end of the ring. */
const TENSORS = { a: [1500], b: [700], c: [90] };
const LIMITS = { chunkBytes: 6000, shardBytes: 1e9 };

type Operation = 'submit' | 'map';
/** Counts what the device is asked for, and is lost at the operation it is told. */
const loss = { counts: { submit: 0, map: 0 }, at: null as { readonly operation: Operation; readonly n: number } | null, isLost: false };
let resolveLost: (info: GPUDeviceLostInfo) => void = () => {};
const INFO = { reason: 'unknown', message: 'pretended' } as GPUDeviceLostInfo;
const step = (operation: Operation) => {
  const n = loss.counts[operation]++;
  if (loss.at?.operation !== operation || loss.at.n !== n) return;
  loss.isLost = true;
  resolveLost(INFO);
};
/** The device that takes commands and answers no map, and what hears of the first. */
let silent: { readonly device: number; readonly onMap: () => void } | null = null;
const gone = () => new DOMException('the device is lost', 'AbortError');
const { mapAsync } = GPUBuffer.prototype;
/** Which device each buffer is of: one that was lost stays lost for what is still under way on it when the next one is there. */
const deviceOf = new WeakMap<GPUBuffer, number>();
let devices = 0;

/** Another device, as far as anybody can tell. Whoever was on the one before has been told of its loss. */
function arrive(): void {
  devices++;
  loss.at = null;
  loss.isLost = false;
  Object.defineProperty(device, 'lost', { configurable: true, value: new Promise<GPUDeviceLostInfo>((resolve) => (resolveLost = resolve)) });
}
/** The device that is there is lost at the operation number `n` from now on. */
function arm(operation: Operation, n: number): void {
  loss.counts = { submit: 0, map: 0 };
  loss.at = { operation, n };
}

beforeAll(() => {
  const submit = device.queue.submit.bind(device.queue);
  device.queue.submit = (buffers) => {
    step('submit');
    return loss.isLost ? undefined : submit(buffers);
  };
  const createBuffer = device.createBuffer.bind(device);
  device.createBuffer = (descriptor) => {
    const buffer = createBuffer(descriptor);
    deviceOf.set(buffer, devices);
    return buffer;
  };
  GPUBuffer.prototype.mapAsync = async function (...range) {
    const isLost = () => loss.isLost || (deviceOf.get(this) ?? devices) !== devices;
    step('map');
    if (silent !== null && deviceOf.get(this) === silent.device) {
      silent.onMap();
      return new Promise(() => {});
    }
    if (isLost()) throw gone();
    await mapAsync.apply(this, range);
    if (isLost()) throw gone();
    return undefined;
  };
});
afterAll(() => {
  GPUBuffer.prototype.mapAsync = mapAsync;
  delete (device.queue as Partial<GPUQueue>).submit;
  delete (device as Partial<GPUDevice>).createBuffer;
  delete (device as unknown as { lost?: unknown }).lost;
});

/** Of a merge, after one that ends when `cancelled` is aborted. */
async function merged(backends: readonly (() => Promise<Backend>)[], cancelled?: AbortSignal) {
  const family = await familyOf({ base: TENSORS, x: TENSORS, y: TENSORS });
  const recipe = { ...recipeOf(family, 'ties_sv', 'base', ['x', 'y']), slack: { s: 0.2, of: 'discarded', prefer: family.id('x') } as const };
  const plan = planMerge(family.checkpoints, recipe, DEFAULT_CHOICES, LIMITS, {});
  const reports: BackendReport[] = [];
  let next = 0;
  const host = new BackendHost(
    {
      webgpu: async () => ({ backend: await (backends[next++] ?? (() => Promise.reject(new Error('no adapter'))))(), selfTest: [] }),
      cpu: createReferenceBackend,
      recheck: createReferenceBackend,
      measure: async () => null,
    },
    (report) => reports.push(report),
  );
  await host.start('webgpu');
  const written = new Map<string, Uint8Array>();
  const open = new Set<string>();
  const destination = {
    name: 'out',
    list: async () => [...written.keys()],
    create: async (name: string) => {
      const parts: BlobPart[] = [];
      open.add(name);
      return {
        name,
        write: async (bytes: Uint8Array<ArrayBuffer>) => void parts.push(bytes.slice()),
        close: async () => {
          written.set(name, new Uint8Array(await new Blob(parts).arrayBuffer()));
          open.delete(name);
        },
        abort: async () => void open.delete(name),
      };
    },
    open: async (name: string) => ({ name, size: written.get(name)!.length, read: async (begin: number, end: number) => new Uint8Array(written.get(name)!.slice(begin, end)) }),
    remove: async (name: string) => void written.delete(name),
  };
  const planned = await host.use(async (backend) => backend);
  const run = (signal?: AbortSignal) => runMerge(plan, resilient(host, planned), family.openShard, destination, { recompute: recomputeSpots, ...(signal ? { signal } : {}) });
  if (cancelled) {
    await expect(run(cancelled)).rejects.toMatchObject({ code: 'cancelled' });
    expect([open.size, written.size, reports.length]).toEqual([0, 0, 0]);
  }
  const { files, checked } = await run();
  expect([open.size, checked.tensors]).toEqual([0, 3]);
  return { sha256: files[0]!.sha256, kinds: reports.map(({ info }) => info.kind) };
}

/**
 * Backends on devices that are there until the merge has begun; given two groups at a time, as those of a GPU are, and with as many
 * submissions as where every pipeline is measured.
 */
const engine = async (): Promise<Backend> => {
  arrive();
  return { ...(await make({ ...LIMITS, dispatchBlocks: 64 })()), concurrency: 2 };
};
const lostAt = (operation: Operation, n: number) => async () => {
  const backend = await engine();
  arm(operation, n);
  return backend;
};

describe('a device lost in a merge', () => {
  it.each(['submit', 'map'] as const)('before every %s in turn: the next one goes on, and the file is the same', async (operation) => {
    const clean = await merged([lostAt(operation, Infinity)]);
    const count = loss.counts[operation];
    // At least one a chunk: selection, merge and copies for reading go together.
    expect(count).toBeGreaterThanOrEqual(4);
    for (let n = 0; n < count; n++) {
      const { sha256, kinds } = await merged([lostAt(operation, n), engine]);
      expect([n, sha256, kinds]).toEqual([n, clean.sha256, ['webgpu']]);
    }
  });

  it('twice: the CPU finishes it, with the same file', async () => {
    const clean = await merged([lostAt('map', Infinity)]);
    const { sha256, kinds } = await merged([lostAt('map', 1), lostAt('map', 0)]);
    expect([sha256, kinds]).toEqual([clean.sha256, ['webgpu', 'cpu']]);
  });

  it('by destroy(), under way: the next one goes on, and the file is the same', async () => {
    const clean = await merged([engine]);
    const { device: doomed } = await requestStudioDevice();
    const submit = doomed.queue.submit.bind(doomed.queue);
    let submits = 0;
    doomed.queue.submit = (buffers) => {
      // Past the probe of its arithmetic, in the middle of a group.
      if (++submits === 12) doomed.destroy();
      return submit(buffers);
    };
    const { sha256, kinds } = await merged([() => createWebGpuBackend(doomed, { ...LIMITS, arithmetic: 'integer' }), engine]);
    expect([sha256, kinds, submits >= 12]).toEqual([clean.sha256, ['webgpu'], true]);
  });
});

it('work that the device refused is not taken for done: its results count as those of a lost device', async () => {
  const { device: own } = await requestStudioDevice();
  const context = new Context(own, { arithmetic: 'integer', exactDivision: false });
  const buffer = await context.memory.borrow('own', 256, GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST);
  await context.readBack([{ buffer, size: 256 }]);
  const recording = context.record('refused');
  recording.clear(buffer, 0, 512);
  recording.submit();
  await expect(context.readBack([{ buffer, size: 256 }])).rejects.toMatchObject({ code: 'device-lost', reason: 'refused' });
  context.dispose();
  own.destroy();
});

/** A clock by which a second goes by with every look. */
class QuickClock implements WatchClock {
  looks = 0;
  private time = 0;
  now = () => this.time;

  /** `lookMs`: milliseconds between two looks. */
  constructor(private readonly lookMs: number) {}

  later(milliseconds: number, run: () => void): () => void {
    const timer = setTimeout(() => {
      this.time += milliseconds;
      this.looks++;
      run();
    }, this.lookMs);
    return () => clearTimeout(timer);
  }
}

it('a merge that is cancelled at a map that never settles: it ends, and the next one has another device and the same file', async () => {
  const clean = await merged([engine]);
  const controller = new AbortController();
  const silentEngine = async () => {
    arrive();
    // Three minutes of it are nine seconds: the merge is not cancelled because they are over.
    const backend = await make({ ...LIMITS, watchdog: new Watchdog(new QuickClock(50)) })();
    silent = { device: devices, onMap: () => controller.abort() };
    return { ...backend, concurrency: 2 };
  };
  const { sha256, kinds } = await merged([silentEngine, engine], controller.signal);
  expect([sha256, kinds]).toEqual([clean.sha256, ['webgpu']]);
});

it('a map that never settles counts as a lost device after three minutes awake', async () => {
  const clock = new QuickClock(0);
  const context = new Context(device, { arithmetic: 'integer', exactDivision: false }, { watchdog: new Watchdog(clock) });
  const pretended = GPUBuffer.prototype.mapAsync;
  GPUBuffer.prototype.mapAsync = () => new Promise(() => {});
  try {
    await expect(context.readBack([])).rejects.toMatchObject({ code: 'device-lost', reason: 'unresponsive' });
    expect(clock.looks).toBe(181);
  } finally {
    GPUBuffer.prototype.mapAsync = pretended;
    context.dispose();
  }
});
