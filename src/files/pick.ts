/** The main thread's side of storage: drops, pickers and downloads. Gives opaque handles with paths; opens nothing. */
import { DestinationError, StudioError, asStudioError } from '../bytes/errors';
import type { PickedFile, PickedFolder } from '../worker/protocol';
import { privateStorage } from './private-storage';
import { Findings, isKept, walkEntry, walkHandle } from './walk';

/** Pickers of the File System Access API, absent in Firefox and Safari; TypeScript's library leaves them out. */
interface Pickers {
  showOpenFilePicker?(options: { multiple: boolean; id?: string }): Promise<FileSystemFileHandle[]>;
  showDirectoryPicker?(options: { mode: 'read' | 'readwrite'; id?: string }): Promise<FileSystemDirectoryHandle>;
}
type DroppedItem = DataTransferItem & { getAsFileSystemHandle?(): Promise<FileSystemHandle | null> };

/** Everything a dropped item can be asked for, asked while the drop event still lasts. */
interface Dropped {
  readonly handle: Promise<FileSystemHandle | null>;
  readonly entry: FileSystemEntry | null;
  readonly file: File | null;
}

/**
 * Files of a drop, folders walked, paths relative to what was dropped. Must be called while the drop event is handled:
 * browsers empty a DataTransfer once the handler has returned. Rejects with StudioError `too-many-files`, `nothing-found`, or
 * `drop-unreadable` when a folder cannot be listed.
 */
export function dropped(transfer: DataTransfer): Promise<PickedFile[]> {
  const items = Array.from(transfer.items, (item: DroppedItem) => item)
    .filter(({ kind }) => kind === 'file')
    .map(
      (item): Dropped => ({
        // A refusal (a system folder, an insecure page) leaves the older ways, which may still answer.
        handle: item.getAsFileSystemHandle?.().catch(() => null) ?? Promise.resolve(null),
        entry: item.webkitGetAsEntry?.() ?? null,
        file: item.getAsFile(),
      }),
    );
  return collect(items);
}

async function collect(items: readonly Dropped[]): Promise<PickedFile[]> {
  const found = new Findings();
  for (const { handle, entry, file } of items) {
    const resolved = await handle;
    found.root = resolved;
    if (resolved) await walkHandle(resolved, found);
    else if (entry) await walkEntry(entry, found);
    else if (file) found.add(file.name, file);
  }
  return unlessEmpty(found, items[0]?.entry?.name ?? 'What was dropped');
}

/** A folder that gives no file says so: a snapshot of a Hugging Face cache holds links only, which no browser follows. */
function unlessEmpty({ files }: { readonly files: PickedFile[] }, name: string): PickedFile[] {
  if (files.length > 0) return files;
  throw new StudioError('malformed-file', 'nothing-found', `${name} gave no files`, { file: name });
}

/** Files of an `<input type=file>`, with folders when it has `webkitdirectory`. */
export function fromInput(files: Iterable<File>): PickedFile[] {
  const found = new Findings();
  for (const file of files) {
    const path = file.webkitRelativePath || file.name;
    if (isKept(path)) found.add(path, file);
  }
  return found.files;
}

/** Lets the user pick files. Empty when they close the picker. Must be called from a user gesture. */
export async function chooseFiles(): Promise<PickedFile[]> {
  const { showOpenFilePicker } = globalThis as Pickers;
  if (!showOpenFilePicker) return fromInput((await askInput({ folder: false })) ?? []);
  const handles = await unlessClosed(() => showOpenFilePicker.call(globalThis, { multiple: true, id: 'checkpoints' }));
  return (handles ?? []).map((handle) => ({ path: handle.name, handle, root: handle }));
}

/**
 * Lets the user pick a folder, whose files it lists. Empty when they close the picker. Rejects with StudioError `nothing-found` for a
 * folder without files. Must be called from a user gesture.
 */
export async function chooseFolder(): Promise<PickedFile[]> {
  const { showDirectoryPicker } = globalThis as Pickers;
  if (!showDirectoryPicker) {
    const files = await askInput({ folder: true });
    if (files === null) return [];
    return unlessEmpty({ files: fromInput(files) }, files[0]?.webkitRelativePath.split('/')[0] || 'The folder');
  }
  const handle = await unlessClosed(() => showDirectoryPicker.call(globalThis, { mode: 'read', id: 'checkpoints' }));
  if (!handle) return [];
  const found = new Findings();
  found.root = handle;
  await walkHandle(handle, found);
  return unlessEmpty(found, handle.name);
}

/** Whether an export can go straight to a folder on disk; elsewhere it goes to private storage and is downloaded. */
export function canWriteFolders(): boolean {
  return typeof (globalThis as Pickers).showDirectoryPicker === 'function';
}

/** Why this page can write nowhere, neither to a folder nor to private storage: `insecure-page`, `no-storage`. Null where it can. */
export function nowhereToWrite(): StudioError | null {
  if (canWriteFolders()) return null;
  try {
    privateStorage();
    return null;
  } catch (error) {
    return asStudioError(error);
  }
}

/**
 * Lets the user pick the folder of an export, with permission to write. Null when they close the picker. Rejects with
 * DestinationError `unsupported` or `permission`. Must be called from a user gesture.
 */
export async function chooseDestination(): Promise<PickedFolder | null> {
  const { showDirectoryPicker } = globalThis as Pickers;
  if (!showDirectoryPicker) throw new DestinationError('unsupported', 'this browser cannot write to folders');
  const handle = await unlessClosed(() => showDirectoryPicker.call(globalThis, { mode: 'readwrite', id: 'export' }));
  return handle && { name: handle.name, handle };
}

/** Milliseconds an object URL outlives its click: Safari reads it late. The URL holds a reference, not the bytes. */
const URL_LIFE = 60_000;

/** Starts a download of `handle`, a File of the private storage, under `name`. */
export function save(name: string, handle: unknown): void {
  if (!(handle instanceof Blob)) throw new TypeError(`${name} is not a file`);
  const url = URL.createObjectURL(handle);
  const anchor = document.createElement('a');
  anchor.href = url;
  anchor.download = name;
  document.body.append(anchor);
  anchor.click();
  anchor.remove();
  setTimeout(() => URL.revokeObjectURL(url), URL_LIFE);
}

/** The picker's answer, or null when the user closed it. Browsers report both a closed and a blocked picker as exceptions. */
async function unlessClosed<T>(ask: () => Promise<T>): Promise<T | null> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') return null;
    throw pickerError(error);
  }
}

function pickerError(error: unknown): StudioError {
  const denied = error instanceof DOMException && (error.name === 'NotAllowedError' || error.name === 'SecurityError');
  return denied ? new DestinationError('permission', `the browser refused the picker: ${error.message}`) : asStudioError(error);
}

/** The picker of browsers without the File System Access API. Null when it is closed; a folder may give no files. */
function askInput({ folder }: { readonly folder: boolean }): Promise<readonly File[] | null> {
  return new Promise((resolve) => {
    const input = document.createElement('input');
    input.type = 'file';
    input.multiple = true;
    input.webkitdirectory = folder;
    input.addEventListener('change', () => resolve(Array.from(input.files ?? [])), { once: true });
    input.addEventListener('cancel', () => resolve(null), { once: true });
    input.click();
  });
}
