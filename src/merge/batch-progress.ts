/** Several merges in one run, and how far they are as one. */
import type { BatchPlan, Wave } from './batch-plan';
import type { JournalHooks } from './journaling';
import type { MergePlan } from './plan-types';
import { Stopwatch } from './progress';
import type { RunProgress } from './progress';
import type { OpenShard } from './reading';
import type { ExtraFile } from './run-types';

export interface BatchItem {
  /** Folder within the destination; no two of a batch are equal, whatever the case. */
  readonly folder: string;
  readonly plan: MergePlan;
  readonly extras: readonly ExtraFile[];
  /** Makes its run resumable; with `resume` it is the one that lies in its folder. */
  readonly journal?: JournalHooks;
}

export interface BatchProgress extends RunProgress {
  readonly foldersDone: number;
  readonly folders: number;
}

const PHASES: readonly RunProgress['phase'][] = ['checking', 'ranking', 'reading', 'finalising', 'verifying', 'rechecking'];

/** Adds up what the runs tell; reading is counted where the files are, since what one run reads serves all. */
export class BatchMeter {
  private readonly latest = new Map<number, RunProgress>();
  private readonly started: number;
  private readonly reads: Stopwatch;
  private readonly pauses: Stopwatch;
  private bytesRead = 0;
  private foldersDone = 0;
  private current: readonly number[] = [];

  constructor(
    private readonly items: readonly BatchItem[],
    private readonly batch: BatchPlan,
    private readonly onProgress: ((progress: BatchProgress) => void) | undefined,
    private readonly now: () => number,
    private readonly rechecks: boolean,
  ) {
    this.started = now();
    this.reads = new Stopwatch(now);
    this.pauses = new Stopwatch(now);
    this.current = batch.waves[0]?.entries ?? [];
  }

  /** `openShard` with what is read counted. */
  watching(openShard: OpenShard): OpenShard {
    return async (checkpoint, shard, again) => {
      const source = await openShard(checkpoint, shard, again);
      if (again) return source;
      return {
        name: source.name,
        size: source.size,
        read: async (begin, end) => {
          const bytes = await this.reads.during(() => source.read(begin, end));
          this.bytesRead += bytes.length;
          this.report();
          return bytes;
        },
      };
    };
  }

  pausing(act: () => Promise<void>): Promise<void> {
    return this.pauses.during(act);
  }
  tell(entry: number, progress: RunProgress): void {
    // What is computed again is counted by what is read for it.
    this.latest.set(entry, progress.phase === 'rechecking' ? { ...this.latest.get(entry)!, phase: 'rechecking' } : progress);
    this.report();
  }
  finish({ entries }: Wave): void {
    this.foldersDone += entries.length;
    this.current = this.batch.waves.find((wave) => wave.entries.every((entry) => !this.latest.has(entry)))?.entries ?? [];
    this.report();
  }

  get elapsedMs(): number {
    return this.now() - this.started - this.pauses.ms;
  }

  private report(): void {
    const all = [...this.latest.values()];
    const sum = (of: (progress: RunProgress) => number) => all.reduce((total, one) => total + of(one), 0);
    const { elapsedMs } = this;
    const phases = this.current.map((entry) => PHASES.indexOf(this.latest.get(entry)?.phase ?? 'reading'));
    const left = this.batch.waves.flatMap(({ entries }) => entries);
    const bytesToRead = this.batch.bytesRead + (this.rechecks ? left.reduce((total, entry) => total + this.items[entry]!.plan.bytesRead, 0) : 0);
    this.onProgress?.({
      // The others wait for the one that is computed again.
      phase: phases.includes(PHASES.indexOf('rechecking')) ? 'rechecking' : phases.length > 0 ? PHASES[Math.min(...phases)]! : 'verifying',
      tensorsDone: sum((one) => one.tensorsDone),
      tensors: this.items.reduce((total, { plan }) => total + plan.tensors, 0),
      bytesRead: this.bytesRead,
      bytesReadTotal: Math.max(bytesToRead, this.bytesRead),
      bytesWritten: sum((one) => one.bytesWritten),
      bytesWrittenTotal: this.batch.bytesWritten,
      bytesVerified: sum((one) => one.bytesVerified),
      readingMs: this.reads.ms,
      // The runs' own times overlap.
      computingMs: Math.min(elapsedMs, sum((one) => one.computingMs)),
      writingMs: Math.min(elapsedMs, sum((one) => one.writingMs)),
      elapsedMs,
      foldersDone: this.foldersDone,
      folders: this.items.length,
    });
  }
}
