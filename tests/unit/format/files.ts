/** Files made in memory, and sources that count their reads. */
import type { ByteSource } from '../../../src/bytes/source';
import { MemorySource } from '../../../src/bytes/source';

/** A file of header text (or bytes) and `payload` zero bytes; `length` overrides the true header length. */
export function fileOf(header: string | Uint8Array, payload = 0, length?: bigint): Uint8Array<ArrayBuffer> {
  const json = typeof header === 'string' ? new TextEncoder().encode(header) : header;
  const bytes = new Uint8Array(8 + json.length + payload);
  new DataView(bytes.buffer).setBigUint64(0, length ?? BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}

/** One tensor `t` whose entry is written out, as most of the cases need it. */
export const entry = (dtype: string, shape: string, from: number | string, to: number | string, name = 't') =>
  `"${name}":{"dtype":"${dtype}","shape":${shape},"data_offsets":[${from},${to}]}`;

/** A source that records every range read. */
export class CountingSource implements ByteSource {
  readonly reads: [number, number][] = [];
  private readonly inner: MemorySource;
  constructor(
    readonly name: string,
    bytes: Uint8Array<ArrayBuffer>,
    /** The size it claims, to stand in for files too large to make. */
    private readonly claimed = bytes.byteLength,
  ) {
    this.inner = new MemorySource(name, bytes);
  }
  get size(): number {
    return this.claimed;
  }
  read(begin: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
    this.reads.push([begin, end]);
    return this.inner.read(begin, end);
  }
}
