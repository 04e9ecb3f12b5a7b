import { describe, expect, it } from 'vitest';
import { createCpuBackend } from '../../src/cpu/backend';
import { createReferenceBackend } from '../../src/reference/backend';
import { describeAdapt } from './adapt';
import { describeAdaptedMerge } from './adapted-merge';
import { describeBatch } from './batch';
import { channelWorker } from './channel-worker';

describeAdapt('the CPU backend', () => createCpuBackend());
describeAdapt('the CPU backend, three workers', () => createCpuBackend({ workers: 3, spawn: () => channelWorker(), leastPooled: 0 }));
describeBatch('the CPU backend', () => createCpuBackend());
describeAdaptedMerge('the CPU reference', () => createReferenceBackend());
describeAdaptedMerge('the CPU backend, two workers', () => createCpuBackend({ workers: 2, spawn: () => channelWorker(), leastPooled: 0 }));

describe('the oracle of adapt', () => {
  const f32 = (...values: number[]) => Float32Array.from(values);
  const adapt = async (theta: Float32Array<ArrayBuffer>, left: Float32Array<ArrayBuffer>, right: Float32Array<ArrayBuffer>, scale: number, columns: number) => {
    const rank = left.length / (theta.length / columns);
    const bytes = await createReferenceBackend().adapt({ base: new Uint8Array(theta.buffer), dtype: 'F32', first: 0, columns, rank, scale, left, right });
    return [...new Float32Array(bytes.buffer)];
  };

  it('is theta + scale * P Q where nothing rounds', async () => {
    // P = [[1, 2], [3, 4]], Q = [[1, 0, -1], [2, 1, 0]]: P Q = [[5, 2, -1], [11, 4, -3]].
    expect(await adapt(f32(10, 20, 30, 40, 50, 60), f32(1, 2, 3, 4), f32(1, 0, -1, 2, 1, 0), 0.5, 3)).toEqual([12.5, 21, 29.5, 45.5, 52, 58.5]);
  });

  it('adds the ranks in order, each rounded, and scales before it adds theta', async () => {
    // 1 + 2^-24 rounds to 1 twice over; together the small ones would be 2^-23 and count.
    expect(await adapt(f32(0), f32(1, 2 ** -24, 2 ** -24), f32(1, 1, 1), 1, 1)).toEqual([1]);
    expect(await adapt(f32(0), f32(2 ** -24, 2 ** -24, 1), f32(1, 1, 1), 1, 1)).toEqual([1 + 2 ** -23]);
    // 2^-24 * 2 is added at once; added twice to 1 it would be lost.
    expect(await adapt(f32(1), f32(2 ** -24), f32(1), 2, 1)).toEqual([1 + 2 ** -23]);
  });
});
