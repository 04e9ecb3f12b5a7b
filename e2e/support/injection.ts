/**
 * Faults in the studio as it is shipped: its own worker, in the built page, is held at an operation, so that the real cause can be
 * brought about meanwhile (a permission withdrawn, a file deleted, a tab crashed), or is given an operation that fails as Chromium's
 * own does. Nothing of the page's files is changed; what the worker was given is gone with the worker.
 */
import type { Page, Worker } from '@playwright/test';

/** What a helper leaves in the worker. */
interface Injected {
  gate?: { reached: Promise<void>; pass(): Promise<void>; open(): void };
  restore?(): void;
  letPass?(seconds: number): Promise<void>;
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

/** Makes the worker's gate: what awaits `pass` tells that it is there, and waits. */
async function makeGate(worker: Worker): Promise<Held> {
  await worker.evaluate(() => {
    let arrive = () => {};
    let open = () => {};
    const reached = new Promise<void>((resolve) => (arrive = resolve));
    const opened = new Promise<void>((resolve) => (open = resolve));
    const pass = () => {
      arrive();
      return opened;
    };
    (self as unknown as Injected).gate = { reached, pass, open };
  });
  return {
    reached: () => worker.evaluate(() => (self as unknown as Injected).gate!.reached),
    release: () => worker.evaluate(() => (self as unknown as Injected).gate!.open()),
  };
}

/**
 * Holds the writing of one file of the destination: `create` before its writer is asked for, `write` with the first half of the first
 * piece already written, `close` when it is closed, as everybody can see but who asked for it.
 */
export async function holdWriting(worker: Worker, file: string, at: 'create' | 'write' | 'close'): Promise<Held> {
  const held = await makeGate(worker);
  await worker.evaluate(
    ([name, place]) => {
      const { pass } = (self as unknown as Injected).gate!;
      const { createWritable } = FileSystemFileHandle.prototype;
      FileSystemFileHandle.prototype.createWritable = async function (...options) {
        if (this.name !== name) return createWritable.apply(this, options);
        FileSystemFileHandle.prototype.createWritable = createWritable;
        if (place === 'create') await pass();
        const writable = await createWritable.apply(this, options);
        if (place === 'create') return writable;
        if (place === 'close') {
          const close = writable.close.bind(writable);
          writable.close = async () => {
            await close();
            await pass();
          };
          return writable;
        }
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
  return held;
}

/** Holds the next reading back from the graphics device, before the device is asked. */
export async function holdReadingBack(worker: Worker): Promise<Held> {
  const held = await makeGate(worker);
  await worker.evaluate(() => {
    const { pass } = (self as unknown as Injected).gate!;
    const { mapAsync } = GPUBuffer.prototype;
    GPUBuffer.prototype.mapAsync = async function (...range) {
      GPUBuffer.prototype.mapAsync = mapAsync;
      await pass();
      return mapAsync.apply(this, range);
    };
  });
  return held;
}

/**
 * From now on the worker has no room for `least` bytes or more at once, `times` times: for `arrays`, or for what is read of `files`:
 * for buffers to read into, and where the file has to bring its own, which Chromium calls unreadable then. Both errors were taken down from a renderer whose memory the system had limited.
 */
export async function shortOfMemory(worker: Worker, what: 'arrays' | 'files', least: number, times: number): Promise<void> {
  await worker.evaluate(
    ([place, bytes, most]) => {
      const own = self as unknown as Injected;
      let left = most;
      const isRefused = (size: number) => size >= bytes && left-- > 0;
      const { arrayBuffer } = Blob.prototype;
      const { ArrayBuffer: Buffer, Uint8Array: Bytes } = globalThis;
      const refusing = <Made extends typeof Buffer | typeof Bytes>(made: Made): Made =>
        new Proxy(made, {
          construct(target, given: unknown[]) {
            if (typeof given[0] === 'number' && isRefused(given[0])) throw new RangeError('Array buffer allocation failed');
            return Reflect.construct(target, given) as object;
          },
        });
      if (place === 'arrays') globalThis.Uint8Array = refusing(Bytes);
      else {
        globalThis.ArrayBuffer = refusing(Buffer);
        Blob.prototype.arrayBuffer = function () {
          if (!isRefused(this.size)) return arrayBuffer.call(this);
          return Promise.reject(new DOMException('The requested file could not be read, typically due to permission problems that have occurred after a reference to a file was acquired.', 'NotReadableError'));
        };
      }
      own.restore = () => {
        Blob.prototype.arrayBuffer = arrayBuffer;
        Object.assign(globalThis, { ArrayBuffer: Buffer, Uint8Array: Bytes });
      };
    },
    [what, least, times] as const,
  );
}

/** From now on what the studio's shaders say as `right` is compiled as `wrong`: an adapter that computes something else. */
export async function miscalculate(worker: Worker, right: string, wrong: string): Promise<void> {
  await worker.evaluate(
    ([from, to]) => {
      const { createShaderModule } = GPUDevice.prototype;
      GPUDevice.prototype.createShaderModule = function (descriptor) {
        return createShaderModule.call(this, { ...descriptor, code: descriptor.code.replaceAll(from, to) });
      };
      (self as unknown as Injected).restore = () => void (GPUDevice.prototype.createShaderModule = createShaderModule);
    },
    [right, wrong] as const,
  );
}

/** The device has no room for the next `times` buffers that are asked for within an error scope, as a device says it. */
export async function shortOfDeviceMemory(worker: Worker, times: number): Promise<void> {
  await worker.evaluate((most) => {
    let left = most;
    let isRefused = false;
    const { createBuffer, popErrorScope } = GPUDevice.prototype;
    GPUDevice.prototype.createBuffer = function (descriptor) {
      isRefused = left-- > 0;
      return createBuffer.call(this, descriptor);
    };
    GPUDevice.prototype.popErrorScope = async function () {
      const wasRefused = isRefused;
      isRefused = false;
      const error = await popErrorScope.call(this);
      return wasRefused ? new GPUOutOfMemoryError('Out of memory') : error;
    };
    (self as unknown as Injected).restore = () => void Object.assign(GPUDevice.prototype, { createBuffer, popErrorScope });
  }, times);
}

/**
 * Takes hold of the worker's time: what is returned lets so many seconds go by in it, two with every 10 ms and every timer at its time.
 * All that the studio knows of time comes from the functions of the worker's that are replaced, whatever its code was made into.
 */
export async function holdTime(worker: Worker): Promise<(seconds: number) => Promise<void>> {
  await worker.evaluate(() => {
    const { setTimeout: later, clearTimeout: callOff } = globalThis;
    const now = performance.now.bind(performance);
    let ahead = 0;
    const waiting = new Map<unknown, { readonly at: number; readonly run: () => void }>();
    const made = (act: (...given: unknown[]) => void, milliseconds = 0, ...given: unknown[]) => {
      const run = () => {
        waiting.delete(timer);
        act(...given);
      };
      const timer = later(run, milliseconds);
      waiting.set(timer, { at: performance.now() + milliseconds, run });
      return timer;
    };
    const calledOff = (timer?: number) => {
      waiting.delete(timer);
      callOff(timer);
    };
    performance.now = () => now() + ahead;
    Object.assign(globalThis, { setTimeout: made, clearTimeout: calledOff });
    (self as unknown as Injected).letPass = async (seconds) => {
      for (const end = ahead + 1000 * seconds; ahead < end; ) {
        await new Promise((resolve) => later(resolve, 10));
        ahead += 2000;
        for (const [timer, { at, run }] of [...waiting]) {
          if (at > performance.now() || !waiting.has(timer)) continue;
          callOff(timer as number);
          run();
        }
      }
    };
  });
  return (seconds) => worker.evaluate((all) => (self as unknown as Injected).letPass!(all), seconds);
}

/** Takes back the last operation that fails by itself. */
export const restore = (worker: Worker): Promise<void> => worker.evaluate(() => (self as unknown as Injected).restore!());
