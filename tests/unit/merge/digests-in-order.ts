/** Digests without the platform's threads: operations come in the same order in every run of a merge, so that one can be named by its number. */
import type { Hashing } from '../../../src/bytes/hashing';
import { Sha256, sha256Hex } from '../../../src/bytes/sha256';

/** For pieces of one block. */
export const DIGESTS_IN_ORDER: Hashing = {
  file: () => {
    const hash = new Sha256();
    return { update: async (piece) => {
        hash.update(piece);
        return { digest: sha256Hex(piece), buffer: piece.buffer };
      }, hex: async () => hash.hex() };
  },
  piece: async (piece) => sha256Hex(piece),
};
