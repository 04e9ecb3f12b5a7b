/**
 * How many blocks one dispatch may take: systems reset a device that does not answer for 2 s, and nothing else on the screen moves
 * meanwhile, so no dispatch should take over 100 ms on any adapter (faults.md, row 33). Measured time decides; what is computed
 * does not depend on it.
 */
/** Longest dispatch aimed at, and longest submission before it is closed. */
const DISPATCH_MS = 100;
const SUBMISSION_MS = 400;
/** Of a pipeline not measured yet: 2 million elements, 10 ms or less on a GPU. */
const UNMEASURED_BLOCKS = 256;
/** A submission this much slower than foreseen makes its pipelines' estimates larger. */
const SURPRISE = 1.5;

/** Blocks of one pipeline in a submission. */
export type BlocksByPipeline = ReadonlyMap<string, number>;

export class Pace {
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
