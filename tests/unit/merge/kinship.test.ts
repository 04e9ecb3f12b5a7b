/** Is the base what the models were made from? Measured on really trained checkpoints, judged from distances alone. */
import { readFile } from 'node:fs/promises';
import { describe, expect, it, beforeAll } from 'vitest';
import { ancestryOf, SHARED, UNRELATED } from '../../../src/analysis/ancestry';
import { guessRoles } from '../../../src/checkpoint/roles';
import { kinshipOf } from '../../../src/merge/kinship';
import type { Kin } from '../../../src/merge/kinship';
import { familyOf, openFamily } from './family';
import type { Family } from './family';

const NAMES = ['base', 'sft', 'ct-x-128k', 'ct-x-256k', 'ct-x-512k', 'ct-x-1M', 'ct-x-2M', 'ct-x-4M', 'ct-y-256k', 'ct-y-1M'];
const free = async () => {};
let family: Family;
let kin: Kin[];
beforeAll(async () => {
  const contents = await Promise.all(NAMES.map(async (name) => [`${name}/model.safetensors`, new Uint8Array(await readFile(`tests/fixtures/checkpoints/${name}/model.safetensors`))] as const));
  family = await openFamily(new Map(contents));
  kin = await kinshipOf(family.checkpoints, family.openShard, free);
});
const judge = (base: string, ...models: string[]) => {
  const { better, unrelated, change } = ancestryOf(kin, family.id(base), models.map(family.id), guessRoles(family.checkpoints).base);
  const nameOf = (id: string) => NAMES.find((name) => family.id(name) === id);
  return { better: better === null ? null : nameOf(better), unrelated: unrelated.map(nameOf), change };
};

describe('the true base', () => {
  it.each([
    ['sft', 'ct-x-4M'],
    ['sft', 'ct-x-1M'],
    ['sft', 'ct-x-128k'],
    ['sft', 'ct-y-1M'],
    ['sft', 'ct-x-1M', 'ct-y-1M'],
    ['ct-x-1M', 'ct-y-1M'],
    ['ct-x-4M', 'ct-y-1M'],
    ['sft', 'ct-x-1M', 'ct-x-4M'],
  ].map((models) => [models.join(' and '), models] as const))('is not doubted for %s', (_name, models) => {
    expect(judge('base', ...models)).toMatchObject({ better: null, unrelated: [] });
  });
});

describe('a wrong base', () => {
  it.each(['ct-x-128k', 'ct-x-256k', 'ct-x-512k', 'ct-x-1M', 'ct-x-2M', 'ct-x-4M', 'ct-y-256k', 'ct-y-1M'])('the SFT model in its place is noticed beside %s, and the base proposed', (ct) => {
    // With the base as a model (roles swapped), or open and without a role.
    expect(judge('sft', 'base', ct).better).toBe('base');
    if (ct !== 'ct-x-1M') expect(judge('sft', ct, 'ct-x-1M').better).toBe('base');
  });

  it('a continually pre-trained model in its place is noticed as well', () => {
    expect(judge('ct-x-4M', 'sft', 'ct-y-1M').better).toBe('base');
    expect(judge('ct-y-1M', 'base', 'sft').better).toBe('base');
  });

  it('for two checkpoints of one run an earlier one of that run is a nearer ancestor, and is named', () => {
    expect(judge('base', 'ct-x-1M', 'ct-x-4M').better).toBe('ct-x-512k');
  });

  it('networks trained independently are no family', async () => {
    const q = 'model.layers.0.self_attn.q_proj.weight';
    const strangers = await familyOf({ base: { [q]: [64, 64] }, x: { [q]: [64, 64] }, y: { [q]: [64, 64] } });
    const found = ancestryOf(await kinshipOf(strangers.checkpoints, strangers.openShard, free), strangers.id('base'), [strangers.id('x'), strangers.id('y')], null);
    expect(found.unrelated).toEqual([strangers.id('x'), strangers.id('y')]);
    for (const { ratio } of found.change) expect(ratio).toBeGreaterThan(2 * UNRELATED - 0.1);
  });
});

describe('the cosines of what models changed', () => {
  it('follow from distances alone: changes (1, 0), (1, 1) and (-2, 0) from the base; one that changed nothing has none', () => {
    const distance2 = [
      [0, 1, 2, 4, 0],
      [1, 0, 1, 9, 1],
      [2, 1, 0, 10, 2],
      [4, 9, 10, 0, 4],
      [0, 1, 2, 4, 0],
    ];
    const { cosines } = ancestryOf([{ ids: ['base', 'x', 'y', 'z', 'same'], norm2: [9, 9, 9, 9, 9], distance2 }], 'base', ['x', 'y', 'z', 'same'], null);
    expect(cosines.map(({ models, cosine }) => [...models, cosine.toFixed(6)])).toEqual([['x', 'y', '0.707107'], ['x', 'z', '-1.000000'], ['y', 'z', '-0.707107']]);
  });
});

describe('the measurement', () => {
  it('comes within 3 % of the whole layers, from 64 blocks of each checkpoint', async () => {
    const { reads } = family;
    const one = family.checkpoints[0]!;
    const matrices = one.tensors.filter(({ name, shape }) => name.includes('layers') && shape.length > 1).length;
    expect(reads.filter(({ file }) => file.startsWith(one.path))).toHaveLength(Math.min(64, matrices));
    // |tau| / |theta| over all values of the layers' matrices, computed with NumPy from the files.
    for (const [model, whole] of [['sft', 0.1637], ['ct-x-4M', 0.2055], ['ct-x-128k', 0.03533]] as const) {
      const [own] = judge('base', model).change;
      expect(Math.abs(own!.ratio / whole - 1)).toBeLessThan(0.03);
    }
  });

  it('knows no kin among checkpoints of other shapes, and leaves values out that are not finite', async () => {
    const q = 'model.layers.0.self_attn.q_proj.weight';
    const values = (third: number) => [1, 2, third, 4];
    const mixed = await familyOf({
      base: { [q]: { shape: [2, 2], dtype: 'F32', values: values(3) } },
      x: { [q]: { shape: [2, 2], dtype: 'F32', values: [2, 2, NaN, 2] } },
      other: { [q]: { shape: [4, 1], dtype: 'F32', values: values(3) } },
    });
    const found = await kinshipOf(mixed.checkpoints, mixed.openShard, free);
    expect(found.map(({ ids }) => ids.length)).toEqual([2]);
    const [only] = found;
    const [b, x] = ['base', 'x'].map((name) => only!.ids.indexOf(mixed.id(name)));
    expect([only!.norm2[b!], only!.norm2[x!], only!.distance2[b!]![x!], only!.distance2[x!]![b!]]).toEqual([21, 12, 5, 5]);
    expect(ancestryOf(found, mixed.id('other'), [mixed.id('x')], null)).toEqual({ change: [], cosines: [], unrelated: [], better: null });
  });
});

describe('the thresholds', () => {
  it('stand between what was measured with the true base and with the SFT model in its place', () => {
    const [own] = kin;
    const d = (a: string, b: string) => own!.distance2[own!.ids.indexOf(family.id(a))]![own!.ids.indexOf(family.id(b))]!;
    const share = (b: string, c: string, m: string) => (d(b, c) + d(b, m) - d(c, m)) / (2 * d(b, c));
    const wrong = NAMES.filter((name) => name.startsWith('ct')).map((ct) => share('sft', 'base', ct));
    const ct = (language: string) => NAMES.filter((name) => name.startsWith(`ct-${language}`));
    const right = [...ct('x'), ...ct('y')].flatMap((name) => [share('base', 'sft', name), share('base', name, 'sft')]);
    const languages = ct('x').flatMap((x) => ct('y').flatMap((y) => [share('base', x, y), share('base', y, x)]));
    expect(Math.min(...wrong)).toBeGreaterThan(0.9);
    expect(Math.max(...right)).toBeLessThan(0.1);
    expect(Math.max(...languages)).toBeLessThan(0.32);
    expect(SHARED).toBeCloseTo((0.9 + 0.3) / 2, 2);
  });
});
