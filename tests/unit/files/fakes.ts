/** In-memory directory handles with the exceptions of a browser's, for what no browser can be made to do on demand. */

export const fault = (name: string) => new DOMException(`injected ${name}`, name);

export interface FakeFile {
  bytes: Uint8Array<ArrayBuffer>;
  modified: number;
}

/** Operations of the fake storage; a hook that throws makes that operation fail. */
export type Operation = 'getFileHandle' | 'createWritable' | 'write' | 'close' | 'getFile' | 'removeEntry' | 'keys';

/** Of what is written: no two files are of one time. */
let clock = 2;

export class FakeFolder {
  readonly kind = 'directory';
  readonly files = new Map<string, FakeFile>();
  readonly folders = new Map<string, FakeFolder>();
  /** Names of operations in order, with the lengths of writes. */
  readonly log: string[] = [];
  /** Called before each operation. */
  before: (operation: Operation, name: string) => void = () => {};
  /** Hears of every folder that is made in it, however deep. */
  made: (folder: FakeFolder) => void = () => {};

  constructor(readonly name: string) {}

  async *keys(): AsyncGenerator<string> {
    this.before('keys', '');
    yield* this.files.keys();
    yield* this.folders.keys();
  }
  async *entries(): AsyncGenerator<[string, FakeFileHandle | FakeFolder]> {
    for (const name of this.files.keys()) yield [name, new FakeFileHandle(this, name)];
    yield* this.folders;
  }
  async getFileHandle(name: string, { create = false } = {}) {
    this.before('getFileHandle', name);
    if (name.includes('/')) throw new TypeError('Name is not allowed.');
    if (!this.files.has(name)) {
      if (!create) throw fault('NotFoundError');
      this.files.set(name, { bytes: new Uint8Array(0), modified: 1 });
    }
    return new FakeFileHandle(this, name);
  }
  async getDirectoryHandle(name: string, { create = false } = {}) {
    if (!this.folders.has(name) && !create) throw fault('NotFoundError');
    const known = this.folders.get(name);
    if (known) return known;
    const folder = new FakeFolder(name);
    folder.made = this.made;
    this.folders.set(name, folder);
    this.made(folder);
    return folder;
  }
  async removeEntry(name: string, { recursive = false } = {}): Promise<void> {
    this.before('removeEntry', name);
    const folder = this.folders.get(name);
    if (!recursive && folder && folder.files.size + folder.folders.size > 0) throw fault('InvalidModificationError');
    if (this.folders.delete(name)) return;
    if (!this.files.delete(name)) throw fault('NotFoundError');
  }
  async resolve(handle: unknown): Promise<string[] | null> {
    return handle instanceof FakeFileHandle && handle.folder === this ? [handle.name] : null;
  }
  /** As the code under test sees it. */
  get handle(): FileSystemDirectoryHandle {
    return this as unknown as FileSystemDirectoryHandle;
  }
}

export class FakeFileHandle {
  readonly kind = 'file';
  constructor(
    readonly folder: FakeFolder,
    readonly name: string,
  ) {}
  async getFile(): Promise<File> {
    this.folder.before('getFile', this.name);
    const file = this.folder.files.get(this.name);
    if (!file) throw fault('NotFoundError');
    return new File([file.bytes], this.name, { lastModified: file.modified });
  }
  async createWritable() {
    this.folder.before('createWritable', this.name);
    const { folder, name } = this;
    const parts: Uint8Array<ArrayBuffer>[] = [];
    return {
      async write(bytes: Uint8Array<ArrayBuffer>) {
        folder.before('write', name);
        folder.log.push(`write ${bytes.length}`);
        parts.push(bytes.slice());
      },
      async close() {
        folder.before('close', name);
        folder.log.push('close');
        folder.files.set(name, { bytes: new Uint8Array(await new Blob(parts).arrayBuffer()), modified: clock++ });
      },
      async abort() {
        folder.log.push('abort');
      },
    };
  }
}

/** Makes the nth occurrence of `operation` (from 0) throw. */
export function failAt(folder: FakeFolder, operation: Operation, nth: number, error: Error): void {
  let seen = 0;
  folder.before = (each) => {
    if (each === operation && seen++ === nth) throw error;
  };
}
