/** The measurement by which a backend is chosen. */
import { describe, expect, it } from 'vitest';
import { createCpuBackend } from '../../../src/cpu/backend';
import type { Backend } from '../../../src/merge/backend';
import { measureThroughput } from '../../../src/merge/calibration';

/** A clock that a merge moves on by the next of `milliseconds`. */
function timed(milliseconds: number[], chunkBytes = 2 ** 24) {
  let now = 0;
  const groups: number[] = [];
  const backend = {
    ...createCpuBackend(),
    chunkBytes,
    merge: async (...[group]: Parameters<Backend['merge']>) => {
      groups.push(group.chunks.length);
      now += milliseconds.shift()!;
      return { slots: [], segments: [] };
    },
  };
  return { backend, clock: () => now, groups };
}

describe('measuring a backend', () => {
  it('is 2^20 parameters by the best run but the first, which compiles', async () => {
    const { backend, clock } = timed([1, 40, 20]);
    expect(await measureThroughput(backend, clock)).toBe((2 ** 20 * 1000) / 20);
  });
  it('keeps to the budget of a chunk', async () => {
    const { backend, clock, groups } = timed([1, 2, 3], 2 ** 21);
    await measureThroughput(backend, clock);
    expect(groups).toEqual([4, 4, 4]);
  });
  it('is null for a backend that fails at it', async () => {
    const backend = { ...createCpuBackend(), merge: () => Promise.reject(new Error('lost')) };
    expect(await measureThroughput(backend)).toBeNull();
  });
  it('gives a figure for the CPU backend itself', async () => {
    expect(await measureThroughput(createCpuBackend())).toBeGreaterThan(0);
  });
});
