/** Two tabs over one private storage: each is kept from what the other is at, and from taking its files for its own. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { JOURNAL_FILE } from '../../../src/bytes/source';
import { exportedFile, openExportFolder, removeStored, storedFiles, visitExportFolder } from '../../../src/files/export-folder';
import { FileStore } from '../../../src/files/store';
import { DEFAULT_CHOICES } from '../../../src/merge/plan-types';
import { fault, FakeFolder } from '../files/fakes';
import { familyFiles, openFamily } from './family';

/** As navigator.locks: one holder of a name. */
function fakeLocks() {
  const held = new Set<string>();
  return {
    request: async (name: string, _options: object, act: (lock: object | null) => unknown) => {
      if (held.has(name)) return act(null);
      held.add(name);
      try {
        return await act({ name });
      } finally {
        held.delete(name);
      }
    },
    query: async () => ({ held: [...held].map((name) => ({ name })) }),
  };
}

let root = new FakeFolder('root');
beforeEach(() => {
  root = new FakeFolder('root');
  vi.stubGlobal('navigator', { storage: { getDirectory: async () => root.handle }, locks: fakeLocks() });
});
afterEach(() => vi.unstubAllGlobals());

const out = () => root.folders.get('exports')!.folders.get('merged-model')!;
async function tab() {
  const session = await openFamily({}, familyFiles(), { openExportFolder, visitExportFolder, exportedFile, storedFiles, removeStored });
  const merge = async (more: object = {}) => {
    // The next job may begin once the reply to the last is out.
    await new Promise((resolve) => setTimeout(resolve));
    return session.request('merge', { recipe: session.recipe, choices: DEFAULT_CHOICES, shardBytes: 2 ** 30, destination: null, replace: false, ...more });
  };
  return { ...session, merge };
}

describe('a download', () => {
  it('is of the export that was verified, not of a later one of another tab', async () => {
    const [first, second] = [await tab(), await tab()];
    const { stamps, files } = await first.merge();
    expect(stamps.map(({ name, bytes }) => [name, bytes])).toEqual(files.map(({ name, bytes }) => [name, bytes]));
    for (const was of stamps) expect(((await first.request('exported', { was })).handle as File).size, was.name).toBe(was.bytes);
    const later = await second.merge({ recipe: { ...second.recipe, lambda: 0.5 } });
    for (const was of stamps) await expect(first.request('exported', { was }), was.name).rejects.toMatchObject({ code: 'destination', reason: 'export-gone' });
    for (const was of later.stamps) expect((await second.request('exported', { was })).handle).toBeInstanceOf(File);
  });

  it('is compared after a restart of the worker too: the report on the page knows what it is of', async () => {
    const { stamps } = await (await tab()).merge();
    // It has exported nothing itself.
    const restarted = await tab();
    for (const was of stamps) expect((await restarted.request('exported', { was })).handle).toBeInstanceOf(File);
    const other = await tab();
    await other.merge({ recipe: { ...other.recipe, lambda: 0.5 } });
    for (const was of stamps) await expect(restarted.request('exported', { was }), was.name).rejects.toMatchObject({ code: 'destination', reason: 'export-gone' });
  });

  it('is of the folder and the table of this tab\'s export of several', async () => {
    const [first, second] = [await tab(), await tab()];
    const entriesOf = (lambda: number) => [{ folder: 'a', recipe: { ...first.recipe, lambda }, text: null, choices: DEFAULT_CHOICES }];
    const { stamps } = await first.request('batch', { entries: entriesOf(1), shardBytes: 2 ** 30, destination: null });
    expect(stamps.map(({ name }) => name)).toEqual(expect.arrayContaining(['results.csv', 'a/model.safetensors']));
    for (const was of stamps) expect((await first.request('exported', { was })).handle).toBeInstanceOf(File);
    const { recipe } = second;
    await second.request('batch', { entries: entriesOf(0.5).map((one) => ({ ...one, recipe: { ...recipe, lambda: 0.5 } })), shardBytes: 2 ** 30, destination: null, anew: true });
    for (const was of stamps) await expect(first.request('exported', { was }), was.name).rejects.toMatchObject({ reason: 'export-gone' });
  });
});

describe('a finished export', () => {
  const stored = async (one: Awaited<ReturnType<typeof tab>>) => (await one.request('stored', {})).stamps;

  it('is found by the next page with the stamps it was reported with, downloaded and removed', async () => {
    const first = await tab();
    expect(await stored(first)).toEqual([]);
    const { stamps } = await first.merge();
    const next = await tab();
    const found = await stored(next);
    expect(found).toEqual([...stamps].sort((a, b) => (a.name < b.name ? -1 : 1)));
    for (const was of found) expect((await next.request('exported', { was })).handle).toBeInstanceOf(File);
    await next.request('removeStored', { stamps: found });
    expect([...out().files.keys()]).toEqual([]);
    expect(await stored(first)).toEqual([]);
    await expect(first.request('exported', { was: stamps[0]! })).rejects.toMatchObject({ reason: 'export-gone' });
  });

  it('is none while a tab exports there, and where one was interrupted', async () => {
    const one = await tab();
    const { stamps } = await one.merge();
    const held = await openExportFolder(null, new FileStore(), [], 'resume');
    expect(await stored(one)).toEqual([]);
    await expect(one.request('removeStored', { stamps })).rejects.toMatchObject({ reason: 'locked' });
    await held.release();
    expect(await stored(one)).toHaveLength(stamps.length);
    out().files.set(JOURNAL_FILE, { bytes: new Uint8Array(2), modified: 1 });
    expect(await stored(one)).toEqual([]);
  });

  it('of another tab that took its place is not removed for it', async () => {
    const [first, second] = [await tab(), await tab()];
    const { stamps } = await first.merge();
    const later = await second.merge({ recipe: { ...second.recipe, lambda: 0.5 } });
    await expect(first.request('removeStored', { stamps })).rejects.toMatchObject({ code: 'destination', reason: 'export-gone' });
    expect((await stored(first)).length).toBe(later.stamps.length);
  });

  it('of several is found with its table, but for a folder that was interrupted, which stays', async () => {
    const one = await tab();
    const entries = ['a', 'b'].map((folder) => ({ folder, recipe: one.recipe, text: null, choices: DEFAULT_CHOICES }));
    await one.request('batch', { entries, shardBytes: 2 ** 30, destination: null });
    out().folders.get('b')!.files.set(JOURNAL_FILE, { bytes: new Uint8Array(2), modified: 1 });
    const found = await stored(one);
    expect(found.map(({ name }) => name)).toEqual(expect.arrayContaining(['results.csv', 'a/model.safetensors', 'a/config.json']));
    expect(found.filter(({ name }) => name.startsWith('b/'))).toEqual([]);
    await new Promise((resolve) => setTimeout(resolve));
    await one.request('removeStored', { stamps: found });
    expect([[...out().files.keys()], [...out().folders.keys()]]).toEqual([[], ['b']]);
  });
});

describe('removing an unfinished export', () => {
  it('waits for nobody and takes nothing from a merge that has it', async () => {
    const one = await tab();
    root.made = (folder) => {
      folder.before = (operation, name) => {
        if (isFull && operation === 'createWritable' && name.startsWith('model-00003')) throw fault('QuotaExceededError');
      };
    };
    let isFull = true;
    await expect(one.merge({ shardBytes: 16 })).rejects.toMatchObject({ code: 'disk-full' });
    isFull = false;
    const names = [...out().files.keys()];
    expect(names).toContain(JOURNAL_FILE);

    const held = await openExportFolder(null, new FileStore(), [], 'resume');
    await expect(one.request('removeUnfinished', { destination: null })).rejects.toMatchObject({ code: 'destination', reason: 'locked' });
    expect([...out().files.keys()]).toEqual(names);
    await held.release();

    // Both at once: whoever comes first has it, and the other is told.
    const other = await tab();
    const [removed, resumed] = await Promise.allSettled([other.request('removeUnfinished', { destination: null }), one.merge({ shardBytes: 16, resume: true })]);
    expect(removed).toEqual({ status: 'fulfilled', value: { left: [] } });
    expect(resumed.status).toBe('rejected');
    expect([...out().files.keys()]).toEqual([]);
    expect(await one.request('removeUnfinished', { destination: null })).toEqual({ left: [] });
  });
});
