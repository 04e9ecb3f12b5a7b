/** What device buffers may take: stated before the first is made, kept by Memory and Room. */

/** Larger single bindings have hit driver defects (faults.md, WebGPU facts); larger tensors go in chunks. */
const CHUNK_BYTES = 128 * 2 ** 20;
/** Smaller chunks are nothing but overhead, and every device has so much. */
const LEAST_CHUNK_BYTES = 8 * 2 ** 20;
/** Of a GPU: the inputs of a 4096 x 32000 tensor of 7B models stay between two passes. */
const GPU_BYTES = 1280 * 2 ** 20;
/** Of a software adapter, whose buffers lie in the memory that reading ahead takes too: both together stay under 1.5 GB. */
const SOFTWARE_BYTES = 640 * 2 ** 20;
/** Small tables (histograms, tie counts, blocks), and the staging ring. */
const TABLE_BYTES = 64 * 2 ** 20;

export interface Budget {
  /** Of all buffers together. */
  readonly bytes: number;
  /** Of the inputs and output of one chunk. */
  readonly chunkBytes: number;
  /** Of the inputs of one tensor that stay on the device between its passes. */
  readonly residentBytes: number;
}

/**
 * `limits`: the device's. `deviceMemory`: GiB of the machine as `navigator` tells it (0.25 to 8 or more, or not at all): an eighth of
 * it, of software adapters a sixteenth, since a GPU may share it.
 */
export function deviceBudget(
  { maxBufferSize, maxStorageBufferBindingSize }: Pick<GPUSupportedLimits, 'maxBufferSize' | 'maxStorageBufferBindingSize'>,
  { software, deviceMemory }: { readonly software: boolean; readonly deviceMemory?: number | undefined },
): Budget {
  const most = software ? SOFTWARE_BYTES : GPU_BYTES;
  const share = deviceMemory !== undefined && deviceMemory > 0 ? (deviceMemory * 2 ** 30) / (software ? 16 : 8) : Infinity;
  const bytes = Math.max(Math.min(most, share), 5 * LEAST_CHUNK_BYTES + TABLE_BYTES);
  const chunkBytes = Math.floor(Math.min(CHUNK_BYTES, Math.max(LEAST_CHUNK_BYTES, bytes / 8), maxBufferSize, maxStorageBufferBindingSize));
  // Beside those that stay: a chunk that passes by with its output, a list of keys, two results on their way to the host.
  return { bytes, chunkBytes, residentBytes: Math.max(0, bytes - 3 * chunkBytes - TABLE_BYTES) };
}
