/** Processes that are given one output folder: one has it, the others are told, and one that was killed keeps nobody out. */
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { adviceOn, interruptionWords, resumptionOf } from '../../../src/cli/advice';
import { DiskDestination } from '../../../src/cli/disk';
import { LOCK_FILE, lockFolder } from '../../../src/cli/lock';

let folder = '';
const path = () => join(folder, LOCK_FILE);
const leaveLock = (pid: number, host = hostname()) => writeFile(path(), JSON.stringify({ pid, host, token: 'its own' }));
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'studio-lock-'))));
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('an output folder', () => {
  it('is had by one at a time, and leaves nothing when it is given back', async () => {
    const taken = await Promise.allSettled([1, 2, 3].map(() => lockFolder(folder)));
    expect(taken.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const one of taken) if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'destination', reason: 'locked', where: { file: folder, actual: `process ${process.pid}` } });
    expect(await (await DiskDestination.make(folder, [])).list()).toEqual([]);
    for (const one of taken) if (one.status === 'fulfilled') await one.value();
    expect(await readdir(folder)).toEqual([]);
    await (await lockFolder(folder))();
  });

  it('is made with those above it, by several at once too, and is refused where it cannot be', async () => {
    const deep = join(folder, 'a', 'b', 'c');
    await Promise.all([1, 2, 3].map(() => DiskDestination.make(deep, [])));
    expect(await readdir(join(folder, 'a', 'b'))).toEqual(['c']);
    await writeFile(join(folder, 'file'), '');
    for (const path of ['file', 'file/below']) await expect(DiskDestination.make(join(folder, path), [])).rejects.toMatchObject({ code: 'destination', reason: 'unusable' });
  });

  // As an automounted folder of a cluster does for a name it does not know: `mkdir` with `recursive` tries that without end.
  it('is refused by a file system that says "no such file" of what is to be made', async () => {
    if (process.platform !== 'linux') return;
    await expect(DiskDestination.make('/proc/no-such-folder/merged', [])).rejects.toMatchObject({ code: 'destination', reason: 'removed' });
  });

  it('is one of many that a process has, with one listener to its end', async () => {
    const before = process.listenerCount('exit');
    const folders = await Promise.all(Array.from({ length: 12 }, () => mkdtemp(join(folder, 'part-'))));
    const releases = await Promise.all(folders.map(lockFolder));
    expect(process.listenerCount('exit')).toBe(before + 1);
    for (const release of releases) await release();
    expect([process.listenerCount('exit'), (await Promise.all(folders.map((one) => readdir(one)))).flat()]).toEqual([before, []]);
  });

  it('of a process that lives is refused, and taken over when that was killed', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    await leaveLock(child.pid!);
    await expect(lockFolder(folder)).rejects.toMatchObject({ reason: 'locked', where: { actual: `process ${child.pid!}` } });
    child.kill('SIGKILL');
    await ended;
    const taken = await Promise.allSettled([1, 2, 3].map(() => lockFolder(folder)));
    expect(taken.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(JSON.parse(await readFile(path(), 'utf8'))).toMatchObject({ pid: process.pid });
    for (const one of taken) if (one.status === 'fulfilled') await one.value();
    expect(await readdir(folder)).toEqual([]);
  });

  it('of an earlier process of the same id, and with a lock that was never written whole, is free', async () => {
    for (const leave of [() => leaveLock(process.pid), () => writeFile(path(), ''), () => writeFile(path(), '{"pid":')]) {
      await leave();
      await (await lockFolder(folder))();
      expect(await readdir(folder)).toEqual([]);
    }
  });

  it('of another machine is refused for as long as its lock is touched', async () => {
    await leaveLock(1, 'elsewhere');
    await expect(lockFolder(folder)).rejects.toMatchObject({ reason: 'locked', where: { actual: 'process 1 of elsewhere' } });
    const before = new Date(Date.now() - 600_000);
    await utimes(path(), before, before);
    await (await lockFolder(folder))();
  });

  it('whose lock somebody else has by now is not freed by who had it', async () => {
    const release = await lockFolder(folder);
    await leaveLock(1, 'elsewhere');
    await release();
    expect(await readdir(folder)).toEqual([LOCK_FILE]);
  });
});

it('no batch is told of an option that it refuses', () => {
  for (const reason of ['unfinished', 'not-empty', 'journal-of-another', 'journal-broken', 'journal-version', 'folders-exist', 'table-of-another', 'locked']) {
    expect(adviceOn(reason, 'batch'), reason).toMatch(/choose another folder\.$/);
    expect(adviceOn(reason, 'batch'), reason).not.toContain('--replace');
  }
  expect(adviceOn('not-empty', 'merge')).toBe('Replace it with --replace, or choose another folder.');
  expect(adviceOn('disk-full', 'merge')).toBe(null);
});

it('to carry on is offered where something is kept, by a command that can', async () => {
  const offered = async (command: 'merge' | 'batch' | 'verify', more = {}) => (await resumptionOf({ command, out: folder, part: null, finish: null, ...more })) !== null;
  const all = async () => [await offered('merge'), await offered('batch'), await offered('verify'), await offered('merge', { finish: 2 }), await offered('merge', { part: { part: 1, of: 2 } })];
  const none = [false, false, false, false, false];
  expect(await all()).toEqual(none);
  await mkdir(join(folder, 'one'));
  expect(await all()).toEqual(none);
  await writeFile(join(folder, 'one', 'studio-journal.json'), '');
  expect(await all()).toEqual([false, true, false, false, false]);
  await rename(join(folder, 'one', 'studio-journal.json'), join(folder, 'studio-journal.json'));
  expect(await all()).toEqual([true, true, false, false, false]);
  // Of a batch of which only whole folders are left.
  await rename(join(folder, 'studio-journal.json'), join(folder, 'results.csv'));
  expect(await all()).toEqual([false, true, false, false, false]);
});

it('an interruption that left what loads does not say that nothing was', () => {
  expect(interruptionWords(['model-00001-of-00002.safetensors', 'grid/README.md'])).toBe('interrupted: nothing unfinished was left that loads');
  expect(interruptionWords(['grid/model.safetensors.index.json'])).toBe('interrupted: by grid/model.safetensors.index.json something unfinished may load');
});
