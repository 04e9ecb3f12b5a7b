/** The folder of an export whose drive stops answering: nobody else has it before what was begun in it has ended (faults.md B 36, 44). */
import { describe, expect, it } from 'vitest';
import { Watchdog } from '../../../src/bytes/watchdog';
import { FolderDestination } from '../../../src/files/destination';
import type { ExportFolder } from '../../../src/files/export-folder';
import { FileStore } from '../../../src/files/store';
import { DEFAULT_CHOICES } from '../../../src/merge/plan-types';
import { FakeFolder } from '../files/fakes';
import { FAST } from '../test-time';
import { familyFiles, openFamily } from './family';

const turns = async () => {
  for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve));
};

/** A session whose export folder is `folder`, and whether it was let go. */
async function sessionOn(open: (folder: ExportFolder) => Promise<ExportFolder>) {
  const out = new FakeFolder('out');
  const state = { isTaken: false };
  const folder = { destination: new FolderDestination('out', out.handle), privateStorage: false, release: async () => void (state.isTaken = false) };
  const openExportFolder = () => ((state.isTaken = true), open(folder));
  const session = await openFamily({}, familyFiles(), { openExportFolder, watchdog: new Watchdog(FAST) });
  return { ...session, state, out };
}

describe('an export whose drive does not answer', () => {
  it('ends, and keeps its folder from the next one until the operation has ended after all', async () => {
    let end = () => {};
    const { merge, state, out } = await sessionOn(async (folder) => {
      const create = folder.destination.create.bind(folder.destination);
      folder.destination.create = async (name) => {
        const sink = await create(name);
        return name === 'model.safetensors' ? { ...sink, name, close: () => new Promise<void>((resolve) => (end = () => void sink.close().then(resolve))), abort: async () => {}, write: (bytes) => sink.write(bytes) } : sink;
      };
      return folder;
    });
    await expect(merge()).rejects.toMatchObject({ code: 'destination', reason: 'stalled', where: { file: 'model.safetensors' } });
    await turns();
    expect(state.isTaken).toBe(true);
    end();
    await turns();
    expect(state.isTaken).toBe(false);
    // It became final when the merge had failed: what was left of that goes.
    expect(out.files.has('model.safetensors')).toBe(false);
  });

  it('is let go at once when it answers, whatever the merge ends with', async () => {
    const { merge, state } = await sessionOn(async (folder) => folder);
    await merge();
    expect(state.isTaken).toBe(false);
    await turns();
    await expect(merge()).rejects.toMatchObject({ reason: 'not-empty' });
    expect(state.isTaken).toBe(false);
  });

  it('that cannot even be opened is named, and let go when it opens after all', async () => {
    let open = () => {};
    const { merge, state } = await sessionOn((folder) => new Promise((resolve) => (open = () => resolve(folder))));
    await expect(merge()).rejects.toMatchObject({ code: 'destination', reason: 'stalled', where: { file: 'private storage' } });
    expect(state.isTaken).toBe(true);
    open();
    await turns();
    expect(state.isTaken).toBe(false);
  });
});

describe('a source whose drive does not answer, outside the reading of tensors', () => {
  it.each(['sft/model.safetensors', 'base/config.json', 'base/tokenizer.json'])('%s: the merge, the batch and the verification end and name it, or are cancelled', async (path) => {
    const store = new FileStore();
    const open = store.open.bind(store);
    let stuck = false;
    store.open = async (entry) => {
      const source = await open(entry);
      const { name, size } = source;
      return { name, size, read: (begin: number, end: number) => (stuck && entry.path === path ? new Promise<never>(() => {}) : source.read(begin, end)) } as typeof source;
    };
    const session = await openFamily({}, familyFiles(), { store, watchdog: new Watchdog(FAST) });
    stuck = true;
    const expected = { code: 'source-changed', reason: 'stalled', where: { file: path } };
    await expect(session.merge()).rejects.toMatchObject(expected);
    await turns();
    const entries = [{ folder: 'a', recipe: session.recipe, text: null, choices: DEFAULT_CHOICES }];
    await expect(session.request('batch', { entries, shardBytes: 2 ** 30, destination: null })).rejects.toMatchObject(expected);
    await turns();
    if (path === 'sft/model.safetensors') {
      const { id } = session.checkpoints.find(({ name }) => name === 'sft')!;
      await expect(session.request('verify', { recipe: session.recipe, choices: DEFAULT_CHOICES, merged: session.idOf('base'), contents: { [id]: '' } })).rejects.toMatchObject(expected);
      await turns();
    }
    const cancelled = session.merge();
    await session.request('cancel', {});
    await expect(cancelled).rejects.toMatchObject({ code: 'cancelled' });
    expect([...session.out.files.keys()]).toEqual([]);
  });
});
