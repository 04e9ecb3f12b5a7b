/** A folder of which no operation is waited for for ever: limits, what is given up, and what becomes of it later (faults.md B 36). */
import { describe, expect, it, vi } from 'vitest';
import type { StudioError } from '../../../src/bytes/errors';
import type { ByteSink } from '../../../src/bytes/source';
import { Watchdog, WriteLimits } from '../../../src/bytes/watchdog';
import { WatchedFolder, WatchedFolders } from '../../../src/merge/watched-folder';
import { TestTime } from '../test-time';
import { MemoryFolder, MemoryFolders } from './memory-folder';

const GB = 1e9;
const turns = async () => {
  for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve));
};
/** What becomes of `promise`, to be asked at any time. */
const outcome = (promise: Promise<unknown>) => {
  let state: unknown = 'waiting';
  promise.then(() => (state = 'done'), (error: StudioError) => (state = `${error.reason} ${error.where.file ?? ''} ${error.where.actual ?? ''}`.trim()));
  return async () => (await turns(), state);
};
const over = (folder: MemoryFolder, time: TestTime, signal?: AbortSignal) => WatchedFolder.over(folder, { watchdog: new Watchdog(time), signal });

describe('the limit of a write or a close', () => {
  it('is three minutes and a second a megabyte; longer, never shorter, by what was measured', () => {
    const limits = new WriteLimits();
    expect([limits.of(0), limits.of(64e6), limits.of(5 * GB)]).toEqual([180_000, 244_000, 5_180_000]);
    // 2 GB/s, into memory: the disk is yet to come.
    limits.note(2 * GB, 1000);
    expect(limits.of(5 * GB)).toBe(5_180_000);
    const slow = new WriteLimits();
    slow.note(1e6, 2000);
    expect(slow.of(5 * GB)).toBe(180_000 + 4 * 2 * 5_000_000);
  });
});

describe('a folder', () => {
  it('closes a large file as long as its size allows, and gives it up then, by name and seconds', async () => {
    const time = new TestTime();
    const inner = new MemoryFolder();
    // Sizes without the bytes.
    inner.create = async (name): Promise<ByteSink> => ({ name, write: async () => {}, close: () => new Promise(() => {}), abort: async () => {} });
    const folder = over(inner, time);
    const sink = await folder.create('model.safetensors');
    for (let piece = 0; piece < 5; piece++) await sink.write({ length: GB } as Uint8Array<ArrayBuffer>);
    const closing = outcome(sink.close());
    await time.pass(5_180_000);
    expect(await closing()).toBe('waiting');
    await time.pass(1000);
    expect(await closing()).toBe('stalled model.safetensors 5181');
    expect(folder.unsettled).toEqual(['model.safetensors']);
  });

  it.each(['list', 'create', 'write', 'close', 'open', 'read', 'remove'] as const)('%s: given up when it does not end, also soon after a cancel, and not before', async (which) => {
    for (const isCancelled of [false, true]) {
      const time = new TestTime();
      const stopping = new AbortController();
      const inner = new MemoryFolder({ old: 'old' });
      const folder = over(inner, time, stopping.signal);
      const sink = await folder.create('new');
      const source = await folder.open('old');
      inner.holdAt(inner.operations.length);
      const act = { list: () => folder.list(), create: () => folder.create('x'), write: () => sink.write(new Uint8Array(1)), close: () => sink.close(), open: () => folder.open('old'), read: () => source.read(0, 1), remove: () => folder.remove('old') };
      const ended = outcome(act[which]());
      await time.pass(which === 'read' ? 60_000 : 180_000);
      expect(await ended()).toBe('waiting');
      if (isCancelled) stopping.abort();
      await time.pass(2000);
      expect(await ended()).toMatch(isCancelled ? /^cancelled$/ : which === 'list' ? /^stalled out 18[12]$/ : /^stalled (x|new|old) (6|18)[12]$/);
    }
  });

  it('reads what was written for as long as the reads before it say', async () => {
    const time = new TestTime();
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => time.now());
    try {
      let end = () => {};
      const inner = new MemoryFolder();
      inner.open = async (name) => ({ name, size: 10e6, read: () => new Promise((resolve) => (end = () => resolve(new Uint8Array(0)))) });
      const source = await over(inner, time).open('model.safetensors');
      const first = source.read(0, 1e6);
      await time.pass(50_000);
      end();
      await first;
      // At 20 kB/s, of which every read may be a twentieth; 80 seconds where nothing is known.
      const second = outcome(source.read(0, 10e6));
      await time.pass(600_000);
      expect(await second()).toBe('waiting');
      end();
      expect(await second()).toBe('done');
    } finally {
      clock.mockRestore();
    }
  });

  it('that does not answer while cleaning up is left alone: ten seconds for one more operation, none for the next', async () => {
    const time = new TestTime();
    const inner = new MemoryFolder({ a: 'a', b: 'b' });
    const folder = over(inner, time);
    inner.holdAt(0);
    const listing = outcome(folder.list());
    await time.pass(181_000);
    expect(await listing()).toBe('stalled out 181');
    folder.cleanUp();
    inner.holdAt(1);
    const removing = outcome(folder.remove('a'));
    await time.pass(11_000);
    expect(await removing()).toBe('stalled a 11');
    expect(await outcome(folder.remove('b'))()).toBe('stalled b 11');
    expect(inner.operations).toEqual(['list', 'remove a']);
  });

  it('throws away a file that is opened too late, and removes one that becomes final too late', async () => {
    const time = new TestTime();
    const inner = new MemoryFolder();
    const folder = over(inner, time);
    inner.holdAt(0);
    const creating = outcome(folder.create('late'));
    await time.pass(181_000);
    expect(await creating()).toBe('stalled late 181');
    inner.release();
    await turns();
    expect([[...inner.files.keys()], [...inner.unfinished], folder.unsettled]).toEqual([[], [], []]);

    const sink = await folder.create('late');
    await sink.write(new Uint8Array(3));
    inner.holdAt(inner.operations.length);
    const closing = outcome(sink.close());
    await time.pass(181_000);
    expect(await closing()).toBe('stalled late 181');
    // Nothing else is begun under that name before.
    for (const act of [() => folder.remove('late'), () => folder.create('late'), () => folder.open('late')]) expect(await outcome(act())()).toBe('stalled late 181');
    let isSettled = false;
    void folder.settled().then(() => (isSettled = true));
    await turns();
    expect(isSettled).toBe(false);
    inner.release();
    await turns();
    expect([[...inner.files.keys()], isSettled]).toEqual([[], true]);
  });

  it('tells what is under way in it from what is under another of the same name in a folder beside', async () => {
    const time = new TestTime();
    const inner = new MemoryFolders();
    const folders = WatchedFolders.overAll(inner, { watchdog: new Watchdog(time) });
    const [a, b] = [await folders.folder('a'), await folders.folder('b')];
    inner.inner.get('a')!.holdAt(0);
    const creating = outcome(a.create('model.safetensors'));
    await time.pass(181_000);
    expect(await creating()).toBe('stalled model.safetensors 181');
    expect([a.unsettled, b.unsettled, folders.unsettled]).toEqual([['model.safetensors'], [], ['a/model.safetensors']]);
    await (await b.create('model.safetensors')).close();
    // Whoever watches one of them again knows of it.
    expect(WatchedFolder.over(await folders.folder('a'), {}).unsettled).toEqual(['model.safetensors']);
  });
});
