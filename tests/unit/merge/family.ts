/** Checkpoints made in memory: real headers and bytes, opened as the studio opens files, through sources that record reads. */
import type { Dtype, MergedDtype } from '../../../src/bytes/dtypes';
import { dtypeBits, isMergedDtype } from '../../../src/bytes/dtypes';
import { encodeFromF32 } from '../../../src/bytes/floats';
import { MemorySource } from '../../../src/bytes/source';
import type { ByteSource } from '../../../src/bytes/source';
import { openCheckpoints } from '../../../src/checkpoint/open';
import type { Checkpoint, FileEntry } from '../../../src/checkpoint/types';
import { layOutShard } from '../../../src/format/safetensors/writer';
import type { OpenShard } from '../../../src/merge/reading';
import type { Method, Recipe } from '../../../src/recipe/types';

export interface MadeTensor {
  readonly shape: readonly number[];
  readonly dtype?: Dtype;
  /** Values, or bytes where the dtype is not floating; default: deterministic from checkpoint and tensor name. */
  readonly values?: readonly number[];
}
export type MadeTensors = Readonly<Record<string, MadeTensor | readonly number[]>>;

export interface Family {
  readonly checkpoints: Checkpoint[];
  /** By name. */
  readonly id: (name: string) => string;
  readonly openShard: OpenShard;
  /** Ranges read through `openShard`, in order; not of what is opened to be looked at again. */
  readonly reads: { readonly file: string; readonly begin: number; readonly end: number }[];
  readonly bytesOf: (path: string) => Uint8Array<ArrayBuffer>;
}

/** Small, distinct values: sums of a hash of (checkpoint, tensor) and position, a few thousandths around 0. */
function valuesFor(seed: string, count: number): Float32Array {
  let state = 2166136261;
  for (let i = 0; i < seed.length; i++) state = Math.imul(state ^ seed.charCodeAt(i), 16777619);
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >> 12) / 2 ** 26;
  });
}

export function bytesOfTensor(owner: string, name: string, { shape, dtype = 'BF16', values }: MadeTensor): Uint8Array<ArrayBuffer> {
  const count = shape.reduce((a, b) => a * b, 1);
  if (!isMergedDtype(dtype)) {
    const bytes = new Uint8Array((count * dtypeBits(dtype)) / 8);
    bytes.set(values ?? bytes.map((_, i) => (7 * i) % 251));
    return bytes;
  }
  const floats = values ? Float32Array.from(values) : valuesFor(`${owner}/${name}`, count);
  return dtype === 'F64' ? new Uint8Array(Float64Array.from(values ?? floats).buffer) : encodeFromF32(floats, dtype satisfies MergedDtype);
}

const asTensor = (value: MadeTensor | readonly number[]): MadeTensor => ('shape' in value ? value : { shape: value });

/** One file with these tensors. */
export function fileOf(owner: string, tensors: MadeTensors): Uint8Array<ArrayBuffer> {
  const list = Object.entries(tensors).map(([name, value]) => ({ name, dtype: 'BF16' as Dtype, ...asTensor(value) }));
  const { header, payloadBytes, tensors: placed } = layOutShard('model.safetensors', list, {});
  const file = new Uint8Array(header.length + payloadBytes);
  file.set(header);
  for (const { name, begin } of placed) file.set(bytesOfTensor(owner, name, asTensor(tensors[name]!)), header.length + begin);
  return file;
}

/**
 * Opens one folder per checkpoint. Tensors are given by name, as a shape (BF16) or in full; a list of such objects is a list of
 * shards.
 */
export async function familyOf(folders: Readonly<Record<string, MadeTensors | readonly MadeTensors[]>>): Promise<Family> {
  const contents = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const [folder, given] of Object.entries(folders)) {
    const shards: readonly MadeTensors[] = Array.isArray(given) ? (given as readonly MadeTensors[]) : [given as MadeTensors];
    shards.forEach((tensors, i) => {
      const name = shards.length === 1 ? 'model.safetensors' : `model-${five(i + 1)}-of-${five(shards.length)}.safetensors`;
      contents.set(`${folder}/${name}`, fileOf(folder, tensors));
    });
  }
  return openFamily(contents);
}

const five = (n: number) => String(n).padStart(5, '0');

/** Opens files by path, one checkpoint per folder. */
export async function openFamily(contents: ReadonlyMap<string, Uint8Array<ArrayBuffer>>): Promise<Family> {
  const reads: Family['reads'] = [];
  const bytesOf = (path: string) => contents.get(path)!;
  const files = [...contents].map(([path, bytes], i): FileEntry => ({ id: `f${i}`, path, size: bytes.length, modified: i }));
  const open = async ({ path }: FileEntry) => new MemorySource(path, bytesOf(path));
  const { checkpoints, problems } = await openCheckpoints(files, open);
  if (problems.length > 0) throw problems[0]!.error;
  return {
    checkpoints,
    id: (name) => checkpoints.find((checkpoint) => checkpoint.name === name)!.id,
    reads,
    bytesOf,
    openShard: async (id, shard, again): Promise<ByteSource> => {
      const { file } = checkpoints.find((checkpoint) => checkpoint.id === id)!.shards[shard]!;
      const memory = new MemorySource(file.path, bytesOf(file.path));
      return {
        name: file.path,
        size: memory.size,
        read: (begin, end) => {
          if (!again) reads.push({ file: file.path, begin, end });
          return memory.read(begin, end);
        },
      };
    },
  };
}

/** A recipe over `base` (null: none) and `models` by name; density 0.4, weight 1. */
export function recipeOf(family: Pick<Family, 'id'>, method: Method, base: string | null, models: readonly string[], more: Partial<Recipe> = {}): Recipe {
  return {
    method,
    base: base === null ? null : family.id(base),
    models: models.map((name) => ({ model: family.id(name), weight: 1, density: 0.4 })),
    lambda: 1,
    normalize: true,
    rescale: false,
    slack: { s: 0, of: 'retained', prefer: family.id(models[0]!) },
    outDtype: 'base',
    rules: [],
    tokenizerFrom: null,
    ...more,
  };
}
