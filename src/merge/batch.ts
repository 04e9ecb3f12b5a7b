/** Several merges over the same inputs in one run: a folder each, and a table of them all. */
import { CancelledError, DestinationError, asStudioError } from '../bytes/errors';
import type { StudioError } from '../bytes/errors';
import { withHashing } from '../bytes/hashing';
import type { BatchFolder, Destination } from '../bytes/source';
import { Watchdog } from '../bytes/watchdog';
import { throwIfAborted } from './abort';
import type { Backend } from './backend';
import { copyPieceOf, pieceOf } from './batch-plan';
import type { BatchPlan, Wave } from './batch-plan';
import { BatchMeter } from './batch-progress';
import type { BatchItem, BatchProgress } from './batch-progress';
import { Agreement, finishedBefore } from './finished-before';
import { FirstFault } from './first-fault';
import type { OpenShard } from './reading';
import { runMerge } from './run';
import type { RecheckTurn, RunHooks, RunResult } from './run-types';
import { SharedReads } from './shared-reads';
import { SharedSteps } from './shared-steps';
import { WatchedFolders } from './watched-folder';

/** Of a table that lies there; what is longer is none of these. */
const MAX_TABLE_BYTES = 4_000_000;

export interface BatchHooks extends Pick<RunHooks, 'signal' | 'ready' | 'readAheadBytes' | 'recompute' | 'hashing' | 'isExportFile' | 'now' | 'watchdog' | 'recheckBy' | 'onKept' | 'onLeftBehind'> {
  readonly onProgress?: (progress: BatchProgress) => void;
  /** The table written beside the folders. */
  readonly table?: BatchTable;
  /** Carries on an interrupted batch: folders that are complete stay as they are, those with a journal are resumed. */
  readonly resume?: boolean;
  /** See `BatchLimits`. */
  readonly holdBytes: number;
}

export interface BatchTable {
  readonly name: string;
  /** Its text with a row of each folder that is finished, and with what was filled into `before`, the text that lies there. Throws where that is of another table. */
  readonly of: (folders: readonly string[], before: string | null) => string;
}

export interface BatchResult {
  /** In the order of the items; complete and verified. */
  readonly finished: readonly { readonly folder: string; readonly result: RunResult }[];
  /** Folders that were not begun, or removed. */
  readonly missing: readonly string[];
  /** Why some are missing, or the table is; null when nothing is. */
  readonly stopped: StudioError | null;
  readonly seconds: number;
}

/**
 * Carries out the waves of `batch` (`planBatch` of the items' plans), one after the other. Within a wave each group is read once
 * and merged with every recipe; each folder is an export as `runMerge` leaves it.
 *
 * A fault or cancelling stops the wave: what is finished of its folders stays with their journals, or is removed where they have none;
 * complete folders stay and are told in the result. With `resume` these are left as they are, and the others carried on; what was filled
 * into the table stays. Rejects,
 * as `runMerge` does, when no folder was finished; with DestinationError `folders-exist`, naming them, when there are folders or a table of these names,
 * `name-twice` when two folders would be one; and as `BatchTable.of` throws, before anything is written.
 */
export async function runBatch(items: readonly BatchItem[], whole: BatchPlan, backend: Backend, openShard: OpenShard, folder: BatchFolder, hooks: BatchHooks): Promise<BatchResult> {
  const destination = WatchedFolders.overAll(folder, hooks);
  const names = [...items.map(({ folder }) => folder), ...(hooks.table ? [hooks.table.name] : [])];
  const present = await destination.list();
  // A run refuses what is in its own way.
  refuseClashes(names, hooks.resume ? [] : present, destination.name);
  // Before anything is made that it would have to stand beside.
  if (hooks.table) await tableText(destination, hooks.table, []);
  const results = hooks.resume ? await finishedFolders(items, present, destination, hooks) : new Map<number, RunResult>();
  const batch = without(whole, items, results);
  const meter = new BatchMeter(items, batch, hooks.onProgress, hooks.now ?? (() => performance.now()), hooks.recheckBy !== undefined);
  let stopped: StudioError | null = null;
  for (const wave of batch.waves) {
    try {
      throwIfAborted(hooks.signal);
      await runWave(wave, items, backend, meter.watching(openShard), destination, hooks, meter, results);
      meter.finish(wave);
    } catch (error) {
      stopped = hooks.signal?.aborted ? new CancelledError() : asStudioError(error);
      break;
    }
  }
  if (stopped && results.size === 0) throw stopped;
  if (stopped) destination.cleanUp();
  const finished = items.flatMap(({ folder }, i) => (results.has(i) ? [{ folder, result: results.get(i)! }] : []));
  const missing = items.flatMap(({ folder }, i) => (results.has(i) ? [] : [folder]));
  try {
    // Scores may have been filled in meanwhile.
    if (hooks.table) await writeText(destination, hooks.table.name, await tableText(destination, hooks.table, finished.map(({ folder }) => folder)));
  } catch (error) {
    // The folders are complete all the same.
    stopped ??= asStudioError(error);
  }
  return { finished, missing, stopped, seconds: meter.elapsedMs / 1000 };
}

/** Adds what is complete to `results`. Rejects with the first failure, once nothing of the wave is under way. */
async function runWave({ entries }: Wave, items: readonly BatchItem[], backend: Backend, openShard: OpenShard, destination: WatchedFolders, hooks: BatchHooks, meter: BatchMeter, results: Map<number, RunResult>): Promise<void> {
  const stopping = new AbortController();
  const stop = () => stopping.abort();
  const fault = new FirstFault();
  hooks.signal?.addEventListener('abort', stop, { once: true });
  const ready = async () => {
    await (hooks.ready ? meter.pausing(() => fault.during(hooks.ready!)) : undefined);
    throwIfAborted(stopping.signal);
  };
  const reads = new SharedReads(openShard, hooks.holdBytes);
  const steps = new SharedSteps(entries.length, openShard, hooks.holdBytes, { ready, watchdog: hooks.watchdog }, () => reads.forget(), stopping.signal);
  const agreement = new Agreement(entries.length, stopping.signal);
  // Where one begins anew, all do.
  const agree = entries.every((entry) => items[entry]!.journal?.resume) ? agreement.agree : async () => [];
  // One after the other: each takes all threads. What they read is not of one group, and nothing of it is kept for the others.
  let rechecks: Promise<unknown> = Promise.resolve();
  const recheckTurn: RecheckTurn = (recheck) => {
    const own = rechecks.then(() => {
      throwIfAborted(stopping.signal);
      return recheck(openShard);
    });
    rechecks = own.catch(() => {});
    return own;
  };
  const leftIn = (folder: string) => (names: readonly string[]) => hooks.onLeftBehind?.(names.map((name) => `${folder}/${name}`));
  const failures: unknown[] = [];
  const runs = entries.map(async (entry) => {
    const { folder, plan, extras, journal } = items[entry]!;
    try {
      const result = await runMerge(plan, backend, reads.openShard, await destination.folder(folder), {
        ...hooks,
        extras,
        ...(journal ? { journal: { ...journal, agree } } : {}),
        signal: stopping.signal,
        ready,
        recheckTurn,
        onProgress: (progress) => meter.tell(entry, progress),
        onLeftBehind: leftIn(folder),
        ...(entries.length > 1 ? { stepsBy: steps.join, pieceBytes: pieceOf(entries.length), copyBytes: copyPieceOf(entries.length) } : {}),
      });
      return result;
    } catch (error) {
      failures.push(error);
      // The others may wait for a pause to end.
      fault.tell(new CancelledError());
      stop();
      return null;
    }
  });
  const done = await Promise.all(runs);
  hooks.signal?.removeEventListener('abort', stop);
  if (failures.length > 0) destination.cleanUp();
  for (const [i, entry] of entries.entries()) {
    const result = done[i]!;
    if (result && (failures.length === 0 || items[entry]!.journal)) results.set(entry, result);
    else await abandoned(destination, items[entry]!, result, leftIn(items[entry]!.folder));
  }
  if (failures.length === 0) return;
  // The others of a wave are stopped when one fails; why it did is what counts.
  throw failures.find((error) => asStudioError(error).code !== 'cancelled') ?? failures[0];
}

/** Removes what a run of a failed wave left: nothing but its folder, or an export that was finished before another failed. */
async function abandoned(destination: BatchFolder, { folder }: BatchItem, result: RunResult | null, onLeftBehind: (names: readonly string[]) => void): Promise<void> {
  const own = await destination.folder(folder).catch(() => null);
  const left: string[] = [];
  // The index is the last of the files, and without it nothing loads.
  for (const { name } of [...(result?.files ?? [])].reverse()) await (own ? own.remove(name).catch(() => left.push(name)) : left.push(name));
  if (left.length > 0) onLeftBehind(left);
  await destination.removeEmpty(folder).catch(() => {});
}

/** Those that an earlier attempt finished, by their index. */
async function finishedFolders(items: readonly BatchItem[], present: readonly string[], destination: BatchFolder, { hashing, watchdog = new Watchdog(), signal }: BatchHooks): Promise<Map<number, RunResult>> {
  const results = new Map<number, RunResult>();
  for (const [i, item] of items.entries()) {
    if (!present.includes(item.folder) || item.journal?.resume) continue;
    const result = await finishedBefore(item, await destination.folder(item.folder), withHashing(hashing, watchdog, signal));
    if (result) results.set(i, result);
  }
  return results;
}

/** What is left to do of a batch. */
function without(batch: BatchPlan, items: readonly BatchItem[], results: ReadonlyMap<number, RunResult>): BatchPlan {
  if (results.size === 0) return batch;
  const waves = batch.waves.map((wave) => ({ ...wave, entries: wave.entries.filter((entry) => !results.has(entry)) })).filter(({ entries }) => entries.length > 0);
  const written = [...results.keys()].reduce((sum, entry) => sum + items[entry]!.plan.bytesWritten, 0);
  return { ...batch, waves, bytesRead: waves.reduce((sum, { bytesRead }) => sum + bytesRead, 0), bytesWritten: batch.bytesWritten - written };
}

function refuseClashes(names: readonly string[], present: readonly string[], destination: string): void {
  const folded = names.map((name) => name.toLowerCase());
  const twice = names.filter((_, i) => folded.indexOf(folded[i]!) !== i);
  if (twice.length > 0) throw new DestinationError('name-twice', `two folders are called ${twice.join(', ')}`, { names: twice });
  const inTheWay = present.filter((name) => folded.includes(name.toLowerCase()));
  if (inTheWay.length > 0) throw new DestinationError('folders-exist', `${destination} holds ${inTheWay.join(', ')}`, { file: destination, names: inTheWay });
}

async function tableText(destination: Destination, { name, of }: BatchTable, folders: readonly string[]): Promise<string> {
  if (!(await destination.list()).includes(name)) return of(folders, null);
  const source = await destination.open(name);
  if (source.size > MAX_TABLE_BYTES) throw new DestinationError('table-of-another', `${destination.name}/${name} is ${source.size} bytes long`, { file: `${destination.name}/${name}` });
  return of(folders, new TextDecoder().decode(await source.read(0, source.size)));
}

async function writeText(destination: Destination, name: string, text: string): Promise<void> {
  const sink = await destination.create(name);
  try {
    await sink.write(new TextEncoder().encode(text));
    await sink.close();
  } catch (error) {
    await sink.abort();
    throw error;
  }
}
