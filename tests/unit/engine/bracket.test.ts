/** Rule: issue 4 item 1 - the lists of a bracket stay within one binding and within a chunk of the budget, however many lanes they are for. */
import { describe, expect, it } from 'vitest';
import { listCapacity } from '../../../src/engine/bracket';
import { deviceBudget } from '../../../src/engine/budget';

const MIB = 2 ** 20;
/** What every device has (WebGPU's default limits). */
const DEFAULTS = { maxBufferSize: 256 * MIB, maxStorageBufferBindingSize: 128 * MIB };
const LANES = [1, 2, 3, 4, 5, 6, 7, 8];
const ENTRY = 8;

describe('room of the lists', () => {
  it('of 1 to 8 lanes fills one binding to the last 256 bytes a lane, and no more', () => {
    const { chunkBytes } = deviceBudget(DEFAULTS, { software: false });
    expect(chunkBytes).toBe(DEFAULTS.maxStorageBufferBindingSize);
    for (const lanes of LANES) {
      // As many elements as a list this large still pays for.
      const elements = Math.floor((8 * chunkBytes) / ENTRY / lanes) - 256;
      const bytes = lanes * ENTRY * listCapacity(elements, lanes, chunkBytes)!;
      expect(bytes).toBeLessThanOrEqual(chunkBytes);
      expect(bytes).toBeGreaterThan(chunkBytes - 256 * lanes);
      expect(bytes % (256 * lanes)).toBe(0);
    }
  });

  it('is for one element in four where there is room, in whole bindings', () => {
    expect(LANES.map((lanes) => listCapacity(20_001, lanes, 128 * MIB))).toEqual(LANES.map(() => 5024));
  });

  it('on a machine of 2 GB is a chunk of its budget: a tensor that it does not do for has no list', () => {
    const { bytes, chunkBytes } = deviceBudget({ ...DEFAULTS, maxBufferSize: 1024 * MIB }, { software: false, deviceMemory: 2 });
    expect([bytes, chunkBytes]).toEqual([256 * MIB, 32 * MIB]);
    // Two lanes of 2 ** 21 entries do for 2 ** 24 elements and for none more.
    expect(listCapacity(2 ** 24, 2, chunkBytes)).toBe(2 ** 21);
    expect(listCapacity(2 ** 24 + 1, 2, chunkBytes)).toBeNull();
  });
});
