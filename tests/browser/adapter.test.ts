import { expect, it } from 'vitest';

// style.md rule 5: a missing adapter fails the run where one is expected; it is never a silent skip.
it('the browser under test offers a WebGPU adapter and a device', async () => {
  expect(navigator.gpu, 'navigator.gpu is missing: not a secure context, or WebGPU is switched off').toBeDefined();
  const adapter = await navigator.gpu.requestAdapter();
  expect(adapter, 'requestAdapter() answered null: no GPU adapter, not even a software one').not.toBeNull();
  const device = await adapter!.requestDevice();
  expect(device.limits.maxStorageBufferBindingSize).toBeGreaterThanOrEqual(128 * 1024 * 1024);
  device.destroy();
});
