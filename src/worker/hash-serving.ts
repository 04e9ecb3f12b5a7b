/** The worker's side of hashing files. Knows no worker, so tests run it as it is. */
import { Sha256 } from '../bytes/sha256';

export type ToHashWorker = { readonly file: number; readonly piece: Uint8Array<ArrayBuffer> } | { readonly file: number; readonly end: true };
/** `hex` answers `end`, null a piece. */
export interface FromHashWorker {
  readonly file: number;
  readonly hex: string | null;
}
/** The worker's side: `post` takes the answers back. */
export function serveHashes(post: (message: FromHashWorker) => void): (message: ToHashWorker) => void {
  const hashes = new Map<number, Sha256>();
  return (message) => {
    const { file } = message;
    const hash = hashes.get(file) ?? new Sha256();
    if ('end' in message) {
      hashes.delete(file);
      post({ file, hex: hash.hex() });
    } else {
      hashes.set(file, hash.update(message.piece));
      post({ file, hex: null });
    }
  };
}
