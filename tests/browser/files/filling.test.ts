/** Reading files of a real disk into buffers that are given (private storage lies on one), as a merge reads its inputs. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { BufferRing } from '../../../src/bytes/buffer-ring';
import { FileSource } from '../../../src/files/file-source';

const TEST_FOLDER = 'filling-test';
const MIB = 2 ** 20;
const FILE_BYTES = 24 * MIB;
let root: FileSystemDirectoryHandle;
let folder: FileSystemDirectoryHandle;

beforeEach(async () => {
  root = await navigator.storage.getDirectory();
  folder = await root.getDirectoryHandle(TEST_FOLDER, { create: true });
});
afterEach(() => root.removeEntry(TEST_FOLDER, { recursive: true }));

/** Words that say where they are. */
async function put(name: string, first: number): Promise<FileSystemFileHandle> {
  const handle = await folder.getFileHandle(name, { create: true });
  const writable = await handle.createWritable();
  await writable.write(Uint32Array.from({ length: FILE_BYTES / 4 }, (_, i) => first + i));
  await writable.close();
  return handle;
}
const sourceOf = (file: File) => new FileSource({ path: file.name, size: file.size, modified: file.lastModified }, file, null);

it('three files at once, again and again, in the same few buffers: every word is where it belongs, and no read is forgotten', async () => {
  const files = await Promise.all([0, 1e8, 2e8].map(async (first) => ({ first, source: sourceOf(await (await put(`${first}`, first)).getFile()) })));
  const ring = new BufferRing(64 * MIB);
  const lengths = [3 * MIB, 500_000, 4 * MIB, 5 * MIB + 4, 1000, 6 * MIB];
  for (let round = 0; round < 8; round++) {
    const begin = 4 * (1 + round);
    await Promise.all(
      files.map(async ({ first, source }) => {
        const filled = await source.readInto(begin, lengths, (bytes) => ring.take(bytes));
        let at = begin;
        for (const [i, buffer] of filled.entries()) {
          const words = new Uint32Array(buffer, 0, lengths[i]! / 4);
          expect([words[0], words.at(-1), words.length]).toEqual([first + at / 4, first + at / 4 + words.length - 1, lengths[i]! / 4]);
          expect(words.every((word, k) => word === first + at / 4 + k)).toBe(true);
          at += lengths[i]!;
          ring.give(buffer);
        }
        // What is collected meanwhile must not be what waits for bytes.
        for (let k = 0; k < 50; k++) new Uint8Array(2 * MIB).fill(k);
      }),
    );
  }
  expect(ring.reused).toBeGreaterThan(ring.allocated);
});

it('a file that is gone is said to be, as by reading without a stream', async () => {
  const source = sourceOf(await (await put('a', 0)).getFile());
  const take = (bytes: number) => new ArrayBuffer(bytes);
  await source.readInto(0, [MIB], take);
  await folder.removeEntry('a');
  for (const reading of [source.read(0, MIB), source.readInto(0, [MIB], take)]) {
    await expect(reading).rejects.toMatchObject({ code: 'source-changed', reason: 'vanished', where: { file: 'a' } });
  }
});
