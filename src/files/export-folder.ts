/** Where an export goes: a folder the user picked, or the browser's private storage; one merge at a time, never onto a source. */
import { DestinationError } from '../bytes/errors';
import type { FileEntry } from '../checkpoint/types';
import type { PickedFolder } from '../worker/protocol';
import { FolderDestination } from './destination';
import { destinationFault } from './faults';
import type { FileStore } from './store';

export interface ExportFolder {
  readonly destination: FolderDestination;
  readonly privateStorage: boolean;
  /** Lets another merge have the folder. */
  release(): Promise<void>;
}

/** Private storage holds one export, or one of several folders, replaced by the next: `exports/<this>/`. */
const PRIVATE_NAME = 'merged-model';

/**
 * Takes `folder` (null: private storage, emptied first) for one merge of `sources`. Rejects with DestinationError: `locked` when
 * another tab is exporting to a folder of that name, `is-source` when a source file lies in it, `permission`, `removed`.
 */
export async function openExportFolder(folder: PickedFolder | null, store: FileStore, sources: Iterable<FileEntry>): Promise<ExportFolder> {
  const name = folder?.name ?? PRIVATE_NAME;
  const release = await lock(`export to ${folder ? 'folder' : 'private storage'} ${name}`, name);
  try {
    const directory = folder ? directoryOf(folder) : await privateDirectory({ empty: true });
    const source = await store.findIn(directory, sources);
    if (source) throw new DestinationError('is-source', `${name} holds ${source.path}, which is being merged`, { file: source.path, actual: name });
    return { destination: new FolderDestination(name, directory), privateStorage: folder === null, release };
  } catch (error) {
    await release();
    throw destinationFault(error, name);
  }
}

/** A file of the last export in private storage, `FOLDER/FILE` where it has several, for downloading. Rejects with DestinationError `removed`. */
export async function exportedFile(name: string): Promise<File> {
  try {
    const path = name.split('/');
    let directory = await privateDirectory({ empty: false });
    for (const folder of path.slice(0, -1)) directory = await directory.getDirectoryHandle(folder);
    return await (await directory.getFileHandle(path.at(-1)!)).getFile();
  } catch (error) {
    throw destinationFault(error, PRIVATE_NAME, name);
  }
}

async function privateDirectory({ empty }: { readonly empty: boolean }): Promise<FileSystemDirectoryHandle> {
  const root = await navigator.storage.getDirectory();
  const exports = await root.getDirectoryHandle('exports', { create: true });
  if (empty) {
    for await (const old of exports.keys()) await exports.removeEntry(old, { recursive: true });
  }
  return exports.getDirectoryHandle(PRIVATE_NAME, { create: true });
}

function directoryOf({ name, handle }: PickedFolder): FileSystemDirectoryHandle {
  if (typeof handle === 'object' && handle !== null && 'getFileHandle' in handle) return handle as FileSystemDirectoryHandle;
  throw new DestinationError('unusable', `${name} is not a folder`, { file: name });
}

/**
 * A lock that every tab of this origin sees and that ends with the tab. Handles of two tabs cannot be compared, so the lock goes
 * by name: two different folders called alike wait for each other, which is said and harmless.
 */
async function lock(key: string, folder: string): Promise<() => Promise<void>> {
  // Absent on pages that are not secure, where there are no handles either.
  const locks = navigator.locks as LockManager | undefined;
  if (!locks) return async () => {};
  return new Promise((resolve, reject) => {
    const held: Promise<void> = locks
      .request(key, { ifAvailable: true }, (granted) => {
        if (!granted) throw new DestinationError('locked', `${folder}: another tab is exporting to a folder of this name`, { file: folder });
        return new Promise<void>((unlock) => {
          resolve(() => {
            unlock();
            return held;
          });
        });
      })
      .then(() => {}, reject);
  });
}
