/** The same rules as tests/unit/files on the browser's own handles: private storage stands in for a folder on disk. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { JOURNAL_FILE } from '../../../src/bytes/source';
import { FolderDestination } from '../../../src/files/destination';
import { exportedFile, openExportFolder, visitExportFolder } from '../../../src/files/export-folder';
import { dropped, fromInput } from '../../../src/files/pick';
import { FileStore } from '../../../src/files/store';
import type { ExportedStamp } from '../../../src/worker/protocol';

const TEST_FOLDER = 'storage-test';
let root: FileSystemDirectoryHandle;
let folder: FileSystemDirectoryHandle;

beforeEach(async () => {
  root = await navigator.storage.getDirectory();
  folder = await root.getDirectoryHandle(TEST_FOLDER, { create: true });
});
afterEach(() => root.removeEntry(TEST_FOLDER, { recursive: true }));

const bytes = (length: number) => Uint8Array.from({ length }, (_, i) => i % 251);
async function put(name: string, content: Uint8Array<ArrayBuffer>): Promise<FileSystemFileHandle> {
  const handle = await folder.getFileHandle(name, { create: true });
  const writable = await handle.createWritable();
  await writable.write(content);
  await writable.close();
  return handle;
}
const sizeOf = async (name: string) => (await (await folder.getFileHandle(name)).getFile()).size;
async function names(): Promise<string[]> {
  const found: string[] = [];
  for await (const name of folder.keys()) found.push(name);
  return found.sort();
}

describe('FolderDestination', () => {
  it('writes a file that is there, whole, only once it is closed', async () => {
    const destination = new FolderDestination('out', folder);
    const sink = await destination.create('a');
    expect(await sizeOf('a')).toBe(0);
    const content = bytes(5 * 2 ** 20 + 3);
    for (const end of [5, 2 ** 20, content.length]) await sink.write(content.slice(end === 5 ? 0 : end === 2 ** 20 ? 5 : 2 ** 20, end));
    await sink.close();
    const source = await destination.open('a');
    expect(source.size).toBe(content.length);
    expect(await source.read(2 ** 20 - 4, 2 ** 20 + 4)).toEqual(content.slice(2 ** 20 - 4, 2 ** 20 + 4));
    expect(await source.read(content.length - 3, content.length)).toEqual(content.slice(-3));
  });

  it('aborted leaves neither a stub nor a change', async () => {
    await put('old', bytes(4));
    const destination = new FolderDestination('out', folder);
    for (const name of ['old', 'new']) {
      const sink = await destination.create(name);
      await sink.write(bytes(100));
      await sink.abort();
    }
    expect(await names()).toEqual(['old']);
    expect(await sizeOf('old')).toBe(4);
  });

  it('a file that is being written elsewhere is locked, and stays as it was', async () => {
    const destination = new FolderDestination('out', folder);
    const first = await destination.create('a');
    await expect(destination.create('a')).rejects.toMatchObject({ code: 'destination', reason: 'locked', where: { file: 'out/a' } });
    await first.write(bytes(3));
    await first.close();
    expect(await sizeOf('a')).toBe(3);
  });

  it('a folder that was removed', async () => {
    const doomed = await folder.getDirectoryHandle('doomed', { create: true });
    const destination = new FolderDestination('doomed', doomed);
    await folder.removeEntry('doomed', { recursive: true });
    await expect(destination.create('a')).rejects.toMatchObject({ code: 'destination', reason: 'removed' });
    await expect(destination.list()).rejects.toMatchObject({ code: 'destination', reason: 'removed' });
  });

  it('refuses names that are paths', async () => {
    await expect(new FolderDestination('out', folder).create('../a')).rejects.toMatchObject({ code: 'destination', reason: 'bad-name' });
  });
});

describe('FileStore', () => {
  it('reads a file, and refuses once it was written or removed', async () => {
    const handle = await put('model.safetensors', bytes(1000));
    const store = new FileStore();
    const { entries } = await store.register([{ path: 'base/model.safetensors', handle }]);
    const source = await store.open(entries[0]!);
    expect(await source.read(990, 1000)).toEqual(bytes(1000).slice(990));

    await put('model.safetensors', bytes(1001));
    const where = { file: 'base/model.safetensors', expected: 1000, actual: 1001 };
    await expect(source.read(0, 10)).rejects.toMatchObject({ code: 'source-changed', reason: 'changed', where });
    await expect(store.open(entries[0]!)).rejects.toMatchObject({ code: 'source-changed', reason: 'changed', where });

    await folder.removeEntry('model.safetensors');
    await expect(source.read(0, 10)).rejects.toMatchObject({ code: 'source-changed', reason: 'vanished' });
  });
});

describe('openExportFolder', () => {
  it('private storage is emptied of what is no export, and its files can be had for download', async () => {
    const stamps: ExportedStamp[] = [];
    for (const [name, length] of [['first', 3], ['second', 5]] as const) {
      const { destination, privateStorage, release } = await openExportFolder(null, new FileStore(), []);
      expect(privateStorage).toBe(true);
      expect(await destination.list()).toEqual([]);
      const sink = await destination.create(name);
      await sink.write(bytes(length));
      await sink.close();
      stamps.push({ name, ...(await destination.stamp(name)) });
      await release();
    }
    expect((await exportedFile(stamps[1]!)).size).toBe(5);
    for (const other of [stamps[0]!, { ...stamps[1]!, modified: stamps[1]!.modified - 1 }]) await expect(exportedFile(other)).rejects.toMatchObject({ code: 'destination', reason: 'export-gone' });
  });

  it('a finished export in private storage stays for what is to replace it, also one of several in folders', async () => {
    for (const [name, inner] of [['model.safetensors', null], ['model.safetensors.index.json', null], ['model.safetensors', 'one-of-several']] as const) {
      const first = await openExportFolder(null, new FileStore(), [], 'replace');
      await (await (inner === null ? first.destination : await first.destination.folder(inner)).create(name)).close();
      await first.release();
      const next = await openExportFolder(null, new FileStore(), []);
      expect(await (inner === null ? next.destination : await next.destination.folder(inner)).list()).toEqual([name]);
      await next.release();
      // Several make room first.
      const several = await openExportFolder(null, new FileStore(), [], 'new', ['another']);
      expect(await several.destination.list()).toEqual([]);
      await several.release();
    }
    await (await openExportFolder(null, new FileStore(), [], 'replace')).release();
  });

  it('an unfinished export in private storage stays until it is replaced, also one of several in folders', async () => {
    for (const inner of [null, 'one-of-several']) {
      const first = await openExportFolder(null, new FileStore(), [], 'replace');
      const sink = await (inner === null ? first.destination : await first.destination.folder(inner)).create(JOURNAL_FILE);
      await sink.close();
      expect(await visitExportFolder(null)).toBe(null);
      await first.release();
      const visit = (await visitExportFolder(null))!;
      expect(await visit.list()).toEqual([inner ?? JOURNAL_FILE]);
      for (const [how, left] of [['new', [inner ?? JOURNAL_FILE]], ['resume', [inner ?? JOURNAL_FILE]], ['replace', []]] as const) {
        const { destination, release } = await openExportFolder(null, new FileStore(), [], how);
        expect(await destination.list(), how).toEqual(left);
        await release();
      }
    }
  });

  it('the second export to a folder of one name is refused while the first runs, and not after', async () => {
    const out = { name: 'out', handle: folder };
    const first = await openExportFolder(out, new FileStore(), []);
    await expect(openExportFolder(out, new FileStore(), [])).rejects.toMatchObject({ code: 'destination', reason: 'locked' });
    await first.release();
    await (await openExportFolder(out, new FileStore(), [])).release();
  });

  it('the folder of a source is refused and not kept locked', async () => {
    const store = new FileStore();
    const { entries } = await store.register([{ path: 'base/model.safetensors', handle: await put('model.safetensors', bytes(10)) }]);
    for (let i = 0; i < 2; i++) {
      await expect(openExportFolder({ name: 'out', handle: folder }, store, entries)).rejects.toMatchObject({
        code: 'destination', reason: 'is-source', where: { file: 'base/model.safetensors', actual: 'out' },
      });
    }
    expect(await names()).toEqual(['model.safetensors']);
  });
});

describe('picking', () => {
  it('a drop of files keeps them after the event', async () => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([bytes(3)], 'a.safetensors'));
    const files = await dropped(transfer);
    const { entries } = await new FileStore().register(files);
    expect(entries.map(({ path, size }) => [path, size])).toEqual([['a.safetensors', 3]]);
  });

  it('an input gives names', () => {
    expect(fromInput([new File([], 'a'), new File([], 'b')]).map(({ path }) => path)).toEqual(['a', 'b']);
  });
});
