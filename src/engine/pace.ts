/**
 * How many blocks one dispatch may take: systems reset a device that does not answer for 2 s, and nothing else on the screen moves
 * meanwhile, so no dispatch should take over 100 ms on any adapter (faults.md, row 33). Measured time decides; what is computed
 * does not depend on it.
 *
 * How many blocks a repair takes only the device knows (repairs.wgsl): it counts them, and the host reads the counts with the next
 * results. Once a repair has taken any it is sent alone, until its time a block is known.
 */
/** Longest dispatch aimed at, and longest submission before it is closed. */
const DISPATCH_MS = 100;
const SUBMISSION_MS = 400;
/** Of a pipeline not measured yet: 2 million elements, 10 ms or less on a GPU. */
const UNMEASURED_BLOCKS = 256;
/** What a block takes by integers, at most, as against float units: until it is measured. */
const REPAIR_COST = 32;
/** Counters of a device, one a repair; the last is shared by all for which there is none left. */
export const COUNTERS = 256;
/** A submission this much slower than foreseen makes its pipelines' estimates larger. */
const SURPRISE = 1.5;
/** Submissions seen done within this many ms of each other were seen when this thread had time, not when they were done. */
const AT_ONCE_MS = 1;

/** Blocks of one pipeline in a submission; none where it only copies. */
export type BlocksByPipeline = ReadonlyMap<string, number>;

/** Some of `blocks` are to be repaired. */
export interface Offer {
  readonly repair: string;
  readonly counter: number;
  readonly blocks: number;
  /** Whether the repair should be sent by itself, so that its time can be told. */
  readonly alone: boolean;
  /** How many it may take. */
  readonly expected: number;
}
/** What was sent of each repair up to some submission. */
export type Mark = ReadonlyMap<string, number>;

/** Offers of one repair whose blocks were counted together. */
interface Counted {
  readonly offers: readonly Offer[];
  readonly taken: number;
}
interface Repairs {
  readonly counter: number;
  /** The counter when it was last read. */
  counted: number;
  /** Offers that were sent, ever, and those that are not counted yet: the last of these. */
  sent: number;
  waiting: Offer[];
  /** Counted, but not all of them seen done. */
  untimed: Counted[];
  /** Share of the blocks that it took, the last time. */
  share: number;
}

export class Pace {
  private readonly repairs = new Map<string, Repairs>();
  /** Milliseconds of repairs that were sent by themselves. */
  private readonly took = new WeakMap<Offer, number>();
  private readonly perBlock = new Map<string, number>();
  /** The least that each was measured at by itself. */
  private readonly least = new Map<string, number>();
  /** When a submission was last seen done, and the last one that was not seen done together with it. */
  private lastDone = 0;
  private doneBefore = 0;

  /** `fixed`: blocks of every dispatch, whatever is measured, and no submission that is closed for its length. */
  constructor(private readonly fixed?: number) {}

  isMeasured(pipeline: string): boolean {
    return this.fixed !== undefined || this.perBlock.has(pipeline);
  }

  /** Blocks of the next dispatch; at least 1. */
  blocks(pipeline: string): number {
    const ms = this.perBlock.get(pipeline);
    return this.fixed ?? (ms === undefined ? UNMEASURED_BLOCKS : Math.max(1, Math.floor(DISPATCH_MS / ms)));
  }

  /** Blocks of the next dispatch of a repair. */
  repairBlocks(repair: string, main: string): number {
    return this.perBlock.has(repair) ? this.blocks(repair) : Math.ceil(this.blocks(main) / REPAIR_COST);
  }

  /** Before a repair of some among `blocks` is recorded. */
  offer(repair: string, blocks: number): Offer {
    const known = this.repairs.get(repair) ?? { counter: Math.min(this.repairs.size, COUNTERS - 1), counted: 0, sent: 0, waiting: [], untimed: [], share: 0 };
    this.repairs.set(repair, known);
    const alone = this.fixed === undefined && known.share > 0 && !this.perBlock.has(repair) && known.counter < COUNTERS - 1;
    return { repair, counter: known.counter, blocks, alone, expected: Math.ceil(known.share * blocks) };
  }

  /** What was offered is sent: in the order of the queue, which is not that of recording where several groups are recorded. */
  sent(offers: readonly Offer[]): void {
    for (const offer of offers) {
      const known = this.repairs.get(offer.repair)!;
      known.sent++;
      known.waiting.push(offer);
    }
  }

  /** After a submission that copies the counters. */
  mark(): Mark {
    return new Map([...this.repairs].map(([repair, { sent }]) => [repair, sent]));
  }

  /** Takes in when a repair that was sent alone was sent and seen done, ms. */
  repaired(offer: Offer, sent: number, done: number): void {
    this.took.set(offer, this.timeOf(sent, done));
    this.time(offer.repair, this.repairs.get(offer.repair)!);
  }

  /** Takes in the device's counters, as they were after all that was sent up to the mark. */
  counted(counters: Uint32Array, mark: Mark): void {
    for (const [repair, known] of this.repairs) {
      const offers = known.waiting.splice(0, (mark.get(repair) ?? 0) - (known.sent - known.waiting.length));
      if (offers.length === 0 || known.counter === COUNTERS - 1) continue;
      const taken = (counters[known.counter]! - known.counted) >>> 0;
      known.counted = counters[known.counter]!;
      known.share = Math.min(1, taken / offers.reduce((sum, { blocks }) => sum + blocks, 0));
      if (taken > 0 && offers.every(({ alone }) => alone)) known.untimed.push({ offers, taken });
      this.time(repair, known);
    }
  }

  /** A repair whose count and time are both known is measured. */
  private time(repair: string, known: Repairs): void {
    known.untimed = known.untimed.filter(({ offers, taken }) => {
      if (!offers.every((offer) => this.took.has(offer))) return true;
      this.perBlock.set(repair, offers.reduce((sum, offer) => sum + this.took.get(offer)!, 0) / taken);
      return false;
    });
  }

  /** Whether a submission of these should end here. */
  isFull(submission: BlocksByPipeline): boolean {
    return this.fixed === undefined && this.foreseen(submission) >= SUBMISSION_MS;
  }

  /** Takes in when a submission was sent and seen done, ms; what waiting adds makes an estimate too large rather than too small. */
  measured(submission: BlocksByPipeline, sent: number, done: number): void {
    const ms = this.timeOf(sent, done);
    if (submission.size === 1) {
      for (const [pipeline, blocks] of submission) {
        const now = ms / blocks;
        const before = this.perBlock.get(pipeline) ?? now;
        // Lower is truer, but for what it owes to the one before it having been seen done late; higher may pass.
        this.perBlock.set(pipeline, now < before ? Math.max(now, before / 2) : (now + before) / 2);
        this.least.set(pipeline, Math.min(now, this.least.get(pipeline) ?? now));
      }
      return;
    }
    const foreseen = this.foreseen(submission);
    if (foreseen === 0 || (foreseen <= ms && ms < SURPRISE * foreseen)) return;
    for (const pipeline of submission.keys()) {
      const before = this.perBlock.get(pipeline);
      // What was too slow may have been waiting for this thread: that passes, down to what the pipeline has shown by itself.
      if (before !== undefined) this.perBlock.set(pipeline, Math.max((before * ms) / foreseen, Math.min(before, this.least.get(pipeline) ?? before)));
    }
  }

  /** Of a submission: those sent before it were done first. Of several that are seen done at once, nobody knows which took how much of it. */
  private timeOf(sent: number, done: number): number {
    if (done - this.lastDone >= AT_ONCE_MS) this.doneBefore = this.lastDone;
    this.lastDone = done;
    return done - Math.max(sent, this.doneBefore);
  }

  private foreseen(submission: BlocksByPipeline): number {
    return [...submission].reduce((sum, [pipeline, blocks]) => sum + blocks * (this.perBlock.get(pipeline) ?? 0), 0);
  }
}
