/** Copying streams through a few buffers, whatever the size of what is copied (issue 4: no allocation a tensor). */
import { expect, it } from 'vitest';
import { BufferRing } from '../../../src/bytes/buffer-ring';
import type { ByteSource } from '../../../src/bytes/source';
import { copyPart } from '../../../src/merge/copying';
import { compareIntegers } from '../../../src/merge/integers';
import { Sources } from '../../../src/merge/reading';

const BYTES = 4 * 2 ** 20;
const content = Uint8Array.from({ length: BYTES }, (_, i) => (i * 7) >> 3);

function lentSources(buffers: BufferRing): Sources {
  const source: ByteSource = {
    name: 'a',
    size: BYTES,
    read: async (begin, end) => content.slice(begin, end),
    readInto: async (begin, lengths, take) => {
      let at = begin;
      return lengths.map((length) => {
        const buffer = take(length);
        new Uint8Array(buffer).set(content.subarray(at, (at += length)));
        return buffer;
      });
    },
  };
  return new Sources(async () => source, { ready: async () => {}, reading: (_, read) => read(), copyBytes: 2 ** 17 }, undefined, { buffers });
}

it('a tensor of 32 pieces is copied in three buffers', async () => {
  const buffers = new BufferRing(2 ** 22, 2 ** 16);
  const range = { checkpoint: 'a', shard: 0, begin: 0, end: BYTES };
  const copied: Uint8Array[] = [];
  const overflow = await copyPart({ range, dtype: 'I32', outDtype: 'I32' }, lentSources(buffers), async (bytes) => void copied.push(bytes.slice()));
  expect([overflow, Buffer.concat(copied).equals(content)]).toEqual([0, true]);
  expect(buffers.allocated).toBeLessThanOrEqual(3);
  expect(buffers.reused).toBeGreaterThanOrEqual(29);
});

it('integers of two models are compared in two buffers', async () => {
  const buffers = new BufferRing(2 ** 22, 2 ** 16);
  const ranges = ['base', 'x'].map((checkpoint) => ({ checkpoint, shard: 0, begin: 0, end: BYTES }));
  await compareIntegers([{ tensor: 'ids', ranges }], lentSources(buffers));
  expect([buffers.allocated, buffers.reused]).toEqual([2, 62]);
});
