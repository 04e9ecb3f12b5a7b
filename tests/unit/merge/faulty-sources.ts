/** A family's sources that fail at one operation, counted over openings and reads, and what they still owe when a run has ended. */
import { SourceChangedError } from '../../../src/bytes/errors';
import type { ByteSource } from '../../../src/bytes/source';
import type { OpenShard } from '../../../src/merge/reading';
import type { Family } from './family';

/**
 * `error`: the platform refuses. `never`: the promise never settles. `short`: a read gives a byte less. `changed`: from then on
 * the file holds other values, and nothing tells of it. `memory`: there is no room for the bytes, once; `no-memory`: nor ever.
 */
export type Fault = 'error' | 'never' | 'short' | 'changed' | 'memory' | 'no-memory';

/** The byte of a file that was written over: every value is another, none is infinite. */
export const overwritten = (bytes: Uint8Array<ArrayBuffer>) => bytes.map((byte, i) => (i % 2 === 0 ? byte ^ 1 : byte));

export class FaultySources {
  /** `open base/model.safetensors`, `read base/model.safetensors 100`, in order. */
  readonly operations: string[] = [];
  /** Operations that have not settled. */
  pending = 0;
  /** File of the operation that failed, and where in it. */
  failed: { readonly file: string; readonly offset: number | null } | null = null;

  constructor(
    private readonly family: Family,
    private readonly fault: Fault | null = null,
    private readonly at = -1,
  ) {}

  readonly openShard: OpenShard = async (checkpoint, shard) => {
    const source = await this.family.openShard(checkpoint, shard);
    await this.step(`open ${source.name}`, source.name, null);
    return {
      name: source.name,
      size: source.size,
      read: (begin, end) => this.read(source, begin, end),
      readInto: (begin, lengths, take) => this.readInto(source, begin, lengths, take),
    };
  };

  /** One operation, as `read`; never `short`, which the source itself would see. */
  private async readInto(source: ByteSource, begin: number, lengths: readonly number[], take: (bytes: number) => ArrayBuffer): Promise<ArrayBuffer[]> {
    const bytes = await this.read(source, begin, lengths.reduce((sum, length) => sum + length, begin));
    let at = 0;
    return lengths.map((length) => {
      const buffer = take(length);
      new Uint8Array(buffer).set(bytes.subarray(at, (at += length)));
      return buffer;
    });
  }

  private async read(source: ByteSource, begin: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
    const isHere = await this.step(`read ${source.name} ${begin}`, source.name, begin);
    this.pending++;
    const bytes = await source.read(begin, end);
    this.pending--;
    if (isHere && this.fault === 'short') return bytes.slice(0, -1);
    return this.fault === 'changed' && this.failed?.file === source.name ? overwritten(bytes) : bytes;
  }

  /** True at the operation that fails without rejecting. */
  private async step(what: string, file: string, offset: number | null): Promise<boolean> {
    this.operations.push(what);
    const again = this.fault === 'no-memory' && file === this.failed?.file && offset !== null;
    if (this.operations.length - 1 !== this.at && !again) return false;
    this.failed = { file, offset };
    if (this.fault === 'error') throw new SourceChangedError('unreadable', what, { file });
    if (this.fault === 'never') {
      this.pending++;
      return new Promise(() => {});
    }
    if ((this.fault === 'memory' || this.fault === 'no-memory') && offset !== null) throw new RangeError('Array buffer allocation failed');
    return true;
  }
}
