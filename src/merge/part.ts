/** One of several disjoint parts of a plan: some of its output shards, for machines that share nothing but a disk. */
import type { MergePlan } from './plan-types';
import { stepBytesRead } from './steps';

/** Shards [first, end) of part `part` (1-based) of `parts`: contiguous, of nearly equal number, all of them in some part. */
export function shardsOfPart(shards: number, part: number, parts: number): { readonly first: number; readonly end: number } {
  if (!(Number.isInteger(part) && part >= 1 && part <= parts)) throw new RangeError(`part ${part} of ${parts}`);
  return { first: Math.floor(((part - 1) * shards) / parts), end: Math.floor((part * shards) / parts) };
}

/**
 * The steps and shards of one part, as a plan that `runMerge` carries out. It has no index: that belongs to the whole. Integers
 * are compared by every part, so that none writes what another refuses, and so is the whole model ranked where the recipe asks for it.
 */
export function partOfPlan(plan: MergePlan, part: number, parts: number): MergePlan {
  const { first, end } = shardsOfPart(plan.shards.length, part, parts);
  const shards = plan.shards.slice(first, end);
  const steps = plan.steps.filter(({ shard }) => shard >= first && shard < end).map((step) => ({ ...step, shard: step.shard - first }));
  const tensors = shards.flatMap((shard) => shard.tensors);
  const compared = plan.integersToCompare.flatMap(({ ranges }) => ranges).reduce((sum, range) => sum + range.end - range.begin, 0);
  return {
    ...plan,
    steps,
    shards,
    index: null,
    tensors: tensors.length,
    parameters: tensors.reduce((sum, { shape }) => sum + shape.reduce((product, dimension) => product * dimension, 1), 0),
    bytesRead: steps.reduce((sum, step) => sum + stepBytesRead(step), compared + (plan.ranking?.bytes ?? 0)),
    bytesWritten: shards.reduce((sum, { header, payloadBytes }) => sum + header.length + payloadBytes, 0),
  };
}
