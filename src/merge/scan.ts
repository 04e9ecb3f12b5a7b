/** Counting everything without writing anything: the exact figures of a plan. */
import { CancelledError, IncompatibleCheckpointsError, asStudioError } from '../bytes/errors';
import type { Watchdog } from '../bytes/watchdog';
import { throwIfAborted } from './abort';
import type { Backend, SlotResult } from './backend';
import { mergeStep } from './groups';
import type { GroupOutcome } from './groups';
import { FirstFault } from './first-fault';
import { READ_AHEAD_BYTES } from './io-sizes';
import { Pipeline } from './pipeline';
import type { PipelineMeans } from './pipeline';
import { rankPlan } from './plan-ranking';
import type { MergePlan, MergeStep } from './plan-types';
import { Meter } from './progress';
import type { RunProgress } from './progress';
import { Sources } from './reading';
import type { OpenShard, ReadWatch } from './reading';
import { stepBytesRead } from './steps';

export interface ScanHooks {
  readonly signal?: AbortSignal;
  readonly ready?: () => Promise<void>;
  readonly onProgress?: (progress: RunProgress) => void;
  /** Bytes that reading ahead may hold, default READ_AHEAD_BYTES. */
  readonly readAheadBytes?: number;
  /** Finds reads that never end, default one over real time. */
  readonly watchdog?: Watchdog;
  /** Takes the output of a step, slot by slot with its tail, in pieces; `isFirst` marks a step's first. It is thrown away where nobody does. */
  readonly write?: (step: MergeStep, bytes: Uint8Array, isFirst: boolean) => Promise<void>;
  /** Of every merged tensor, with its N. */
  readonly onTensor: (name: string, elements: number, slot: SlotResult) => void;
}

/**
 * Runs the merge steps of a plan for their counts alone; the next group is read while one is computed. Rejects with
 * IncompatibleCheckpointsError `undecided`, CancelledError, and as sources and the backend do.
 */
export async function scanPlan(plan: MergePlan, backend: Backend, openShard: OpenShard, hooks: ScanHooks): Promise<void> {
  if (plan.refusals.length > 0) {
    const names = plan.refusals.map(({ tensor }) => tensor);
    throw new IncompatibleCheckpointsError('undecided', `${names.length} differences are to be decided first`, { names });
  }
  const steps = plan.steps.filter((step): step is MergeStep => step.kind === 'merge');
  const totals = {
    tensors: steps.reduce((sum, { group }) => sum + group.slots.length, 0),
    bytesRead: steps.reduce((sum, step) => sum + stepBytesRead(step), plan.ranking?.bytes ?? 0),
    bytesWritten: 0,
  };
  const meter = new Meter(totals, hooks.onProgress, () => performance.now());
  let isOver = false;
  const fault = new FirstFault();
  const ready = async () => {
    throwIfAborted(hooks.signal);
    if (isOver) throw new CancelledError();
    if (hooks.ready) await meter.pausing(() => fault.during(hooks.ready!));
    throwIfAborted(hooks.signal);
  };
  const { signal, watchdog } = hooks;
  let readAheadBytes = hooks.readAheadBytes ?? READ_AHEAD_BYTES;
  const watch: ReadWatch = {
    ready,
    reading: (bytes, read) => meter.reading(bytes, read),
    short: () => (readAheadBytes = Math.ceil(readAheadBytes / 2)),
    signal,
    watchdog,
  };
  const sources = new Sources(openShard, watch, (request) => backend.adapt(request, signal), backend);
  const means: PipelineMeans = {
    backend,
    sources,
    meter,
    signal,
    // Of the groups that begin from now on.
    get readAheadBytes() {
      return readAheadBytes;
    },
    onFault: (reason) => fault.tell(reason),
  };
  let pipeline: Pipeline<GroupOutcome> | null = null;
  try {
    const ranked = await rankPlan({ ...plan, steps }, means);
    pipeline = new Pipeline(ranked, means, mergeStep);
    for (const [at, step] of steps.entries()) {
      await ready();
      const { group } = step;
      let isFirst = true;
      const write = async (bytes: Uint8Array) => {
        const written = hooks.write?.(step, bytes, isFirst);
        isFirst = false;
        await written;
      };
      const { result } = await pipeline.finish(at, write);
      group.slots.forEach(({ name, elements }, s) => hooks.onTensor(name, elements, result.slots[s]!));
      meter.finish(group.slots.length);
    }
  } catch (error) {
    if (hooks.signal?.aborted) throw new CancelledError();
    throw asStudioError(error);
  } finally {
    isOver = true;
    fault.tell(new CancelledError());
    meter.stop();
    await pipeline?.stop();
    backend.buffers?.clear();
  }
}
