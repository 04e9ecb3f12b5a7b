/** The digests of files and of their pieces, wherever they are computed. */
import { asStudioError } from './errors';
import { pieceDigest } from './piece-digest';
import { Sha256 } from './sha256';
import type { Watchdog } from './watchdog';

export interface HashedPiece {
  /** Its `pieceDigest`. */
  readonly digest: string;
  /** Its buffer, which nobody uses any more. */
  readonly buffer: ArrayBuffer;
}

/** Of a file that is read piece by piece. */
export interface FileHash {
  /** Appends. The piece is the hash's until this resolves: its buffer may be moved away. The next may come before, and waits. */
  update(piece: Uint8Array<ArrayBuffer>): Promise<HashedPiece>;
  /** The file's SHA-256 in hexadecimal; nothing may follow. */
  hex(): Promise<string>;
}

export interface Hashing {
  file(): FileHash;
  /** `pieceDigest` of bytes that stay the caller's, and as they are until it resolves. */
  piece(bytes: Uint8Array<ArrayBuffer>): Promise<string>;
}

/** Reason of the StudioError that a FileHash rejects with when the worker that computes it is gone. */
export const HASHING_DIED = 'hash-worker-died';

/** On this thread, which does nothing else meanwhile. `start` begins a SHA-256 that takes its message in parts. */
export function hashingBy(start: () => { update(bytes: Uint8Array): unknown; hex(): string }): Hashing {
  return {
    file: () => {
      const hash = start();
      return {
        update: async (piece) => {
          hash.update(piece);
          return { digest: await pieceDigest(piece), buffer: piece.buffer };
        },
        hex: async () => hash.hex(),
      };
    },
    piece: pieceDigest,
  };
}

export const HASHING_HERE = hashingBy(() => new Sha256());

/** Settles as `act`, which reads a file and hashes it, does with one or the other `Hashing`. */
export type WithHashing = <T>(act: (hashing: Hashing) => Promise<T>) => Promise<T>;

/**
 * With `hashing`, and where that dies, again with HASHING_HERE: the file is as good as it was. Rejects with CancelledError soon after
 * `signal` is aborted: what hashes may be a worker that never answers.
 */
export function withHashing(hashing: Hashing | undefined, watchdog: Watchdog, signal: AbortSignal | undefined): WithHashing {
  return async (act) => {
    const by = (own: Hashing) => watchdog.until(signal, () => act(own));
    if (!hashing) return by(HASHING_HERE);
    try {
      return await by(hashing);
    } catch (error) {
      if (asStudioError(error).reason !== HASHING_DIED) throw error;
      return by(HASHING_HERE);
    }
  };
}
