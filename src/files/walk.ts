/** Walks what a drop or a folder picker gives: handles where the browser has them, else the older entries. Names only, nothing is read. */
import { StudioError } from '../bytes/errors';
import type { PickedFile } from '../worker/protocol';

/** Folders that hold no checkpoint but many files. `.cache` is left of a Hugging Face download into a folder. */
const SKIPPED_FOLDERS: ReadonlySet<string> = new Set(['.git', '.svn', '.hg', '.cache', '.venv', 'node_modules', '__pycache__', '$RECYCLE.BIN']);
/** A checkpoint has some dozens of files; a drop beyond this is somebody's whole disk. */
export const MAX_FILES = 20_000;
/** A Hugging Face cache needs 4: hub / models--x / snapshots / revision. */
export const MAX_DEPTH = 12;

/** The files found so far. Adding one beyond MAX_FILES throws, so that a dropped disk stops early. */
export class Findings {
  readonly files: PickedFile[] = [];
  /** The handle that what is added next comes from; null where the browser gave none. */
  root: FileSystemHandle | null = null;
  add(path: string, handle: unknown): void {
    if (this.files.length >= MAX_FILES) {
      throw new StudioError('malformed-file', 'too-many-files', `more than ${MAX_FILES} files; drop the checkpoint folders alone`, {
        file: path,
        expected: MAX_FILES,
      });
    }
    this.files.push({ path, handle, ...(this.root === null ? {} : { root: this.root }) });
  }
}

const isDescended = (name: string, depth: number) => depth < MAX_DEPTH && !SKIPPED_FOLDERS.has(name);

/** Whether a path from a folder input, which the browser has walked already, would have been kept by the walks here. */
export function isKept(path: string): boolean {
  const folders = path.split('/').slice(0, -1);
  return folders.every((name, i) => i === 0 || isDescended(name, i));
}

/** Adds every file below `handle`, paths beginning with its own name. The top folder itself is never skipped. */
export async function walkHandle(handle: FileSystemHandle, found: Findings, parent = '', depth = 0): Promise<void> {
  const path = parent + handle.name;
  if (handle.kind === 'file') {
    found.add(path, handle);
    return;
  }
  if (depth > 0 && !isDescended(handle.name, depth)) return;
  for await (const child of (handle as FileSystemDirectoryHandle).values()) await walkHandle(child, found, `${path}/`, depth + 1);
}

/**
 * The same for `webkitGetAsEntry`. A file that cannot be opened is added with a null handle: registering it tells the user
 * which, and the others are not lost with it.
 */
export async function walkEntry(entry: FileSystemEntry, found: Findings, parent = '', depth = 0): Promise<void> {
  const path = parent + entry.name;
  if (entry.isFile) {
    found.add(path, await new Promise<File | null>((resolve) => (entry as FileSystemFileEntry).file(resolve, () => resolve(null))));
    return;
  }
  if (depth > 0 && !isDescended(entry.name, depth)) return;
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  for (;;) {
    // Chromium gives 100 at a time; an empty batch is the end.
    const batch = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (batch.length === 0) return;
    for (const child of batch) await walkEntry(child, found, `${path}/`, depth + 1);
  }
}
