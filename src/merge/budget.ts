/** What the groups of a run hold at once: said in the plan, kept by the pipeline. */
import type { Backend, Group } from './backend';
import { stretchBytes } from './chunk-reading';
import type { MergeStep, Step } from './plan-types';
import { chunkInputBytes, chunkOutputBytes } from './steps';

export interface Holding {
  /** Bytes that reading ahead may hold. Groups under way may hold twice that: what is being read, and what is being merged. */
  readonly readAheadBytes: number;
  readonly concurrency: number;
  /** See `Backend.heldBytes`. */
  readonly heldBytes: (group: Group) => number;
}

/** What a backend answers, or one chunk of one group where it says nothing. */
export function holdingOf({ concurrency = 1, heldBytes = oneChunk }: Pick<Backend, 'concurrency' | 'heldBytes'>, readAheadBytes: number): Holding {
  return { readAheadBytes, concurrency, heldBytes };
}

/** Bytes of inputs and output of the largest chunk. */
export function oneChunk(group: Group): number {
  return group.chunks.reduce((most, chunk) => Math.max(most, chunkInputBytes(group, chunk) + chunkOutputBytes(group, chunk)), 0);
}

/** Most bytes that a step holds while it is under way: two stretches being read and what the backend keeps, or all there is of it. */
export function stepHolds({ group }: MergeStep, { readAheadBytes, heldBytes }: Holding): number {
  const all = group.chunks.reduce((sum, chunk) => sum + chunkInputBytes(group, chunk) + chunkOutputBytes(group, chunk), 0);
  const inputs = group.slots[0]!.inputs.length;
  const largest = group.chunks.reduce((most, chunk) => Math.max(most, chunkInputBytes(group, chunk)), 0);
  return Math.min(all, heldBytes(group) + 2 * Math.max(largest, inputs * stretchBytes(readAheadBytes, inputs)));
}

/** What a plan asks of the backend that it is made for. */
export type BackendLimits = Pick<Backend, 'chunkBytes' | 'concurrency' | 'heldBytes'>;

export function limitsOf({ chunkBytes, concurrency = 1, heldBytes = oneChunk }: Backend): BackendLimits {
  return { chunkBytes, concurrency, heldBytes };
}

/** Whether a step that holds `more` may begin while others hold `held`: within the budget, or alone whatever it holds. */
export function mayBegin(held: number, more: number, { readAheadBytes }: Holding): boolean {
  return held === 0 || held + more <= 2 * readAheadBytes;
}

/** Most bytes that the groups of a plan hold at once: neighbours as far as they may be under way together. */
export function groupsHold(steps: readonly Step[], holding: Holding): number {
  const each = steps.map((step) => (step.kind === 'merge' ? stepHolds(step, holding) : 0));
  let peak = 0;
  for (const [first, own] of each.entries()) {
    let held = own;
    // One more than the backend has is being read.
    for (let next = first + 1; next <= first + holding.concurrency && each[next] && mayBegin(held, each[next]!, holding); next++) held += each[next]!;
    peak = Math.max(peak, held);
  }
  return peak;
}
