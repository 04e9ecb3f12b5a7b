/** `model.safetensors.index.json`, and PyTorch's `pytorch_model.bin.index.json`: which shard holds which tensor. */
import { compareUtf8 } from '../../bytes/utf8';
import { JsonReader } from './json';
import { MAX_ENTRIES, MAX_INDEX_BYTES, MAX_SHARDS } from './limits';
import { clip, malformed } from './malformed';

export interface ShardIndex {
  /** Tensor name to the plain name of a file beside the index. */
  readonly weightMap: Map<string, string>;
}

/**
 * Reads an index. `metadata` and keys we do not know are skipped, absent ones tolerated; everything else is as strict as
 * a header: MalformedFileError for duplicate tensors, for a file that is not a plain name in the same folder with one of the
 * `extensions` (faults.md A 16) and beyond MAX_INDEX_BYTES, MAX_ENTRIES or MAX_SHARDS.
 */
export function parseIndex(bytes: Uint8Array, file: string, extensions: readonly string[] = ['.safetensors']): ShardIndex {
  if (bytes.length === 0) throw malformed(file, 'is-empty', 'the file is empty');
  checkIndexSize(bytes.length, file);
  const reader = new JsonReader(bytes, 0, file);
  let weightMap: Map<string, string> | null = null;
  reader.expect('object', 'json-not-object', 'the index');
  reader.members(MAX_ENTRIES, (key) => {
    if (key !== 'weight_map') return reader.skip();
    if (weightMap) reader.refuse('duplicate-field', '`weight_map` occurs twice', { actual: key });
    weightMap = readWeightMap(reader, extensions);
  });
  reader.end();
  return { weightMap: weightMap ?? reader.refuse('index-no-weight-map', '`weight_map` is missing', { expected: 'weight_map' }) };
}

/** Refuses an index by its size, before it is read. */
export function checkIndexSize(size: number, file: string): void {
  if (size <= MAX_INDEX_BYTES) return;
  throw malformed(file, 'index-too-large', `${size} bytes, the limit is ${MAX_INDEX_BYTES}`, { expected: MAX_INDEX_BYTES, actual: size });
}

function readWeightMap(reader: JsonReader, extensions: readonly string[]): Map<string, string> {
  const weightMap = new Map<string, string>();
  const shards = new Set<string>();
  reader.expect('object', 'index-weight-map-not-object', '`weight_map`');
  reader.members(MAX_ENTRIES, (tensor) => {
    if (weightMap.has(tensor)) reader.refuse('duplicate-tensor', 'the name occurs twice', { tensor });
    reader.tensor = tensor;
    reader.expect('string', 'index-file-not-string', 'the file of a tensor');
    const shard = reader.string();
    if (!isPlainShardName(shard, extensions)) {
      reader.refuse('index-file-not-plain', `${clip(shard)} is not a plain ${extensions.join(' or ')} file name`, { actual: shard });
    }
    shards.add(shard);
    if (shards.size > MAX_SHARDS) {
      reader.refuse('index-too-many-shards', `more than ${MAX_SHARDS} shards`, { expected: MAX_SHARDS, actual: `more than ${MAX_SHARDS}` });
    }
    weightMap.set(tensor, shard);
    reader.tensor = undefined;
  });
  return weightMap;
}

/** A name that cannot leave its folder on any platform: no separators, drive, stream or control characters. */
function isPlainShardName(name: string, extensions: readonly string[]): boolean {
  return name.length <= 255 && /^[^/\\:\u0000-\u001f\u007f]+$/.test(name) && extensions.some((one) => name.endsWith(one) && name.length > one.length);
}

/** What an index is written from: the shards of an export, in order. */
export interface IndexedShard {
  readonly file: string;
  readonly tensors: readonly { readonly name: string }[];
  /** Bytes of its tensors. */
  readonly payloadBytes: number;
}

/**
 * The text of `model.safetensors.index.json`: `metadata.total_size` (bytes of all tensors, headers not counted) and
 * `weight_map` in UTF-8 byte order. Written key by key, since an object would lose `__proto__` and move integer names.
 */
export function encodeIndex(shards: readonly IndexedShard[]): string {
  const total = shards.reduce((sum, shard) => sum + shard.payloadBytes, 0);
  const lines = shards
    .flatMap((shard) => shard.tensors.map(({ name }) => ({ name, file: shard.file })))
    .sort((a, b) => compareUtf8(a.name, b.name))
    .map(({ name, file }) => `    ${JSON.stringify(name)}: ${JSON.stringify(file)}`);
  const map = lines.length === 0 ? '{}' : `{\n${lines.join(',\n')}\n  }`;
  return `{\n  "metadata": {\n    "total_size": ${total}\n  },\n  "weight_map": ${map}\n}\n`;
}
