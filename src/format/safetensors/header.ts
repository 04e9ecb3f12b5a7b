/** Reading the header of a safetensors file: at most two reads, everything checked before anything is believed. */
import type { Dtype } from '../../bytes/dtypes';
import type { ByteSource } from '../../bytes/source';
import { parseEntries } from './entries';
import { checkLayout } from './layout';
import { FIRST_READ_BYTES, MAX_HEADER_BYTES } from './limits';
import { malformed } from './malformed';
import type { MalformedDetail, MalformedReason } from './malformed';
import { sniff } from './sniff';

export interface HeaderTensor {
  /** Exactly as in the file: may be empty, contain NUL, markup or `__proto__`. */
  readonly name: string;
  readonly dtype: Dtype;
  /** Row-major; empty for a scalar. */
  readonly shape: readonly number[];
  /** Product of the shape. */
  readonly elements: number;
  /** Bytes [begin, end) from the start of the file. */
  readonly begin: number;
  readonly end: number;
}

export interface SafetensorsHeader {
  /** In payload order. */
  readonly tensors: readonly HeaderTensor[];
  /** Null-prototype; empty when the file has none. */
  readonly metadata: Readonly<Record<string, string>>;
  /** 8 + N: where the payload starts. */
  readonly headerBytes: number;
  /** The file's first 8 + N bytes, for fingerprints. */
  readonly raw: Uint8Array<ArrayBuffer>;
}

/**
 * Reads and checks a header. Rejects with MalformedFileError (`reason`: MalformedReason) for a file that the reference
 * implementation refuses or should refuse by its own specification (faults.md A 1 to 15), and with whatever `source.read`
 * rejects with. Nothing is allocated by the header's own claims before they are checked against file and caps.
 */
export async function readHeader(source: ByteSource): Promise<SafetensorsHeader> {
  const { name: file, size } = source;
  if (size === 0) throw malformed(file, 'is-empty', 'the file is empty');
  const first = await source.read(0, Math.min(size, FIRST_READ_BYTES));
  const headerBytes = 8 + headerLength(first, size, file);
  const raw = await firstBytes(source, first, headerBytes);
  const { entries, metadata } = parseEntries(raw, file);
  const tensors = checkLayout(entries, headerBytes, size, file).map(({ name, dtype, shape, from, to }) => ({
    name,
    dtype,
    shape,
    elements: shape.reduce((product, dimension) => product * dimension, 1),
    begin: headerBytes + from,
    end: headerBytes + to,
  }));
  return { tensors, metadata, headerBytes, raw };
}

/** N, the header's length without its prefix. A prefix that cannot be true says what the file really is, where that is known. */
function headerLength(first: Uint8Array<ArrayBuffer>, size: number, file: string): number {
  const refuse = (reason: MalformedReason, message: string, detail: MalformedDetail): never => {
    const impostor = sniff(first);
    if (!impostor) throw malformed(file, reason, message, detail);
    throw malformed(file, impostor.reason, impostor.message, { expected: impostor.promised, actual: size });
  };
  if (size < 8) return refuse('too-short', `${size} bytes, the length prefix alone has 8`, { expected: 8, actual: size });
  const length = new DataView(first.buffer, first.byteOffset, 8).getBigUint64(0, true);
  if (length > BigInt(MAX_HEADER_BYTES)) {
    const actual = length <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(length) : length.toString();
    return refuse('header-too-large', `header of ${length} bytes, the limit is ${MAX_HEADER_BYTES}`, { expected: MAX_HEADER_BYTES, actual });
  }
  const claimed = Number(length);
  if (8 + claimed > size) {
    return refuse('header-exceeds-file', `the header alone needs ${8 + claimed} bytes, the file has ${size}`, { expected: 8 + claimed, actual: size });
  }
  if (claimed === 0) return refuse('header-empty', 'the header has length 0', { actual: 0 });
  return claimed;
}

/** The file's first `count` bytes, reading only what `have` lacks. */
async function firstBytes(source: ByteSource, have: Uint8Array<ArrayBuffer>, count: number): Promise<Uint8Array<ArrayBuffer>> {
  if (have.length >= count) return have.slice(0, count);
  const rest = await source.read(have.length, count);
  const bytes = new Uint8Array(count);
  bytes.set(have);
  bytes.set(rest, have.length);
  return bytes;
}
