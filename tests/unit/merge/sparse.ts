/** Checkpoints of any size without a disk: real headers, and payloads whose bytes follow from their place in the file. */
import type { ByteSource } from '../../../src/bytes/source';
import { openCheckpoints } from '../../../src/checkpoint/open';
import type { Checkpoint, FileEntry } from '../../../src/checkpoint/types';
import { layOutShard } from '../../../src/format/safetensors/writer';
import type { OpenShard } from '../../../src/merge/reading';

/** The byte at `offset` of `file`: all 53 bits of the offset count, so that one cut to 32 bits gives another byte. */
export function byteAt(file: string, offset: number): number {
  const high = Math.floor(offset / 2 ** 32);
  const mixed = Math.imul((offset >>> 0) ^ Math.imul(high + file.length, 0x9e3779b1), 0x85ebca6b);
  return (mixed ^ (mixed >>> 15)) & 0x3f;
}

export interface SparseFamily {
  readonly checkpoints: readonly Checkpoint[];
  readonly id: (name: string) => string;
  readonly openShard: OpenShard;
  readonly reads: { readonly begin: number; readonly end: number }[];
}

/** One folder per model; its shards by their tensors' shapes, all BF16. */
export async function sparseFamily(models: Readonly<Record<string, readonly Readonly<Record<string, readonly number[]>>[]>>): Promise<SparseFamily> {
  const reads: SparseFamily['reads'] = [];
  const sources = new Map<string, ByteSource>();
  const files: FileEntry[] = [];
  for (const [model, shards] of Object.entries(models)) {
    for (const [i, tensors] of shards.entries()) {
      const five = (n: number) => String(n).padStart(5, '0');
      const name = shards.length === 1 ? 'model.safetensors' : `model-${five(i + 1)}-of-${five(shards.length)}.safetensors`;
      const list = Object.entries(tensors).map(([tensor, shape]) => ({ name: tensor, dtype: 'BF16' as const, shape }));
      const { header, payloadBytes } = layOutShard(name, list, {});
      const path = `${model}/${name}`;
      const read = async (begin: number, end: number) => {
        reads.push({ begin, end });
        return Uint8Array.from({ length: end - begin }, (_, k) => header[begin + k] ?? byteAt(path, begin + k));
      };
      sources.set(path, { name: path, size: header.length + payloadBytes, read });
      files.push({ id: path, path, size: header.length + payloadBytes, modified: 1 });
    }
  }
  const { checkpoints, problems } = await openCheckpoints(files, async ({ path }) => sources.get(path)!);
  if (problems.length > 0) throw problems[0]!.error;
  reads.length = 0;
  const find = (id: string) => checkpoints.find((checkpoint) => checkpoint.id === id)!;
  return {
    checkpoints,
    reads,
    id: (name) => checkpoints.find((checkpoint) => checkpoint.name === name)!.id,
    openShard: async (id, shard) => sources.get(find(id).shards[shard]!.file.path)!,
  };
}
