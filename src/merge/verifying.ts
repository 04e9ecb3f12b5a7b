/** Reading a finished file again: is it what was handed over? */
import { DestinationError } from '../bytes/errors';
import type { FileHash } from '../bytes/file-hash';
import type { ByteSource } from '../bytes/source';
import type { OutputShard } from './plan-types';
import { digestOf } from './writing';

/** A file as it was handed to its sink. */
export interface WrittenFile {
  readonly name: string;
  readonly bytes: number;
  /** Of each piece of `pieceBytes`, in order. */
  readonly digests: readonly string[];
  readonly pieceBytes: number;
  /** Null for a file that is no weights. */
  readonly shard: OutputShard | null;
}

/** Reads one piece; asks first whether to go on. */
export type ReadPiece = (source: ByteSource, begin: number, end: number) => Promise<Uint8Array<ArrayBuffer>>;

/**
 * Reads a finished file again and compares it piece by piece with what was handed over. Resolves to its hex SHA-256, which `hash` makes. Rejects
 * with DestinationError `verification-failed`, naming the tensors that the first wrong piece holds.
 */
export async function verifyFile(source: ByteSource, { name, bytes, digests, pieceBytes, shard }: WrittenFile, read: ReadPiece, hash: FileHash): Promise<string> {
  if (source.size !== bytes) throw failed(name, `${source.size} bytes instead of ${bytes}`, { expected: bytes, actual: source.size });
  return hashPieces(source, pieceBytes, read, hash, async (piece, i) => {
    const actual = await digestOf(piece);
    if (actual === digests[i]) return;
    const begin = i * pieceBytes - (shard?.header.length ?? 0);
    const held = shard?.tensors.filter((tensor) => tensor.end > begin && tensor.begin < begin + piece.length) ?? [];
    const where = { names: held.map((tensor) => tensor.name), ...(held[0] ? { tensor: held[0].name } : {}), expected: digests[i] ?? '', actual };
    throw failed(name, `bytes from ${i * pieceBytes} on are not what was written`, where);
  });
}

/** Reads the next piece while one is checked and hashed. */
async function hashPieces(source: ByteSource, each: number, read: ReadPiece, hash: FileHash, check: (piece: Uint8Array<ArrayBuffer>, index: number) => Promise<void>): Promise<string> {
  const count = Math.ceil(source.size / each);
  const start = (i: number) => {
    const piece = read(source, i * each, Math.min(source.size, (i + 1) * each));
    // Met when its turn comes, or never when an earlier piece fails.
    piece.catch(() => {});
    return piece;
  };
  let next = count > 0 ? start(0) : null;
  for (let i = 0; next; i++) {
    const piece: Uint8Array<ArrayBuffer> = await next;
    next = i + 1 < count ? start(i + 1) : null;
    await check(piece, i);
    await hash.update(piece);
  }
  return hash.hex();
}

function failed(file: string, message: string, where: object): DestinationError {
  return new DestinationError('verification-failed', `${file}: ${message}`, { file, ...where });
}
