/** A reader of well-formed safetensors files that shares nothing with src/format: what it reads is known to be sound. */
import type { MergedDtype } from '../../src/bytes/dtypes';

export interface Tensor {
  readonly dtype: MergedDtype;
  readonly shape: readonly number[];
  /** Little-endian values, row-major. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Tensors by name, in the order of the header. */
export function readSafetensors(file: Uint8Array<ArrayBuffer>): Map<string, Tensor> {
  const headerBytes = Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + headerBytes))) as Record<
    string,
    { dtype: MergedDtype; shape: number[]; data_offsets: [number, number] }
  >;
  const payload = 8 + headerBytes;
  return new Map(
    Object.entries(header)
      .filter(([name]) => name !== '__metadata__')
      .map(([name, { dtype, shape, data_offsets: [begin, end] }]) => [
        name,
        { dtype, shape, bytes: file.slice(payload + begin, payload + end) },
      ]),
  );
}

export function elementsOf({ shape }: Pick<Tensor, 'shape'>): number {
  return shape.reduce((product, size) => product * size, 1);
}
