/** Reading a finished file again: is it what was handed over? */
import { letGo } from '../bytes/buffer-ring';
import { DestinationError } from '../bytes/errors';
import type { FileHash } from '../bytes/hashing';
import type { ByteSource } from '../bytes/source';
import type { OutputShard } from './plan-types';

/** A file as it was handed to its sink. */
export interface WrittenFile {
  readonly name: string;
  readonly bytes: number;
  /** `pieceDigest` of each piece of `pieceBytes`, in order. */
  readonly digests: readonly string[];
  readonly pieceBytes: number;
  /** Null for a file that is no weights. */
  readonly shard: OutputShard | null;
}

/** Reads one piece; asks first whether to go on. `take` gives what it may be read into. */
export type ReadPiece = (source: ByteSource, begin: number, end: number, take: (bytes: number) => ArrayBuffer) => Promise<Uint8Array<ArrayBuffer>>;

/** Bytes [begin, end), from the start of a buffer that `take` gives where the source fills such. */
export async function readPiece(source: ByteSource, begin: number, end: number, take: (bytes: number) => ArrayBuffer): Promise<Uint8Array<ArrayBuffer>> {
  if (!source.readInto) return source.read(begin, end);
  const [buffer] = await source.readInto(begin, [end - begin], take);
  return new Uint8Array(buffer!, 0, end - begin);
}

/**
 * Reads a finished file again and compares it piece by piece with what was handed over. Resolves to its hex SHA-256, which `hash` makes. Rejects
 * with DestinationError `verification-failed`, naming the tensors that the first wrong piece holds.
 */
export async function verifyFile(source: ByteSource, { name, bytes, digests, pieceBytes, shard }: WrittenFile, read: ReadPiece, hash: FileHash): Promise<string> {
  if (source.size !== bytes) throw failed(name, `${source.size} bytes instead of ${bytes}`, { expected: bytes, actual: source.size });
  return hashPieces(source, pieceBytes, read, hash, (actual, i) => {
    if (actual === digests[i]) return;
    const [begin, end] = [i * pieceBytes, Math.min(bytes, (i + 1) * pieceBytes)].map((at) => at - (shard?.header.length ?? 0)) as [number, number];
    const held = shard?.tensors.filter((tensor) => tensor.end > begin && tensor.begin < end) ?? [];
    const where = { names: held.map((tensor) => tensor.name), ...(held[0] ? { tensor: held[0].name } : {}), expected: digests[i] ?? '', actual };
    throw failed(name, `bytes from ${i * pieceBytes} on are not what was written`, where);
  });
}

/**
 * Hex SHA-256 of `source`, read in pieces of `each` bytes whose digests `check` is given. While one is hashed the next is read: three
 * are held at most, in buffers that go round.
 */
export async function hashPieces(source: ByteSource, each: number, read: ReadPiece, hash: FileHash, check: (digest: string, index: number) => void = () => {}): Promise<string> {
  const count = Math.ceil(source.size / each);
  // Met when its turn comes, or never when an earlier piece fails.
  const later = <T>(promise: Promise<T>) => {
    promise.catch(() => {});
    return promise;
  };
  const spare: ArrayBuffer[] = [];
  const take = (bytes: number) => {
    const buffer = spare.pop();
    return buffer && buffer.byteLength >= bytes ? buffer : new ArrayBuffer(bytes);
  };
  const start = (i: number) => later(read(source, i * each, Math.min(source.size, (i + 1) * each), take));
  let next = count > 0 ? start(0) : null;
  let checked = Promise.resolve();
  for (let i = 0; next; i++) {
    const piece: Uint8Array<ArrayBuffer> = await next;
    next = i + 1 < count ? start(i + 1) : null;
    await checked;
    checked = later(
      hash.update(piece).then(({ digest, buffer }) => {
        spare.push(buffer);
        return check(digest, i);
      }),
    );
  }
  await checked;
  spare.forEach(letGo);
  return hash.hex();
}

function failed(file: string, message: string, where: object): DestinationError {
  return new DestinationError('verification-failed', `${file}: ${message}`, { file, ...where });
}
