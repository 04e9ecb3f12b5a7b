/** The plan as the page shows it: the pure plan, and what only a look at the bytes can tell. */
import { asStudioError } from '../bytes/errors';
import { fitCheckpoints } from '../checkpoint/fit';
import type { Checkpoint, FitIssue } from '../checkpoint/types';
import { exportMetadata } from '../export/files';
import type { BackendLimits } from '../merge/budget';
import { compareIntegers } from '../merge/integers';
import { findParticipants } from '../merge/participants';
import { planMerge } from '../merge/plan';
import type { IntegerComparison } from '../merge/plan-types';
import { Sources } from '../merge/reading';
import type { OpenShard } from '../merge/reading';
import { checkpointsOf } from '../compose/export-input';
import { notesOnExtras, type OpenFile } from '../compose/extra-files';
import type { PlanSummary, RequestPayload } from './protocol';
import { MEMORY } from './sizing';

/** Model id whose bytes differ from the base's, null when all agree, by what was compared. */
type Compared = Map<string, Promise<string | null>>;

export class Planner {
  /** Files do not change under their entries, so a comparison holds as long as its checkpoints are open. */
  private readonly compared: Compared = new Map();

  constructor(
    private readonly openShard: OpenShard,
    private readonly openFile: OpenFile,
  ) {}

  /**
   * Plans without running. Integer tensors nobody decided about are compared byte by byte; those that differ are refusals
   * (merging.md section 8). Rejects as `planMerge` does, and as reading does.
   */
  async summary(open: readonly Checkpoint[], { recipe, choices, shardBytes }: RequestPayload<'plan'>, limits: BackendLimits): Promise<PlanSummary> {
    const { base, models } = findParticipants(open, recipe, choices);
    const issues = fitCheckpoints(base, [...new Set(models)].filter((model) => model !== base));
    const checkpoints = checkpointsOf(recipe, open);
    const plan = planMerge(open, recipe, choices, { ...limits, shardBytes, readAheadBytes: MEMORY.readAhead }, exportMetadata(recipe, checkpoints, choices, new Map()));
    const exportNotes = await notesOnExtras({ name: '', application: '', recipe, text: null, choices, contents: new Map(), checkpoints, plan }, this.openFile);
    const differing = await this.differing(plan.integersToCompare, base);
    const asked = new Set(differing.map(({ tensor }) => tensor));
    const { tensors, parameters, bytesRead, bytesWritten, peakBytes, notes } = plan;
    return {
      tensors,
      parameters,
      shards: plan.shards.map(({ file, header, payloadBytes }) => ({ file, bytes: header.length + payloadBytes })),
      bytesRead,
      bytesWritten,
      peakBytes,
      rankingReadings: plan.ranking?.readings ?? 0,
      notes,
      issues: [...issues.filter(({ kind, tensor }) => kind !== 'integer-copied' || !asked.has(tensor)), ...differing],
      refusals: [...plan.refusals, ...differing],
      exportNotes,
    };
  }

  /** Forgets what was compared of a checkpoint that is closed. */
  forget(checkpoint: string): void {
    for (const key of this.compared.keys()) if (key.includes(JSON.stringify(checkpoint))) this.compared.delete(key);
  }

  private async differing(comparisons: readonly IntegerComparison[], base: Checkpoint): Promise<FitIssue[]> {
    const issues: FitIssue[] = [];
    for (const comparison of comparisons) {
      const model = await this.differingModel(comparison);
      if (model === null) continue;
      const { tensor } = comparison;
      const { shape, dtype } = base.tensors.find(({ name }) => name === tensor)!;
      issues.push({ kind: 'integer-differs', severity: 'refusal', tensor, model, baseShape: shape, modelShape: shape, dtype });
    }
    return issues;
  }

  private differingModel(comparison: IntegerComparison): Promise<string | null> {
    const key = JSON.stringify(comparison.ranges);
    const known = this.compared.get(key) ?? this.compare(comparison);
    this.compared.set(key, known);
    known.catch(() => this.compared.delete(key));
    return known;
  }

  private async compare(comparison: IntegerComparison): Promise<string | null> {
    try {
      await compareIntegers([comparison], new Sources(this.openShard, { ready: async () => {}, reading: (_, read) => read() }));
      return null;
    } catch (error) {
      const { reason, where } = asStudioError(error);
      if (reason === 'integer-differs' && where.model !== undefined) return where.model;
      throw error;
    }
  }
}
