/** The sample for exploring (architecture.md, idea 6): within its budget, the same every time, and true to its places. */
import { describe, expect, it } from 'vitest';
import { bytesPerValue } from '../../../src/bytes/dtypes';
import { planMerge } from '../../../src/merge/plan';
import { DEFAULT_CHOICES } from '../../../src/merge/plan-types';
import { runMerge } from '../../../src/merge/run';
import { COARSE_BLOCKS, planSample, sampleKey, sampleParameters } from '../../../src/merge/sample';
import type { SampleOptions, SamplePlan } from '../../../src/merge/sample';
import { readSample } from '../../../src/merge/sample-reading';
import { createReferenceBackend } from '../../../src/reference/backend';
import { bytesOfTensor, familyOf, recipeOf } from './family';
import { MemoryFolder } from './memory-folder';

const EMBED = 'model.embed_tokens.weight';
const backend = createReferenceBackend();
const ALL: SampleOptions = { bytes: Infinity, values: Infinity, blocks: COARSE_BLOCKS };
const pair = (tensors: Readonly<Record<string, readonly number[]>>) => familyOf({ base: tensors, x: tensors });
/** Per slot: its segments' places in the tensor. */
const blocks = ({ group, segments, names }: SamplePlan) => names.map((name, s) => [name, group.chunks[0]!.flatMap(({ slot, count }, i) => (slot === s ? [[segments[i]!.first, count]] : []))]);

describe('everything fits', () => {
  it('is everything, whole, and gives the figures of the merge itself', async () => {
    const family = await familyOf({ base: { [EMBED]: [7, 3], a: [100] }, x: { [EMBED]: [5, 3], a: [100] }, y: { [EMBED]: [9, 3] } });
    const recipe = recipeOf(family, 'ties_sv', 'base', ['x', 'y'], { slack: { s: 0.5, of: 'retained', prefer: family.id('x') } });
    const plan = planSample(family.checkpoints, recipe, DEFAULT_CHOICES, ALL);
    expect(blocks(plan)).toEqual([['a', [[0, 100]]], [EMBED, [[0, 15], [15, 6]]]]);
    expect([plan.whole, plan.bytes]).toEqual([[true, true], 2 * (100 + 100 + 21 + 15 + 21)]);
    const held = await backend.hold(plan.group, await readSample(plan, family.openShard));
    const { slots } = await held.evaluate(sampleParameters(recipe, plan));
    const merge = planMerge(family.checkpoints, recipe, DEFAULT_CHOICES, { chunkBytes: 100, shardBytes: 1e9 }, {});
    const { figures } = await runMerge(merge, backend, family.openShard, new MemoryFolder(), {});
    expect(slots.map(({ figures: own, kept }, s) => [plan.names[s], own, kept])).toEqual([...figures].map(([name, result]) => [name, result.figures, result.kept]));
  });

  it('reads neighbours together', async () => {
    const family = await pair({ a: [50], b: [50], c: [50] });
    const plan = planSample(family.checkpoints, recipeOf(family, 'ties', 'base', ['x']), DEFAULT_CHOICES, ALL);
    await backend.hold(plan.group, await readSample(plan, family.openShard));
    expect(family.reads.map(({ begin, end }) => end - begin)).toEqual([300, 300]);
  });
});

describe('a budget', () => {
  const TENSORS = { a: [100], b: [100_000], c: [60_000] };
  const made = async (options: Partial<SampleOptions>, tensors: Readonly<Record<string, readonly number[]>> = TENSORS) => {
    const family = await pair(tensors);
    return { family, plan: planSample(family.checkpoints, recipeOf(family, 'ties', 'base', ['x']), DEFAULT_CHOICES, { ...ALL, ...options }) };
  };
  const placesOf = ({ plan }: { readonly plan: SamplePlan }, name: string) => blocks(plan).find(([of]) => of === name)![1] as [number, number][];

  it('leaves small tensors whole and gives the others blocks of one length, one in each equal part', async () => {
    const sample = await made({ values: 16_000 });
    const { plan } = sample;
    expect(plan.whole).toEqual([true, false, false]);
    for (const [name, elements] of [['b', 100_000], ['c', 60_000]] as const) {
      const places = placesOf(sample, name);
      expect(places.length).toBe(3);
      const lengths = places.map(([, count]) => count);
      expect(Math.max(...lengths) - Math.min(...lengths)).toBeLessThanOrEqual(2);
      places.forEach(([first, count], part) => {
        expect(first % 2).toBe(0);
        expect(first).toBeGreaterThanOrEqual(Math.floor((part * elements) / 3) - 1);
        expect(first + count).toBeLessThanOrEqual(Math.ceil(((part + 1) * elements) / 3));
      });
    }
    const [, b, c] = plan.group.slots.map(({ elements }) => elements);
    // 15,900 values as the square roots of 100,000 and 60,000 are 8,960 and 6,940: one block of 12 in each third, and one of 9.
    expect([b, c]).toEqual([8334, 6666]);
    expect(plan.bytes).toBe(4 * (100 + b! + c!));
    expect(plan.group.slots.map(({ modelElements }) => modelElements[0])).toEqual([100, b, c]);
    expect(plan.modelElements).toEqual([[100], [100_000], [60_000]]);
    expect(plan.segments.map(({ elements, block }) => [elements, block])).toEqual([[100, 0], ...[0, 1, 2].map((i) => [100_000, i]), ...[0, 1, 2].map((i) => [60_000, i])]);
    expect(plan.group.chunks[0]!.map(({ first }) => first).slice(0, 2)).toEqual([0, 0]);
  });

  it('takes fewer blocks, then shorter ones, as it shrinks, and two at least', async () => {
    const counts = async (values: number, most = 3) => placesOf(await made({ values, blocks: most }, { b: [100_000] }), 'b').map(([, count]) => count);
    expect((await counts(20_000, 16)).length).toBe(16);
    expect((await counts(100, 16)).length).toBe(6);
    expect((await counts(47)).length).toBe(2);
    expect(await counts(0)).toEqual([2, 2]);
    expect(await counts(99_999)).toEqual([16_666, 16_668, 16_666]);
    expect(await counts(100_000)).toEqual([100_000]);
  });

  it('is kept, of values and of bytes, over many tensors of all sizes', async () => {
    const tensors = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`t${i}`, [2 ** i]]));
    for (const values of [2 ** 12, 2 ** 15, 2 ** 18]) {
      const { plan } = await made({ values }, tensors);
      const drawn = plan.group.slots.reduce((sum, { elements }) => sum + elements, 0);
      expect(plan.names.length).toBe(20);
      expect(drawn).toBeLessThanOrEqual(values);
      expect(drawn).toBeGreaterThan(0.8 * values);
      const { plan: byBytes } = await made({ bytes: 4 * values }, tensors);
      expect(byBytes).toEqual(plan);
    }
  });

  it('draws every element of a tensor as often as any other', async () => {
    const drawn = new Array<number>(24).fill(0);
    const family = await pair({ a: [24] });
    const recipe = recipeOf(family, 'ties', 'base', ['x']);
    for (let seed = 1; seed <= 3000; seed++) {
      const plan = planSample(family.checkpoints, recipe, DEFAULT_CHOICES, { bytes: Infinity, values: 8, blocks: 2, seed });
      for (const [first, count] of blocks(plan)[0]![1] as [number, number][]) for (let i = first; i < first + count; i++) drawn[i]!++;
    }
    // 2 of 12 elements of each half: 500 times in 3000; 5 standard deviations of a binomial are 102.
    expect(drawn.filter((times) => Math.abs(times - 500) > 102)).toEqual([]);
  });

  it('draws the same blocks again, whatever else is open, and others for another name or seed', async () => {
    const first = await made({ values: 16_000 });
    expect(blocks((await made({ values: 16_000 })).plan)).toEqual(blocks(first.plan));
    const other = await made({ values: 16_000 }, { a: [100], b: [100_000], d: [60_000] });
    expect(placesOf(other, 'b')).toEqual(placesOf(first, 'b'));
    expect(placesOf(other, 'd')).not.toEqual(placesOf(first, 'c'));
    expect(placesOf(await made({ values: 16_000, seed: 1 }), 'b')).not.toEqual(placesOf(first, 'b'));
    // Fixed for good: a link to a view must show the same estimate elsewhere.
    expect(placesOf(first, 'b')).toEqual([[8332, 2778], [44444, 2778], [69444, 2778]]);
  });

  it('asks for three blocks a tensor and input at most where every read counts', async () => {
    const layers = Object.fromEntries(Array.from({ length: 4 }, (_, i) => [[`n${i}`, [4096]], [`w${i}`, [40_000]]]).flat() as [string, readonly number[]][]);
    const { family, plan } = await made({ values: 40_000 }, layers);
    await backend.hold(plan.group, await readSample(plan, family.openShard));
    expect(family.reads.length).toBeLessThanOrEqual(3 * 8 * 2);
    expect(plan.whole.filter(Boolean).length).toBe(4);
  });

  it('gives a vocabulary sixteen blocks all the same, of fewer values each', async () => {
    const sample = await made({ values: 16_000 }, { [EMBED]: [50_000, 2], 'lm_head.weight': [50_000, 2], 'model.embed_positions.weight': [50_000, 2], b: [100_000] });
    const lengths = [EMBED, 'lm_head.weight', 'model.embed_positions.weight', 'b'].map((name) => placesOf(sample, name).map(([, count]) => count));
    expect(lengths.map(({ length }) => length)).toEqual([16, 16, 3, 3]);
    for (const own of lengths) expect(Math.abs(own.reduce((sum, count) => sum + count, 0) - 4000)).toBeLessThanOrEqual(400);
  });

  it('reads each block from its true place in every input', async () => {
    const { family, plan } = await made({ values: 16_000 });
    const read = await readSample(plan, family.openShard);
    for (const [i, segment] of plan.group.chunks[0]!.entries()) {
      const slot = plan.group.slots[segment.slot]!;
      for (const [input, owner] of ['base', 'x'].entries()) {
        const width = bytesPerValue(slot.inputs[input]!);
        const whole = bytesOfTensor(owner, slot.name, { shape: TENSORS[slot.name as keyof typeof TENSORS] });
        const { first } = plan.segments[i]!;
        expect(await read(segment, input)).toEqual(whole.slice(first * width, (first + segment.count) * width));
      }
    }
  });

  it('counts a block that reaches beyond a model\'s rows up to there', async () => {
    const family = await familyOf({ base: { [EMBED]: [30_000, 3] }, x: { [EMBED]: [15_001, 3] }, y: { [EMBED]: [30_000, 3] } });
    const plan = planSample(family.checkpoints, recipeOf(family, 'ties', 'base', ['x', 'y']), DEFAULT_CHOICES, { ...ALL, bytes: 6 * 3 * 28_672 });
    const [slot] = plan.group.slots;
    const held = plan.group.chunks[0]!.filter(({ present }) => present[1]).reduce((sum, { count }) => sum + count, 0);
    expect(slot!.modelElements).toEqual([held, slot!.elements]);
    plan.group.chunks[0]!.forEach(({ present, count }, i) => {
      const { first } = plan.segments[i]!;
      expect(present[1]).toBe(first < 45_003);
      if (present[1]) expect(first + count).toBeLessThanOrEqual(45_003);
    });
  });
});

describe('what a sample depends on', () => {
  it('is checkpoints, rules and participation, not parameters', async () => {
    const family = await familyOf({ base: { a: [8] }, x: { a: [8] }, y: { a: [8] } });
    const recipe = recipeOf(family, 'ties', 'base', ['x', 'y']);
    const key = sampleKey(recipe, DEFAULT_CHOICES);
    const same = [
      { ...recipe, lambda: 2, normalize: false, rescale: true, outDtype: 'F16' as const },
      { ...recipe, models: recipe.models.map((model) => ({ ...model, weight: 3, density: [0.1, 0.9] })) },
      { ...recipe, method: 'ties_sv' as const, slack: { s: 0.1, of: 'discarded' as const, prefer: family.id('y') } },
    ];
    for (const other of same) expect(sampleKey(other, { ...DEFAULT_CHOICES, allowNonfinite: true, extraRows: { from: family.id('x') } })).toBe(key);
    const others = [
      { ...recipe, method: 'linear' as const },
      { ...recipe, models: [...recipe.models].reverse() },
      { ...recipe, base: family.id('y') },
      { ...recipe, rules: [{ filter: 'a', action: 'keep-base' as const }] },
    ];
    expect(new Set([key, ...others.map((other) => sampleKey(other, DEFAULT_CHOICES)), sampleKey(recipe, { ...DEFAULT_CHOICES, leaveOut: { a: [family.id('x')] } })]).size).toBe(6);
  });

  it('leaves out what the preflight refuses and what is not merged', async () => {
    const family = await familyOf({ base: { a: [4, 2], b: [8], c: [8] }, x: { a: [2, 4], b: [8], c: [8] } });
    const recipe = recipeOf(family, 'ties', 'base', ['x'], { rules: [{ filter: 'c', action: 'keep-base' }] });
    expect(planSample(family.checkpoints, recipe, DEFAULT_CHOICES, ALL).names).toEqual(['b']);
  });
});
