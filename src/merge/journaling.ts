/** The journal of a run: written before anything else, with every shard before that becomes final, removed when all is done. */
import { StudioError, asStudioError } from '../bytes/errors';
import { JOURNAL_FILE } from '../bytes/source';
import type { Destination } from '../bytes/source';
import { encodeJournal } from './journal';
import type { FinishedShard, Journal, JournalSubject } from './journal-types';
import type { ByteRange, MergePlan } from './plan-types';
import { layoutOf, shardFileBytes } from './shards';
import type { WatchedFolder } from './watched-folder';

/** Makes a run resumable. */
export interface JournalHooks {
  readonly subject: JournalSubject;
  /** The journal in the destination, whose finished shards are kept. */
  readonly resume?: Journal;
  /** Whether a file was written after the journal's merge read it; default: none was. */
  readonly isWritten?: (range: ByteRange) => boolean;
  /** Of the shards that could be kept, by file, those that will be: runs that go side by side keep the same. */
  readonly agree?: (files: readonly string[]) => Promise<readonly string[]>;
  /** Milliseconds since the epoch, default `Date.now`. */
  readonly date?: () => number;
}

export class Journaling {
  private readonly done = new Map<string, FinishedShard>();
  private readonly started: number;
  private readonly layout: string;
  private isThere: boolean;
  private isReplaced = false;

  constructor(
    private readonly plan: MergePlan,
    private readonly destination: WatchedFolder,
    private readonly hooks: JournalHooks,
    /** All that will be written. */
    private readonly files: readonly string[],
    /** Files of an older export that the run takes the place of. */
    private readonly replaces: readonly string[],
  ) {
    this.started = hooks.resume?.started ?? this.now();
    this.layout = layoutOf(plan);
    this.isThere = hooks.resume !== undefined;
  }

  /** The storage has all bytes of these shards, or has them since an earlier run. */
  add(shards: readonly FinishedShard[]): void {
    for (const shard of shards) this.done.set(shard.file, shard);
  }

  /** Makes what is known final. A crash leaves this journal or the one before, never half of one. */
  async write(folder: Destination = this.destination): Promise<void> {
    const { plan, layout, files, replaces, isReplaced, started } = this;
    const shards = plan.shards.map((shard) => ({ file: shard.file, bytes: shardFileBytes(shard) }));
    const bytes = encodeJournal({ subject: this.hooks.subject, started, updated: this.now(), layout, shards, files, replaces, isReplaced, done: [...this.done.values()] });
    this.isThere = true;
    const sink = await folder.create(JOURNAL_FILE);
    try {
      await sink.write(bytes);
      await sink.close();
    } catch (error) {
      await sink.abort();
      throw error;
    }
  }

  /** The run's weights have taken the place of an older export's: it is no longer there, even when all its names are again. */
  async replaced(): Promise<void> {
    this.isReplaced = true;
    await this.write();
  }

  /** The export is complete. */
  remove(): Promise<void> {
    return this.destination.remove(JOURNAL_FILE);
  }

  /**
   * The run failed and leaves the shards `files`; without any there is nothing to resume, and no journal either, unless something is
   * left that could not be removed (`isLittered`): the next run then knows whose it is. Resolves to whether the folder is as it says.
   */
  async settle(files: ReadonlySet<string>, isLittered: boolean): Promise<boolean> {
    if (!this.isThere) return true;
    const known = this.done.size;
    for (const file of [...this.done.keys()]) if (!files.has(file)) this.done.delete(file);
    // What is under way may be its removal.
    if (this.done.size > 0 && this.destination.unsettled.includes(JOURNAL_FILE)) this.destination.later(JOURNAL_FILE, (folder) => this.write(folder));
    try {
      if (this.done.size === 0 && !isLittered) await this.remove();
      // One that names shards that are not there misleads nobody: a resumed run looks.
      else if (this.done.size < known) await this.write();
      return true;
    } catch {
      return this.done.size > 0 || isLittered;
    }
  }

  private now(): number {
    return Math.trunc((this.hooks.date ?? Date.now)());
  }
}

/**
 * Whether shards that were finished before `error` are what they should be: not where values were computed wrongly, where a source
 * changed unseen, or where the merge as decided cannot be made at all.
 */
export function leavesShards(error: unknown): boolean {
  const { code, reason } = error instanceof StudioError ? error : asStudioError(error);
  return code !== 'incompatible-checkpoints' && code !== 'invalid-recipe' && !['computed-differs', 'recheck-differs', 'backend-output', 'changed-during'].includes(reason);
}
