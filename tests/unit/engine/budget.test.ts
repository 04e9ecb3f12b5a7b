/** Rule: issue 4 item 1 - device buffers under a stated budget, chosen from the device's limits and the machine's memory. */
import { describe, expect, it } from 'vitest';
import { deviceBudget } from '../../../src/engine/budget';

const MIB = 2 ** 20;
const ROOMY = { maxBufferSize: 4096 * MIB, maxStorageBufferBindingSize: 2048 * MIB };
const inMiB = (limits: typeof ROOMY, machine: Parameters<typeof deviceBudget>[1]) => {
  const { bytes, chunkBytes, residentBytes } = deviceBudget(limits, machine);
  return [bytes / MIB, chunkBytes / MIB, residentBytes / MIB];
};

describe('the device budget', () => {
  it('of a GPU: 1280 MiB where the machine says nothing or has plenty, an eighth of what it has else', () => {
    expect(inMiB(ROOMY, { software: false })).toEqual([1280, 128, 832]);
    expect(inMiB(ROOMY, { software: false, deviceMemory: 32 })).toEqual([1280, 128, 832]);
    expect(inMiB(ROOMY, { software: false, deviceMemory: 8 })).toEqual([1024, 128, 576]);
    expect(inMiB(ROOMY, { software: false, deviceMemory: 2 })).toEqual([256, 32, 96]);
  });

  it('of a software adapter: beside 768 MiB of reading and merging still under 1.5 GB', () => {
    const { bytes } = deviceBudget(ROOMY, { software: true, deviceMemory: 8 });
    expect(bytes).toBe(512 * MIB);
    expect(deviceBudget(ROOMY, { software: true }).bytes + 768 * MIB).toBeLessThan(1.5e9);
  });

  it('no chunk is larger than a binding, and none smaller than 8 MiB for want of memory', () => {
    expect(inMiB({ ...ROOMY, maxStorageBufferBindingSize: 48 * MIB }, { software: false })[1]).toBe(48);
    expect(inMiB({ ...ROOMY, maxBufferSize: 16 * MIB }, { software: false })[1]).toBe(16);
    expect(inMiB(ROOMY, { software: true, deviceMemory: 0.25 })).toEqual([104, 13, 1]);
  });

  it('holds what stays, a chunk with its output, its list and two results', () => {
    for (const deviceMemory of [0.25, 0.5, 1, 2, 4, 8]) {
      for (const software of [true, false]) {
        const { bytes, chunkBytes, residentBytes } = deviceBudget(ROOMY, { software, deviceMemory });
        expect(residentBytes + 3 * chunkBytes).toBeLessThan(bytes);
      }
    }
  });
});
