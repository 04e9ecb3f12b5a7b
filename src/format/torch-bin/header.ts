/** Reading what a PyTorch weight file (`pytorch_model.bin`, `.pt`) holds: names, shapes and byte ranges, as of a safetensors file. */
import type { Dtype } from '../../bytes/dtypes';
import { dtypeBits } from '../../bytes/dtypes';
import type { ByteSource } from '../../bytes/source';
import type { HeaderTensor, SafetensorsHeader } from '../safetensors/header';
import { contentOf, readArchive } from './archive';
import type { Archive } from './archive';
import { MAX_DIMENSIONS, MAX_PICKLE_BYTES } from './limits';
import { refuse } from './reasons';
import type { PickledStorage } from './unpickle';
import { PickledDict, PickledTensor, unpickle } from './unpickle';

const DTYPES: Readonly<Record<string, Dtype>> = {
  FloatStorage: 'F32', HalfStorage: 'F16', BFloat16Storage: 'BF16', DoubleStorage: 'F64',
  LongStorage: 'I64', IntStorage: 'I32', ShortStorage: 'I16', CharStorage: 'I8', ByteStorage: 'U8', BoolStorage: 'BOOL',
};
/** Trainers wrap the tensors in one of these. */
const WRAPPERS = ['state_dict', 'model_state_dict', 'model', 'module'];
/** Local headers read at the same time. */
const AT_ONCE = 16;

/**
 * Reads the directory, the pickle (by the restricted unpickler) and the local header of every storage; never a tensor's bytes.
 * A tensor is where its storage lies: only contiguous ones are read. Rejects with MalformedFileError (TorchReason), and as
 * `source.read` does. `headerBytes` is 0: the payload is spread over the file.
 */
export async function readTorchHeader(source: ByteSource): Promise<SafetensorsHeader> {
  const { name: file, size } = source;
  const head = await source.read(0, Math.min(size, 4));
  if (head[0] === 0x80) return refuse(file, 'torch-legacy', 'written by PyTorch before 1.6: load it and save it again');
  const archive = await readArchive(source);
  const root = rootOf(archive, file);
  if (archive.entries.has(`${root}constants.pkl`)) return refuse(file, 'torch-script', 'a TorchScript archive holds code');
  await refuseBigEndian(source, archive, root);
  const pickle = await readEntry(source, archive, `${root}data.pkl`);
  const tensors = tensorsOf(unpickle(pickle, file), file);
  const ranges = await storageRanges(source, archive, root, tensors);
  const raw = new Uint8Array(archive.directory.length + pickle.length);
  raw.set(archive.directory);
  raw.set(pickle, archive.directory.length);
  return {
    tensors: tensors.map(([name, tensor]) => place(file, name, tensor, ranges.get(tensor.storage.key)!)),
    metadata: Object.create(null) as Record<string, string>,
    headerBytes: 0,
    raw,
  };
}

/** Folder of the archive, with its slash: torch names it after the file. */
function rootOf({ entries }: Archive, file: string): string {
  const pickles = [...entries.keys()].filter((name) => name === 'data.pkl' || name.endsWith('/data.pkl'));
  if (pickles.length !== 1) return refuse(file, 'pickle-no-tensors', `${pickles.length} data.pkl in the archive, a PyTorch file has one`, { expected: 1, actual: pickles.length });
  return pickles[0]!.slice(0, -'data.pkl'.length);
}

async function refuseBigEndian(source: ByteSource, archive: Archive, root: string): Promise<void> {
  if (!archive.entries.has(`${root}byteorder`)) return;
  const order = new TextDecoder().decode(await readEntry(source, archive, `${root}byteorder`));
  if (order !== 'little') refuse(source.name, 'big-endian', `byte order ${JSON.stringify(order.slice(0, 20))}`, { expected: 'little', actual: order.slice(0, 20) });
}

async function readEntry(source: ByteSource, archive: Archive, name: string): Promise<Uint8Array<ArrayBuffer>> {
  const entry = archive.entries.get(name)!;
  if (entry.size > MAX_PICKLE_BYTES) {
    return refuse(source.name, 'pickle-too-large', `${name} has ${entry.size} bytes`, { expected: MAX_PICKLE_BYTES, actual: entry.size });
  }
  const { begin, end } = await contentOf(source, archive, entry);
  return source.read(begin, end);
}

/** Named tensors of the root, or of the one dictionary that wraps them. Values that are no tensors (steps, settings) are left out. */
function tensorsOf(root: unknown, file: string): [string, PickledTensor][] {
  const wrapped = root instanceof PickledDict ? root.entries.find(([key, value]) => WRAPPERS.includes(key as string) && value instanceof PickledDict) : undefined;
  const dict = wrapped ? wrapped[1] : root;
  const tensors = dict instanceof PickledDict ? dict.entries.filter((entry): entry is [string, PickledTensor] => typeof entry[0] === 'string' && entry[1] instanceof PickledTensor) : [];
  if (tensors.length === 0) return refuse(file, 'pickle-no-tensors', 'holds no dictionary of named tensors');
  const seen = new Set<string>();
  for (const [name] of tensors) {
    if (seen.has(name)) refuse(file, 'duplicate-tensor', 'the name occurs twice', { tensor: name });
    seen.add(name);
  }
  return tensors;
}

async function storageRanges(source: ByteSource, archive: Archive, root: string, tensors: readonly (readonly [string, PickledTensor])[]) {
  const keys = new Map(tensors.map(([name, { storage }]) => [storage.key, name]));
  const ranges = new Map<string, { readonly begin: number; readonly end: number }>();
  const queue = keys.entries();
  const worker = async () => {
    for (const [key, tensor] of queue) {
      const entry = archive.entries.get(`${root}data/${key}`);
      if (!entry) return refuse(source.name, 'storage-missing', `its values are not in the archive`, { tensor, expected: `data/${key.slice(0, 40)}` });
      ranges.set(key, await contentOf(source, archive, entry));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return ranges;
}

function place(file: string, name: string, { storage, offset, shape, strides }: PickledTensor, range: { readonly begin: number; readonly end: number }): HeaderTensor {
  const dtype = dtypeOf(file, name, storage);
  if (shape.length > MAX_DIMENSIONS || strides.length !== shape.length) {
    return refuse(file, 'shape-not-integers', `${shape.length} dimensions, ${strides.length} strides`, { tensor: name, expected: shape.length, actual: strides.length });
  }
  const elements = shape.reduce((product, dimension) => product * dimension, 1);
  const each = dtypeBits(dtype) / 8;
  const bytes = elements * each;
  const begin = range.begin + offset * each;
  if (!Number.isSafeInteger(begin + bytes) || begin + bytes > range.end) {
    return refuse(file, 'storage-size', 'reaches beyond its values', { tensor: name, expected: begin + bytes - range.begin, actual: range.end - range.begin });
  }
  if (elements > 0 && !isContiguous(shape, strides)) {
    return refuse(file, 'not-contiguous', `shape [${shape.join(', ')}] with strides [${strides.join(', ')}]`, { tensor: name });
  }
  return { name, dtype, shape, elements, begin, end: begin + bytes };
}

function dtypeOf(file: string, tensor: string, { type }: PickledStorage): Dtype {
  const dtype = DTYPES[type];
  return dtype ?? refuse(file, 'storage-type', `a ${type}`, { tensor, actual: type });
}

/** Row-major; the stride of a dimension of 1 means nothing. */
function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  let expected = 1;
  for (let d = shape.length - 1; d >= 0; d--) {
    if (shape[d] !== 1 && strides[d] !== expected) return false;
    expected *= shape[d]!;
  }
  return true;
}
