/** The backends of this machine: WebGPU once it has passed the self-test, and the CPU. */
import { GpuUnavailableError } from '../bytes/errors';
import { createCpuBackend } from '../cpu/backend';
import { formOnHost } from '../cpu/forming';
import { createWebGpuBackend } from '../engine/backend';
import { requestStudioDevice } from '../engine/device';
import type { Backend, BackendInfo } from '../merge/backend';
import { measureThroughput } from '../merge/calibration';
import { selfTest } from '../merge/self-test';
import { createReferenceBackend } from '../reference/backend';
import { cpuWorkers, spawnCpuWorker } from './cpu-workers';
import { DEVICE_MEMORY, MEMORY } from './sizing';
import type { BackendFactory, StartedBackend } from './host';

export const BACKENDS: BackendFactory = { webgpu, cpu: () => createCpuBackend({ residentBytes: MEMORY.readAhead, workers: cpuWorkers(), spawn: spawnCpuWorker }), recheck, measure: (backend) => measureThroughput(backend) };

/** What the kernels of the CPU backend have computed, typed arrays compute again, on one thread. */
function recheck({ kind }: BackendInfo): Backend {
  return kind === 'cpu' ? createCpuBackend({ residentBytes: MEMORY.readAhead, simd: false }) : createCpuBackend({ residentBytes: MEMORY.readAhead, workers: cpuWorkers(), spawn: spawnCpuWorker });
}

/** Throws GpuUnavailableError; `self-test-failed` names the passes that differ from the reference. */
async function webgpu(allowSoftware: boolean): Promise<StartedBackend> {
  const { device, label, software, adapter } = await requestStudioDevice();
  try {
    if (software && !allowSoftware) {
      throw new GpuUnavailableError('software-adapter', `WebGPU has only a software adapter here: ${label}`, { actual: label });
    }
    const backend = await createWebGpuBackend(device, { label, software, deviceMemory: DEVICE_MEMORY, readAheadBytes: MEMORY.readAhead, formOnHost });
    const findings = await selfTest(() => backend.onTrial(), createReferenceBackend());
    const wrong = findings.filter(({ ok }) => !ok);
    if (wrong.length === 0) return { backend, selfTest: findings, adapter };
    throw new GpuUnavailableError('self-test-failed', `${label}: ${wrong.map(({ pass, detail }) => `${pass}: ${detail}`).join('; ')}`, {
      names: wrong.map(({ pass }) => pass),
      actual: label,
    });
  } catch (error) {
    device.destroy();
    throw error;
  }
}
