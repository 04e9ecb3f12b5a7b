/** Methods that choose on the host (merging.md section 7): counts at the edges, and runs through the pipeline, cut and whole. */
import { describe, expect, it } from 'vitest';
import { Bits } from '../../../src/merge/masks/bits';
import { middleCounts } from '../../../src/merge/masks/middle';
import { keepByRank, keepProbability } from '../../../src/merge/masks/ranked';
import { energyWeights, varianceKeys } from '../../../src/merge/masks/varying';
import { keysOf } from '../../../src/merge/masks/vectors';
import { planMerge } from '../../../src/merge/plan';
import { DEFAULT_CHOICES } from '../../../src/merge/plan-types';
import { runMerge } from '../../../src/merge/run';
import { createCpuBackend } from '../../../src/cpu/backend';
import { createReferenceBackend } from '../../../src/reference/backend';
import { recomputeSpots } from '../../../src/reference/spots';
import type { Backend } from '../../../src/merge/backend';
import { traitsOf } from '../../../src/recipe/methods';
import type { Method, Recipe } from '../../../src/recipe/types';
import { familyOf, recipeOf } from './family';
import { MemoryFolder } from './memory-folder';

describe('Breadcrumbs', () => {
  it.each([
    // density, gamma, n: outliers, kept
    [0.6, 0.02, 480, 9, 288],
    [0.6, 0.01, 40, 0, 24],
    [0.9, 0.2, 100, 10, 90],
    [1, 0.5, 100, 0, 100],
    [0.001, 0.1, 100, 10, 1],
    [0.5, 1, 1, 0, 1],
  ])('density %d, gamma %d of %i values: %i outliers, %i kept', (density, gamma, n, outliers, kept) => {
    expect(middleCounts(density, gamma, n)).toEqual({ outliers, kept });
  });
});

describe('DELLA', () => {
  it('gives the smallest k - epsilon and the largest k + epsilon, cut off at 0 and 1; a single value k', () => {
    const along = (density: number, epsilon: number, n: number) => [0, n - 1].map((rank) => keepProbability(density, epsilon, rank, n));
    expect(along(0.5, 0.25, 9)).toEqual([0.25, 0.75]);
    expect(along(0.125, 0.25, 9)).toEqual([0, 0.375]);
    expect(along(0.875, 0.25, 9)).toEqual([0.625, 1]);
    expect(along(0.5, 0.25, 1)).toEqual([0.5, 0.5]);
    expect(keepProbability(0.5, 0.25, 4, 9)).toBe(0.5);
  });

  it('ranks equal magnitudes by flat index, in a row of zeros as in any other', () => {
    const words = Uint32Array.from({ length: 8 }, () => 2 ** 31);
    for (const row of [new Float32Array(8), Float32Array.from({ length: 8 }, (_, j) => (j % 2 ? 0.5 : -0.5))]) {
      const kept = new Uint8Array(8);
      keepByRank(row, keysOf(row), words, 0.5, 0.25, kept);
      expect([...kept]).toEqual([0, 0, 0, 0, 1, 1, 1, 1]);
    }
  });

  it('finds the exact ranks of values that share a bin with an outlier beside them', () => {
    // One value a million times the others: all of those are in the lowest bin.
    const row = Float32Array.from({ length: 64 }, (_, j) => (j === 0 ? 1e6 : 1 + ((j * 37) % 64) / 64));
    const order = [...row.keys()].sort((a, b) => row[a]! - row[b]!);
    const words = new Uint32Array(64);
    for (const [rank, j] of order.entries()) words[j] = keepProbability(0.5, 0.4, rank, 64) * 2 ** 32 + (rank % 2 ? 1 : -2);
    const kept = new Uint8Array(64);
    keepByRank(row, keysOf(row), words, 0.5, 0.4, kept);
    expect(order.map((j) => kept[j])).toEqual(order.map((_, rank) => 1 - (rank % 2)));
  });
});

describe('SCE', () => {
  it('weights by shares of the energy, alike where there is none', () => {
    expect(energyWeights([1, 3])).toEqual([0.25, 0.75]);
    expect(energyWeights([0, 0, 0])).toEqual([1 / 3, 1 / 3, 1 / 3]);
  });

  it('takes the variance over the models that have the element', () => {
    const taus = [Float32Array.of(1, 2, 0), null, Float32Array.of(1, -2, 3)];
    expect([...varianceKeys({ taus, count: 3 })]).toEqual([...new Uint32Array(Float32Array.of(0, 4, 2.25).buffer)]);
  });
});

describe('bits', () => {
  it('come back, from any place, and are counted', () => {
    const bits = new Bits(100);
    const mask = Uint8Array.from({ length: 90 }, (_, j) => Number(j % 3 === 0));
    bits.write(7, mask);
    const read = new Uint8Array(90);
    bits.read(7, read);
    expect(read).toEqual(mask);
    expect([bits.count(0, 100), bits.count(7, 8), bits.count(8, 71), bits.count(0, 7)]).toEqual([30, 1, 21, 0]);
  });
});

const WAYS: readonly (readonly [string, Partial<Recipe>, Partial<Recipe['models'][number]>])[] = [
  ['breadcrumbs', {}, { gamma: 0.1 }],
  ['breadcrumbs_ties', { rescale: true }, { gamma: 0.05 }],
  ['della_linear', { rescale: true, drop: { seed: 3, rescaleBy: 'density' } }, { epsilon: 0.3 }],
  ['della', { rescale: true }, {}],
  ['sce', { topk: 0.4 }, {}],
  ['nuslerp', { vectors: 'rows' }, {}],
  ['nuslerp', { vectors: 'columns' }, {}],
  ['model_stock', { vectors: 'rows' }, {}],
];

describe.each(WAYS)('%s %o', (method, whole, own) => {
  const TENSORS = { 'model.a': { shape: [12, 10] }, 'model.b': { shape: [37] }, 'model.c': { shape: [20, 9], dtype: 'F32' as const } };
  const planned = async (chunkBytes: number) => {
    const family = await familyOf({ base: TENSORS, x: TENSORS, y: TENSORS });
    const plain = recipeOf(family, method as Recipe['method'], 'base', ['x', 'y'], whole);
    const recipe = { ...plain, models: plain.models.map((model) => ({ ...model, ...own })) };
    return { family, plan: planMerge(family.checkpoints, recipe, DEFAULT_CHOICES, { chunkBytes, shardBytes: 1e9 }, {}) };
  };
  const run = async (chunkBytes: number, backend = createReferenceBackend()) => {
    const { family, plan } = await planned(chunkBytes);
    const folder = new MemoryFolder();
    await runMerge(plan, backend, family.openShard, folder, {});
    return { bytes: folder.files.get('model.safetensors')!, plan };
  };

  it('gives one file whatever the chunks and the backend', async () => {
    const once = await run(1e9);
    const cut = await run(300);
    expect(Math.max(...cut.plan.steps.map((step) => ('group' in step ? step.group.chunks.length : 0)))).toBeGreaterThan(3);
    expect(cut.bytes).toEqual(once.bytes);
    expect((await run(300, createCpuBackend())).bytes).toEqual(once.bytes);
  });

  it('is computed again from a few values of each tensor while it merges, but for weights from angles', async () => {
    const { family, plan } = await planned(300);
    const { checked } = await runMerge(plan, createCpuBackend(), family.openShard, new MemoryFolder(), { recompute: recomputeSpots });
    // Of 120, 37 and 180 values nearly all, runs being cut where a chunk ends.
    expect(checked).toEqual(traitsOf(method as Method).angle === null ? { values: 325, tensors: 3 } : { values: 0, tensors: 0 });
  });

  it('is refused where the backend wrote something else', async () => {
    const { family, plan } = await planned(1e9);
    const backend = createReferenceBackend();
    const wrong: Backend = { ...backend, merge: (group, parameters, read, write, options) => backend.merge(group, parameters, read, (segment, bytes) => write(segment, bytes.map((byte, i) => (i < 2 ? byte ^ 64 : byte))), options) };
    const run = runMerge(plan, wrong, family.openShard, new MemoryFolder(), { recompute: recomputeSpots });
    if (traitsOf(method as Method).angle === null) await expect(run).rejects.toMatchObject({ reason: 'computed-differs' });
    else await run;
  });
});
