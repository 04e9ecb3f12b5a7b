/** Drops and folder pickers: paths relative to what was dropped, and not a whole disk. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { chooseFiles, chooseFolder, dropped, fromInput } from '../../../src/files/pick';
import { Findings, MAX_FILES, walkEntry, walkHandle } from '../../../src/files/walk';

type Tree = { readonly [name: string]: Tree | null };

function handleOf(name: string, tree: Tree | null): FileSystemHandle {
  if (tree === null) return { kind: 'file', name } as FileSystemHandle;
  const children = Object.entries(tree).map(([child, below]) => handleOf(child, below));
  return { kind: 'directory', name, values: async function* () { yield* children; } } as unknown as FileSystemHandle;
}
function entryOf(name: string, tree: Tree | null): FileSystemEntry {
  if (tree === null) {
    const file = (resolve: (file: File) => void, reject: (error: Error) => void) =>
      name === 'unreadable' ? reject(new Error('no')) : resolve(new File([], name));
    return { isFile: true, name, file } as unknown as FileSystemEntry;
  }
  const batches = Object.entries(tree).map(([child, below]) => [entryOf(child, below)]);
  return { isFile: false, name, createReader: () => ({ readEntries: (resolve: (batch: unknown[]) => void) => resolve(batches.shift() ?? []) }) } as unknown as FileSystemEntry;
}
const FAMILY: Tree = {
  base: { 'model.safetensors': null, 'config.json': null, '.git': { HEAD: null } },
  sft: { snapshots: { abc: { 'model.safetensors': null } }, node_modules: { x: null } },
};
const PATHS = ['family/base/model.safetensors', 'family/base/config.json', 'family/sft/snapshots/abc/model.safetensors'];

describe('walking', () => {
  it('gives the same paths by handles and by entries, without .git and node_modules', async () => {
    for (const walk of [(found: Findings) => walkHandle(handleOf('family', FAMILY), found), (found: Findings) => walkEntry(entryOf('family', FAMILY), found)]) {
      const found = new Findings();
      await walk(found);
      expect(found.files.map(({ path }) => path)).toEqual(PATHS);
    }
  });

  it('a folder that was itself dropped is walked whatever its name', async () => {
    const found = new Findings();
    await walkHandle(handleOf('.cache', { a: null }), found);
    expect(found.files.map(({ path }) => path)).toEqual(['.cache/a']);
  });

  it('an entry that cannot be opened is listed with a null handle', async () => {
    const found = new Findings();
    await walkEntry(entryOf('base', { unreadable: null, a: null }), found);
    expect(found.files.map(({ path, handle }) => [path, handle === null])).toEqual([['base/unreadable', true], ['base/a', false]]);
  });

  it('stops with the cap at one file too many', async () => {
    const tree = (files: number): Tree => Object.fromEntries(Array.from({ length: files }, (_, i) => [`f${i}`, null]));
    const full = new Findings();
    await walkHandle(handleOf('d', tree(MAX_FILES)), full);
    expect(full.files.length).toBe(MAX_FILES);
    const over = walkHandle(handleOf('d', tree(MAX_FILES + 1)), new Findings());
    await expect(over).rejects.toMatchObject({ reason: 'too-many-files', where: { expected: MAX_FILES } });
  });
});

describe('an input', () => {
  it('gives relative paths of a folder, names of single files, and skips what walks skip', () => {
    const file = (name: string, webkitRelativePath: string) => Object.assign(new File([], name), { webkitRelativePath });
    const files = [file('a', ''), file('b', 'base/b'), file('HEAD', 'base/.git/HEAD'), file('c', 'node_modules/c')];
    expect(fromInput(files).map(({ path }) => path)).toEqual(['a', 'base/b', 'node_modules/c']);
  });
});

describe('a folder without files, or with nothing but links, which browsers leave out', () => {
  afterEach(() => vi.unstubAllGlobals());
  const expected = (file: string) => ({ code: 'malformed-file', reason: 'nothing-found', where: { file } });

  /** A browser without the picker: the input answers with `files`, or is closed. */
  function withoutPicker(files: readonly File[] | null) {
    const listeners = new Map<string, () => void>();
    const input = { files: files ?? [], addEventListener: (event: string, listener: () => void) => listeners.set(event, listener), click: () => queueMicrotask(listeners.get(files === null ? 'cancel' : 'change')!) };
    vi.stubGlobal('document', { createElement: () => input });
  }

  it('is said where there is no picker, and closing the dialog is not', async () => {
    withoutPicker([]);
    await expect(chooseFolder()).rejects.toMatchObject(expected('The folder'));
    withoutPicker([Object.assign(new File([], 'x'), { webkitRelativePath: 'model/.cache/x' })]);
    await expect(chooseFolder()).rejects.toMatchObject(expected('model'));
    withoutPicker([Object.assign(new File([], 'a'), { webkitRelativePath: 'model/a' })]);
    expect((await chooseFolder()).map(({ path }) => path)).toEqual(['model/a']);
    withoutPicker(null);
    expect(await chooseFolder()).toEqual([]);
    expect(await chooseFiles()).toEqual([]);
  });

  it('is said of a drop, whichever way the browser has, also of one that it gives nothing of', async () => {
    const transfer = (...items: object[]) => ({ items: items.map((ways) => ({ kind: 'file', webkitGetAsEntry: () => null, getAsFile: () => null, ...ways })) }) as unknown as DataTransfer;
    await expect(dropped(transfer({ webkitGetAsEntry: () => entryOf('links', {}) }))).rejects.toMatchObject(expected('links'));
    await expect(dropped(transfer({ getAsFileSystemHandle: async () => handleOf('links', {}), webkitGetAsEntry: () => entryOf('links', {}) }))).rejects.toMatchObject(expected('links'));
    await expect(dropped(transfer())).rejects.toMatchObject(expected('What was dropped'));
  });
});

describe('a drop', () => {
  it('is read while the event lasts, by the best way each item has', async () => {
    const item = (ways: object) => ({ kind: 'file', webkitGetAsEntry: () => null, getAsFile: () => null, ...ways });
    let items: unknown[] = [
      { kind: 'string' },
      item({ getAsFileSystemHandle: async () => handleOf('base', { a: null }) }),
      item({ getAsFileSystemHandle: () => Promise.reject(new Error('blocked')), webkitGetAsEntry: () => entryOf('sft', { b: null }) }),
      item({ getAsFile: () => new File([], 'c') }),
    ];
    const transfer = { get items() { return items; } } as unknown as DataTransfer;
    const result = dropped(transfer);
    items = [];
    expect((await result).map(({ path }) => path)).toEqual(['base/a', 'sft/b', 'c']);
    // What the browser could keep is told with each file; nothing where it gave no handle.
    expect((await result).map(({ root }) => (root as FileSystemHandle | undefined)?.name)).toEqual(['base', undefined, undefined]);
  });
});
