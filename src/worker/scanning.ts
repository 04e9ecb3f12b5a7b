/** The scan job: every tensor counted in full, nothing written. */
import { planMerge } from '../merge/plan';
import { scanPlan } from '../merge/scan';
import type { SlotResult } from '../merge/backend';
import type { Catalogue } from './catalogue';
import type { Control } from './dispatch';
import { tensorFigures } from './figures';
import type { BackendHost } from './host';
import type { MergeProgress, Reply, RequestPayload, TensorFigures, WorkerEvent } from './protocol';
import { resilient } from './resilient';
import { MEMORY } from './sizing';
import { Throttle } from './throttle';

/** Milliseconds between two events of a kind. */
export const EVENT_MS = 100;
/** What writes nothing plans one shard: they are of no consequence. */
export const NO_SHARDS = Number.MAX_SAFE_INTEGER;

export interface ScanContext {
  readonly catalogue: Catalogue;
  readonly host: BackendHost;
  readonly emit: (event: WorkerEvent) => void;
  /** Hears of every tensor that was counted. */
  readonly counted: (figures: TensorFigures) => void;
}

/** Exact figures of every merged tensor. Rejects as `planMerge` and the backend do. */
export async function scan(
  { recipe, choices }: RequestPayload<'scan'>,
  { signal, ready }: Control,
  { catalogue, host, emit, counted }: ScanContext,
): Promise<Reply<'scan'>> {
  const planned = await host.use(async (backend) => backend);
  const plan = planMerge(catalogue.checkpoints, recipe, choices, { chunkBytes: planned.chunkBytes, shardBytes: NO_SHARDS }, {});
  const progress = new Throttle<MergeProgress>(EVENT_MS, (latest) => emit({ event: 'progress', progress: latest }), (_, next) => next);
  const waiting = new Throttle<readonly TensorFigures[]>(EVENT_MS, (figures) => emit({ event: 'tensor', figures }), (before, next) => [...before, ...next]);
  const tensors: TensorFigures[] = [];
  const started = performance.now();
  try {
    await scanPlan(plan, resilient(host, planned), (checkpoint, shard) => catalogue.openShard(checkpoint, shard), {
      readAheadBytes: MEMORY.readAhead,
      signal,
      ready,
      onProgress: (now) => progress.offer(now),
      onTensor: (name: string, elements: number, slot: SlotResult) => {
        const figures = tensorFigures(name, slot, { slot: elements, tensor: elements });
        tensors.push(figures);
        counted(figures);
        waiting.offer([figures]);
      },
    });
    return { tensors, seconds: (performance.now() - started) / 1000 };
  } finally {
    progress.flush();
    waiting.flush();
  }
}
