/** Few large reads (issue 4, pipeline): how many it takes to merge whole families, by their layout alone. */
import { describe, expect, it } from 'vitest';
import { FAMILIES, tensorsOf } from '../../../bench/families.mjs';
import { READ_AHEAD_BYTES } from '../../../src/merge/io-sizes';
import { planMerge } from '../../../src/merge/plan';
import { DEFAULT_CHOICES } from '../../../src/merge/plan-types';
import type { MergeStep } from '../../../src/merge/plan-types';
import { Sources } from '../../../src/merge/reading';
import { readWindow, windowsOf } from '../../../src/merge/windows';
import type { Window } from '../../../src/merge/windows';
import { recipeOf } from './family';
import { sparseFamily } from './sparse';

const MIB = 2 ** 20;
/** As the CPU backend has them. */
const CHUNK_BYTES = 16 * MIB;

/** Counts reads of base and two models through `windows`; every segment is asked for once. */
async function readsOf(windows: readonly Window[]) {
  const sizes: number[] = [];
  // One store for all reads: what matters is how long they are.
  let zeros = new Uint8Array(0);
  const read = async (begin: number, end: number) => {
    sizes.push(end - begin);
    if (end - begin > zeros.length) zeros = new Uint8Array(end - begin);
    return zeros.subarray(0, end - begin);
  };
  const source = { name: 'a', size: Infinity, read };
  const sources = new Sources(async () => source, { ready: async () => {}, reading: (_, read) => read() });
  for (const window of windows) {
    const { readers, ready } = readWindow(window, sources, READ_AHEAD_BYTES);
    await ready;
    for (const [k, { group }] of window.steps.entries()) {
      for (const segment of group.chunks.flat()) for (const input of [0, 1, 2]) await readers[k]!.read(segment, input);
    }
  }
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  return { count: sizes.length, sizes, bytes };
}

describe('reads of a base and two models', () => {
  it.each([
    ['160m', { each: 195, together: 30 }],
    ['1.1b', { each: 489, together: 222 }],
    ['7b', { each: 1485, together: 1293 }],
    ['8b', { each: 1599, together: 1215 }],
  ] as const)('%s: groups that are read together take a fraction of the reads of groups for themselves', async (name, { each, together }) => {
    const shards = [Object.fromEntries(tensorsOf(FAMILIES[name]))];
    const family = await sparseFamily({ base: shards, x: shards, y: shards });
    const plan = planMerge(family.checkpoints, recipeOf(family as never, 'ties', 'base', ['x', 'y']), DEFAULT_CHOICES, { chunkBytes: CHUNK_BYTES, shardBytes: 5e9 }, {});
    const steps = plan.steps as MergeStep[];
    const alone = await readsOf(steps.map((step, first) => ({ first, steps: [step], bytes: 0 })));
    const joined = await readsOf(windowsOf(steps, READ_AHEAD_BYTES));
    expect([alone.bytes, joined.bytes]).toEqual([plan.bytesRead, plan.bytesRead]);
    expect([alone.count, joined.count]).toEqual([each, together]);
    expect(joined.bytes / joined.count).toBeGreaterThan(28 * MIB);
    expect(Math.max(...joined.sizes)).toBeLessThanOrEqual(READ_AHEAD_BYTES / 9);
  });
});
