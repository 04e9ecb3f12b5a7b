/** Rule: faults.md rows 30 and 32 - what fails on a lost device is that loss, in whatever words the browser rejects. */
import { describe, expect, it } from 'vitest';
import { DeviceLostError, OutOfMemoryError, StudioError } from '../../../src/bytes/errors';
import { Context } from '../../../src/engine/context';

/** As much of a device as a context asks for before it records anything. */
function contextOn(lost: Promise<{ reason: string; message: string }>): Context {
  Object.assign(globalThis, { GPUBufferUsage: { UNIFORM: 64, COPY_DST: 8 } });
  return new Context({ lost, limits: {}, createBuffer: () => ({}), addEventListener: () => {} } as unknown as GPUDevice, { arithmetic: 'integer', exactDivision: false });
}
const LOST = Promise.resolve({ reason: 'unknown', message: 'the process ended' });
const failing = (error: unknown) => () => Promise.reject(error as Error);

describe('a lost device', () => {
  it.each([
    ['an error scope that is dropped', new DOMException('Instance dropped in popErrorScope', 'OperationError')],
    ['a pipeline that cannot be made', new Error('pipeline')],
    ['an allocation', new OutOfMemoryError('device-memory', 'none', {})],
    ['an error of our own without a name', new StudioError('internal', 'map-failed', 'map')],
  ])('is why %s fails', async (_, error) => {
    const loss = await contextOn(LOST).losing(failing(error)).catch((thrown: unknown) => thrown);
    expect(loss).toBeInstanceOf(DeviceLostError);
    expect((loss as Error).message).toContain('the process ended');
  });
  it('is not why a file cannot be read, nor why a merge was cancelled', async () => {
    for (const code of ['cancelled', 'source-changed'] as const) {
      const error = new StudioError(code, 'x', 'x');
      await expect(contextOn(LOST).losing(failing(error))).rejects.toBe(error);
    }
  });
  it('is not assumed while the device is there', async () => {
    const error = new Error('x');
    await expect(contextOn(new Promise(() => undefined)).losing(failing(error))).rejects.toBe(error);
    expect(await contextOn(LOST).losing(async () => 7)).toBe(7);
  });
});
