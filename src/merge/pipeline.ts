/** The merge steps of a run that are under way: several at the backend, the inputs of the next on their way, output in order. */
import { CancelledError } from '../bytes/errors';
import type { Backend } from './backend';
import { holdingOf, mayBegin, stepHolds } from './budget';
import { ChunkReader } from './chunk-reading';
import type { Prepared, StepContext, Write } from './groups';
import type { MergeStep, Step } from './plan-types';
import type { Meter } from './progress';
import { inputPart } from './inputs';
import type { Sources } from './reading';
import type { Recompute } from './spot-check';

export interface PipelineMeans {
  readonly backend: Backend;
  readonly sources: Sources;
  readonly meter: Meter;
  readonly signal: AbortSignal | undefined;
  /** Bytes that reading ahead may hold. */
  readonly readAheadBytes: number;
  /** See `RunHooks.recompute`. */
  readonly recompute?: Recompute | undefined;
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
  readonly reader: ChunkReader;
  /** Its first stretch is here; a failure is met by the merge. */
  readonly ready: Promise<void>;
  /** All of it has been read once. */
  isReadOut: boolean;
  /** Null until the backend has it. */
  merging: Promise<Outcome> | null;
  isMerged: boolean;
  /** Settled when the output of everything before it is written. */
  readonly turn: Turn;
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
 * Steps begin in their order. The next one is read once all of the last one has been read, so that the disk is never asked for
 * two places at once, and is handed to the backend as soon as that takes another group (`Backend.concurrency`): no worker then
 * waits for another's group to end. It waits where both would hold more than the budget (budget.ts). A group that comes to writing before its turn waits, which bounds what is held.
 */
export class Pipeline<Outcome> implements StepRunner<Outcome> {
  private readonly underWay = new Map<number, UnderWay<Outcome>>();
  private readonly stopping = new AbortController();
  /** First step that has not begun. */
  private next = 0;
  private hasFailed = false;

  constructor(
    private readonly steps: readonly Step[],
    private readonly means: PipelineMeans,
    /** What is done with a step, `mergeStep` for one. */
    private readonly act: (prepared: Prepared, context: StepContext) => Promise<Outcome>,
  ) {
    means.signal?.addEventListener('abort', () => this.stopping.abort(), { once: true });
  }

  begin(): void {
    this.advance();
  }

  async finish(at: number, write: Write): Promise<Outcome> {
    if (!this.underWay.has(at)) this.enter(at);
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
    const concurrency = this.means.backend.concurrency ?? 1;
    while (!this.stopping.signal.aborted && !this.hasFailed) {
      const all = [...this.underWay.values()];
      const waiting = all.find(({ merging }) => merging === null);
      if (waiting) {
        if (all.filter(({ merging, isMerged }) => merging !== null && !isMerged).length >= concurrency) return;
        this.hand(waiting);
        continue;
      }
      const step = this.steps[this.next];
      // Copies are made in their turn; what comes after one is read when it begins.
      if (step?.kind !== 'merge' || all.some(({ isReadOut }) => !isReadOut)) return;
      const holding = holdingOf(this.means.backend, this.means.readAheadBytes);
      const held = all.reduce((sum, own) => sum + (own.isMerged ? 0 : stepHolds(own.step, holding)), 0);
      if (!mayBegin(held, stepHolds(step, holding), holding)) return;
      this.enter(this.next);
    }
  }

  /** Starts reading the beginning of step `at`. */
  private enter(at: number): void {
    const step = this.steps[at] as MergeStep;
    const { group, inputs } = step;
    const { sources, readAheadBytes } = this.means;
    const reader = new ChunkReader(group, sources, ({ slot, first, count }, input) => inputPart(group.slots[slot]!, input, inputs[slot]![input]!, first, count), readAheadBytes);
    const own: UnderWay<Outcome> = { step, reader, ready: reader.begin(), isReadOut: false, merging: null, isMerged: false, turn: new Turn() };
    own.ready.catch(() => {});
    reader.onLastStretch = () => {
      if (own.isReadOut) return;
      own.isReadOut = true;
      this.advance();
    };
    this.underWay.set(at, own);
    this.next = at + 1;
  }

  private hand(own: UnderWay<Outcome>): void {
    const { backend, sources, meter, recompute } = this.means;
    own.merging = this.act(own, { backend, sources, meter, turn: own.turn.come, signal: this.stopping.signal, recompute })
      .catch((error: unknown) => {
        // Nothing more is begun: the run learns of it when this step's turn comes.
        this.hasFailed = true;
        throw error;
      })
      .finally(() => {
        own.isMerged = true;
        own.isReadOut = true;
        this.advance();
      });
    // Met when its turn comes.
    own.merging.catch(() => {});
  }
}
