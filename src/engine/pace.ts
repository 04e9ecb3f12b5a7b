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

/** Blocks of one pipeline in a submission. */
export type BlocksByPipeline = ReadonlyMap<string, number>;

interface Repairs {
  readonly counter: number;
  /** The counter when it was last read, and blocks that were listed from since. */
  counted: number;
  offered: number;
  /** Share of those that it took, the last time. */
  share: number;
  /** Of submissions of its own since, ms; and whether there were others. */
  alone: number;
  isMixed: boolean;
}

export class Pace {
  private readonly repairs = new Map<string, Repairs>();
  private readonly perBlock = new Map<string, number>();
  private idleSince = 0;

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

  /** Before a repair of some among `blocks` is recorded: its counter, whether it should be sent alone, and how many it may take. */
  offer(repair: string, blocks: number): { readonly counter: number; readonly alone: boolean; readonly expected: number } {
    const known = this.repairs.get(repair) ?? { counter: Math.min(this.repairs.size, COUNTERS - 1), counted: 0, offered: 0, share: 0, alone: 0, isMixed: false };
    this.repairs.set(repair, known);
    known.offered += blocks;
    const alone = this.fixed === undefined && known.share > 0 && !this.perBlock.has(repair) && known.counter < COUNTERS - 1;
    if (!alone) known.isMixed = true;
    return { counter: known.counter, alone, expected: Math.ceil(known.share * blocks) };
  }

  /** Takes in when a repair that was sent alone was sent and seen done, ms. */
  repaired(repair: string, sent: number, done: number): void {
    this.repairs.get(repair)!.alone += done - Math.max(sent, this.idleSince);
    this.idleSince = done;
  }

  /** Takes in the device's counters, as they were after all that was recorded so far. */
  counted(counters: Uint32Array): void {
    for (const [repair, known] of this.repairs) {
      if (known.offered === 0 || known.counter === COUNTERS - 1) continue;
      const taken = (counters[known.counter]! - known.counted) >>> 0;
      if (taken > 0 && known.alone > 0 && !known.isMixed) this.perBlock.set(repair, known.alone / taken);
      Object.assign(known, { counted: counters[known.counter]!, offered: 0, share: Math.min(1, taken / known.offered), alone: 0, isMixed: false });
    }
  }

  /** Whether a submission of these should end here. */
  isFull(submission: BlocksByPipeline): boolean {
    return this.fixed === undefined && this.foreseen(submission) >= SUBMISSION_MS;
  }

  /** Takes in when a submission was sent and seen done, ms; what waiting adds makes an estimate too large rather than too small. */
  measured(submission: BlocksByPipeline, sent: number, done: number): void {
    // Those sent before it were done first.
    const ms = done - Math.max(sent, this.idleSince);
    this.idleSince = done;
    if (submission.size === 1) {
      for (const [pipeline, blocks] of submission) {
        const now = ms / blocks;
        const before = this.perBlock.get(pipeline) ?? now;
        // Lower is truer; higher may pass.
        this.perBlock.set(pipeline, now < before ? now : (now + before) / 2);
      }
      return;
    }
    const foreseen = this.foreseen(submission);
    if (foreseen === 0 || ms < SURPRISE * foreseen) return;
    for (const pipeline of submission.keys()) {
      const before = this.perBlock.get(pipeline);
      if (before !== undefined) this.perBlock.set(pipeline, (before * ms) / foreseen);
    }
  }

  private foreseen(submission: BlocksByPipeline): number {
    return [...submission].reduce((sum, [pipeline, blocks]) => sum + blocks * (this.perBlock.get(pipeline) ?? 0), 0);
  }
}
