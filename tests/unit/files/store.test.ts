/** Reading: never other bytes than those that were there when the file was given (faults.md 21 to 24, 43). */
import { describe, expect, it, vi } from 'vitest';
import { FileSource } from '../../../src/files/file-source';
import { FileStore } from '../../../src/files/store';
import { MemorySource } from '../../../src/bytes/source';
import { FakeFileHandle, FakeFolder, fault } from './fakes';

const content = Uint8Array.from({ length: 10 }, (_, i) => i);
const file = (bytes: Uint8Array<ArrayBuffer> = content, modified = 5) => new File([bytes], 'model.safetensors', { lastModified: modified });

async function registerHandle() {
  const folder = new FakeFolder('base');
  folder.files.set('model.safetensors', { bytes: content, modified: 5 });
  const store = new FileStore();
  const handle = new FakeFileHandle(folder, 'model.safetensors');
  const { entries } = await store.register([{ path: 'base/model.safetensors', handle }]);
  return { folder, store, entry: entries[0]! };
}

describe('registering', () => {
  it('gives files and handles entries with their path, size and time, and different ids', async () => {
    const { entry } = await registerHandle();
    expect(entry).toMatchObject({ path: 'base/model.safetensors', size: 10, modified: 5 });
    const store = new FileStore();
    const { entries, problems } = await store.register([
      { path: 'a', handle: file() },
      { path: 'b', handle: file(content.slice(0, 3), 9) },
    ]);
    expect(entries.map(({ path, size, modified }) => [path, size, modified])).toEqual([['a', 10, 5], ['b', 3, 9]]);
    expect(new Set(entries.map(({ id }) => id)).size).toBe(2);
    expect(problems).toEqual([]);
  });

  it('a file that cannot be looked at is a problem of its own', async () => {
    const folder = new FakeFolder('gone');
    const { entries, problems } = await new FileStore().register([
      { path: 'gone/x', handle: new FakeFileHandle(folder, 'x') },
      { path: 'null', handle: null },
      { path: 'a', handle: file() },
    ]);
    expect(entries.map(({ path }) => path)).toEqual(['a']);
    expect(problems.map(({ file: path, error }) => [path, error.code, error.reason]).sort()).toEqual([
      ['gone/x', 'source-changed', 'vanished'],
      ['null', 'source-changed', 'unreadable'],
    ]);
  });

  it('a released entry cannot be opened', async () => {
    const { store, entry } = await registerHandle();
    store.release([entry]);
    await expect(store.open(entry)).rejects.toMatchObject({ code: 'source-changed', reason: 'closed' });
  });
});

describe('reading', () => {
  it('returns exactly the bytes asked for, and nothing outside the file', async () => {
    const { store, entry } = await registerHandle();
    const source = await store.open(entry);
    expect(Array.from(await source.read(3, 6))).toEqual([3, 4, 5]);
    expect(Array.from(await source.read(10, 10))).toEqual([]);
    await expect(source.read(3, 11)).rejects.toThrow(RangeError);
    await expect(source.read(-1, 2)).rejects.toThrow(RangeError);
    await expect(source.read(NaN, 2)).rejects.toThrow(RangeError);
  });

  it('joins pieces of at most the limit, the last one shorter', async () => {
    const whole = file();
    const slice = vi.spyOn(whole, 'slice');
    const source = new FileSource({ path: 'a', size: 10, modified: 5 }, whole, null, 4);
    expect(Array.from(await source.read(1, 10))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(slice.mock.calls).toEqual([[1, 5], [5, 9], [9, 10]]);
  });

  it('opening a handle whose file changed names the file and both sizes, or both times', async () => {
    const { folder, store, entry } = await registerHandle();
    folder.files.set('model.safetensors', { bytes: content.slice(0, 4), modified: 5 });
    await expect(store.open(entry)).rejects.toMatchObject({
      code: 'source-changed', reason: 'changed', where: { file: 'base/model.safetensors', expected: 10, actual: 4 },
    });
    folder.files.set('model.safetensors', { bytes: content, modified: 6 });
    await expect(store.open(entry)).rejects.toMatchObject({
      reason: 'changed', where: { expected: '1970-01-01T00:00:00.005Z', actual: '1970-01-01T00:00:00.006Z' },
    });
    folder.files.clear();
    await expect(store.open(entry)).rejects.toMatchObject({ reason: 'vanished', where: { file: 'base/model.safetensors' } });
  });

  const failing = (name: string) => {
    const broken = file();
    vi.spyOn(broken, 'slice').mockReturnValue({ arrayBuffer: () => Promise.reject(fault(name)) } as unknown as Blob);
    return broken;
  };
  it.each([
    ['NotReadableError', 'source-changed', 'changed'],
    ['NotFoundError', 'source-changed', 'vanished'],
    ['NotAllowedError', 'source-changed', 'permission'],
    ['RangeError', 'out-of-memory', 'host-memory'],
    ['DataError', 'internal', 'unexpected'],
  ])('%s of a slice is %s/%s', async (name, code, reason) => {
    const source = new FileSource({ path: 'a', size: 10, modified: 5 }, failing(name), null);
    await expect(source.read(0, 4)).rejects.toMatchObject({ code, reason });
  });

  it.each([
    ['is the same', async () => file(), 'unreadable'],
    ['is longer', async () => file(new Uint8Array(11)), 'changed'],
    ['is gone', () => Promise.reject(fault('NotFoundError')), 'vanished'],
    ['may not be read', () => Promise.reject(fault('NotAllowedError')), 'permission'],
  ])('NotReadableError of a file that %s', async (_, latest, reason) => {
    const source = new FileSource({ path: 'a', size: 10, modified: 5 }, failing('NotReadableError'), latest);
    await expect(source.read(0, 4)).rejects.toMatchObject({ code: 'source-changed', reason, where: { file: 'a' } });
  });

  it('NotReadableError of a whole of which every small piece can be read is a lack of memory, in one handle or none', async () => {
    const large = file(new Uint8Array(200_000));
    const slice = large.slice.bind(large);
    let unreadable = Infinity;
    vi.spyOn(large, 'slice').mockImplementation((begin = 0, end = 0) => {
      const isFine = end - begin <= 65_536 && !(begin <= unreadable && unreadable < end);
      return isFine ? slice(begin, end) : ({ arrayBuffer: () => Promise.reject(fault('NotReadableError')) } as unknown as Blob);
    });
    for (const latest of [null, async () => large]) {
      const source = new FileSource({ path: 'a', size: 200_000, modified: 5 }, large, latest);
      unreadable = Infinity;
      await expect(source.read(5, 150_000)).rejects.toMatchObject({ code: 'out-of-memory', reason: 'host-memory', where: { file: 'a', expected: 149_995 } });
      unreadable = 140_000;
      await expect(source.read(5, 150_000)).rejects.toMatchObject({ code: 'source-changed', reason: latest ? 'unreadable' : 'changed' });
    }
  });

  it('a slice that comes short is a change, never a short read', async () => {
    const short = file();
    vi.spyOn(short, 'slice').mockReturnValue(new Blob([content.slice(0, 2)]));
    const source = new FileSource({ path: 'a', size: 10, modified: 5 }, short, null);
    await expect(source.read(0, 4)).rejects.toMatchObject({ reason: 'changed', where: { expected: 4, actual: 2 } });
  });

  describe('into buffers that are given', () => {
    const source = (of: File, latest: (() => Promise<File>) | null = null) => new FileSource({ path: 'a', size: of.size, modified: 5 }, of, latest);
    const runsOf = (buffers: readonly ArrayBuffer[], lengths: readonly number[]) => buffers.map((buffer, i) => Array.from(new Uint8Array(buffer, 0, lengths[i])));

    it('fills them with runs that follow each other, however the stream is cut', async () => {
      const large = Uint8Array.from({ length: 300_000 }, (_, i) => i % 251);
      const lengths = [1, 70_000, 0, 65_536, 3, 100_000];
      const filled = await source(file(large)).readInto(7, lengths, (bytes) => new ArrayBuffer(bytes + 5));
      expect(filled.map(({ byteLength }, i) => byteLength - lengths[i]!)).toEqual([5, 5, 5, 5, 5, 5]);
      let at = 7;
      expect(runsOf(filled, lengths)).toEqual(lengths.map((length) => Array.from(large.subarray(at, (at += length)))));
      await expect(source(file()).readInto(3, [4, 4], (bytes) => new ArrayBuffer(bytes))).rejects.toThrow(RangeError);
    });

    it('by reading and cutting where streams fill no buffers', async () => {
      const whole = file();
      vi.spyOn(whole, 'slice').mockImplementation((begin, end) => {
        const part = new Blob([content.slice(begin, end)]);
        return Object.assign(part, { stream: () => new ReadableStream() });
      });
      expect(runsOf(await source(whole).readInto(2, [3, 4], (bytes) => new ArrayBuffer(bytes)), [3, 4])).toEqual([[2, 3, 4], [5, 6, 7, 8]]);
    });

    /** A slice whose stream fails as Chromium's does, and what it says when it is read without one. */
    const failingStream = (read: () => Promise<ArrayBuffer>) => {
      const broken = file();
      const stream = () => new ReadableStream({ type: 'bytes', pull: (controller) => controller.error(new TypeError('network error')) });
      vi.spyOn(broken, 'slice').mockReturnValue({ stream, arrayBuffer: read } as unknown as Blob);
      return broken;
    };
    it.each([
      ['NotFoundError', null, 'vanished'],
      ['NotAllowedError', null, 'permission'],
      ['NotReadableError', async () => file(new Uint8Array(11)), 'changed'],
      ['NotReadableError', async () => file(), 'unreadable'],
    ] as const)('a stream that fails says why when it is read without one: %s', async (name, latest, reason) => {
      const broken = source(failingStream(() => Promise.reject(fault(name))), latest);
      await expect(broken.readInto(0, [4], (bytes) => new ArrayBuffer(bytes))).rejects.toMatchObject({ code: 'source-changed', reason, where: { file: 'a' } });
    });

    it('a stream that fails though its bytes can be read is done without', async () => {
      const broken = source(failingStream(async () => content.slice(1, 6).buffer));
      expect(runsOf(await broken.readInto(1, [2, 3], (bytes) => new ArrayBuffer(bytes)), [2, 3])).toEqual([[1, 2], [3, 4, 5]]);
    });

    it('a stream that ends early is a change, and no room for a buffer is said as such', async () => {
      const short = file();
      vi.spyOn(short, 'slice').mockReturnValue(new Blob([content.slice(0, 2)]));
      await expect(source(short).readInto(0, [1, 3], (bytes) => new ArrayBuffer(bytes))).rejects.toMatchObject({ reason: 'changed', where: { expected: 4, actual: 2 } });
      const none = () => {
        throw new RangeError('Array buffer allocation failed');
      };
      await expect(source(file()).readInto(0, [4], none)).rejects.toMatchObject({ code: 'out-of-memory', reason: 'host-memory' });
    });
  });

  it('a file in memory opens as the source it is', async () => {
    const store = new FileStore();
    const source = new MemorySource('base/a', content);
    const entry = store.registerSource('base/a', source);
    expect(entry).toMatchObject({ path: 'base/a', size: 10 });
    expect(await store.open(entry)).toBe(source);
  });
});

describe('a destination that is a source', () => {
  it('is found by its handle, whatever the content', async () => {
    const { folder, store, entry } = await registerHandle();
    expect(await store.findIn(folder.handle, [entry])).toBe(entry);
    expect(await store.findIn(new FakeFolder('base').handle, [entry])).toBe(null);
  });

  it('is found by name, size and time where only a File is known', async () => {
    const store = new FileStore();
    const { entries } = await store.register([{ path: 'model.safetensors', handle: file() }]);
    const folder = new FakeFolder('out');
    expect(await store.findIn(folder.handle, entries)).toBe(null);
    folder.files.set('model.safetensors', { bytes: content, modified: 6 });
    expect(await store.findIn(folder.handle, entries)).toBe(null);
    folder.files.set('model.safetensors', { bytes: content, modified: 5 });
    expect(await store.findIn(folder.handle, entries)).toBe(entries[0]);
  });
});
