/** What tells whether a piece of a file is what was written. */
import { hexOf, Sha256 } from './sha256';

/** Blocks of a piece, bytes. Part of what a digest is: another size gives other digests. */
export const DIGEST_BLOCK = 256 * 2 ** 10;

/**
 * Hex digest of a piece, as a tree of one level: SHA-256 over the 32-byte SHA-256 of each of its blocks of DIGEST_BLOCK bytes; of a
 * single block, its own. To be compared with that of a piece of the same length: the lengths are not in it.
 *
 * The platform's SHA-256 is four times as fast as any of ours, but takes its message whole and copies it first: 32 MiB into fresh
 * memory each time, which costs Chromium as much as the hashing (36 ms instead of 20). Blocks find the memory of the block before,
 * and while one is hashed the thread answers others. Pages that are not secure have no such platform and take ours, with the same digests.
 */
export async function pieceDigest(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const subtle = globalThis.crypto?.subtle as SubtleCrypto | undefined;
  const digestOf = async (block: Uint8Array<ArrayBuffer>) => (subtle ? new Uint8Array(await subtle.digest('SHA-256', block)) : new Sha256().update(block).digest());
  if (bytes.length <= DIGEST_BLOCK) return hexOf(await digestOf(bytes));
  const digests = new Uint8Array(32 * Math.ceil(bytes.length / DIGEST_BLOCK));
  for (let block = 0; block * DIGEST_BLOCK < bytes.length; block++) digests.set(await digestOf(bytes.subarray(block * DIGEST_BLOCK, (block + 1) * DIGEST_BLOCK)), 32 * block);
  return hexOf(await digestOf(digests));
}
