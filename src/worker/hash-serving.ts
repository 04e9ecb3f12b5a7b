/** The worker's side of hashing files. Knows no worker, so tests run it as it is. */
import { pieceDigest } from '../bytes/piece-digest';
import { Sha256 } from '../bytes/sha256';

type Piece = Uint8Array<ArrayBuffer>;
/** The next piece of a file, its end, or a piece of no file. */
export type ToHashWorker = { readonly file: number; readonly piece: Piece } | { readonly file: number; readonly end: true } | { readonly piece: Piece };
/** In the order of what was asked: a file's SHA-256 at its end, else a `pieceDigest`. `back`: the piece, for the next. */
export type FromHashWorker = { readonly hex: string; readonly back: Piece | null } | { readonly failed: string };

/** The worker's side: `post` takes the answers back. */
export function serveHashes(post: (message: FromHashWorker, transfer: ArrayBuffer[]) => void): (message: ToHashWorker) => void {
  const hashes = new Map<number, Sha256>();
  const answer = async (message: ToHashWorker): Promise<void> => {
    if ('end' in message) {
      const hash = hashes.get(message.file) ?? new Sha256();
      hashes.delete(message.file);
      post({ hex: hash.hex(), back: null }, []);
    } else {
      const { piece: back } = message;
      if ('file' in message) hashes.set(message.file, (hashes.get(message.file) ?? new Sha256()).update(back));
      post({ hex: await pieceDigest(back), back }, [back.buffer]);
    }
  };
  let before: Promise<void> = Promise.resolve();
  return (message) => {
    // One after the other: a digest by the platform may take turns with others.
    before = before.then(() => answer(message)).catch((error: unknown) => post({ failed: String(error) }, []));
  };
}
