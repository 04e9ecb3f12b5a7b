/**
 * Issue 3: on trained checkpoints whose exact figures are known and a sample forced to 2 % of the values, 95 % intervals hold
 * the truth in 92 to 98 % of 400 seeded draws.
 *
 * Asserted: in total, and per layer on average over the layers, that band itself. For each layer alone 92 to 98 % widened by
 * three standard deviations of a binomial of 400 at its ends (1.36 % at 92 %, 0.7 % at 98 %): 88 to 100 %. An average over layers
 * has ten times as many draws, a single row's own noise is what the widening allows for.
 *
 * The first sample, of three blocks a tensor and without measured rates, may claim less than it knows but not more: 92 % at least
 * in total and on average over the layers, 85 % for each alone (92 % less two standard deviations of a binomial of 100 is 86.6 %,
 * and the last layer, a tensor of its own, is near it).
 */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { cover, type Row } from '../../../bench/coverage';
import { createCpuBackend } from '../../../src/cpu/backend';
import { COARSE_BLOCKS } from '../../../src/merge/sample';
import type { Recipe } from '../../../src/recipe/types';
import { openFamily, recipeOf, type Family } from './family';

const DRAWS = 400;
const FIRST_DRAWS = 100;
const PARAMETERS = 1_575_040;
const SAMPLE = { bytes: Infinity, values: 0.02 * PARAMETERS, blocks: 16 };
const MODELS = ['sft', 'ct-x-4M'];

let family: Family;
beforeAll(async () => {
  const path = (name: string) => new URL(`../../fixtures/checkpoints/${name}`, import.meta.url);
  const files = ['base', ...MODELS].flatMap((name) => ['config.json', 'model.safetensors'].map((file) => `${name}/${file}`));
  family = await openFamily(new Map(files.map((name) => [name, new Uint8Array(readFileSync(path(name)))])));
});
const recipe = (densities: readonly number[], slack: Omit<Recipe['slack'], 'prefer'>): Recipe => {
  const plain = recipeOf(family, 'ties_sv', 'base', MODELS, { slack: { ...slack, prefer: family.id('sft') } });
  return { ...plain, models: plain.models.map((model, i) => ({ ...model, density: densities[i]! })) };
};
const shareHeld = (rows: readonly Row[]) => rows.reduce((sum, { holds }) => sum + holds, 0) / rows.reduce((sum, { values }) => sum + values.length, 0);
const model = 0;
const METRICS = [
  { kind: 'conflict' }, { kind: 'won', model: 0 }, { kind: 'won', model: 1 }, { kind: 'discarded', model: 0 }, { kind: 'discarded', model: 1 },
  { kind: 'reserved', model }, { kind: 'afterSlack', model },
] as const;

describe.each([
  { densities: [0.2, 1], slack: { s: 0.04, of: 'retained' as const } },
  { densities: [0.4, 0.6], slack: { s: 0.04, of: 'discarded' as const } },
])('k = $densities, slack $slack.s of the $slack.of', ({ densities, slack }) => {
  let rows: Row[];
  let first: Row[];
  beforeAll(async () => {
    const given = { ...family, recipe: recipe(densities, slack), backend: createCpuBackend() };
    rows = await cover(given, SAMPLE, METRICS, DRAWS);
    first = await cover(given, { ...SAMPLE, blocks: COARSE_BLOCKS }, METRICS, FIRST_DRAWS, false);
  }, 900_000);
  const of = (kind: string, model: number) => rows.filter(({ metric }) => metric.kind === kind && (!('model' in metric) || metric.model === model));

  it.each([['conflict', 0], ['won', 0], ['won', 1], ['discarded', 0], ['discarded', 1], ['afterSlack', 0]] as const)('%s of model %d', (kind, model) => {
    const [total, ...layers] = of(kind, model);
    expect(layers.length).toBe(10);
    for (const held of [shareHeld([total!]), shareHeld(layers)]) {
      expect(held).toBeGreaterThanOrEqual(0.92);
      expect(held).toBeLessThanOrEqual(0.98);
    }
    for (const layer of layers) expect(shareHeld([layer])).toBeGreaterThanOrEqual(0.88);
  });

  it('reserved: known where it is s of the retained, an estimate where it is s of the discarded, and wider where it may be either', () => {
    const [total, ...layers] = of('reserved', 0);
    for (const held of [shareHeld([total!]), shareHeld(layers)]) {
      expect(held).toBeGreaterThanOrEqual(0.92);
      if (slack.of === 'discarded') expect(held).toBeLessThanOrEqual(0.98);
    }
    for (const layer of layers) expect(shareHeld([layer])).toBeGreaterThanOrEqual(0.88);
  });

  it.each(METRICS)('the first sample: $kind of model $model', (metric) => {
    const [total, ...layers] = first.filter((row) => row.metric === metric);
    expect(layers.length).toBe(10);
    for (const held of [shareHeld([total!]), shareHeld(layers)]) expect(held).toBeGreaterThanOrEqual(0.92);
    for (const layer of layers) expect(shareHeld([layer])).toBeGreaterThanOrEqual(0.85);
  });
});
