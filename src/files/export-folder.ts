/** Where an export goes: a folder the user picked, or the browser's private storage; one merge at a time, never onto a source. */
import { DestinationError } from '../bytes/errors';
import { JOURNAL_FILE } from '../bytes/source';
import type { FileEntry } from '../checkpoint/types';
import type { ExportedStamp, PickedFolder } from '../worker/protocol';
import { fileIn, FolderDestination, type FileStamp } from './destination';
import { destinationFault } from './faults';
import { privateStorage } from './private-storage';
import type { FileStore } from './store';

export interface ExportFolder {
  readonly destination: FolderDestination;
  readonly privateStorage: boolean;
  /** Lets another merge have the folder. */
  release(): Promise<void>;
}

/** What private storage holds: `exports/<this>/`, an export whose place the next one takes, and folders of several. */
const PRIVATE_NAME = 'merged-model';

/**
 * What is to become of what lies there: `new` keeps an unfinished export, which then refuses the merge, and for one merge a finished
 * one, which it is to replace when it is whole itself; `resume` keeps all.
 */
export type HowToOpen = 'new' | 'replace' | 'resume';

/**
 * Takes `folder` (null: private storage, emptied first of what `how` does not keep, unless one of `names` is there) for one
 * merge of `sources`, or for several, whose folders are the `names`: some may be complete where others were interrupted.
 * Rejects with DestinationError: `locked` when another tab is exporting to a folder of that name, `is-source` when a source file lies
 * in it, `permission`, `removed`, and `insecure-page` or `no-storage` where there is no private storage.
 */
export async function openExportFolder(folder: PickedFolder | null, store: FileStore, sources: Iterable<FileEntry>, how: HowToOpen = 'new', names: readonly string[] = []): Promise<ExportFolder> {
  const name = folder?.name ?? PRIVATE_NAME;
  const release = await lock(lockKey(folder), folder ? name : 'private storage');
  try {
    const directory = folder ? directoryOf(folder) : await privateDirectory(how, names);
    const source = await store.findIn(directory, sources);
    if (source) throw new DestinationError('is-source', `${name} holds ${source.path}, which is being merged`, { file: source.path, actual: name });
    return { destination: new FolderDestination(name, directory), privateStorage: folder === null, release };
  } catch (error) {
    await release();
    throw destinationFault(error, name);
  }
}

/**
 * A folder to look at what lies there, which keeps nobody from it. Null when a tab is exporting to it, and where there is no such
 * folder.
 */
export async function visitExportFolder(folder: PickedFolder | null): Promise<FolderDestination | null> {
  try {
    if (await isTaken(folder)) return null;
    const directory = folder ? directoryOf(folder) : await lastExport();
    return new FolderDestination(folder?.name ?? PRIVATE_NAME, directory);
  } catch {
    return null;
  }
}

/** Every file in private storage, `FOLDER/FILE` in a folder of several. None while a tab is exporting there, or where there is none. */
export async function storedFiles(): Promise<readonly ExportedStamp[]> {
  try {
    return (await isTaken(null)) ? [] : await stampsIn(await lastExport());
  } catch {
    return [];
  }
}

/**
 * Removes what of private storage these files are in: each itself, or its folder, in the order given. Rejects with DestinationError
 * `export-gone`, and removes nothing, where one of them is not the file that had this stamp; `locked` while a tab is exporting there.
 */
export async function removeStored(stamps: readonly ExportedStamp[]): Promise<void> {
  const release = await lock(lockKey(null), 'private storage');
  try {
    const directory = await lastExport();
    const present = new Map((await stampsIn(directory)).map((stamp) => [stamp.name, stamp]));
    const gone = stamps.find(({ name, bytes, modified }) => present.get(name)?.bytes !== bytes || present.get(name)?.modified !== modified);
    if (gone) throw new DestinationError('export-gone', `${gone.name} of that export is not there any more`, { file: gone.name });
    for (const name of new Set(stamps.map((stamp) => stamp.name.split('/')[0]!))) await directory.removeEntry(name, { recursive: true });
  } catch (error) {
    throw destinationFault(error, PRIVATE_NAME);
  } finally {
    await release();
  }
}

/** Of its files, and of those of the folders in it. */
async function stampsIn(directory: FileSystemDirectoryHandle, folder = ''): Promise<ExportedStamp[]> {
  const stamps: ExportedStamp[] = [];
  for await (const [name, entry] of directory.entries()) {
    if (entry.kind === 'file') {
      const { size: bytes, lastModified: modified } = await (entry).getFile();
      stamps.push({ name: `${folder}${name}`, bytes, modified });
    } else if (folder === '') stamps.push(...(await stampsIn(entry, `${name}/`)));
  }
  return stamps;
}

/** Whether a tab is exporting there. */
async function isTaken(folder: PickedFolder | null): Promise<boolean> {
  const { held = [] } = (await (navigator.locks as LockManager | undefined)?.query()) ?? {};
  return held.some(({ name }) => name === lockKey(folder));
}

const lockKey = (folder: PickedFolder | null) => `export to ${folder ? `folder ${folder.name}` : `private storage ${PRIVATE_NAME}`}`;

/**
 * A file of the last export in private storage, `FOLDER/FILE` where it has several, for downloading. Rejects with DestinationError
 * `export-gone`, also where it is not the file that had this stamp.
 */
export async function exportedFile({ name, bytes, modified }: FileStamp & { readonly name: string }): Promise<File> {
  try {
    const file = await fileIn(await lastExport(), name);
    if (file.size === bytes && file.lastModified === modified) return file;
  } catch (error) {
    const fault = destinationFault(error, PRIVATE_NAME, name);
    if (fault.reason !== 'removed') throw fault;
  }
  throw new DestinationError('export-gone', `${name} of that export is not there any more`, { file: name });
}

async function privateRoot({ create }: { readonly create: boolean }): Promise<FileSystemDirectoryHandle> {
  const root = await privateStorage().getDirectory();
  return root.getDirectoryHandle('exports', { create });
}

/** Where the last export into private storage lies. Rejects where there was none. */
async function lastExport(): Promise<FileSystemDirectoryHandle> {
  return (await privateRoot({ create: false })).getDirectoryHandle(PRIVATE_NAME);
}

async function privateDirectory(how: HowToOpen, names: readonly string[]): Promise<FileSystemDirectoryHandle> {
  const exports = await privateRoot({ create: true });
  const directory = await exports.getDirectoryHandle(PRIVATE_NAME, { create: true });
  if (how === 'resume' || (how === 'new' && ((await holdsOneOf(directory, names)) || (await holdsExport(directory, names.length > 0))))) return directory;
  for await (const old of exports.keys()) await exports.removeEntry(old, { recursive: true });
  return exports.getDirectoryHandle(PRIVATE_NAME, { create: true });
}

/** Whether an export lies there that was interrupted or, unless `unfinished`, is finished, or one of several in folders of their own. */
async function holdsExport(directory: FileSystemDirectoryHandle, unfinished: boolean): Promise<boolean> {
  for await (const [name, entry] of directory.entries()) {
    if (name === JOURNAL_FILE || (!unfinished && (name === 'model.safetensors' || name.endsWith('.safetensors.index.json')))) return true;
    if (entry.kind === 'directory' && (await holdsExport(entry, unfinished))) return true;
  }
  return false;
}

async function holdsOneOf(directory: FileSystemDirectoryHandle, names: readonly string[]): Promise<boolean> {
  if (names.length === 0) return false;
  const folded = new Set(names.map((name) => name.toLowerCase()));
  for await (const name of directory.keys()) if (folded.has(name.toLowerCase())) return true;
  return false;
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
