/** The merge steps of several runs over the same inputs: each group is read once and merged with every run's parameters. */
import { CancelledError } from '../bytes/errors';
import type { ReadSegment } from './backend';
import { isHeld } from './batch-plan';
import { ChunkReader } from './chunk-reading';
import { mergeStep } from './groups';
import type { GroupOutcome, SegmentReader, Write } from './groups';
import { inputPart } from './inputs';
import type { PipelineMeans, StepRunner } from './pipeline';
import type { MergeStep, Step } from './plan-types';
import { Sources } from './reading';
import type { OpenShard, ReadWatch } from './reading';
import { sideBySide } from './side-by-side';

/** A run that has come to a step and waits for the others. */
interface Arrival {
  readonly step: MergeStep;
  readonly write: Write;
  readonly means: PipelineMeans;
  resolve(outcome: GroupOutcome): void;
  reject(reason: unknown): void;
}

/** A group whose reading has begun. */
interface Reading {
  readonly at: number;
  readonly reader: ChunkReader;
  readonly ready: Promise<void>;
}

/**
 * Runs of plans with the same steps (`planBatch`) go side by side: a step begins when all have come to it, so that none is more
 * than a group ahead. While a group is merged for the last runs, the next one's beginning is read. A group that may not be kept
 * is read by every run for itself, one after the other.
 */
export class SharedSteps {
  private readonly stopping = new AbortController();
  private arrivals: Arrival[] = [];
  private sources: Sources | null = null;
  private next: Reading | null = null;
  private working: Promise<unknown> = Promise.resolve();
  /** Once, for all runs: the first comes here when all have merged everything. */
  private compared: Promise<void> | null = null;
  /** Bytes that reading ahead may hold since memory ran out. */
  private mostAhead = Infinity;

  /** `onGroup`: all runs have merged a group. */
  constructor(
    private readonly runs: number,
    private readonly openShard: OpenShard,
    private readonly holdBytes: number,
    private readonly watch: Pick<ReadWatch, 'ready' | 'watchdog'>,
    private readonly onGroup: () => void,
    signal: AbortSignal,
  ) {
    // A run that fails before it comes to a step is not to be waited for.
    signal.addEventListener('abort', () => void this.stop(), { once: true });
  }

  /** A run's part, for `RunHooks.stepsBy`. */
  readonly join = (steps: readonly Step[], means: PipelineMeans): StepRunner<GroupOutcome> => {
    this.sources ??= this.sourcesOf(means);
    return {
      begin: () => {},
      pass: () => {},
      finish: (at, write) => this.arrive(at, steps, write, means),
      unchanged: () => (this.compared ??= this.sources!.unchanged()),
      stop: () => this.stop(),
    };
  };

  private sourcesOf(means: PipelineMeans): Sources {
    const watch: ReadWatch = {
      ...this.watch,
      reading: (_, read) => read(),
      short: () => (this.mostAhead = Math.ceil(Math.min(this.mostAhead, means.readAheadBytes) / 2)),
      signal: this.stopping.signal,
    };
    return new Sources(this.openShard, watch, (request) => means.backend.adapt(request, this.stopping.signal));
  }

  private arrive(at: number, steps: readonly Step[], write: Write, means: PipelineMeans): Promise<GroupOutcome> {
    if (this.stopping.signal.aborted) return Promise.reject(new CancelledError());
    const come = new Promise<GroupOutcome>((resolve, reject) => this.arrivals.push({ step: steps[at] as MergeStep, write, means, resolve, reject }));
    if (this.arrivals.length === this.runs) {
      const all = this.arrivals;
      this.arrivals = [];
      this.working = this.merge(at, steps, all).catch((error: unknown) => all.forEach(({ reject }) => reject(error)));
    }
    return come;
  }

  /** Ends what is under way; every run that waits is refused. Never rejects. */
  private async stop(): Promise<void> {
    this.stopping.abort();
    for (const { reject } of this.arrivals.splice(0)) reject(new CancelledError());
    await this.working;
    await this.next?.ready.catch(() => {});
    this.next = null;
  }

  private async merge(at: number, steps: readonly Step[], all: readonly Arrival[]): Promise<void> {
    const [{ step, means }] = all as [Arrival];
    const outcomes = isHeld(step, this.holdBytes) ? await this.mergeHeld(at, steps, all) : await sideBySide(all, 1, (one) => this.mergeOne(one, this.begin(at, step, means)));
    this.onGroup();
    all.forEach(({ resolve }, i) => resolve(outcomes[i]!));
  }

  private async mergeHeld(at: number, steps: readonly Step[], all: readonly Arrival[]): Promise<GroupOutcome[]> {
    const [{ step, means }] = all as [Arrival];
    const reading = this.next?.at === at ? this.next : this.begin(at, step, means);
    this.next = null;
    const values = new HeldValues(reading.reader);
    reading.reader.onLastStretch = () => {
      const following = steps[at + 1];
      if (following?.kind === 'merge' && isHeld(following, this.holdBytes) && !this.stopping.signal.aborted) this.next ??= this.begin(at + 1, following, means);
    };
    return sideBySide(all, means.backend.concurrency ?? 1, (one) => this.mergeOne(one, { reader: values, ready: reading.ready }));
  }

  private begin(at: number, { group, inputs }: MergeStep, { readAheadBytes, onFault }: PipelineMeans): Reading {
    const reader = new ChunkReader(group, this.sources!, ({ slot, first, count }, input) => inputPart(group.slots[slot]!, input, inputs[slot]![input]!, first, count), Math.min(this.mostAhead, readAheadBytes));
    const ready = reader.begin();
    // Met by the merge, or by nobody when the runs stop; a run that waits for the end of a pause is to hear of it now.
    ready.catch((error: unknown) => onFault?.(error));
    return { at, reader, ready };
  }

  private mergeOne({ step, write, means }: Arrival, { reader, ready }: { readonly reader: SegmentReader; readonly ready: Promise<void> }): Promise<GroupOutcome> {
    const { backend, sources, meter, recompute } = means;
    if (this.stopping.signal.aborted) return Promise.reject(new CancelledError());
    return mergeStep({ step, reader, ready }, { backend, sources, meter, turn: Promise.resolve(write), signal: this.stopping.signal, recompute });
  }
}

/** A group's segments, each read when it is first asked for and kept. */
class HeldValues implements SegmentReader {
  private readonly values = new Map<string, Promise<Uint8Array<ArrayBuffer>>>();

  constructor(private readonly reader: SegmentReader) {}

  readonly read: ReadSegment = async (segment, input) => {
    const key = `${segment.slot}:${segment.first}:${segment.count}:${input}`;
    const found = this.values.get(key) ?? this.reader.read(segment, input);
    this.values.set(key, found);
    // A backend may keep or transfer what it reads.
    return (await found).slice();
  };
}
