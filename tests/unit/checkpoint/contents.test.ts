import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { MemorySource } from '../../../src/bytes/source';
import { contentsOf, NO_CONTENTS } from '../../../src/checkpoint/contents';
import type { Shard } from '../../../src/checkpoint/types';

function of(...files: Uint8Array<ArrayBuffer>[]) {
  const reads: [number, number][] = [];
  const shards = files.map((bytes, i): Shard => ({ file: { id: String(i), path: `${i}`, size: bytes.length, modified: 0 }, headerBytes: 8, metadata: {} }));
  const hash = contentsOf({ shards }, async (shard) => {
    const memory = new MemorySource('s', files[shard]!);
    return { name: 's', size: memory.size, read: (begin, end) => (reads.push([begin, end]), memory.read(begin, end)) };
  });
  return { hash, reads };
}
const filled = (size: number, seed: number) => Uint8Array.from({ length: size }, (_, i) => (i * 31 + seed) % 251);

describe('the contents of a checkpoint', () => {
  it('are the hash of small shards whole, in their order', async () => {
    const [a, b] = [filled(1000, 1), filled(131_072, 2)];
    expect(await of(a, b).hash).toBe(createHash('sha256').update(a).update(b).digest('hex'));
    expect(await of(a, b).hash).toHaveLength(NO_CONTENTS.length);
  });

  it('read 32 blocks of 4 KiB of a large one, from its first byte to its last', async () => {
    const size = 10_000_000;
    const { hash, reads } = of(filled(size, 3));
    await hash;
    expect(reads).toHaveLength(32);
    expect(reads.every(([begin, end]) => end - begin === 4096)).toBe(true);
    expect([reads[0]![0], reads[1]![0], reads[31]![1]]).toEqual([0, Math.floor((size - 4096) / 31), size]);
  });

  it('tell checkpoints with one header apart', async () => {
    expect(await of(filled(200_000, 1)).hash).not.toBe(await of(filled(200_000, 2)).hash);
  });
});
