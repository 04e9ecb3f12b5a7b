/** The folder a merge writes to: refused when it holds weights, and left without any that load when the merge does not end well. */
import { DestinationError } from '../bytes/errors';
import { JOURNAL_FILE } from '../bytes/source';
import type { ByteSink, ByteSource, Destination } from '../bytes/source';
import { readJournal } from './journal';
import type { Journal } from './journal-types';
import type { WatchedFolder } from './watched-folder';

/** What a loader would take for an export: transformers prefers `model.safetensors`, then the index (faults.md, writing). */
const WEIGHTS = /^model.*\.safetensors$|\.safetensors\.index\.json$/i;
/** transformers loads nothing without it. */
export const CONFIG_FILE = 'config.json';
/** What a browser, or the command line, writes to until a file is final: left behind when it is killed. */
const UNFINISHED = /\.(?:crswap|part)$/i;

export interface FolderRules {
  /** All that will be written. */
  readonly names: readonly string[];
  /** Replace an export that is there, finished or not. */
  readonly replace: boolean;
  /** Whether a file of this name belongs to an export; default: weights and `names` only. */
  readonly isExportFile?: ((name: string) => boolean) | undefined;
  /** The unfinished export that is carried on, null for a new one. */
  readonly resume: Journal | null;
  /** What is there of this very export: nobody's to refuse or remove. */
  readonly own?: readonly string[];
}

export class OutputFolder {
  /** Files that are there because of this run, or may be. */
  private readonly own = new Set<string>();
  /** Of the old config.json, once that is removed. */
  private config: Uint8Array<ArrayBuffer> | null = null;
  /** The old weights may still turn out to be there: they get their config.json back then. */
  private owesConfig = false;

  private constructor(
    private readonly destination: WatchedFolder,
    /** What was there before and still is. */
    private readonly before: Set<string>,
    /** All that will be written. */
    readonly names: readonly string[],
    /** Files of an older export that is there whole: it is replaced, and nothing becomes final before everything is merged. */
    readonly replaces: readonly string[],
  ) {}

  /**
   * Rejects with DestinationError, when `replace` is not set: `unfinished` when the folder holds a journal and something that is finished, `not-empty`, naming the files that would be
   * replaced or removed, when it holds one of `names`, weights or an index. What an unfinished export left is removed, but for
   * the finished shards of one that is carried on.
   */
  static async prepare(destination: WatchedFolder, rules: FolderRules): Promise<OutputFolder> {
    const { names, replace, resume, isExportFile = () => false, own = [] } = rules;
    const before = (await destination.list()).filter((name) => !own.includes(name));
    const old = oldFiles(before, rules);
    const where = { file: destination.name, names: old };
    if (resume === null && !replace) {
      const stale = before.includes(JOURNAL_FILE) ? ((await staleFiles(destination, isExportFile))?.filter((name) => !own.includes(name)) ?? null) : [];
      if (stale === null) throw new DestinationError('unfinished', `${destination.name} holds an unfinished export`, where);
      const inTheWay = old.filter((name) => !stale.includes(name));
      if (inTheWay.some((name) => WEIGHTS.test(name) || names.includes(name))) throw new DestinationError('not-empty', `${destination.name} holds ${inTheWay.join(', ')}`, { ...where, names: inTheWay });
      const folder = new OutputFolder(destination, new Set(before), names, []);
      await folder.clear(stale);
      return folder;
    }
    const isWhole = resume === null ? !before.includes(JOURNAL_FILE) || before.some(loads) : keepsOld(resume, before);
    const known = resume === null ? old : old.filter((name) => names.includes(name) || resume.replaces.includes(name));
    const foreign = old.filter((name) => WEIGHTS.test(name) && !known.includes(name));
    // What came there meanwhile would be loaded instead.
    if (foreign.length > 0) throw new DestinationError('not-empty', `${destination.name} holds ${foreign.join(', ')}`, { file: destination.name, names: foreign });
    const kept = new Set(isWhole ? [] : resume?.done.map(({ file }) => file));
    const debris = before.filter((name) => (isLeftover(name, rules) || (!isWhole && known.includes(name))) && !kept.has(name));
    const folder = new OutputFolder(destination, new Set(before), names, isWhole ? known : []);
    await folder.clear(debris);
    return folder;
  }

  create(name: string): Promise<ByteSink> {
    return this.destination.create(name);
  }

  /** Removes the old export's files, its index first, except those that `names` will replace. */
  clearOld(names: readonly string[]): Promise<void> {
    return this.clear(this.replaces.filter((name) => this.before.has(name) && !names.includes(name)));
  }

  /**
   * Makes a file final. A failure leaves an older file of that name as it was (see `ByteSink.close`); weights that take its place after
   * closing them was given up are taken back.
   */
  async finish(name: string, sink: { close(): Promise<void> }): Promise<void> {
    const replaced = this.before.has(name);
    // A new file is this run's even when closing fails half-way.
    if (!replaced) this.own.add(name);
    try {
      await sink.close();
    } catch (error) {
      if (replaced && this.destination.unsettled.includes(name)) this.destination.later(name, (folder, isFinal) => this.endedLate(name, folder, isFinal));
      throw error;
    }
    this.own.add(name);
  }

  /** Closing `name`, which was to take the place of an older file, has ended after it was given up. */
  private async endedLate(name: string, folder: Destination, isFinal: boolean): Promise<void> {
    if (isFinal) {
      this.own.add(name);
      if (WEIGHTS.test(name)) await folder.remove(name);
    } else if (this.owesConfig) await restoreConfig(folder, this.config!);
  }

  /** Removes the old config.json, without which nothing loads: the new weights are not to be read with what is beside the old ones. */
  async setConfigAside(): Promise<void> {
    if (!this.replaces.includes(CONFIG_FILE)) return;
    const source = await this.destination.open(CONFIG_FILE);
    this.config = await source.read(0, source.size);
    await this.clear([CONFIG_FILE]);
  }

  /** Removes files that the run does not want, or does not trust. */
  async clear(names: readonly string[]): Promise<void> {
    for (const name of indexFirst(names)) {
      await this.destination.remove(name);
      this.before.delete(name);
    }
  }

  /**
   * Removes what is this run's and final, the index first, but for `keep`. What it replaced cannot come back: such a weight file is
   * removed, a sidecar left; while nothing was, the older export is as it was, but for the config.json that was set aside when its new
   * weights may still appear: those are `unsettled`. Resolves to the names that could not be removed, and these.
   */
  async discard(keep: ReadonlySet<string>, unsettled: readonly string[] = []): Promise<string[]> {
    const hasWeights = [...this.own, ...unsettled].some((name) => WEIGHTS.test(name));
    this.owesConfig = this.config !== null;
    if (this.config !== null && !hasWeights) await restoreConfig(this.destination, this.config);
    const left = unsettled.filter((name) => name !== JOURNAL_FILE && !keep.has(name) && !this.own.has(name));
    if (this.own.size === 0) return left;
    // What was beside weights that are gone is nobody's.
    if (this.config !== null) for (const name of this.replaces) if (this.before.has(name) && !this.names.includes(name)) await this.destination.remove(name).catch(() => left.push(name));
    const present = [...(await this.destination.list().catch(() => [...this.own])), ...unsettled];
    for (const name of indexFirst([...this.own].filter((own) => present.includes(own)))) {
      if (keep.has(name) || (this.before.has(name) && !WEIGHTS.test(name))) continue;
      await this.destination.remove(name).catch(() => left.push(name));
    }
    return [...new Set(left)];
  }

  /** Files of an earlier run are this run's. */
  adopt(names: readonly string[]): void {
    for (const name of names) {
      this.before.delete(name);
      this.own.add(name);
    }
  }
  /** Whether it is this run's and final. */
  hasFinished(name: string): boolean {
    return this.own.has(name);
  }
  /** Whether it was there before and still is. */
  has(name: string): boolean {
    return this.before.has(name);
  }
  open(name: string): Promise<ByteSource> {
    return this.destination.open(name);
  }
}

/** Gives the old export its config.json back, if it can. */
async function restoreConfig(folder: Destination, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  const sink = await folder.create(CONFIG_FILE).catch(() => null);
  try {
    await sink?.write(bytes);
    await sink?.close();
  } catch {
    await sink?.abort();
  }
}

/** Files of `present` that are of an export: those that a new one would have to take the place of. */
export function oldFiles(present: readonly string[], { names, isExportFile }: Pick<FolderRules, 'names' | 'isExportFile'>): string[] {
  const isWeight = (name: string) => WEIGHTS.test(name) || names.includes(name);
  // A tokenizer alone is the user's: there is no export that it belongs to.
  const hasExport = present.some((name) => isWeight(name) || name === JOURNAL_FILE);
  return present.filter((name) => isWeight(name) || (hasExport && isExportFile?.(name) === true));
}

/**
 * What an unfinished export left in `folder`, in the order to remove it, its journal last: what it made, and what the storage left of
 * files that never became final. Of an older export that is still whole nothing. Without a journal that can be read, weights that no
 * loader finds.
 */
export async function debrisOf(folder: Destination, journal: Journal | null, isExportFile: (name: string) => boolean): Promise<string[]> {
  const before = await folder.list();
  const names = journal?.files ?? [];
  const isOld = journal === null ? before.some(loads) : keepsOld(journal, before);
  const own = before.filter((name) => (journal === null ? WEIGHTS.test(name) : names.includes(name) && !(isOld && journal.replaces.includes(name))));
  const leftovers = before.filter((name) => isLeftover(name, { names, isExportFile }));
  return [...indexFirst(journal === null && isOld ? [] : own), ...leftovers, ...before.filter((name) => name === JOURNAL_FILE)];
}

/** What `debrisOf` an unfinished export lists when nothing of it is finished, so that nobody misses it; null where something is, or may be. */
async function staleFiles(folder: Destination, isExportFile: (name: string) => boolean): Promise<string[] | null> {
  const journal = await readJournal(folder).catch(() => null);
  if (journal === null) return null;
  const present = await folder.list();
  const isThere = journal.done.some(({ file }) => present.includes(file));
  return isThere && !keepsOld(journal, present) ? null : debrisOf(folder, journal, isExportFile);
}

/** What the storage left of a file that never became final. */
function isLeftover(name: string, { names, isExportFile }: Pick<FolderRules, 'names' | 'isExportFile'>): boolean {
  if (!UNFINISHED.test(name)) return false;
  const stem = name.replace(UNFINISHED, '');
  return stem === JOURNAL_FILE || WEIGHTS.test(stem) || names.includes(stem) || isExportFile?.(stem) === true;
}

/** Whether an unfinished export has not begun to take the place of the older one: the first it does is to remove a file of that. */
export function keepsOld({ replaces, isReplaced }: Journal, present: readonly string[]): boolean {
  return !isReplaced && replaces.length > 0 && replaces.every((name) => present.includes(name));
}

const isIndex = (name: string) => name.endsWith('.index.json');
/** Whether a loader finds weights by a file of this name. */
export const loads = (name: string) => name === 'model.safetensors' || (WEIGHTS.test(name) && isIndex(name));

/** Without what loads a folder is visibly incomplete (faults.md B 41); the config tells to the last whose the files beside it are. */
function indexFirst(names: readonly string[]): string[] {
  const rank = (name: string) => (loads(name) ? 0 : name === CONFIG_FILE ? 2 : 1);
  return [...names].sort((a, b) => rank(a) - rank(b));
}
