/** The merge steps of a run that are under way: several at the backend, the inputs of the next on their way, output in order. */
import { CancelledError } from '../bytes/errors';
import type { Backend } from './backend';
import { groupsBudget, holdingOf, stepAdds } from './budget';
import type { ChunkReader } from './chunk-reading';
import type { Prepared, StepContext, Write } from './groups';
import type { MergeStep, Step } from './plan-types';
import type { Meter } from './progress';
import type { Sources } from './reading';
import type { Recompute } from './spot-check';
import { readWindow, windowsOf } from './windows';
import type { Window } from './windows';

export interface PipelineMeans {
  readonly backend: Backend;
  readonly sources: Sources;
  readonly meter: Meter;
  readonly signal: AbortSignal | undefined;
  /** Bytes that reading ahead may hold; groups under way hold up to `groupsBudget`. */
  readonly readAheadBytes: number;
  /** See `RunHooks.recompute`. */
  readonly recompute?: Recompute | undefined;
  /** Hears of a step that fails ahead of its turn, which `finish` tells when that comes. */
  readonly onFault?: ((reason: unknown) => void) | undefined;
}

/** What carries out the steps of a run that are no copies. Steps are finished in their order. */
export interface StepRunner<Outcome> {
  /** Begins what may begin before the first step is asked for. */
  begin(): void;
  /** Step `at`, whose output goes to `write` now. Rejects as the backend and sources do. */
  finish(at: number, write: Write): Promise<Outcome>;
  /** Copy step `at` begins: what follows may be read meanwhile. */
  pass(at: number): void;
  /** Of a runner that reads from sources of its own: see `Sources.unchanged`. */
  unchanged?(): Promise<void>;
  /** Ends what is under way and waits for it. Never rejects. */
  stop(): Promise<void>;
}

/** A step whose reading has begun. */
interface UnderWay<Outcome> {
  readonly step: MergeStep;
  readonly window: LiveWindow<Outcome>;
  readonly reader: ChunkReader;
  /** What is read before it begins is here; a failure is met by the merge. */
  readonly ready: Promise<void>;
  /** Null until the backend has it. */
  merging: Promise<Outcome> | null;
  isMerged: boolean;
  /** Settled when the output of everything before it is written. */
  readonly turn: Turn;
}

/** A window whose reading has begun. */
interface LiveWindow<Outcome> {
  readonly window: Window;
  readonly steps: UnderWay<Outcome>[];
  /** All of it has been read once. */
  isReadOut: boolean;
}

/** Waited for by a step's output. */
class Turn {
  give!: (write: Write) => void;
  refuse!: (reason: CancelledError) => void;
  readonly come = new Promise<Write>((resolve, reject) => {
    this.give = resolve;
    this.refuse = reject;
  });

  constructor() {
    // A step may end, or never begin, without having written.
    this.come.catch(() => {});
  }
}

/**
 * Steps begin in their order, and are read in windows (windows.ts). The next window is read once all of the last one has been read,
 * so that the disk is never asked for two places at once, and once one of the last one's groups has begun. A group is handed to the
 * backend as soon as that takes another (`Backend.concurrency`): no worker then waits for another's group to end. Both wait where
 * more than the budget would be held (budget.ts). A group that comes to writing before its turn waits, which bounds what is held.
 */
export class Pipeline<Outcome> implements StepRunner<Outcome> {
  private readonly underWay = new Map<number, UnderWay<Outcome>>();
  private readonly stopping = new AbortController();
  /** Those not read yet, as long as so much may be held. */
  private windows: { left: Window[]; readonly readAheadBytes: number };
  /** First step that has not begun. */
  private next = 0;
  private hasFailed = false;

  constructor(
    private readonly steps: readonly Step[],
    private readonly means: PipelineMeans,
    /** What is done with a step, `mergeStep` for one. */
    private readonly act: (prepared: Prepared, context: StepContext) => Promise<Outcome>,
  ) {
    this.windows = { left: windowsOf(steps, means.readAheadBytes), readAheadBytes: means.readAheadBytes };
    means.signal?.addEventListener('abort', () => this.stopping.abort(), { once: true });
  }

  begin(): void {
    this.advance();
  }

  async finish(at: number, write: Write): Promise<Outcome> {
    if (!this.underWay.has(at)) this.enter();
    const own = this.underWay.get(at)!;
    own.turn.give(write);
    if (own.merging === null) this.hand(own);
    this.advance();
    try {
      return await own.merging!;
    } finally {
      this.underWay.delete(at);
    }
  }

  pass(at: number): void {
    this.next = Math.max(this.next, at + 1);
    this.advance();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    const left = [...this.underWay.values()];
    for (const { turn } of left) turn.refuse(new CancelledError());
    await Promise.allSettled(left.map(({ merging, ready }) => merging ?? ready));
  }

  private advance(): void {
    while (!this.stopping.signal.aborted && !this.hasFailed) {
      const waiting = [...this.underWay.values()].find(({ merging }) => merging === null);
      if (waiting && this.mayHand(waiting)) this.hand(waiting);
      else if (this.mayEnter()) this.enter();
      else return;
    }
  }

  private get atBackend(): readonly UnderWay<Outcome>[] {
    return [...this.underWay.values()].filter(({ merging, isMerged }) => merging !== null && !isMerged);
  }

  /** Windows of which some group is not merged. */
  private get live(): readonly LiveWindow<Outcome>[] {
    const windows = [...this.underWay.values()].filter(({ isMerged }) => !isMerged).map(({ window }) => window);
    return [...new Set(windows)];
  }

  private get held(): number {
    const holding = this.holding;
    const read = this.live.reduce((sum, { window }) => sum + window.bytes, 0);
    return this.atBackend.reduce((sum, { step, window }) => sum + stepAdds(step, window.window, holding), read);
  }

  private get holding() {
    return holdingOf(this.means.backend, this.means.readAheadBytes);
  }

  private mayHand({ step, window }: UnderWay<Outcome>): boolean {
    const { concurrency } = this.holding;
    const { length } = this.atBackend;
    return length === 0 || (length < concurrency && this.held + stepAdds(step, window.window, this.holding) <= groupsBudget(this.means));
  }

  /** Beside the windows that are read there must be room for any of their groups at the backend. */
  private mayEnter(): boolean {
    const window = this.nextWindow();
    // Copies are made in their turn; what comes after one is read when it begins.
    if (window?.first !== this.next) return false;
    const { live } = this;
    if (live.length === 0) return true;
    if (live.some(({ isReadOut, steps }) => !isReadOut || steps.every(({ merging }) => merging === null))) return false;
    const { holding } = this;
    const adds = (one: Window) => Math.max(...one.steps.map((step) => stepAdds(step, one, holding)));
    const all = [...live.map((one) => one.window), window];
    const alone = all.reduce((sum, { bytes }) => sum + bytes, 0) + Math.max(...all.map(adds));
    return Math.max(alone, this.held + window.bytes) <= groupsBudget(this.means);
  }

  /** Less may be held than when windows were made: what is left is cut anew. */
  private nextWindow(): Window | undefined {
    const { readAheadBytes } = this.means;
    if (readAheadBytes !== this.windows.readAheadBytes) {
      const from = this.windows.left[0]?.first ?? this.steps.length;
      const left = windowsOf(this.steps.slice(from), readAheadBytes).map((window) => ({ ...window, first: window.first + from }));
      this.windows = { left, readAheadBytes };
    }
    return this.windows.left[0];
  }

  /** Starts reading the next window. */
  private enter(): void {
    const window = this.nextWindow()!;
    this.windows.left.shift();
    const { readers, ready } = readWindow(window, this.means.sources, this.means.readAheadBytes);
    ready.catch((error: unknown) => this.means.onFault?.(error));
    const live: LiveWindow<Outcome> = { window, steps: [], isReadOut: false };
    const readOut = () => {
      if (live.isReadOut) return;
      live.isReadOut = true;
      this.advance();
    };
    for (const [k, step] of window.steps.entries()) {
      const own: UnderWay<Outcome> = { step, window: live, reader: readers[k]!, ready, merging: null, isMerged: false, turn: new Turn() };
      live.steps.push(own);
      this.underWay.set(window.first + k, own);
    }
    // The stretches of a group that has several are read while it is merged; what is read together is all there is of a window.
    if (window.steps.length > 1) void ready.then(readOut, () => {});
    else readers[0]!.onLastStretch = readOut;
    this.next = window.first + window.steps.length;
  }

  private hand(own: UnderWay<Outcome>): void {
    const { backend, sources, meter, recompute } = this.means;
    own.merging = this.act(own, { backend, sources, meter, turn: own.turn.come, signal: this.stopping.signal, recompute })
      .catch((error: unknown) => {
        // Nothing more is begun: the run learns of it when this step's turn comes, or by `onFault`.
        this.hasFailed = true;
        this.means.onFault?.(error);
        throw error;
      })
      .finally(() => {
        own.isMerged = true;
        if (own.window.steps.length === 1) own.window.isReadOut = true;
        this.advance();
      });
    // Met when its turn comes.
    own.merging.catch(() => {});
  }
}
