/** What a PyTorch file may claim before we believe it is an attack or a defect. Each limit has its reason beside it. */

/** Bytes of `data.pkl` and of the ZIP's central directory: both grow with the tensors alone, about 150 bytes each. */
export const MAX_PICKLE_BYTES = 25_000_000;
export const MAX_DIRECTORY_BYTES = 25_000_000;

/** Files in the archive: one a storage, and a handful beside. */
export const MAX_ARCHIVE_ENTRIES = 200_000;

/** Values on the pickle's stack, marks included: torch nests a handful and collects a dictionary of all tensors. */
export const MAX_STACK = 1_000_000;

/** Dimensions of a tensor. PyTorch allows 64. */
export const MAX_DIMENSIONS = 64;
