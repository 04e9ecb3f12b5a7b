/** One process at a time in an output folder: a file says who has it. */
import { randomUUID } from 'node:crypto';
import { readFileSync, unlinkSync } from 'node:fs';
import { link, readFile, rename, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { DestinationError } from '../bytes/errors';

/** No file of an export: `DiskDestination` does not list it. */
export const LOCK_FILE = '.studio-lock';
/** Milliseconds between two touches of the file by who holds it; and after which nobody does, on a machine whose processes cannot be seen. */
const TOUCH_MS = 20_000;
const SILENT_MS = 120_000;
/** Attempts to read what another process is just writing, and the milliseconds between them. */
const ATTEMPTS = 5;
const PAUSE_MS = 50;

interface Holder {
  readonly pid: number;
  readonly host: string;
  /** Another process may have the id later. */
  readonly token: string;
}

/** Tokens of this process. */
const held = new Set<string>();
/** Gives back what this process has when it ends: one listener for all of it. */
const leaving = new Set<() => void>();
const leaveAll = () => leaving.forEach((leave) => leave());

/**
 * Takes `folder`, which is there. Resolves to what gives it back; so does the process when it ends in any way but being killed, after
 * which the next one takes it over. Rejects with DestinationError `locked` while another process has it, and as the disk does.
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const path = join(folder, LOCK_FILE);
  const token = randomUUID();
  const text = JSON.stringify({ pid: process.pid, host: hostname(), token } satisfies Holder);
  held.add(token);
  try {
    while (!(await isMade(path, text))) await removeDead(path, folder);
  } catch (error) {
    held.delete(token);
    if (error instanceof DestinationError) throw error;
    throw new DestinationError('unusable', `${folder} cannot be locked: ${String(error)}`, { file: folder });
  }
  const touching = setInterval(() => void utimes(path, new Date(), new Date()).catch(() => {}), TOUCH_MS);
  touching.unref();
  const leave = () => {
    clearInterval(touching);
    leaving.delete(leave);
    if (leaving.size === 0) process.off('exit', leaveAll);
    if (!held.delete(token)) return;
    try {
      if (readFileSync(path, 'utf8') === text) unlinkSync(path);
    } catch {
      // Somebody removed it: nothing is held.
    }
  };
  if (leaving.size === 0) process.once('exit', leaveAll);
  leaving.add(leave);
  return async () => leave();
}

async function isMade(path: string, text: string): Promise<boolean> {
  try {
    await writeFile(path, text, { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return false;
  }
}

/** Removes the file of a process that is no more. Rejects with DestinationError `locked` where it is, or may be. */
async function removeDead(path: string, folder: string): Promise<void> {
  const text = await settledText(path);
  if (text === null) return;
  const holder = parse(text);
  if (holder && (await isAlive(holder, path))) {
    const who = `process ${holder.pid}${holder.host === hostname() ? '' : ` of ${holder.host}`}`;
    throw new DestinationError('locked', `${folder} is in use by ${who}`, { file: folder, actual: who });
  }
  // Another may have done the same, and hold it by now: what was moved away is looked at again.
  const moved = `${path}.${randomUUID()}`;
  await rename(path, moved).catch(ignoreMissing);
  const found = await readFile(moved, 'utf8').catch(ignoreMissing);
  if (found !== undefined && found !== text) await link(moved, path).catch(() => {});
  await unlink(moved).catch(ignoreMissing);
}

/** Null when it is gone. What stays empty or half was left by a process that was killed. */
async function settledText(path: string): Promise<string | null> {
  for (let attempt = 1; ; attempt++) {
    const text = await readFile(path, 'utf8').catch(ignoreMissing);
    if (text === undefined) return null;
    if (parse(text) !== null || attempt === ATTEMPTS) return text;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

function parse(text: string): Holder | null {
  try {
    const { pid, host, token } = JSON.parse(text) as Partial<Holder>;
    return Number.isSafeInteger(pid) && pid! > 0 && typeof host === 'string' && typeof token === 'string' ? { pid: pid!, host, token } : null;
  } catch {
    return null;
  }
}

async function isAlive({ pid, host, token }: Holder, path: string): Promise<boolean> {
  if (host !== hostname()) {
    const touched = await stat(path).then(({ mtimeMs }) => mtimeMs, () => 0);
    return Date.now() - touched < SILENT_MS;
  }
  // Of an earlier process that had the same id: in a container that is started again it often is.
  if (pid === process.pid) return held.has(token);
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
