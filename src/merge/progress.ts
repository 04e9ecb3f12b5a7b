/** How far a merge is and what the time goes to. */

/** How far a run is; crosses the worker as it is. */
export interface RunProgress {
  /**
   * `checking`: what an earlier run finished is read again; `ranking`: keys are counted over the whole model before the first
   * tensor is merged; `rechecking`: all is computed again and compared.
   */
  readonly phase: 'checking' | 'ranking' | 'reading' | 'finalising' | 'verifying' | 'rechecking';
  readonly tensorsDone: number;
  readonly tensors: number;
  /** Bytes read for the merge: those of `verifying` are in `bytesVerified`. */
  readonly bytesRead: number;
  /** The plan's, and more once a backend has read something again. */
  readonly bytesReadTotal: number;
  /** Bytes of weight files that their sinks have taken. */
  readonly bytesWritten: number;
  readonly bytesWrittenTotal: number;
  readonly bytesVerified: number;
  /** Milliseconds in which at least one read (write) was under way; they overlap with everything else. */
  readonly readingMs: number;
  readonly writingMs: number;
  /** Milliseconds in which the backend had a group for which it was neither waiting for bytes nor for room to write. */
  readonly computingMs: number;
  /** Milliseconds since the start, pauses left out. */
  readonly elapsedMs: number;
}

/** Time in which at least one of several overlapping activities was under way. */
export class Stopwatch {
  private running = 0;
  private since = 0;
  private total = 0;

  constructor(private readonly now: () => number) {}

  begin(): void {
    if (this.running++ === 0) this.since = this.now();
  }
  end(): void {
    if (--this.running === 0) this.total += this.now() - this.since;
  }
  async during<T>(act: () => Promise<T>): Promise<T> {
    this.begin();
    try {
      return await act();
    } finally {
      this.end();
    }
  }
  /** Milliseconds so far. */
  get ms(): number {
    return this.total + (this.running > 0 ? this.now() - this.since : 0);
  }
}

/** The time in which the backend computes one of the groups it has. */
export class GroupMeter {
  /** Callbacks that the backend is waiting for. */
  private waits = 0;

  constructor(private readonly computes: Stopwatch) {}

  /** While the backend has the group. */
  computing<T>(act: () => Promise<T>): Promise<T> {
    return this.computes.during(act);
  }
  /** While the backend waits for its caller, at least once: that is no computing. */
  async handing<T>(act: () => Promise<T>): Promise<T> {
    if (this.waits++ === 0) this.computes.end();
    try {
      return await act();
    } finally {
      if (--this.waits === 0) this.computes.begin();
    }
  }
}

export interface Totals {
  readonly tensors: number;
  readonly bytesRead: number;
  readonly bytesWritten: number;
}

/** Counts what a run does. */
export class Meter {
  phase: RunProgress['phase'] = 'reading';
  private tensorsDone = 0;
  private bytesRead = 0;
  private bytesReadAgain = 0;
  /** Of the plan, not read: what is made of them is there. */
  private bytesKept = 0;
  private bytesWritten = 0;
  private bytesVerified = 0;
  private isStopped = false;
  private readonly started: number;
  private readonly reads: Stopwatch;
  private readonly writes: Stopwatch;
  private readonly computes: Stopwatch;
  private readonly pauses: Stopwatch;

  constructor(
    private readonly totals: Totals,
    private readonly onProgress: ((progress: RunProgress) => void) | undefined,
    private readonly now: () => number,
  ) {
    this.started = now();
    const stopwatch = () => new Stopwatch(now);
    [this.reads, this.writes, this.computes, this.pauses] = [stopwatch(), stopwatch(), stopwatch(), stopwatch()];
  }

  async reading<T>(bytes: number, read: () => Promise<T>): Promise<T> {
    const result = await this.reads.during(read);
    this.bytesRead += bytes;
    this.report();
    return result;
  }
  /** Bytes that were planned to be read once and are read once more. */
  readingAgain(bytes: number): void {
    this.bytesReadAgain += bytes;
  }
  async writing(bytes: number, write: () => Promise<void>): Promise<void> {
    await this.writes.during(write);
    this.bytesWritten += bytes;
    this.report();
  }
  async verifying<T>(bytes: number, read: () => Promise<T>): Promise<T> {
    const result = await this.reads.during(read);
    this.bytesVerified += bytes;
    this.report();
    return result;
  }
  /** Of a group that is handed to the backend. */
  group(): GroupMeter {
    return new GroupMeter(this.computes);
  }
  pausing(act: () => Promise<void>): Promise<void> {
    return this.pauses.during(act);
  }
  /** What an earlier run did: bytes that need not be read, and what is written. */
  keeping(done: Totals): void {
    this.bytesKept += done.bytesRead;
    this.bytesWritten += done.bytesWritten;
    this.finish(done.tensors);
  }
  finish(tensors: number): void {
    this.tensorsDone += tensors;
    this.report();
  }
  enter(phase: RunProgress['phase']): void {
    this.phase = phase;
    this.report();
  }

  get elapsedMs(): number {
    return this.now() - this.started - this.pauses.ms;
  }

  /** Nothing is told from now on. */
  stop(): void {
    this.isStopped = true;
  }

  private report(): void {
    if (this.isStopped) return;
    this.onProgress?.({
      phase: this.phase,
      tensorsDone: this.tensorsDone,
      tensors: this.totals.tensors,
      bytesRead: this.bytesRead,
      bytesReadTotal: this.totals.bytesRead + this.bytesReadAgain - this.bytesKept,
      bytesWritten: this.bytesWritten,
      bytesWrittenTotal: this.totals.bytesWritten,
      bytesVerified: this.bytesVerified,
      readingMs: this.reads.ms,
      computingMs: this.computes.ms,
      writingMs: this.writes.ms,
      elapsedMs: this.elapsedMs,
    });
  }
}
