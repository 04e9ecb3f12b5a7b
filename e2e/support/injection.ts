/**
 * Faults in the studio as it is shipped: its own worker, in the built page, is held at an operation, so that the real cause can be
 * brought about meanwhile (a permission withdrawn, a file deleted, a tab crashed), or is given an operation that fails as Chromium's
 * own does. Nothing of the page's files is changed; what the worker was given is gone with the worker.
 */
import type { Page, Worker } from '@playwright/test';

/** What a helper leaves in the worker. */
interface Injected {
  gate?: { reached: Promise<void>; open(): void };
  restore?(): void;
}

/** The worker that reads, merges and writes; those that it starts itself have other names. */
export async function studioWorker(page: Page): Promise<Worker> {
  for (const worker of page.workers()) if ((await worker.evaluate(() => self.name)).startsWith('studio-')) return worker;
  throw new Error('the studio has no worker');
}

export interface Held {
  /** Resolves once the operation was asked for and waits. */
  reached(): Promise<void>;
  /** Lets it go on; later ones are not held. */
  release(): Promise<void>;
}

/**
 * Holds the writing of one file of the destination: `create` before its writer is asked for, `write` with the first half of the first
 * piece already written.
 */
export async function holdWriting(worker: Worker, file: string, at: 'create' | 'write'): Promise<Held> {
  await worker.evaluate(
    ([name, place]) => {
      const own = self as unknown as Injected;
      let arrive = () => {};
      let open = () => {};
      const reached = new Promise<void>((resolve) => (arrive = resolve));
      const opened = new Promise<void>((resolve) => (open = resolve));
      own.gate = { reached, open };
      const pass = async () => {
        arrive();
        await opened;
      };
      const { createWritable } = FileSystemFileHandle.prototype;
      FileSystemFileHandle.prototype.createWritable = async function (...options) {
        if (this.name !== name) return createWritable.apply(this, options);
        FileSystemFileHandle.prototype.createWritable = createWritable;
        if (place === 'create') await pass();
        const writable = await createWritable.apply(this, options);
        if (place === 'create') return writable;
        const write = writable.write.bind(writable);
        writable.write = async (piece) => {
          writable.write = write;
          const bytes = piece as Uint8Array<ArrayBuffer>;
          await write(bytes.subarray(0, bytes.length >> 1));
          await pass();
          return write(bytes.subarray(bytes.length >> 1));
        };
        return writable;
      };
    },
    [file, at] as const,
  );
  return {
    reached: () => worker.evaluate(() => (self as unknown as Injected).gate!.reached),
    release: () => worker.evaluate(() => (self as unknown as Injected).gate!.open()),
  };
}

/**
 * From now on the worker has no room for `least` bytes or more at once, `times` times: for `arrays`, or for what is read of `files`,
 * which Chromium calls unreadable then. Both errors were taken down from a renderer whose memory the system had limited.
 */
export async function shortOfMemory(worker: Worker, what: 'arrays' | 'files', least: number, times: number): Promise<void> {
  await worker.evaluate(
    ([place, bytes, most]) => {
      const own = self as unknown as Injected;
      let left = most;
      const isRefused = (size: number) => size >= bytes && left-- > 0;
      if (place === 'files') {
        const { arrayBuffer } = Blob.prototype;
        Blob.prototype.arrayBuffer = function () {
          if (!isRefused(this.size)) return arrayBuffer.call(this);
          return Promise.reject(new DOMException('The requested file could not be read, typically due to permission problems that have occurred after a reference to a file was acquired.', 'NotReadableError'));
        };
        own.restore = () => void (Blob.prototype.arrayBuffer = arrayBuffer);
        return;
      }
      const Original = Uint8Array;
      globalThis.Uint8Array = new Proxy(Original, {
        construct(target, given: [unknown]) {
          if (typeof given[0] === 'number' && isRefused(given[0])) throw new RangeError('Array buffer allocation failed');
          return Reflect.construct(target, given) as object;
        },
      });
      own.restore = () => void (globalThis.Uint8Array = Original);
    },
    [what, least, times] as const,
  );
}

/** Takes back what `shortOfMemory` and its like gave the worker. */
export const restore = (worker: Worker): Promise<void> => worker.evaluate(() => (self as unknown as Injected).restore!());
