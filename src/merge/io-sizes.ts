/** Sizes of reads and writes, bytes. */

/** Largest single read: `arrayBuffer()` of 16 to 64 MiB is fastest in Chromium (faults.md, reading files). */
export const READ_BYTES = 64 * 2 ** 20;
/** Piece of what is copied, compared or read again. */
export const COPY_BYTES = 32 * 2 ** 20;
/** Piece of a file handed to its sink: 64 MiB is four times as fast as 1 MiB (faults.md, writing files), and two are held. */
export const WRITE_BYTES = 32 * 2 ** 20;
