/** A folder in memory that records every operation and fails the one it is told to. */
import { DestinationError, DiskFullError } from '../../../src/bytes/errors';
import { MemorySource } from '../../../src/bytes/source';
import type { BatchFolder, ByteSink, ByteSource, Destination } from '../../../src/bytes/source';

/** Browsers have timers only. */
const later: (act: (value: unknown) => void) => unknown = typeof setImmediate === 'function' ? setImmediate : setTimeout;

export class MemoryFolder implements Destination {
  readonly name = 'out';
  readonly files = new Map<string, Uint8Array<ArrayBuffer>>();
  /** `write model.safetensors`, in order. */
  readonly operations: string[] = [];
  /** Sinks that were neither closed nor aborted. */
  readonly unfinished = new Set<string>();
  private isStopped = false;
  /** The operation that does not end before `release` is called. */
  private held: { readonly operation: number; readonly until: Promise<void> } | null = null;
  release: () => void = () => {};
  /** Called before every operation, with its number from 0; throws to make it fail. */
  before: (operation: number, what: string) => void = () => {};

  constructor(files: Readonly<Record<string, string>> = {}) {
    for (const [name, text] of Object.entries(files)) this.files.set(name, new Uint8Array(new TextEncoder().encode(text)));
  }

  /** Makes operation number `n` fail as a full disk does. */
  failAt(n: number): void {
    this.before = (operation, what) => {
      if (operation === n) throw new DiskFullError(what, { file: what });
    };
  }

  /** The machine stops before operation number `n`: neither it nor anything after it happens. */
  stopAt(n: number): void {
    this.before = (operation, what) => {
      if (operation < n) return;
      this.isStopped = true;
      throw new DestinationError('unusable', `stopped before ${what}`);
    };
  }
  /** Operation number `n` does not end, as those of a drive that does not answer. */
  holdAt(n: number): void {
    this.held = { operation: n, until: new Promise((resolve) => (this.release = resolve)) };
  }
  /** It runs again, with the files as they were left. */
  restart(): void {
    this.isStopped = false;
    this.held = null;
    this.before = () => {};
    this.operations.length = 0;
    this.unfinished.clear();
  }

  private async step(what: string): Promise<void> {
    this.operations.push(what);
    const operation = this.operations.length - 1;
    this.before(operation, what);
    if (this.held?.operation === operation) await this.held.until;
  }

  async list(): Promise<readonly string[]> {
    await this.step('list');
    return [...this.files.keys()];
  }

  async create(name: string): Promise<ByteSink> {
    await this.step(`create ${name}`);
    const parts: Uint8Array<ArrayBuffer>[] = [];
    let tail = Promise.resolve();
    const inOrder = (act: () => Promise<void>) => (tail = tail.then(act));
    let isOver = false;
    this.unfinished.add(name);
    // A handle leaves an empty file at once, as in a browser.
    const isNew = !this.files.has(name);
    if (isNew) this.files.set(name, new Uint8Array(0));
    return {
      name,
      write: (bytes) =>
        inOrder(async () => {
          await this.step(`write ${name}`);
          // Late, as a disk is: a caller that changes the bytes meanwhile is found out.
          await new Promise((resolve) => later(resolve));
          parts.push(bytes.slice());
        }),
      close: () =>
        inOrder(async () => {
          await this.step(`close ${name}`);
          isOver = true;
          this.unfinished.delete(name);
          // Last in the order of the files: they are listed as they became final.
          this.files.delete(name);
          this.files.set(name, join(parts));
        }),
      abort: async () => {
        await tail.catch(() => {});
        if (this.isStopped || isOver) return;
        isOver = true;
        this.unfinished.delete(name);
        if (isNew) this.files.delete(name);
      },
    };
  }

  async open(name: string): Promise<ByteSource> {
    await this.step(`open ${name}`);
    const bytes = this.files.get(name);
    if (!bytes) throw new DestinationError('removed', `${name} is not there`, { file: name });
    const source = new MemorySource(name, bytes);
    return {
      name,
      size: source.size,
      read: async (begin, end) => {
        await this.step(`read ${name}`);
        return source.read(begin, end);
      },
    };
  }

  async remove(name: string): Promise<void> {
    await this.step(`remove ${name}`);
    // As a browser does.
    if (this.unfinished.has(name)) throw new DestinationError('locked', `${name} is being written`, { file: name });
    this.files.delete(name);
  }
}

export function join(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** One that holds folders. */
export class MemoryFolders extends MemoryFolder implements BatchFolder {
  readonly inner = new Map<string, MemoryFolder>();
  /** Called with every folder that is made. */
  prepare: (folder: MemoryFolder, name: string) => void = () => {};

  override async list(): Promise<readonly string[]> {
    return [...this.files.keys(), ...this.inner.keys()];
  }
  async folder(name: string): Promise<Destination> {
    const folder = this.inner.get(name) ?? new MemoryFolder();
    if (!this.inner.has(name)) this.prepare(folder, name);
    this.inner.set(name, folder);
    return folder;
  }
  async removeEmpty(name: string): Promise<void> {
    if (this.inner.get(name)?.files.size === 0) this.inner.delete(name);
  }
}
