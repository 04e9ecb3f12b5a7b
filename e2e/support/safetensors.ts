import { BYTES_PER_VALUE, type FloatName } from './numbers';

/** One tensor as it lies in a file. */
export interface Tensor {
  readonly dtype: FloatName;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array<ArrayBuffer>;
}
export type Tensors = ReadonlyMap<string, Tensor>;

export interface SafetensorsFile {
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: Tensors;
}

interface HeaderEntry {
  readonly dtype: FloatName;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

/** Reads a file as the format's page describes it, and insists on what that page insists on. */
export function readSafetensors(file: Uint8Array): SafetensorsFile {
  const length = Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(file.subarray(8, 8 + length))) as Record<string, unknown>;
  if (length % 8 !== 0) throw new Error(`header of ${length} bytes is not padded to 8`);
  const { __metadata__: metadata = {}, ...entries } = header;
  const tensors = new Map<string, Tensor>();
  let at = 0;
  const inOrder = Object.entries(entries as Record<string, HeaderEntry>).sort(
    ([, a], [, b]) => a.data_offsets[0] - b.data_offsets[0] || a.data_offsets[1] - b.data_offsets[1],
  );
  for (const [name, { dtype, shape, data_offsets }] of inOrder) {
    const [begin, end] = data_offsets;
    const values = shape.reduce((product, size) => product * size, 1);
    if (begin !== at) throw new Error(`${name} begins at ${begin}, not at ${at}`);
    if (end - begin !== values * BYTES_PER_VALUE[dtype]) throw new Error(`${name} has ${end - begin} bytes for ${values} values`);
    tensors.set(name, { dtype, shape, bytes: file.slice(8 + length + begin, 8 + length + end) as Uint8Array<ArrayBuffer> });
    at = end;
  }
  if (8 + length + at !== file.byteLength) throw new Error(`${file.byteLength} bytes, the header accounts for ${8 + length + at}`);
  return { metadata: metadata as Record<string, string>, tensors };
}

/** Writes tensors in the order given. */
export function writeSafetensors(tensors: Tensors): Uint8Array<ArrayBuffer> {
  const entries: [string, unknown][] = [['__metadata__', { format: 'pt' }]];
  let at = 0;
  for (const [name, { dtype, shape, bytes }] of tensors) {
    entries.push([name, { dtype, shape, data_offsets: [at, at + bytes.byteLength] }]);
    at += bytes.byteLength;
  }
  // Not by assignment, which would take `__proto__` for something else than a name.
  const text = JSON.stringify(Object.fromEntries(entries));
  const encoded = new TextEncoder().encode(text.padEnd(text.length + ((8 - (new TextEncoder().encode(text).length % 8)) % 8)));
  const file = new Uint8Array(8 + encoded.length + at);
  new DataView(file.buffer).setBigUint64(0, BigInt(encoded.length), true);
  file.set(encoded, 8);
  let position = 8 + encoded.length;
  for (const { bytes } of tensors.values()) {
    file.set(bytes, position);
    position += bytes.byteLength;
  }
  return file;
}

/** Names in the byte order of their UTF-8, the order in which figures.json hashes tensors. */
export function namesInOrder(tensors: Tensors): string[] {
  return [...tensors.keys()].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}
