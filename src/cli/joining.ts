/** The last step of a merge in parts: a folder that holds the whole export, and nothing of an older one. */
import { DestinationError } from '../bytes/errors';
import { JOURNAL_FILE, MemorySource, type ByteSource, type Destination } from '../bytes/source';
import { Watchdog } from '../bytes/watchdog';
import { isExportFile } from '../export/files';
import { loads, OutputFolder } from '../merge/folder';
import { COPY_BYTES } from '../merge/io-sizes';
import type { MergePlan } from '../merge/plan-types';
import type { ExtraFile, FinishedFile, RunFigures } from '../merge/run-types';
import { INDEX_FILE } from '../merge/shards';
import { WatchedFolder } from '../merge/watched-folder';
import { DiskDestination } from './disk';
import { joinParts, takeParts } from './parts';

export interface Join {
  readonly plan: MergePlan;
  /** Number of parts. */
  readonly of: number;
  readonly extras: readonly ExtraFile[];
  /** Replace an export that is in the folder, finished or not, which else is refused. */
  readonly replace: boolean;
  /** Paths of the files that are merged. */
  readonly sources: Iterable<string>;
}

/** Rejects with DestinationError `not-empty` where `out` holds what a loader would take for a merge; `is-source` as `DiskDestination.make`. */
export async function refuseWhole(out: string, sources: Iterable<string>): Promise<void> {
  const names = (await (await DiskDestination.make(out, sources)).list()).filter(loads);
  if (names.length > 0) throw new DestinationError('not-empty', `${out} holds ${names.join(', ')}`, { file: out, names });
}

/**
 * Joins the parts that are in `out`: their shards, then what goes beside them, then the index, without which nothing loads. An older
 * export is removed before anything takes its place, what makes it load first. What a join that was interrupted has put there, byte
 * for byte, is this one's. Resolves to the weight files. Rejects with DestinationError `not-empty` or `unfinished` when `replace` is
 * not set, nothing touched; CancelledError; and as `takeParts`, `joinParts` and the sources do.
 */
export async function joinInto(out: string, { plan, of, extras, replace, sources }: Join, signal: AbortSignal): Promise<readonly FinishedFile[]> {
  const watchdog = new Watchdog();
  const destination = WatchedFolder.over(await DiskDestination.make(out, sources), { watchdog, signal });
  const taken = await takeParts(out);
  try {
    if (taken.count === 0 && (await destination.list()).some(loads)) throw new DestinationError('part-missing', `${out} holds an export and no parts: joined before, it is finished, which verify tells`, { file: out });
    const parts = await watchdog.until(signal, () => joinParts(out, plan, of, signal));
    const beside: ByteSource[] = [];
    for (const extra of extras) beside.push(await contentOf(extra, parts.figures));
    const index = plan.index === null ? null : new MemorySource(INDEX_FILE, new TextEncoder().encode(plan.index));
    const isMoved = parts.there.length === plan.shards.length;
    const own = [...parts.there, ...(await thoseThere(destination, index !== null && isMoved ? [...beside, index] : beside))];
    const names = [...plan.shards.map(({ file }) => file), ...extras.map(({ name }) => name), ...(index ? [INDEX_FILE] : [])];
    const folder = await OutputFolder.prepare(destination, { names, replace, isExportFile, resume: null, own });
    await folder.clearOld([]);
    await destination.remove(JOURNAL_FILE);
    // A single weight file makes the folder load: it comes last.
    if (index) await parts.move();
    for (const source of beside) if (!own.includes(source.name)) await write(destination, source);
    if (index) await write(destination, index);
    else await parts.move();
    await taken.clear();
    return parts.files;
  } finally {
    await taken.release();
  }
}

/** Under the name it is to have. */
async function contentOf({ name, content }: ExtraFile, figures: RunFigures): Promise<ByteSource> {
  const made = typeof content === 'function' ? await content(figures) : content;
  if (made instanceof Uint8Array) return new MemorySource(name, made);
  return { name, size: made.size, read: (begin, end) => made.read(begin, end) };
}

/** Names of `files` that `destination` holds with the same bytes. */
async function thoseThere(destination: Destination, files: readonly ByteSource[]): Promise<string[]> {
  const present = await destination.list();
  const found: string[] = [];
  for (const file of files) if (present.includes(file.name) && (await isSame(file, await destination.open(file.name)))) found.push(file.name);
  return found;
}

async function isSame(a: ByteSource, b: ByteSource): Promise<boolean> {
  if (a.size !== b.size) return false;
  for (let at = 0; at < a.size; at += COPY_BYTES) {
    const end = Math.min(at + COPY_BYTES, a.size);
    const [one, other] = [await a.read(at, end), await b.read(at, end)];
    if (one.some((byte, i) => byte !== other[i])) return false;
  }
  return true;
}

async function write(destination: Destination, source: ByteSource): Promise<void> {
  const sink = await destination.create(source.name);
  try {
    await sink.write(await source.read(0, source.size));
    await sink.close();
  } catch (error) {
    await sink.abort();
    throw error;
  }
}
