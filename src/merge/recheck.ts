/** Everything that was written computed a second time, by another backend, and compared value by value. */
import { StudioError } from '../bytes/errors';
import type { Destination } from '../bytes/source';
import type { TensorEntry } from '../checkpoint/types';
import type { Backend } from './backend';
import { isRoundedApart } from './difference';
import type { MergePlan } from './plan-types';
import type { OpenShard } from './reading';
import { verifyPlan, type VerifyHooks } from './verify';

/** The id that the export goes by while it is compared; those of checkpoints are hashes. */
const EXPORT = 'the export';

export interface Rechecked {
  /** Values that were compared, and of them those one unit in the last place apart, as merging.md section 8 allows. */
  readonly values: number;
  readonly differing: number;
  /** Label of the backend that computed them. */
  readonly by: string;
}

/**
 * Merges the plan again with `backend`, which is not disposed of, and compares it with the finished shards in `destination`.
 * Rejects with StudioError `internal`, `recheck-differs`, naming the first tensor that differs by more than merging.md section 8
 * allows, the flat index of its first value that does, and both values; and as `verifyPlan` does.
 */
export async function recheckPlan(plan: MergePlan, backend: Backend, openShard: OpenShard, destination: Destination, hooks: VerifyHooks): Promise<Rechecked> {
  const opened: OpenShard = (checkpoint, shard, again) => (checkpoint === EXPORT ? destination.open(plan.shards[shard]!.file) : openShard(checkpoint, shard, again));
  const { onProgress } = hooks;
  const { values, differing, differences } = await verifyPlan(plan, { id: EXPORT, tensors: writtenTensors(plan) }, backend, opened, {
    ...hooks,
    // What is compared has been written: it counts as the second half of the work.
    ...(onProgress ? { onProgress: (progress) => onProgress({ ...progress, phase: 'rechecking', bytesWritten: progress.bytesVerified }) } : {}),
  });
  const wrong = differences.find((one) => !isRoundedApart(one));
  if (!wrong) return { values, differing, by: backend.info.label };
  const { tensor, first } = wrong;
  throw new StudioError('internal', 'recheck-differs', `${tensor}[${first.index}]: the file has ${first.actual}, ${backend.info.label} gives ${first.expected}; ${wrong.differing} of ${wrong.values} values differ`, {
    tensor,
    index: first.index,
    expected: first.expected,
    actual: first.actual,
  });
}

function writtenTensors({ shards }: MergePlan): TensorEntry[] {
  return shards.flatMap(({ header, tensors }, shard) =>
    tensors.map(({ name, dtype, shape, begin, end }) => ({
      name,
      dtype,
      shape,
      elements: shape.reduce((product, size) => product * size, 1),
      shard,
      begin: header.length + begin,
      end: header.length + end,
    })),
  );
}
