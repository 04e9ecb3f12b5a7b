/** Laying out a shard to be written: its complete header and where each tensor goes. */
import { dtypeRank } from '../../bytes/dtypes';
import type { Dtype } from '../../bytes/dtypes';
import { compareUtf8 } from '../../bytes/utf8';
import { bitsOf } from './layout';
import { MAX_ENTRIES, MAX_HEADER_BYTES } from './limits';
import { clip, malformed, shapeText } from './malformed';

export interface NewTensor {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
}

/** A tensor and its bytes [begin, end) from the start of the payload. */
export interface PlacedTensor extends NewTensor {
  readonly begin: number;
  readonly end: number;
}

/** A shard decided but not written; the same structure as `OutputShard` of merge/plan-types.ts. */
export interface ShardLayout {
  readonly file: string;
  /** The complete header, length prefix and padding included. */
  readonly header: Uint8Array<ArrayBuffer>;
  /** In payload order. */
  readonly tensors: readonly PlacedTensor[];
  /** Payload bytes. */
  readonly payloadBytes: number;
}

/**
 * Lays out a shard as the reference implementation does: dtypes descending in its order, then names in UTF-8 byte order,
 * without gaps; `__metadata__` first, with `format: pt` before everything in `metadata` (older transformers fail without
 * it); the header padded with spaces so that the payload starts at a multiple of 8.
 *
 * Throws MalformedFileError for what could not be read back: a tensor named `__metadata__`, a name twice, text without
 * UTF-8, metadata that is not text, a shape or size beyond the format, a header over our own caps.
 */
export function layOutShard(file: string, tensors: readonly NewTensor[], metadata: Readonly<Record<string, string>>): ShardLayout {
  if (tensors.length > MAX_ENTRIES) {
    throw malformed(file, 'too-many-entries', `${tensors.length} tensors`, { expected: MAX_ENTRIES, actual: tensors.length });
  }
  checkNames(file, tensors);
  const sorted = [...tensors].sort((a, b) => dtypeRank(b.dtype) - dtypeRank(a.dtype) || compareUtf8(a.name, b.name));
  let end = 0;
  const placed = sorted.map(({ name, dtype, shape }): PlacedTensor => {
    const begin = end;
    end += sizeOf(file, { name, dtype, shape });
    return { name, dtype, shape, begin, end };
  });
  if (end > Number.MAX_SAFE_INTEGER) throw malformed(file, 'size-overflow', `${end} payload bytes`, { actual: end });
  return { file, header: encodeHeader(file, placed, metadata), tensors: placed, payloadBytes: end };
}

function checkNames(file: string, tensors: readonly NewTensor[]): void {
  const names = new Set<string>();
  for (const { name: tensor } of tensors) {
    if (tensor === '__metadata__') throw malformed(file, 'reserved-name', 'the format reserves this name', { tensor });
    if (names.has(tensor)) throw malformed(file, 'duplicate-tensor', 'the name occurs twice', { tensor });
    if (!hasUtf8(tensor)) throw malformed(file, 'name-not-unicode', 'the name has half of a surrogate pair', { tensor });
    names.add(tensor);
  }
}

/** Bytes of a tensor. */
function sizeOf(file: string, { name: tensor, dtype, shape }: NewTensor): number {
  const written = shapeText(shape);
  if (!shape.every((dimension) => Number.isSafeInteger(dimension) && dimension >= 0)) {
    throw malformed(file, 'shape-not-writable', `shape ${written}`, { tensor, actual: written });
  }
  const bits = bitsOf(shape, dtype);
  if (bits === null) throw malformed(file, 'size-overflow', `shape ${written} overflows 64 bits`, { tensor, actual: written });
  if (bits % 8n !== 0n) throw malformed(file, 'bits-not-bytes', `${bits} bits do not fill whole bytes`, { tensor, actual: bits.toString() });
  return Number(bits / 8n);
}

function encodeHeader(file: string, placed: readonly PlacedTensor[], metadata: Readonly<Record<string, string>>): Uint8Array<ArrayBuffer> {
  const pairs = Object.entries(metadata).filter(([key]) => key !== 'format');
  for (const [key, value] of pairs) {
    if (typeof value !== 'string') throw malformed(file, 'metadata-not-string', `metadata value of ${clip(key)}`, { actual: key });
    if (!hasUtf8(key) || !hasUtf8(value)) throw malformed(file, 'name-not-unicode', `metadata ${clip(key)}`, { actual: key });
  }
  if (pairs.length >= MAX_ENTRIES) {
    throw malformed(file, 'too-many-entries', `${pairs.length} metadata keys`, { expected: MAX_ENTRIES, actual: pairs.length });
  }
  const texts = [['format', 'pt'] as const, ...pairs].map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`);
  const entries = placed.map(
    ({ name, dtype, shape, begin, end }) =>
      `${JSON.stringify(name)}:{"dtype":"${dtype}","shape":[${shape.join(',')}],"data_offsets":[${begin},${end}]}`,
  );
  const json = new TextEncoder().encode(`{${[`"__metadata__":{${texts.join(',')}}`, ...entries].join(',')}}`);
  const length = Math.ceil(json.length / 8) * 8;
  if (length > MAX_HEADER_BYTES) {
    throw malformed(file, 'header-too-large', `header of ${length} bytes`, { expected: MAX_HEADER_BYTES, actual: length });
  }
  const header = new Uint8Array(8 + length).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(length), true);
  header.set(json, 8);
  return header;
}

/** Whether every surrogate has its other half. */
function hasUtf8(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}
