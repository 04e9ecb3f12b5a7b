/** A folder of the user's disk or of the browser's private storage as a Destination: both are directory handles. */
import { asStudioError, DestinationError } from '../bytes/errors';
import type { ByteSink, ByteSource, Destination } from '../bytes/source';
import { destinationFault, faultName } from './faults';
import { FileSource } from './file-source';
import { FileSink } from './sink';

/** `mode` is newer than TypeScript's library; browsers that do not know it ignore it. */
type WritableOptions = FileSystemCreateWritableOptions & { readonly mode: 'exclusive' };

/** How often the removal of an aborted file is tried, and milliseconds between two tries. */
const RELEASE_TRIES = 10;
const RELEASE_MS = 20;

/** What changes when another file is written in the place of one. */
export interface FileStamp {
  readonly bytes: number;
  /** Milliseconds since the epoch. */
  readonly modified: number;
}

/** Every rejection is a DiskFullError or a DestinationError, see `destinationFault`. */
export class FolderDestination implements Destination {
  constructor(
    readonly name: string,
    private readonly folderHandle: FileSystemDirectoryHandle,
  ) {}

  list(): Promise<readonly string[]> {
    return this.guard(undefined, async () => {
      const names: string[] = [];
      for await (const name of this.folderHandle.keys()) names.push(name);
      return names;
    });
  }

  /**
   * A file under `name`, which stays as it was until the sink is closed. Getting the handle of a new file leaves 0 bytes there at
   * once; the sink's `abort`, or a failure here, removes them.
   */
  create(name: string): Promise<ByteSink> {
    return this.guard(name, async () => {
      const old = await this.find(name);
      const handle = old ?? (await this.handleOf(name, true));
      try {
        const options: WritableOptions = { keepExistingData: false, mode: 'exclusive' };
        const writable = await handle.createWritable(options);
        return new FileSink(name, writable, {
          fault: (error) => destinationFault(error, this.name, name),
          // An older file is untouched: what was written went to a swap file.
          discard: old ? async () => {} : () => this.removeReleased(name),
        });
      } catch (error) {
        if (!old) await this.folderHandle.removeEntry(name).catch(() => {});
        throw error;
      }
    });
  }

  open(name: string): Promise<ByteSource> {
    return this.guard(name, async () => {
      const handle = await this.handleOf(name, false);
      const file = await handle.getFile();
      const state = { path: `${this.name}/${name}`, size: file.size, modified: file.lastModified };
      return new FileSource(state, file, () => handle.getFile());
    });
  }

  /** Of a file, `FOLDER/FILE` for one in a folder within this. */
  stamp(path: string): Promise<FileStamp> {
    return this.guard(path, async () => {
      const { size, lastModified } = await fileIn(this.folderHandle, path);
      return { bytes: size, modified: lastModified };
    });
  }

  /** Removes a file; one that is not there is no error. */
  remove(name: string): Promise<void> {
    return this.guard(name, async () => {
      try {
        await this.folderHandle.removeEntry(name);
      } catch (error) {
        if (faultName(error) !== 'NotFoundError') throw error;
      }
    });
  }

  /** Removes a file whose writer was aborted: Chromium may let go of it a moment later (2 of 300 times, measured). */
  private async removeReleased(name: string): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.remove(name);
      } catch (error) {
        if (asStudioError(error).reason !== 'locked' || tries === RELEASE_TRIES) throw error;
        await new Promise((resolve) => setTimeout(resolve, RELEASE_MS));
      }
    }
  }

  /** The folder of that name within this one, made where there is none. */
  folder(name: string): Promise<FolderDestination> {
    return this.guard(name, async () => new FolderDestination(`${this.name}/${name}`, await this.folderHandle.getDirectoryHandle(name, { create: true })));
  }

  /** Removes a folder within this one when it is empty; leaves one that is not. */
  removeEmpty(name: string): Promise<void> {
    return this.guard(name, async () => {
      try {
        await this.folderHandle.removeEntry(name);
      } catch (error) {
        if (!['NotFoundError', 'InvalidModificationError'].includes(faultName(error))) throw error;
      }
    });
  }

  private async find(name: string): Promise<FileSystemFileHandle | null> {
    try {
      return await this.handleOf(name, false);
    } catch (error) {
      if (faultName(error) === 'NotFoundError') return null;
      throw error;
    }
  }

  private async handleOf(name: string, create: boolean): Promise<FileSystemFileHandle> {
    try {
      return await this.folderHandle.getFileHandle(name, { create });
    } catch (error) {
      // The specification's answer to a name with a slash, and browsers' to endings they consider unsafe.
      if (!(error instanceof TypeError)) throw error;
      throw new DestinationError('bad-name', `${this.name}: no file can be called ${name}`, { file: `${this.name}/${name}` });
    }
  }

  private async guard<T>(name: string | undefined, act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      throw destinationFault(error, this.name, name);
    }
  }
}

/** A file by its path within `directory`. Rejects as the handles do. */
export async function fileIn(directory: FileSystemDirectoryHandle, path: string): Promise<File> {
  const parts = path.split('/');
  let own = directory;
  for (const folder of parts.slice(0, -1)) own = await own.getDirectoryHandle(folder);
  return (await own.getFileHandle(parts.at(-1)!)).getFile();
}
