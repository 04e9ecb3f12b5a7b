/**
 * Parts of a merge, each in a folder of its own under the output until all are there: nothing that loads exists before the
 * last step, and no part needs to know of another.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { asStudioError, DestinationError } from '../bytes/errors';
import { throwIfAborted } from '../merge/abort';
import type { SlotResult } from '../merge/backend';
import { shardsOfPart } from '../merge/part';
import type { MergePlan } from '../merge/plan-types';
import type { FinishedFile, RunFigures } from '../merge/run-types';
import { layoutOf } from '../merge/shards';
import { sha256OfFile } from './disk';
import { lockFolder } from './lock';
import type { Part } from './usage';

/** Raised when the record of a part changes its meaning. */
const VERSION = 1;
const RECORD = 'part.json';
/** Holds the parts' folders, under the output. */
const PARTS = 'parts';
/** What the folder of a part that was joined is called until it is gone. */
const REMOVED = 'removed-';

interface PartRecord {
  readonly version: number;
  /** SHA-256 over every output shard's name, header and size: parts of one merge have the same. */
  readonly layout: string;
  readonly backend: string;
  readonly files: readonly FinishedFile[];
  readonly figures: readonly (readonly [string, SlotResult])[];
}

/** Where part `part` of `of` works. */
export function partFolder(out: string, { part, of }: Part): string {
  const width = String(of).length;
  return join(out, PARTS, `part-${String(part).padStart(width, '0')}-of-${of}`);
}

/** Says that a part is complete, and what it holds. Written last, under another name first. */
export async function recordPart(folder: string, plan: MergePlan, backend: string, files: readonly FinishedFile[], figures: RunFigures): Promise<void> {
  const record: PartRecord = { version: VERSION, layout: layoutOf(plan), backend, files, figures: [...figures] };
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, `${RECORD}.new`), `${JSON.stringify(record)}\n`);
  await rename(join(folder, `${RECORD}.new`), join(folder, RECORD));
}

export interface JoinedParts {
  readonly figures: RunFigures;
  readonly files: readonly FinishedFile[];
  /** Names of shards that the output folder holds already, as their part wrote them. */
  readonly there: readonly string[];
  /** Moves the others into the output folder. */
  move(): Promise<void>;
}

/**
 * Takes every part's folder that is under `out`, whatever merge or number of parts it is of, so that none is written while they are
 * joined and removed. Rejects with DestinationError `part-running`, which names who has it.
 */
export async function takeParts(out: string): Promise<{ readonly count: number; release(): Promise<void>; /** Removes the folders. */ clear(): Promise<void> }> {
  const all = join(out, PARTS);
  const folders = (await readdir(all, { withFileTypes: true }).catch(() => [])).flatMap((entry) => (entry.isDirectory() && entry.name.startsWith('part-') ? [join(all, entry.name)] : []));
  const releases: (() => Promise<void>)[] = [];
  const release = async () => void (await Promise.all(releases.map((one) => one())));
  try {
    for (const folder of folders) releases.push(await lockFolder(folder));
  } catch (error) {
    await release();
    const { reason, message, where } = asStudioError(error);
    throw reason === 'locked' ? new DestinationError('part-running', `${message}: this part still runs, or is joined by another`, where) : error;
  }
  const clear = async () => {
    // At once with its lock: a part that begins meanwhile is refused, or has a folder of its own.
    for (const folder of folders) await rename(folder, join(all, `${REMOVED}${randomUUID()}`));
    const removed = (await readdir(all).catch(() => [])).filter((name) => name.startsWith(REMOVED));
    for (const name of removed) await rm(join(all, name), { recursive: true, force: true });
    // One that began meanwhile stays.
    await rmdir(all).catch(() => {});
  };
  return { count: folders.length, release, clear };
}

/**
 * Checks that all `of` parts of `plan` are complete and that their files are what they recorded. Rejects with DestinationError
 * `part-missing`, `part-of-another-merge` or `verification-failed`, naming the part. `move` may be repeated after a fault. Both reject with CancelledError
 * between two files once `signal` is aborted.
 */
export async function joinParts(out: string, plan: MergePlan, of: number, signal?: AbortSignal): Promise<JoinedParts> {
  const layout = layoutOf(plan);
  const files: FinishedFile[] = [];
  const figures = new Map<string, SlotResult>();
  const there: string[] = [];
  const moves: [string, string][] = [];
  for (let part = 1; part <= of; part++) {
    const folder = partFolder(out, { part, of });
    const record = await readRecord(folder);
    if (record.layout !== layout) {
      throw new DestinationError('part-of-another-merge', `${folder} is of another recipe, other sources or another shard size`, { file: folder });
    }
    const { first, end } = shardsOfPart(plan.shards.length, part, of);
    for (const { file, header, payloadBytes } of plan.shards.slice(first, end)) {
      throwIfAborted(signal);
      const made = record.files.find(({ name }) => name === file);
      const [from, to] = [join(folder, file), join(out, file)];
      const isHere = await isThere(from);
      // A join that was interrupted has moved some already; what else is called so is not this merge's.
      const joined = made && (await sizeOf(to)) === made.bytes ? await sha256OfFile(to) : null;
      const sha256 = isHere ? await sha256OfFile(from) : joined;
      if (made === undefined || sha256 !== made.sha256 || made.bytes !== header.length + payloadBytes) {
        throw new DestinationError('verification-failed', `${from} is not what its part wrote: run part ${part} again`, {
          file: from,
          ...(made ? { expected: made.sha256 } : {}),
          actual: sha256 ?? 'missing',
        });
      }
      files.push(made);
      if (joined === made.sha256) there.push(file);
      if (isHere) moves.push([from, to]);
    }
    for (const [name, result] of record.figures) figures.set(name, result);
  }
  return {
    figures,
    files,
    there,
    move: async () => {
      for (const [from, to] of moves) {
        throwIfAborted(signal);
        await rename(from, to);
      }
    },
  };
}

async function readRecord(folder: string): Promise<PartRecord> {
  const text = await readFile(join(folder, RECORD), 'utf8').catch(() => null);
  if (text === null) throw new DestinationError('part-missing', `${folder} is not finished: run this part first`, { file: folder });
  const record = JSON.parse(text) as PartRecord;
  if (record.version !== VERSION) throw new DestinationError('part-of-another-merge', `${folder} was written by another version`, { file: folder, expected: VERSION, actual: record.version });
  return record;
}

const sizeOf = (path: string) => stat(path).then(({ size }) => size, () => null);
const isThere = async (path: string) => (await sizeOf(path)) !== null;
