/** The worker's files: opaque handles become entries that the pure rooms pass around, and entries become byte sources. */
import { SourceChangedError } from '../bytes/errors';
import type { StudioError } from '../bytes/errors';
import type { ByteSource } from '../bytes/source';
import type { FileEntry } from '../checkpoint/types';
import type { PickedFile } from '../worker/protocol';
import { sourceFault } from './faults';
import { FileSource, checkUnchanged } from './file-source';

/** The part of FileSystemFileHandle the store uses. */
interface FileHandle {
  getFile(): Promise<File>;
}
type Stored =
  | { readonly kind: 'file'; readonly file: File }
  | { readonly kind: 'handle'; readonly handle: FileHandle }
  | { readonly kind: 'source'; readonly source: ByteSource };

export interface Registered {
  /** In the order given. */
  readonly entries: readonly FileEntry[];
  /** Files that could not be looked at. */
  readonly problems: readonly { readonly file: string; readonly error: StudioError }[];
}

export class FileStore {
  private readonly stored = new Map<string, Stored>();
  private nextId = 1;

  /** Notes size and time of each file; nothing is read. What cannot be looked at becomes a problem and stops no other. */
  async register(picked: readonly PickedFile[]): Promise<Registered> {
    const problems: { file: string; error: StudioError }[] = [];
    const entries = await Promise.all(
      picked.map(async ({ path, handle }): Promise<FileEntry | null> => {
        try {
          const stored = storedOf(path, handle);
          const file = stored.kind === 'file' ? stored.file : await stored.handle.getFile();
          return this.add(path, file.size, file.lastModified, stored);
        } catch (error) {
          problems.push({ file: path, error: sourceFault(error, path) });
          return null;
        }
      }),
    );
    return { entries: entries.filter((entry) => entry !== null), problems };
  }

  /** A file that is in memory already. */
  registerSource(path: string, source: ByteSource): FileEntry {
    return this.add(path, source.size, 0, { kind: 'source', source });
  }

  /**
   * A source of the file as it was when it was registered. Rejects with SourceChangedError when it is not the same any more
   * (faults.md 21 to 23), and for an entry that was released.
   */
  async open(entry: FileEntry): Promise<ByteSource> {
    const stored = this.stored.get(entry.id);
    if (!stored) throw new SourceChangedError('closed', `${entry.path} is not open any more`, { file: entry.path });
    if (stored.kind === 'source') return stored.source;
    if (stored.kind === 'file') return new FileSource(entry, stored.file, null);
    const { handle } = stored;
    try {
      const file = await handle.getFile();
      checkUnchanged(entry, file);
      return new FileSource(entry, file, () => handle.getFile());
    } catch (error) {
      throw sourceFault(error, entry.path);
    }
  }

  /** Forgets files; opening them again rejects. */
  release(entries: Iterable<FileEntry>): void {
    for (const { id } of entries) this.stored.delete(id);
  }

  /**
   * The first of `entries` that lies directly in `folder`, or null: an export there would write over its own source (faults.md
   * 43). A handle can tell for certain. A File knows no folder: one of the same name, size and time counts as the same.
   */
  async findIn(folder: FileSystemDirectoryHandle, entries: Iterable<FileEntry>): Promise<FileEntry | null> {
    for (const entry of entries) {
      const stored = this.stored.get(entry.id);
      if (stored?.kind === 'handle') {
        const below = await folder.resolve(stored.handle as FileSystemFileHandle);
        if (below?.length === 1) return entry;
      } else if (stored?.kind === 'file') {
        const there = await fileIn(folder, stored.file.name);
        if (there?.size === entry.size && there.lastModified === entry.modified) return entry;
      }
    }
    return null;
  }

  private add(path: string, size: number, modified: number, stored: Stored): FileEntry {
    const id = `file-${this.nextId++}`;
    this.stored.set(id, stored);
    return { id, path, size, modified };
  }
}

function storedOf(path: string, handle: unknown): Exclude<Stored, { kind: 'source' }> {
  if (handle instanceof File) return { kind: 'file', file: handle };
  if (typeof handle === 'object' && handle !== null && 'getFile' in handle) return { kind: 'handle', handle: handle as FileHandle };
  throw new SourceChangedError('unreadable', `${path} could not be opened`, { file: path });
}

async function fileIn(folder: FileSystemDirectoryHandle, name: string): Promise<File | null> {
  try {
    return await (await folder.getFileHandle(name)).getFile();
  } catch {
    return null;
  }
}
