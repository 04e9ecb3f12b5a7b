/** Where bytes come from and go to: the only seam between the pure rooms and storage. */

/** Random access to immutable bytes: a dropped file, a private-storage file, a buffer, a range of an HTTP file. */
export interface ByteSource {
  /** As the user knows it, for messages: path relative to what was dropped. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /**
   * Bytes [begin, end). Rejects with SourceChangedError when the file changed, shrank or vanished, never returns fewer
   * bytes than asked for. The returned array is the caller's to keep.
   */
  read(begin: number, end: number): Promise<Uint8Array<ArrayBuffer>>;
  /**
   * Bytes from `begin` on, as runs of `lengths` bytes one after the other, each from the start of a buffer of its own: `take` gives
   * one of at least so many bytes. Resolves to these buffers, which may have moved to other objects. Rejects as `read`, and as
   * `take` throws; what it gave is then lost. Absent where it would save nothing.
   */
  readInto?(begin: number, lengths: readonly number[], take: (bytes: number) => ArrayBuffer): Promise<ArrayBuffer[]>;
}

/** A file being written front to back. Nothing is final before `close` resolves. */
export interface ByteSink {
  readonly name: string;
  /** Appends. The sink may keep `bytes` until the promise settles; the caller must not change them before. */
  write(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Makes the file final under its name. Rejects with DiskFullError or DestinationError. */
  close(): Promise<void>;
  /** Throws away what was written; leaves an older file of that name as it was where the storage allows it. Idempotent. */
  abort(): Promise<void>;
}

/** In a destination while an export runs, and after one that was interrupted; a finished one has none. */
export const JOURNAL_FILE = 'studio-journal.json';

/** A folder to write to: where an export goes. */
export interface Destination {
  /** As the user knows it. */
  readonly name: string;
  /** Names of the entries there, files and folders. */
  list(): Promise<readonly string[]>;
  create(name: string): Promise<ByteSink>;
  /** Opens a finished file for re-reading. */
  open(name: string): Promise<ByteSource>;
  remove(name: string): Promise<void>;
}

/** A destination that holds folders. */
export interface BatchFolder extends Destination {
  /** The folder of that name, made where there is none. */
  folder(name: string): Promise<Destination>;
  /** Removes a folder that holds nothing; leaves another. */
  removeEmpty(name: string): Promise<void>;
}

/** A buffer as a source; for tests, small files and the sample family. */
export class MemorySource implements ByteSource {
  constructor(
    readonly name: string,
    private readonly bytes: Uint8Array<ArrayBuffer>,
  ) {}
  get size(): number {
    return this.bytes.byteLength;
  }
  async read(begin: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
    if (begin < 0 || end > this.bytes.byteLength || begin > end) {
      throw new RangeError(`read [${begin}, ${end}) of ${this.name}, ${this.bytes.byteLength} bytes`);
    }
    return this.bytes.slice(begin, end);
  }
}
