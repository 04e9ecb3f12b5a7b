/** Writing: every storage exception as the decision a caller can make, and nothing left behind (faults.md 37, 38, 42). */
import { describe, expect, it } from 'vitest';
import { FolderDestination } from '../../../src/files/destination';
import { FakeFolder, failAt, fault } from './fakes';
import type { Operation } from './fakes';

const bytes = (length: number, fill = 7) => new Uint8Array(length).fill(fill);
const text = (folder: FakeFolder, name: string) => Array.from(folder.files.get(name)?.bytes ?? []);

function setUp() {
  const folder = new FakeFolder('out');
  return { folder, destination: new FolderDestination('out', folder.handle) };
}

describe('a file being written', () => {
  it('is final with exactly its bytes once closed', async () => {
    const { folder, destination } = setUp();
    const sink = await destination.create('a');
    await sink.write(bytes(3, 1));
    await sink.write(bytes(2, 2));
    expect(text(folder, 'a')).toEqual([]);
    await sink.close();
    expect(text(folder, 'a')).toEqual([1, 1, 1, 2, 2]);
    expect(folder.log).toEqual(['write 3', 'write 2', 'close']);
  });

  it('keeps the order of writes that nobody waited for', async () => {
    const { folder, destination } = setUp();
    const sink = await destination.create('a');
    await Promise.all([sink.write(bytes(2, 1)), sink.write(bytes(1, 2)), sink.write(bytes(1, 3))]);
    await sink.close();
    expect(text(folder, 'a')).toEqual([1, 1, 2, 3]);
  });

  it('aborted: a new file leaves no 0-byte stub, an older one stays as it was', async () => {
    const { folder, destination } = setUp();
    folder.files.set('old', { bytes: bytes(4), modified: 1 });
    for (const name of ['old', 'new']) {
      const sink = await destination.create(name);
      await sink.write(bytes(9, 1));
      await sink.abort();
      await sink.abort();
    }
    expect([...folder.files.keys()]).toEqual(['old']);
    expect(text(folder, 'old')).toEqual([7, 7, 7, 7]);
    expect(folder.log).toEqual(['write 9', 'abort', 'write 9', 'abort']);
  });

  it('aborted: a stub that the browser lets go of a moment later goes then', async () => {
    const { folder, destination } = setUp();
    const sink = await destination.create('a');
    let refused = 0;
    folder.before = (operation) => {
      if (operation === 'removeEntry' && refused++ < 3) throw fault('NoModificationAllowedError');
    };
    await sink.abort();
    expect([[...folder.files.keys()], refused]).toEqual([[], 4]);
  });

  it('closed: abort does nothing any more', async () => {
    const { folder, destination } = setUp();
    const sink = await destination.create('a');
    await sink.write(bytes(1));
    await sink.close();
    await sink.abort();
    expect(text(folder, 'a')).toEqual([7]);
  });
});

describe('faults while writing', () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ['QuotaExceededError', 'disk-full', 'disk-full'],
    ['NotAllowedError', 'destination', 'permission'],
    ['NotFoundError', 'destination', 'removed'],
    ['NoModificationAllowedError', 'destination', 'locked'],
    ['InvalidStateError', 'destination', 'unusable'],
  ];
  const operations: readonly Operation[] = ['createWritable', 'write', 'close'];
  for (const [name, code, reason] of cases) {
    it.each(operations)(`${name} from %s is ${code}/${reason} naming the file, and no stub is left`, async (operation) => {
      const { folder, destination } = setUp();
      failAt(folder, operation, 0, fault(name));
      const attempt = async () => {
        const sink = await destination.create('a');
        try {
          await sink.write(bytes(1));
          await sink.close();
        } catch (error) {
          await expect(sink.write(bytes(1))).rejects.toBe(error);
          await sink.abort();
          throw error;
        }
      };
      await expect(attempt()).rejects.toMatchObject({ code, reason, where: { file: 'out/a' } });
      expect(folder.files.size).toBe(0);
    });
  }

  it('disk full at the Nth write, for every N: the older file is intact', async () => {
    for (let n = 0; n < 3; n++) {
      const { folder, destination } = setUp();
      folder.files.set('a', { bytes: bytes(4), modified: 1 });
      failAt(folder, 'write', n, fault('QuotaExceededError'));
      const sink = await destination.create('a');
      const write = async () => {
        for (let i = 0; i < 3; i++) await sink.write(bytes(5));
      };
      await expect(write()).rejects.toMatchObject({ code: 'disk-full' });
      await sink.abort();
      expect(text(folder, 'a')).toEqual([7, 7, 7, 7]);
      expect(folder.log.filter((entry) => entry.startsWith('write'))).toHaveLength(n);
    }
  });
});

describe('a folder', () => {
  it('lists names, opens a finished file and removes it; removing twice is no error', async () => {
    const { folder, destination } = setUp();
    folder.files.set('a', { bytes: Uint8Array.of(1, 2, 3), modified: 5 });
    expect(await destination.list()).toEqual(['a']);
    const source = await destination.open('a');
    expect([source.name, source.size, ...(await source.read(1, 3))]).toEqual(['out/a', 3, 2, 3]);
    await destination.remove('a');
    await destination.remove('a');
    expect(await destination.list()).toEqual([]);
  });

  it('refuses a name with a slash, an absent file and a folder that is gone', async () => {
    const { folder, destination } = setUp();
    await expect(destination.create('a/b')).rejects.toMatchObject({ code: 'destination', reason: 'bad-name' });
    await expect(destination.open('absent')).rejects.toMatchObject({ reason: 'removed', where: { file: 'out/absent' } });
    failAt(folder, 'keys', 0, fault('NotFoundError'));
    await expect(destination.list()).rejects.toMatchObject({ code: 'destination', reason: 'removed', where: { file: 'out' } });
  });
});
