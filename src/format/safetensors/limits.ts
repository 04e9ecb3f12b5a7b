/** What a file may claim before we believe it is an attack or a defect. Each limit has its reason beside it. */

/** Bytes of header JSON. The reference allows 100,000,000, other readers 25 MB; the largest real headers are near 1 MB. */
export const MAX_HEADER_BYTES = 25_000_000;

/**
 * Tensors of a file, of a checkpoint, or in an index, and keys of the metadata. The largest real checkpoints have about
 * 92,000 tensors; 900,000 took `JSON.parse` 618 MB (faults.md).
 */
export const MAX_ENTRIES = 200_000;

/** Bytes of `model.safetensors.index.json`: 92,000 tensors take 9 MB. */
export const MAX_INDEX_BYTES = 25_000_000;

/** Shards one index may name, and the largest `-of-` number: 10,000 shards of 5 GB are 50 TB. */
export const MAX_SHARDS = 10_000;

/** Nesting inside the parts of an index that we skip. Real ones have none. */
export const MAX_SKIPPED_DEPTH = 32;

/** Bytes of the first read of a file: with luck the length prefix and the whole header, so that one read is enough. */
export const FIRST_READ_BYTES = 65_536;
