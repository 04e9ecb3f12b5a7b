/** Values of adapters on this machine's adapter, in both arithmetics, whole and in dispatches of one block. */
import { createWebGpuBackend } from '../../src/engine/backend';
import { requestStudioDevice } from '../../src/engine/device';
import { describeAdapt } from './adapt';

const { device, label, software } = await requestStudioDevice();
describeAdapt(`WebGPU, ${label}`, () => createWebGpuBackend(device, { label, software }));
describeAdapt(`WebGPU, ${label}, integer arithmetic, block by block`, () => createWebGpuBackend(device, { label, software, arithmetic: 'integer', dispatchBlocks: 1 }));
