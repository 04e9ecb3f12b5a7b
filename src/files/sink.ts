/** Sequential writing through a FileSystemWritableFileStream. */
import type { StudioError } from '../bytes/errors';
import type { ByteSink } from '../bytes/source';

/** The part of FileSystemWritableFileStream a sink uses. */
export interface WritableFile {
  write(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  close(): Promise<void>;
  abort(): Promise<void>;
}
export interface SinkHooks {
  /** The typed error of a failure of the storage. */
  fault(error: unknown): StudioError;
  /** Removes what creating the file left behind. */
  discard(): Promise<void>;
}

/**
 * Each write is a round trip to the browser's file process, so callers gather small ones (`WRITE_BYTES` of merge/). Once a
 * write has failed, every later one and `close` reject with the same error; `abort` still cleans up.
 */
export class FileSink implements ByteSink {
  private done = false;
  /** Everything so far, in order: callers need not wait for one write before the next. */
  private tail: Promise<void> = Promise.resolve();

  constructor(
    readonly name: string,
    private readonly file: WritableFile,
    private readonly hooks: SinkHooks,
  ) {}

  write(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    return this.inOrder(() => this.file.write(bytes));
  }

  close(): Promise<void> {
    return this.inOrder(async () => {
      await this.file.close();
      this.done = true;
    });
  }

  async abort(): Promise<void> {
    await this.tail.catch(() => {});
    if (this.done) return;
    this.done = true;
    // A stream that has failed is closed already and says so by rejecting.
    await this.file.abort().catch(() => {});
    await this.hooks.discard().catch(() => {});
  }

  private inOrder(act: () => Promise<void>): Promise<void> {
    this.tail = this.tail.then(act).catch((error: unknown) => {
      throw this.hooks.fault(error);
    });
    return this.tail;
  }
}
