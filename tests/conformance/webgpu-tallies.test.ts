/** Rankings over several tensors on this machine's adapter: see tallies.ts and whole-model.ts. */
import { createWebGpuBackend } from '../../src/engine/backend';
import { requestStudioDevice } from '../../src/engine/device';
import { describeTallies } from './tallies';
import { describeWholeModel } from './whole-model';

const { device, label, software } = await requestStudioDevice();
describeTallies(`WebGPU, ${label}`, () => createWebGpuBackend(device, { label, software, residentBytes: 0 }), { runs: 2, limits: { maxModels: 3, maxElements: 300 } });
describeWholeModel(`WebGPU, ${label}`, () => createWebGpuBackend(device, { label, software }), { runs: 4, chunkBytes: 2 ** 12 });
