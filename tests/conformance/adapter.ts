/**
 * One device for every test on this machine's adapter: the pipelines that it keeps are most of what such a test waits for.
 * No adapter is a failure, never a skip.
 */
import { afterAll, expect } from 'vitest';
import { createWebGpuBackend, type EngineOptions } from '../../src/engine/backend';
import { requestStudioDevice } from '../../src/engine/device';

export const { device, label, software } = await requestStudioDevice();
export const NAME = `WebGPU, ${label}`;

/** Makes backends on the device. */
export const make = (options: EngineOptions = {}) => () => createWebGpuBackend(device, { label, software, ...options });

const uncaptured: string[] = [];
device.addEventListener('uncapturederror', ({ error }) => uncaptured.push(error.message));

/** Errors of the device that no scope caught fail the file. */
export function failOnUncaptured(): void {
  afterAll(() => {
    expect(uncaptured.splice(0)).toEqual([]);
  });
}
