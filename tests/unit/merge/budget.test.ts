/** What a run holds at once is what its plan says, and no more than the budget (architecture.md, idea 8). */
import { describe, expect, it } from 'vitest';
import { createCpuBackend } from '../../../src/cpu/backend';
import type { Backend, Group } from '../../../src/merge/backend';
import { limitsOf } from '../../../src/merge/budget';
import { WRITE_BYTES } from '../../../src/merge/io-sizes';
import { planMerge } from '../../../src/merge/plan';
import { DEFAULT_CHOICES } from '../../../src/merge/plan-types';
import { runMerge } from '../../../src/merge/run';
import { createReferenceBackend } from '../../../src/reference/backend';
import { familyOf, recipeOf } from './family';
import type { MadeTensors } from './family';
import { MemoryFolder } from './memory-folder';

const reference = createReferenceBackend();
const bytesOf = (group: Group) => group.slots.reduce((sum, { elements }) => sum + 2 * 3 * elements, 0);

/** Keeps a whole group until it ends, as its `heldBytes` say, and as many groups as may be. */
function keeping(concurrency: number) {
  const seen = { held: 0, read: 0, groups: 0, mostGroups: 0 };
  const backend: Backend = {
    ...reference,
    concurrency,
    heldBytes: bytesOf,
    merge: async (group, ...call) => {
      seen.mostGroups = Math.max(seen.mostGroups, ++seen.groups);
      try {
        return await reference.merge(group, ...call);
      } finally {
        seen.groups--;
        // Inputs alone: 2 of 3 of what a group is.
        seen.held -= (bytesOf(group) * 2) / 3;
      }
    },
  };
  return { backend, seen };
}

async function held(tensors: MadeTensors, chunkBytes: number, readAheadBytes: number, concurrency: number) {
  const family = await familyOf({ base: tensors, x: tensors });
  const { backend, seen } = keeping(concurrency);
  const plan = planMerge(family.checkpoints, recipeOf(family, 'ties', 'base', ['x']), DEFAULT_CHOICES, { ...limitsOf(backend), chunkBytes, shardBytes: 1e9, readAheadBytes }, {});
  let peak = 0;
  const { push } = family.reads;
  family.reads.push = (...items) => {
    for (const { begin, end } of items) seen.held += end - begin;
    peak = Math.max(peak, seen.held);
    return push.apply(family.reads, items);
  };
  await runMerge(plan, backend, family.openShard, new MemoryFolder(), { readAheadBytes });
  return { peak, planned: plan.peakBytes - 2 * WRITE_BYTES, mostGroups: seen.mostGroups };
}

const EIGHT: MadeTensors = Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`t${i}`, [1000]]));

describe('groups under way', () => {
  it('hold what the plan says at most, whatever the budget', async () => {
    // 6000 bytes a group: base, model and output.
    for (const [readAheadBytes, groups] of [[1, 1], [5999, 1], [6000, 2], [9000, 3], [1e6, 4]] as const) {
      const { peak, planned, mostGroups } = await held(EIGHT, 6000, readAheadBytes, 3);
      expect(planned, `${readAheadBytes}`).toBe(6000 * groups);
      expect(peak).toBeLessThanOrEqual(planned);
      // At least the inputs of one group, and of as many as may be under way.
      expect(peak).toBeGreaterThanOrEqual(4000);
      expect(mostGroups).toBeLessThanOrEqual(Math.min(3, groups));
    }
  });

  it('of one budget do not grow with the model: a tensor that is not kept is held in pieces', () => {
    const cpu = createCpuBackend({ residentBytes: 40_000 });
    const groupOf = (chunks: number): Group => {
      const slot = { name: 'w', elements: chunks * 1000, inputs: ['BF16', 'BF16'] as const, modelElements: [chunks * 1000], outDtype: 'BF16' as const };
      return { method: 'ties', slots: [slot], chunks: Array.from({ length: chunks }, (_, c) => [{ slot: 0, first: c * 1000, count: 1000, present: [true, true] }]) };
    };
    // One thread: three chunks at work. Up to 10 chunks of 4000 bytes of inputs are kept.
    expect([1, 10, 11, 1000].map((chunks) => cpu.heldBytes!(groupOf(chunks)))).toEqual([6000, 46_000, 18_000, 18_000]);
  });
});
