/** Reading a file again: what is held at once, and when it stops. */
import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import type { FileHash } from '../../../src/bytes/hashing';
import { HASHING_HERE } from '../../../src/bytes/hashing';
import { pieceDigest } from '../../../src/bytes/piece-digest';
import { MemorySource } from '../../../src/bytes/source';
import { hashPieces, readPiece, type ReadPiece } from '../../../src/merge/verifying';

const FILE = Uint8Array.from({ length: 1000 }, (_, i) => (i * 7) & 255);
const read: ReadPiece = (source, begin, end) => source.read(begin, end);
const settle = () => new Promise((resolve) => setTimeout(resolve, 5));

it('gives the file\'s SHA-256 and every piece\'s digest in order, of no piece at all too', async () => {
  for (const [length, each] of [[1000, 300], [900, 300], [5, 300], [0, 300]] as const) {
    const bytes = FILE.slice(0, length);
    const digests: string[] = [];
    const hex = await hashPieces(new MemorySource('f', bytes), each, read, HASHING_HERE.file(), (digest, i) => void (digests[i] = digest));
    expect(hex).toBe(createHash('sha256').update(bytes).digest('hex'));
    expect(digests).toEqual(await Promise.all(Array.from({ length: Math.ceil(length / each) }, (_, i) => pieceDigest(bytes.slice(i * each, (i + 1) * each)))));
  }
});

it('reads two pieces ahead of the one that is hashed, and no more', async () => {
  const begun: number[] = [];
  const answers: (() => void)[] = [];
  const hash: FileHash = { update: (piece) => new Promise((resolve) => answers.push(() => resolve({ digest: `${piece.length}`, buffer: piece.buffer }))), hex: async () => 'end' };
  const done = hashPieces(new MemorySource('f', FILE), 100, (source, begin, end) => (begun.push(begin / 100), source.read(begin, end)), hash);
  for (let hashed = 0; hashed < 10; hashed++) {
    await settle();
    expect([begun.length, answers.length]).toEqual([Math.min(10, hashed + 3), hashed + 1]);
    answers[hashed]!();
  }
  expect(await done).toBe('end');
});

it('stops at a piece that is refused', async () => {
  let reads = 0;
  const refuse = (_: string, i: number) => {
    if (i === 2) throw new Error('piece 2');
  };
  await expect(hashPieces(new MemorySource('f', FILE), 100, (source, begin, end) => (reads++, source.read(begin, end)), HASHING_HERE.file(), refuse)).rejects.toThrow('piece 2');
  expect(reads).toBe(5);
});

it('reads into the buffers of pieces that are hashed, three in all', async () => {
  const made: number[] = [];
  const filling = Object.assign(new MemorySource('f', FILE), {
    readInto: async (begin: number, [length]: readonly number[], take: (bytes: number) => ArrayBuffer) => {
      const buffer = take(length!);
      if (!seen.has(buffer)) made.push(buffer.byteLength);
      seen.add(buffer);
      new Uint8Array(buffer).set(FILE.subarray(begin, begin + length!));
      return [buffer];
    },
  });
  const seen = new Set<ArrayBuffer>();
  const digests: string[] = [];
  const hex = await hashPieces(filling, 90, readPiece, HASHING_HERE.file(), (digest, i) => void (digests[i] = digest));
  expect(hex).toBe(createHash('sha256').update(FILE).digest('hex'));
  expect(digests).toEqual(await Promise.all(Array.from({ length: 12 }, (_, i) => pieceDigest(FILE.slice(i * 90, (i + 1) * 90)))));
  expect(made).toEqual([90, 90, 90]);
});
