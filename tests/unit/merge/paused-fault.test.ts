/** What fails while a run is paused is told at once, not when it goes on: the user may be away because it is paused. */
import { describe, expect, it } from 'vitest';
import { SourceChangedError } from '../../../src/bytes/errors';
import { runBatch } from '../../../src/merge/batch';
import { planBatch } from '../../../src/merge/batch-plan';
import { FirstFault } from '../../../src/merge/first-fault';
import { planMerge } from '../../../src/merge/plan';
import { DEFAULT_CHOICES } from '../../../src/merge/plan-types';
import type { OpenShard } from '../../../src/merge/reading';
import { runMerge } from '../../../src/merge/run';
import { scanPlan } from '../../../src/merge/scan';
import { createReferenceBackend } from '../../../src/reference/backend';
import { familyOf, recipeOf } from './family';
import { MemoryFolder } from './memory-folder';

const reference = createReferenceBackend();
const limits = { chunkBytes: 384, shardBytes: 1e9 };

/** Paused from its `at`-th read on, which fails then. */
async function setting(at: number) {
  const tensors = { a: [64], b: [64], c: [64] };
  const family = await familyOf({ base: tensors, x: tensors });
  const plan = planMerge(family.checkpoints, recipeOf(family, 'ties', 'base', ['x']), DEFAULT_CHOICES, limits, {});
  let paused: Promise<void> | undefined;
  let reads = 0;
  const openShard: OpenShard = async (id, shard) => {
    const source = await family.openShard(id, shard);
    return {
      ...source,
      read: async (begin, end) => {
        if (++reads < at) return source.read(begin, end);
        paused = new Promise(() => {});
        await new Promise((resolve) => setTimeout(resolve, 5));
        throw new SourceChangedError('vanished', 'gone', { file: source.name });
      },
    };
  };
  return { plan, openShard, ready: async () => paused };
}

describe('a source that fails while everything is paused', () => {
  it.each([1, 2, 3, 4])('read %i: a run, a scan and a batch end, and leave nothing', async (at) => {
    const expected = { code: 'source-changed', reason: 'vanished' };
    const folder = new MemoryFolder();
    const run = await setting(at);
    await expect(runMerge(run.plan, reference, run.openShard, folder, { ready: run.ready })).rejects.toMatchObject(expected);
    expect([[...folder.files.keys()], folder.unfinished.size]).toEqual([[], 0]);

    const scan = await setting(at);
    await expect(scanPlan(scan.plan, reference, scan.openShard, { ready: scan.ready, onTensor: () => {} })).rejects.toMatchObject(expected);

    const batch = await setting(at);
    const own = new Map<string, MemoryFolder>();
    const destination = Object.assign(new MemoryFolder(), {
      folder: async (name: string) => own.get(name) ?? own.set(name, new MemoryFolder()).get(name)!,
      removeEmpty: async () => {},
    });
    const items = ['p', 'q'].map((name) => ({ folder: name, plan: batch.plan, extras: [] }));
    const holdBytes = 1e6;
    await expect(runBatch(items, planBatch([batch.plan, batch.plan], { holdBytes }), reference, batch.openShard, destination, { ready: batch.ready, holdBytes })).rejects.toMatchObject(expected);
    expect([...own.values()].flatMap((folder_) => [...folder_.files.keys()])).toEqual([]);
  });
});

describe('the first fault', () => {
  it('is what everyone who waits meets, and whoever comes later; what is done before is not', async () => {
    const fault = new FirstFault();
    expect(await fault.during(async () => 1)).toBe(1);
    const waiting = [1, 2].map(() => fault.during(() => new Promise(() => {})));
    fault.tell('first');
    fault.tell('second');
    const later = fault.during(async () => 3);
    expect((await Promise.allSettled([...waiting, later])).map((one) => (one as PromiseRejectedResult).reason)).toEqual(['first', 'first', 'first']);
  });
});
