/** Folders in memory: files by path, opened through sources that count their reads. */
import type { ByteSource } from '../../../src/bytes/source';
import { MemorySource } from '../../../src/bytes/source';
import type { OpenSource } from '../../../src/checkpoint/open';
import type { Checkpoint, FileEntry, TensorEntry } from '../../../src/checkpoint/types';
import { layOutShard } from '../../../src/format/safetensors/writer';
import type { NewTensor } from '../../../src/format/safetensors/writer';

export const text = (content: string) => new Uint8Array(new TextEncoder().encode(content));

/** A shard with zero payload. Tensors given by name alone are BF16 [2, 4]. */
export function shard(...tensors: (string | NewTensor)[]): Uint8Array<ArrayBuffer> {
  const list = tensors.map((tensor): NewTensor => (typeof tensor === 'string' ? { name: tensor, dtype: 'BF16', shape: [2, 4] } : tensor));
  const { header, payloadBytes } = layOutShard('s', list, {});
  const bytes = new Uint8Array(header.length + payloadBytes);
  bytes.set(header);
  return bytes;
}

export interface Folder {
  readonly files: FileEntry[];
  readonly open: OpenSource;
  /** Ranges read, by path. */
  readonly reads: Map<string, [number, number][]>;
}

/** Every file 1000 ms newer than the one before it. */
export function folderOf(contents: Readonly<Record<string, Uint8Array<ArrayBuffer>>>): Folder {
  const paths = Object.keys(contents);
  const reads = new Map<string, [number, number][]>();
  const files = paths.map((path, i): FileEntry => ({ id: `file-${i}`, path, size: contents[path]!.length, modified: 1000 * i }));
  const given = new Map(files.map(({ id, path }) => [id, path]));
  const open = (file: FileEntry): Promise<ByteSource> => {
    // By id, as the store has it: files of a cache get other paths.
    const path = given.get(file.id) ?? file.path;
    const memory = new MemorySource(file.path, contents[path]!);
    return Promise.resolve({
      name: file.path,
      size: memory.size,
      read: (begin: number, end: number) => {
        reads.set(path, [...(reads.get(path) ?? []), [begin, end]]);
        return memory.read(begin, end);
      },
    });
  };
  return { files, open, reads };
}

/** A checkpoint that exists only as data. Shapes by tensor name; BF16 unless a dtype is given. */
export function checkpointOf(id: string, tensors: Readonly<Record<string, readonly number[] | { dtype: TensorEntry['dtype']; shape: readonly number[] }>>): Checkpoint {
  const entries = Object.entries(tensors).map(([name, value]): TensorEntry => {
    const { dtype, shape } = 'dtype' in value ? value : { dtype: 'BF16' as const, shape: value };
    return { name, dtype, shape, elements: shape.reduce((a, b) => a * b, 1), shard: 0, begin: 0, end: 0 };
  });
  return { id, name: id, path: id, shards: [], tensors: entries, sidecars: [], config: {}, parameters: 0, bytes: 0, fingerprint: id };
}
