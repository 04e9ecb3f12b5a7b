/** The views of a held group on this machine's adapter, in Chromium. */
import { createWebGpuBackend } from '../../src/engine/backend';
import { requestStudioDevice } from '../../src/engine/device';
import { describeViews } from './views';

const { device, label, software } = await requestStudioDevice();
describeViews(`WebGPU, ${label}`, () => createWebGpuBackend(device, { label, software }), { runs: 4, timeoutMilliseconds: 300_000 });
