/** Rankings over several tensors on this machine's adapter: see tallies.ts. */
import { createWebGpuBackend } from '../../src/engine/backend';
import { requestStudioDevice } from '../../src/engine/device';
import { describeTallies } from './tallies';

const { device, label, software } = await requestStudioDevice();
describeTallies(`WebGPU, ${label}`, () => createWebGpuBackend(device, { label, software, residentBytes: 0 }), { runs: 4, limits: { maxModels: 3, maxElements: 300 } });
