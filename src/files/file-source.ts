/** A file of the user's disk as a ByteSource that never returns other bytes than those that were there when it was given. */
import { OutOfMemoryError, SourceChangedError, StudioError } from '../bytes/errors';
import type { ByteSource } from '../bytes/source';
import { faultName, sourceFault } from './faults';

/** `slice().arrayBuffer()` fails with NotReadableError near 2 GiB; half of that leaves no doubt. */
export const MOST_BYTES_AT_ONCE = 2 ** 30;
/** For so little there is memory when for nothing else there is. */
const SMALL_BYTES = 2 ** 16;

/** What a file was when it was given. */
export interface FileState {
  /** Path relative to what was dropped. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** Milliseconds since the epoch. */
  readonly modified: number;
}

/**
 * Every read is a slice of its own: browsers compare a slice with the file on disk and refuse it after any change, while one
 * long stream notices neither an overwrite nor a truncation. Rejects with SourceChangedError `changed` (both sizes, or both
 * times), `vanished`, `permission` or `unreadable`, and with OutOfMemoryError `host-memory`.
 */
export class FileSource implements ByteSource {
  constructor(
    private readonly was: FileState,
    private readonly file: File,
    /** The file as it is now, where a handle can tell; used to find out why a read failed. */
    private readonly latest: (() => Promise<File>) | null,
    private readonly mostAtOnce = MOST_BYTES_AT_ONCE,
  ) {}
  get name(): string {
    return this.was.path;
  }
  get size(): number {
    return this.was.size;
  }

  async read(begin: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
    this.check(begin, end);
    if (begin === end) return new Uint8Array(0);
    try {
      return end - begin <= this.mostAtOnce ? await this.slice(begin, end) : await this.pieces(begin, end);
    } catch (error) {
      throw await this.explain(error, begin, end);
    }
  }

  /**
   * By a stream of the slice, which fills the buffers that it is given: `arrayBuffer()` has new memory for every read, whose page
   * faults take more of the processor than reading does.
   */
  async readInto(begin: number, lengths: readonly number[], take: (bytes: number) => ArrayBuffer): Promise<ArrayBuffer[]> {
    const end = lengths.reduce((sum, length) => sum + length, begin);
    this.check(begin, end);
    const reader = fillingReader(this.file.slice(begin, end));
    if (!reader) return this.readAndCut(begin, end, lengths, take);
    let read = 0;
    underWay.add(reader);
    try {
      const filled: ArrayBuffer[] = [];
      for (const length of lengths) {
        let buffer = take(length);
        for (let at = 0; at < length; ) {
          const { value, done } = await reader.read(new Uint8Array(buffer, at, length - at));
          // A file that was cut short ends its stream early.
          if (done) throw this.short(begin, end, read);
          buffer = value.buffer;
          at += value.byteLength;
          read += value.byteLength;
        }
        filled.push(buffer);
      }
      return filled;
    } catch (error) {
      // Streams fail with a TypeError, "network error", whatever is the matter: reading without one says what, or can.
      if (error instanceof TypeError) return await this.readAndCut(begin, end, lengths, take);
      throw await this.explain(error, begin, end);
    } finally {
      underWay.delete(reader);
      // What is left of it after a failure; a stream that failed rejects.
      void reader.cancel().catch(() => {});
    }
  }

  private async readAndCut(begin: number, end: number, lengths: readonly number[], take: (bytes: number) => ArrayBuffer): Promise<ArrayBuffer[]> {
    const bytes = await this.read(begin, end);
    let at = 0;
    return lengths.map((length) => {
      const buffer = take(length);
      new Uint8Array(buffer).set(bytes.subarray(at, (at += length)));
      return buffer;
    });
  }

  /** Throws RangeError for what is no part of the file, SourceChangedError `changed` where the file is known to be another. */
  private check(begin: number, end: number): void {
    if (!(begin >= 0 && begin <= end && end <= this.size)) {
      throw new RangeError(`read [${begin}, ${end}) of ${this.name}, ${this.size} bytes`);
    }
    checkUnchanged(this.was, this.file);
  }

  private async slice(begin: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = new Uint8Array(await this.file.slice(begin, end).arrayBuffer());
    if (bytes.length === end - begin) return bytes;
    throw this.short(begin, end, bytes.length);
  }

  private short(begin: number, end: number, actual: number): SourceChangedError {
    const expected = end - begin;
    return new SourceChangedError('changed', `${this.name}: ${actual} of ${expected} bytes at ${begin}`, { file: this.name, expected, actual });
  }

  private async pieces(begin: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = allocate(end - begin, this.name);
    for (let at = begin; at < end; at += this.mostAtOnce) {
      bytes.set(await this.slice(at, Math.min(end, at + this.mostAtOnce)), at - begin);
    }
    return bytes;
  }

  /** NotReadableError says that something is wrong, not what: the file as it is now does, and whether its bytes come in small pieces. */
  private async explain(error: unknown, begin: number, end: number): Promise<StudioError> {
    if (error instanceof StudioError || faultName(error) !== 'NotReadableError') return sourceFault(error, this.name);
    if (this.latest !== null) {
      try {
        checkUnchanged(this.was, await this.latest());
      } catch (cause) {
        return sourceFault(cause, this.name);
      }
    }
    // Chromium rejects in the same words where it has no memory for the bytes.
    if (await this.comesInPieces(begin, end)) return noMemory(end - begin, this.name);
    return this.latest === null ? sourceFault(error, this.name) : new SourceChangedError('unreadable', `${this.name}: the disk does not give the bytes`, { file: this.name });
  }

  private async comesInPieces(begin: number, end: number): Promise<boolean> {
    if (end - begin <= SMALL_BYTES) return false;
    try {
      for (let at = begin; at < end; at += SMALL_BYTES) await this.slice(at, Math.min(end, at + SMALL_BYTES));
      return true;
    } catch {
      return false;
    }
  }
}

/** Throws SourceChangedError `changed`, with both sizes or both times. */
export function checkUnchanged(was: FileState, now: { readonly size: number; readonly lastModified: number }): void {
  if (now.size !== was.size) {
    throw new SourceChangedError('changed', `${was.path}: ${now.size} bytes, ${was.size} when it was given`, {
      file: was.path,
      expected: was.size,
      actual: now.size,
    });
  }
  if (now.lastModified !== was.modified) {
    throw new SourceChangedError('changed', `${was.path}: written after it was given`, {
      file: was.path,
      expected: new Date(was.modified).toISOString(),
      actual: new Date(now.lastModified).toISOString(),
    });
  }
}

/**
 * Whom streams are to give bytes. Chromium keeps nothing alive that waits for bytes of a file's stream: collected in the middle of a
 * read, it would never settle.
 */
const underWay = new Set<ReadableStreamBYOBReader>();

/** Null where streams of files do not fill the buffers of others. */
function fillingReader(part: Blob): ReadableStreamBYOBReader | null {
  try {
    return part.stream().getReader({ mode: 'byob' });
  } catch {
    return null;
  }
}

function allocate(bytes: number, file: string): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(bytes);
  } catch {
    throw noMemory(bytes, file);
  }
}

const noMemory = (bytes: number, file: string) => new OutOfMemoryError('host-memory', `no memory for ${bytes} bytes of ${file}`, { file, expected: bytes });
