import { describe, expect, it } from 'vitest';
import { measureReading } from '../../../src/merge/read-rate';
import type { Checkpoint } from '../../../src/checkpoint/types';

const of = (id: string, ...sizes: number[]) => ({ id, shards: sizes.map((size) => ({ file: { size } })) }) as unknown as Checkpoint;

describe('how fast checkpoints are read', () => {
  it('one piece from the middle of the largest shard, over the time it took', async () => {
    const reads: unknown[] = [];
    let time = 0;
    const size = 100 * 2 ** 20;
    const rate = await measureReading(
      [of('a', 10, 20), of('b', 30, size)],
      async (checkpoint, shard) => ({
        name: '',
        size,
        read: async (begin, end) => {
          reads.push([checkpoint, shard, begin, end]);
          time += 64;
          return new Uint8Array(0);
        },
      }),
      () => time,
    );
    expect([reads, rate]).toEqual([[['b', 1, 34 * 2 ** 20, 66 * 2 ** 20]], (32 * 2 ** 20) / 0.064]);
  });
  it('nothing without a file, and nothing where no time went by', async () => {
    const source = { name: '', size: 8, read: async () => new Uint8Array(8) };
    expect([await measureReading([], async () => source), await measureReading([of('a', 8)], async () => source, () => 5)]).toEqual([null, null]);
  });
});
