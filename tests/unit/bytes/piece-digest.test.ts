/** The digest of a piece: SHA-256 over the SHA-256 of its blocks, the same with the platform's and without, told from every other piece. */
import { createHash } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import { DIGEST_BLOCK, pieceDigest } from '../../../src/bytes/piece-digest';

const bytesOf = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 37 + (i >> 9) + (i >> 17)) & 255);
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest();
/** As defined, by another implementation. */
function tree(bytes: Uint8Array): string {
  const blocks: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += DIGEST_BLOCK) blocks.push(sha256(bytes.subarray(at, at + DIGEST_BLOCK)));
  return (blocks.length > 1 ? sha256(Buffer.concat(blocks)) : sha256(bytes)).toString('hex');
}
const LENGTHS = [0, 1, DIGEST_BLOCK - 1, DIGEST_BLOCK, DIGEST_BLOCK + 1, 2 * DIGEST_BLOCK, 3 * DIGEST_BLOCK + 12_345];

describe('the digest of a piece', () => {
  it('is of its blocks, or of its only one', async () => {
    for (const length of LENGTHS) expect([length, await pieceDigest(bytesOf(length))]).toEqual([length, tree(bytesOf(length))]);
  });

  it('is the same where the platform has none', async () => {
    vi.stubGlobal('crypto', {});
    try {
      for (const length of LENGTHS) expect([length, await pieceDigest(bytesOf(length))]).toEqual([length, tree(bytesOf(length))]);
    } finally {
      vi.unstubAllGlobals();
    }
  });

  it('is of a view, not of the memory around it', async () => {
    const room = new Uint8Array(DIGEST_BLOCK + 300).fill(7);
    room.set(bytesOf(DIGEST_BLOCK + 100), 50);
    expect(await pieceDigest(room.subarray(50, DIGEST_BLOCK + 150))).toBe(tree(bytesOf(DIGEST_BLOCK + 100)));
  });

  it('tells one changed bit in any block, and blocks that changed places', async () => {
    const bytes = bytesOf(3 * DIGEST_BLOCK);
    const was = await pieceDigest(bytes);
    for (const at of [0, DIGEST_BLOCK - 1, DIGEST_BLOCK, 3 * DIGEST_BLOCK - 1]) {
      bytes[at]! ^= 1;
      expect(await pieceDigest(bytes), `byte ${at}`).not.toBe(was);
      bytes[at]! ^= 1;
    }
    const first = bytes.slice(0, DIGEST_BLOCK);
    bytes.copyWithin(0, DIGEST_BLOCK, 2 * DIGEST_BLOCK);
    bytes.set(first, DIGEST_BLOCK);
    expect(await pieceDigest(bytes)).not.toBe(was);
  });
});
