/** What computes: the WebGPU package of Node where it is installed and finds an adapter, or the CPU. */
import { availableParallelism } from 'node:os';
import { GpuUnavailableError } from '../bytes/errors';
import { createCpuBackend } from '../cpu/backend';
import { formOnHost } from '../cpu/forming';
import { createWebGpuBackend } from '../engine/backend';
import { requestStudioDevice } from '../engine/device';
import type { Backend, BackendInfo } from '../merge/backend';
import { selfTest } from '../merge/self-test';
import { createReferenceBackend } from '../reference/backend';
import { spawnThread } from './threads';
import type { Options } from './usage';

/** What the `webgpu` package exports. */
interface NodeWebGpu {
  create(options: readonly string[]): GPU;
  readonly globals: Record<string, unknown>;
}
export interface Chosen {
  readonly backend: Backend;
  /** Why it is not WebGPU, where that was wanted. */
  readonly note: string | null;
}

/** More workers than this wait for memory rather than for a core. */
const MOST_WORKERS = 8;

/** Kept for the life of the process: the package's instance takes its devices with it when it is collected. */
let instance: GPU | null = null;

/** `readAheadBytes`: what a merge may read ahead, and the CPU keeps of a group between passes. `auto` falls back to the CPU and says why; `webgpu` rejects with GpuUnavailableError. */
export async function chooseBackend(choice: Options['backend'], readAheadBytes: number): Promise<Chosen> {
  if (choice === 'cpu') return { backend: cpu(readAheadBytes), note: null };
  try {
    return { backend: await webGpu(choice === 'webgpu', readAheadBytes), note: null };
  } catch (error) {
    if (choice === 'webgpu') throw error;
    return { backend: cpu(readAheadBytes), note: error instanceof Error ? error.message : String(error) };
  }
}

/** Computes again what `made` computed, on the CPU, by other code: what its kernels have computed typed arrays do. */
export function recheckBackend({ kind }: BackendInfo, residentBytes: number): Backend {
  return cpu(residentBytes, kind !== 'cpu');
}

function cpu(residentBytes: number, simd = true): Backend {
  return createCpuBackend({ residentBytes, simd, workers: Math.min(MOST_WORKERS, availableParallelism()), spawn: () => spawnThread(simd) });
}

async function webGpu(allowSoftware: boolean, readAheadBytes: number): Promise<Backend> {
  instance ??= await load();
  const { device, label, software } = await requestStudioDevice(instance);
  if (software && !allowSoftware) {
    device.destroy();
    throw new GpuUnavailableError('software-adapter', `only a software adapter was found: ${label}`, { actual: label });
  }
  const backend = await createWebGpuBackend(device, { label, software, readAheadBytes, formOnHost });
  const wrong = (await selfTest(() => backend.onTrial(), createReferenceBackend())).filter(({ ok }) => !ok);
  if (wrong.length === 0) return backend;
  backend.dispose();
  throw new GpuUnavailableError('self-test-failed', `${label}: ${wrong.map(({ pass, detail }) => `${pass}: ${detail}`).join('; ')}`);
}

async function load(): Promise<GPU> {
  try {
    const { create, globals } = (await import('webgpu')) as unknown as NodeWebGpu;
    Object.assign(globalThis, globals);
    return create([]);
  } catch (error) {
    throw new GpuUnavailableError('no-webgpu', `the package webgpu cannot be loaded: ${String(error)}`);
  }
}
