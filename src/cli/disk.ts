/** Files of the disk as sources and destinations, with the promises that `bytes/source` makes. */
import { createHash } from 'node:crypto';
import { mkdir, open, readdir, realpath, rename, rmdir, stat, unlink, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DestinationError, DiskFullError, SourceChangedError, type StudioError } from '../bytes/errors';
import { hashingBy } from '../bytes/hashing';
import type { ByteSink, ByteSource, Destination } from '../bytes/source';
import type { FileEntry } from '../checkpoint/types';
import { LOCK_FILE } from './lock';

/** What a file being written is called until it is final. */
const UNFINISHED = '.part';

const codeOf = (error: unknown) => (error as NodeJS.ErrnoException).code;

/**
 * A file that must stay what it was. `was` is its entry; `path` is where it is on the disk. Opened for each read, since reads are
 * few and large and sources are never closed.
 */
export class DiskSource implements ByteSource {
  constructor(
    private readonly was: FileEntry,
    private readonly path: string,
  ) {}
  get name(): string {
    return this.was.path;
  }
  get size(): number {
    return this.was.size;
  }

  async read(begin: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = new Uint8Array(this.checked(begin, end));
    await this.fill(begin, [bytes]);
    return bytes;
  }

  async readInto(begin: number, lengths: readonly number[], take: (bytes: number) => ArrayBuffer): Promise<ArrayBuffer[]> {
    this.checked(
      begin,
      lengths.reduce((sum, length) => sum + length, begin),
    );
    const parts = lengths.map((length) => new Uint8Array(take(length), 0, length));
    await this.fill(begin, parts);
    return parts.map(({ buffer }) => buffer);
  }

  /** Bytes of a range. Throws RangeError where it is no part of the file. */
  private checked(begin: number, end: number): number {
    if (!(begin >= 0 && begin <= end && end <= this.size)) throw new RangeError(`read [${begin}, ${end}) of ${this.name}, ${this.size} bytes`);
    return end - begin;
  }

  private async fill(begin: number, parts: readonly Uint8Array<ArrayBuffer>[]): Promise<void> {
    const handle = await open(this.path, 'r').catch((error: unknown) => {
      throw this.fault(error);
    });
    try {
      let at = begin;
      for (const part of parts) {
        for (let done = 0; done < part.length; ) {
          const { bytesRead } = await handle.read(part, done, part.length - done, at);
          if (bytesRead === 0) throw this.changed(at);
          done += bytesRead;
          at += bytesRead;
        }
      }
      // After the bytes: what was read while the file was being written does not count.
      const now = await handle.stat();
      if (now.size !== this.was.size || Math.trunc(now.mtimeMs) !== this.was.modified) throw this.changed(now.size);
    } catch (error) {
      throw this.fault(error);
    } finally {
      await handle.close();
    }
  }

  private changed(actual: number): SourceChangedError {
    return new SourceChangedError('changed', `${this.name} was written after it was opened`, { file: this.name, expected: this.size, actual });
  }
  private fault(error: unknown): SourceChangedError {
    if (error instanceof SourceChangedError) return error;
    const reason = codeOf(error) === 'ENOENT' ? 'vanished' : codeOf(error) === 'EACCES' ? 'permission' : 'unreadable';
    return new SourceChangedError(reason, `${this.name}: ${String(error)}`, { file: this.name });
  }
}

/** The files directly in a folder, under `name` instead of the folder's path; hidden ones left out. */
export async function entriesOf(folder: string, name: string): Promise<{ readonly entry: FileEntry; readonly path: string }[]> {
  const names = (await readdir(folder)).filter((file) => !file.startsWith('.')).sort();
  const entries = await Promise.all(
    names.map(async (file) => {
      const path = join(folder, file);
      const found = await stat(path);
      return found.isFile() ? [{ entry: { id: path, path: `${name}/${file}`, size: found.size, modified: Math.trunc(found.mtimeMs) }, path }] : [];
    }),
  );
  return entries.flat();
}

/**
 * The folder, and those above it that are missing. Rejects as `mkdir` does. Not `mkdir` with `recursive`: where a file system answers
 * "no such file" although the folder above is there (automounted ones of a cluster, `/proc`), Node tries again without end.
 */
async function makeFolders(folder: string): Promise<void> {
  const make = () =>
    mkdir(folder).catch(async (error: NodeJS.ErrnoException) => {
      if (!(await stat(folder).catch(() => null))?.isDirectory()) throw error;
    });
  const above = dirname(folder);
  await make().catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT' || above === folder) throw error;
    await makeFolders(above);
    await make();
  });
}

/** A folder of the disk. Files become final by being renamed, after they are on the disk. */
export class DiskDestination implements Destination {
  private constructor(
    readonly name: string,
    private readonly path: string,
  ) {}

  /** Makes the folder. Rejects with DestinationError `is-source` when a source lies in it, `unusable` when it is none. */
  static async make(folder: string, sources: Iterable<string>): Promise<DiskDestination> {
    await makeFolders(folder).catch((error: unknown) => {
      throw fault(error, folder);
    });
    const real = await realpath(folder);
    for (const source of sources) {
      // A file of a Hugging Face snapshot is a link to a blob elsewhere.
      if ((await realpath(dirname(source))) === real || dirname(await realpath(source)) === real) {
        throw new DestinationError('is-source', `${folder} holds ${source}, which is being merged`, { file: source, actual: folder });
      }
    }
    return new DiskDestination(folder, folder);
  }

  async list(): Promise<readonly string[]> {
    const names = await readdir(this.path).catch((error: unknown) => {
      throw fault(error, this.name);
    });
    return names.filter((name) => !name.startsWith(LOCK_FILE));
  }
  async create(name: string): Promise<ByteSink> {
    const path = join(this.path, `${name}${UNFINISHED}`);
    const handle = await open(path, 'w').catch((error: unknown) => {
      throw fault(error, this.name, name);
    });
    return new DiskSink(name, handle, path, join(this.path, name));
  }
  async open(name: string): Promise<ByteSource> {
    const path = join(this.path, name);
    const { size, mtimeMs } = await stat(path).catch((error: unknown) => {
      throw fault(error, this.name, name);
    });
    return new DiskSource({ id: path, path: name, size, modified: Math.trunc(mtimeMs) }, path);
  }
  /** Removes a folder within this one when it is empty; leaves one that is not. */
  async removeEmpty(name: string): Promise<void> {
    await rmdir(join(this.path, name)).catch((error: unknown) => {
      if (!['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes(codeOf(error) ?? '')) throw fault(error, this.name, name);
    });
  }
  /** Removes a file; one that is not there is no error. */
  async remove(name: string): Promise<void> {
    await unlink(join(this.path, name)).catch((error: unknown) => {
      if (codeOf(error) !== 'ENOENT') throw fault(error, this.name, name);
    });
  }
}

class DiskSink implements ByteSink {
  private isDone = false;
  private tail: Promise<void> = Promise.resolve();

  constructor(
    readonly name: string,
    private readonly handle: FileHandle,
    private readonly unfinished: string,
    private readonly final: string,
  ) {}

  write(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    return this.inOrder(async () => {
      for (let done = 0; done < bytes.length; ) done += (await this.handle.write(bytes, done)).bytesWritten;
    });
  }
  close(): Promise<void> {
    return this.inOrder(async () => {
      await this.handle.sync();
      await this.handle.close();
      await rename(this.unfinished, this.final);
      this.isDone = true;
    });
  }
  async abort(): Promise<void> {
    await this.tail.catch(() => {});
    if (this.isDone) return;
    this.isDone = true;
    await this.handle.close().catch(() => {});
    await unlink(this.unfinished).catch(() => {});
  }

  private inOrder(act: () => Promise<void>): Promise<void> {
    this.tail = this.tail.then(act).catch((error: unknown) => {
      throw fault(error, dirname(this.final), this.name);
    });
    return this.tail;
  }
}

/** By Node's own code, which is several times as fast as the studio's. */
export const HASHING_NATIVELY = hashingBy(() => {
  const hash = createHash('sha256');
  return { update: (piece) => hash.update(piece), hex: () => hash.digest('hex') };
});

/** Hex SHA-256 of a file of the disk. */
export async function sha256OfFile(path: string): Promise<string> {
  const handle = await open(path, 'r');
  try {
    const hash = createHash('sha256');
    for await (const piece of handle.createReadStream({ highWaterMark: 8 * 2 ** 20, autoClose: false })) hash.update(piece as Uint8Array);
    return hash.digest('hex');
  } finally {
    await handle.close();
  }
}

function fault(error: unknown, folder: string, file?: string): StudioError {
  if (error instanceof DestinationError || error instanceof DiskFullError) return error;
  const where = { file: file ?? folder, actual: folder };
  const code = codeOf(error);
  if (code === 'ENOSPC' || code === 'EDQUOT') return new DiskFullError(`no room on the disk for ${file ?? folder}`, where);
  const reason = code === 'ENOENT' ? 'removed' : code === 'EACCES' || code === 'EPERM' || code === 'EROFS' ? 'permission' : 'unusable';
  return new DestinationError(reason, `${folder}: ${String(error)}`, where);
}
