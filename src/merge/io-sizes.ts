/** Sizes of reads and writes, bytes. */

/** Largest single read: `arrayBuffer()` of 16 to 64 MiB is fastest in Chromium (faults.md, reading files). */
export const READ_BYTES = 64 * 2 ** 20;
/** Piece of what is copied, compared or read again. */
export const COPY_BYTES = 32 * 2 ** 20;
/** Piece of a file handed to its sink: 64 MiB is four times as fast as 1 MiB (faults.md, writing files). */
export const WRITE_BYTES = 32 * 2 ** 20;
/** Pieces of one file that are held: one fills, one is on its way, and a copy of it is digested. */
export const PIECES_HELD = 3;

/** Files read again, or pieces of several files digested, at the same time: one core each hashes, on machines of two. */
export const HASHED_AT_ONCE = 2;

/**
 * What reading ahead may hold: with a base and two models, reads of 42 MiB. Reads of 16 MiB took twice the time of 64 MiB, of
 * 32 MiB a fifth more (Chromium on Linux, files in the system's cache).
 */
export const READ_AHEAD_BYTES = 384 * 2 ** 20;

/**
 * The budget on a machine of `deviceMemory` GiB, as `navigator` tells it (0.25 to 8, or not at all): a twelfth, so that small
 * machines swap nothing, and never more than READ_AHEAD_BYTES, which is enough to keep a disk busy.
 */
export function readAheadBudget(deviceMemory: number | undefined): number {
  if (deviceMemory === undefined || !(deviceMemory > 0)) return READ_AHEAD_BYTES;
  return Math.min(READ_AHEAD_BYTES, Math.floor((deviceMemory * 2 ** 30) / 12));
}
