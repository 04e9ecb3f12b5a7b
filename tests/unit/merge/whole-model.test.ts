/** Whole-model scope from plan to files (merging.md sections 2 and 6): readings, pools, parts, counting, samples, stopping. */
import { describe, expect, it } from 'vitest';
import { CancelledError } from '../../../src/bytes/errors';
import { createCpuBackend } from '../../../src/cpu/backend';
import type { Backend } from '../../../src/merge/backend';
import { addFigures, emptyFigures } from '../../../src/merge/figures';
import { partOfPlan } from '../../../src/merge/part';
import { planMerge } from '../../../src/merge/plan';
import { DEFAULT_CHOICES } from '../../../src/merge/plan-types';
import type { RunProgress } from '../../../src/merge/progress';
import { runMerge } from '../../../src/merge/run';
import { planSample, sampleParameters } from '../../../src/merge/sample';
import { rankSample } from '../../../src/merge/sample-ranking';
import { readSample } from '../../../src/merge/sample-reading';
import { scanPlan } from '../../../src/merge/scan';
import { spreadsOf } from '../../../src/merge/spread';
import type { Recipe, Scope } from '../../../src/recipe/types';
import { familyOf, recipeOf, type Family } from './family';
import { MemoryFolder } from './memory-folder';

const BOTH: Scope = { trim: 'model', slack: 'model' };
const EMBED = 'model.embed_tokens.weight';
const ATTENTION = 'model.layers.0.self_attn.q_proj.weight';
const MLP = 'model.layers.1.mlp.up_proj.weight';
const backend = createCpuBackend();

/** Task vectors of three scales, so that one threshold keeps very different shares of the tensors. */
function valuesOf(folder: string, tensor: string, count: number): number[] {
  const scale = folder === 'base' ? 0 : { [EMBED]: 8, [ATTENTION]: 1, [MLP]: 0.25 }[tensor]!;
  let state = folder.charCodeAt(0) * 7919 + tensor.length;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (((state >>> 8) / 2 ** 24 - 0.5) * scale * 2 ** 8) / 2 ** 8;
  });
}
const SIZES = { [EMBED]: 3000, [MLP]: 5000, [ATTENTION]: 2000 };
const makeFamily = () => {
  const folder = (name: string) => Object.fromEntries(Object.entries(SIZES).map(([tensor, count]) => [tensor, { shape: [count], dtype: 'F32' as const, values: valuesOf(name, tensor, count) }]));
  return familyOf({ base: folder('base'), x: folder('x'), y: folder('y') });
};
const tiesSv = (family: Family, more: Partial<Recipe> = {}) =>
  recipeOf(family, 'ties_sv', 'base', ['x', 'y'], { slack: { s: 0.1, of: 'retained', prefer: family.id('x') }, scope: BOTH, ...more });
const planOf = (family: Family, recipe: Recipe, shardBytes = 1e9) => planMerge(family.checkpoints, recipe, DEFAULT_CHOICES, { chunkBytes: 2 ** 14, shardBytes }, {});
const INPUT_BYTES = 3 * 10_000 * 4;

describe('the plan', () => {
  it('tells the readings: two each to rank what is kept and what is given back, one to merge', async () => {
    const family = await makeFamily();
    const readings = (more: Partial<Recipe>) => {
      const { ranking, bytesRead } = planOf(family, tiesSv(family, more));
      return [ranking?.readings ?? 0, bytesRead / INPUT_BYTES];
    };
    expect(readings({})).toEqual([4, 5]);
    expect(readings({ scope: { trim: 'model', slack: 'tensor' } })).toEqual([2, 3]);
    expect(readings({ scope: { trim: 'tensor', slack: 'model' } })).toEqual([2, 3]);
    expect(readings({ scope: { trim: 'tensor', slack: 'tensor' } })).toEqual([0, 1]);
    expect(readings({ method: 'ties' })).toEqual([2, 3]);
    expect(readings({ method: 'task_arithmetic' })).toEqual([0, 1]);
    const all = tiesSv(family).models.map((model) => ({ ...model, density: 1 }));
    expect(readings({ models: all, slack: { s: 0, of: 'retained', prefer: family.id('x') } })).toEqual([0, 1]);
  });

  it('reads as often as it says, and tells of the ranking as a phase of its own', async () => {
    const family = await makeFamily();
    const plan = planOf(family, tiesSv(family));
    const phases: RunProgress['phase'][] = [];
    let last: RunProgress | null = null;
    const onProgress = (progress: RunProgress) => {
      last = progress;
      if (phases.at(-1) !== progress.phase) phases.push(progress.phase);
    };
    await runMerge(plan, createCpuBackend(), family.openShard, new MemoryFolder(), { onProgress });
    expect(phases).toEqual(['ranking', 'reading', 'finalising', 'verifying']);
    expect(last!.bytesRead).toBe(plan.bytesRead);
    expect(last!.bytesReadTotal).toBe(plan.bytesRead);
    expect(family.reads.reduce((sum, { begin, end }) => sum + end - begin, 0)).toBe(5 * INPUT_BYTES);
  });
});

describe('what is ranked together', () => {
  const merged = async (family: Family, recipe: Recipe) => {
    const { figures } = await runMerge(planOf(family, recipe), backend, family.openShard, new MemoryFolder(), {});
    return figures;
  };

  it('K is that of all tensors: those that changed more keep more of their values', async () => {
    const family = await makeFamily();
    const figures = await merged(family, tiesSv(family));
    const kept = (tensor: string) => figures.get(tensor)!.figures.kept[0]!;
    expect(kept(EMBED) + kept(ATTENTION) + kept(MLP)).toBe(Math.trunc(0.4 * 10_000));
    expect(kept(EMBED)).toBeGreaterThan(0.9 * 3000);
    expect(kept(MLP)).toBe(0);
    expect(figures.get(EMBED)!.kept[0]!.threshold).toBeGreaterThan(0);
  });

  it('R is that of all tensors: the closest losses of the model', async () => {
    const family = await makeFamily();
    const recipe = tiesSv(family, { scope: { trim: 'tensor', slack: 'model' }, slack: { s: 0.05, of: 'retained', prefer: family.id('x') } });
    const figures = await merged(family, recipe);
    const sum = emptyFigures(2);
    for (const slot of figures.values()) addFigures(sum, slot.figures);
    expect(sum.kept[0]).toBe(0.4 * 10_000);
    expect(sum.reserved).toBe(Math.trunc(0.05 * 0.4 * 10_000));
    const apart = await merged(family, { ...recipe, scope: { trim: 'tensor', slack: 'tensor' } });
    const costOf = (all: typeof figures) => [...all.values()].reduce((total, slot) => total + slot.figures.reservedCost, 0);
    expect(costOf(figures)).toBeLessThan(costOf(apart));
    expect(figures.get(MLP)!.figures.reserved).toBeGreaterThan(apart.get(MLP)!.figures.reserved);
  });

  it('tensors of another density are a ranking of their own, and one of density 1 keeps everything', async () => {
    const family = await makeFamily();
    const density = [{ filter: 'embed', value: 1 }, { filter: 'mlp', value: 0.1 }, { value: 0.3 }];
    const recipe = tiesSv(family);
    const figures = await merged(family, { ...recipe, models: [{ ...recipe.models[0]!, density }, recipe.models[1]!] });
    expect([EMBED, MLP, ATTENTION].map((tensor) => figures.get(tensor)!.figures.kept[0])).toEqual([3000, 500, 600]);
  });
});

describe('the same thresholds everywhere', () => {
  it('in every part of a merge, written apart', async () => {
    const family = await makeFamily();
    const plan = planOf(family, tiesSv(family), 20_000);
    const whole = new MemoryFolder();
    await runMerge(plan, backend, family.openShard, whole, {});
    expect(plan.shards.length).toBe(2);
    for (const part of [1, 2]) {
      const own = partOfPlan(plan, part, 2);
      const folder = new MemoryFolder();
      await runMerge(own, backend, family.openShard, folder, {});
      for (const { file } of own.shards) expect(folder.files.get(file)).toEqual(whole.files.get(file));
    }
  });

  it('when everything is counted, and in a sample that is everything', async () => {
    const family = await makeFamily();
    const recipe = tiesSv(family);
    const { figures } = await runMerge(planOf(family, recipe), backend, family.openShard, new MemoryFolder(), {});
    const counted = new Map<string, unknown>();
    await scanPlan(planOf(family, recipe), backend, family.openShard, { onTensor: (name, _, slot) => counted.set(name, slot) });
    expect(counted).toEqual(figures);
    const sample = planSample(family.checkpoints, recipe, DEFAULT_CHOICES, { bytes: Infinity, values: Infinity, blocks: 3 });
    const held = await backend.hold(sample.group, await readSample(sample, family.openShard));
    const parameters = await rankSample(sample, sampleParameters(recipe, sample), BOTH, held);
    const { slots } = await held.evaluate(parameters);
    for (const [s, name] of sample.names.entries()) {
      const { reservedCost, ...figuresOfSample } = slots[s]!.figures;
      const { reservedCost: cost, ...expected } = figures.get(name)!.figures;
      expect([name, figuresOfSample, slots[s]!.kept, slots[s]!.reserved]).toEqual([name, expected, figures.get(name)!.kept, figures.get(name)!.reserved]);
      expect(reservedCost).toBeCloseTo(cost, 6);
    }
  });

  it('a sample estimates them by its sampling rates: within 3 % of the model from a quarter of its values', async () => {
    const family = await makeFamily();
    const recipe = tiesSv(family);
    const { figures } = await runMerge(planOf(family, recipe), backend, family.openShard, new MemoryFolder(), {});
    const sample = planSample(family.checkpoints, recipe, DEFAULT_CHOICES, { bytes: Infinity, values: 2400, blocks: 16 });
    expect(sample.whole).toEqual([false, false, false]);
    const held = await backend.hold(sample.group, await readSample(sample, family.openShard));
    const parameters = await rankSample(sample, sampleParameters(recipe, sample), BOTH, held);
    const result = await held.evaluate(parameters);
    const spreads = spreadsOf(sample, result, parameters);
    const kept = spreads.reduce((sum, spread) => sum + spread!.totals.kept[0]!, 0);
    expect(Math.abs(kept - 4000)).toBeLessThan(0.02 * 4000);
    for (const [s, name] of sample.names.entries()) {
      const exact = figures.get(name)!.figures.kept[0]!;
      expect(Math.abs(spreads[s]!.totals.kept[0]! - exact)).toBeLessThan(0.03 * 10_000);
    }
  });
});

describe('while it ranks', () => {
  it('stops when it is cancelled, and leaves nothing', async () => {
    const family = await makeFamily();
    const controller = new AbortController();
    let tallies = 0;
    const counting: Backend = {
      ...backend,
      tally: (...asked) => {
        if (++tallies === 2) controller.abort();
        return backend.tally(...asked);
      },
    };
    const folder = new MemoryFolder();
    await expect(runMerge(planOf(family, tiesSv(family)), counting, family.openShard, folder, { signal: controller.signal })).rejects.toThrow(CancelledError);
    expect([tallies, folder.files.size]).toEqual([2, 0]);
  });
});
