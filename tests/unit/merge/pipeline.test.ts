/** Several groups at one backend (`Backend.concurrency`): as many as it takes, written in order, none left behind. */
import { describe, expect, it } from 'vitest';
import type { Backend } from '../../../src/merge/backend';
import { planMerge } from '../../../src/merge/plan';
import { DEFAULT_CHOICES } from '../../../src/merge/plan-types';
import { runMerge } from '../../../src/merge/run';
import { createReferenceBackend } from '../../../src/reference/backend';
import { familyOf, recipeOf } from './family';
import type { MadeTensors } from './family';
import { MemoryFolder } from './memory-folder';

const reference = createReferenceBackend();
const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** The reference, taking `concurrency` groups; none writes before `together` have begun, or cannot begin. */
function watched(concurrency: number, together = concurrency) {
  let now = 0;
  let begun = 0;
  const seen = { most: 0, ended: 0 };
  let open: () => void = () => {};
  const all = new Promise<void>((resolve) => (open = resolve));
  const backend: Backend = {
    ...reference,
    concurrency,
    merge: async (group, parameters, read, write, options) => {
      seen.most = Math.max(seen.most, ++now);
      if (++begun >= together) open();
      try {
        return await reference.merge(group, parameters, read, (segment, bytes) => all.then(() => write(segment, bytes)), options);
      } finally {
        now--;
        seen.ended++;
      }
    },
  };
  return { backend, seen };
}

async function planned(tensors: MadeTensors, shardBytes = 1e9) {
  const family = await familyOf({ base: tensors, x: tensors });
  return { family, plan: planMerge(family.checkpoints, recipeOf(family, 'ties', 'base', ['x']), DEFAULT_CHOICES, { chunkBytes: 384, shardBytes }, {}) };
}
/** Groups of one tensor, one of several chunks, and a copy in the middle. */
const TENSORS: MadeTensors = { a: [64], b: [300], c: [64], d: { shape: [5], dtype: 'I32' }, e: [60], f: [64] };

describe('several groups at once', () => {
  it.each([1, 2, 3])('are at most the %i that the backend takes, and are written as if they came one by one', async (concurrency) => {
    const { family, plan } = await planned(TENSORS, 500);
    const expected = new MemoryFolder();
    const alone = await runMerge(plan, reference, family.openShard, expected, {});
    const folder = new MemoryFolder();
    const { backend, seen } = watched(concurrency);
    const order: string[] = [];
    const result = await runMerge(plan, backend, family.openShard, folder, { pieceBytes: 100, onTensor: (name) => order.push(name) });
    expect(seen.most).toBe(concurrency);
    expect(order).toEqual(['a', 'b', 'c', 'e', 'f']);
    expect(result.files).toEqual(alone.files);
    expect([...folder.files]).toEqual([...expected.files]);
  });

  it('end before a failed run has ended, and leave nothing', async () => {
    for (const failing of [0, 1, 3]) {
      const { family, plan } = await planned(TENSORS);
      const folder = new MemoryFolder();
      const { backend, seen } = watched(3, 1);
      let begun = 0;
      const broken: Backend = {
        ...backend,
        merge: (...call) => {
          if (begun++ === failing) return Promise.reject(new RangeError('broken'));
          return backend.merge(...call);
        },
      };
      await expect(runMerge(plan, broken, family.openShard, folder, {})).rejects.toThrow('broken');
      expect(seen.ended, `group ${failing}`).toBe(begun - 1);
      expect([[...folder.files.keys()], folder.unfinished.size]).toEqual([[], 0]);
      const { length } = family.reads;
      await wait(5);
      expect(family.reads.length).toBe(length);
    }
  });
});

it('a step that fails ahead of its turn lets no further one begin', async () => {
  const many: MadeTensors = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`t${String(i).padStart(2, '0')}`, [64]]));
  const { family, plan } = await planned(many);
  let open: () => void = () => {};
  const held = new Promise<void>((resolve) => (open = resolve));
  let begun = 0;
  const backend: Backend = {
    ...reference,
    concurrency: 2,
    merge: (group, parameters, read, write, options) => {
      begun++;
      if (begun === 2) return Promise.reject(new RangeError('broken'));
      return reference.merge(group, parameters, read, (segment, bytes) => held.then(() => write(segment, bytes)), options);
    },
  };
  const run = runMerge(plan, backend, family.openShard, new MemoryFolder(), {}).then(() => null, (error: unknown) => error);
  await wait(30);
  // The first waits to be written, the second has failed: all others would only be read for nothing.
  expect(begun).toBe(2);
  open();
  expect(String(await run)).toContain('broken');
  expect(begun).toBe(2);
});
