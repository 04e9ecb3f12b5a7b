/** What a run writes: real checkpoints, golden cases, chunking, sharding, copies and conversions. */
import { readdir, readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeToF32, encodeFromF32 } from '../../../src/bytes/floats';
import { sha256Hex } from '../../../src/bytes/sha256';
import { MemorySource } from '../../../src/bytes/source';
import { compareUtf8 } from '../../../src/bytes/utf8';
import { readHeader } from '../../../src/format/safetensors/header';
import { parseIndex } from '../../../src/format/safetensors/index-file';
import { addFigures, emptyFigures } from '../../../src/merge/figures';
import { planMerge } from '../../../src/merge/plan';
import { DEFAULT_CHOICES } from '../../../src/merge/plan-types';
import type { FitChoices, PlanLimits } from '../../../src/merge/plan-types';
import { runMerge } from '../../../src/merge/run';
import type { RunHooks, RunResult } from '../../../src/merge/run-types';
import { INDEX_FILE } from '../../../src/merge/shards';
import { fromMergeKit } from '../../../src/recipe/mergekit';
import type { Recipe } from '../../../src/recipe/types';
import { createReferenceBackend } from '../../../src/reference/backend';
import { familyOf, openFamily, recipeOf } from './family';
import type { Family } from './family';
import { MemoryFolder, join } from './memory-folder';

const EMBED = 'model.embed_tokens.weight';
const LARGE: PlanLimits = { chunkBytes: 2 ** 26, shardBytes: 2 ** 30 };
const backend = createReferenceBackend();

interface Written {
  readonly folder: MemoryFolder;
  readonly result: RunResult;
  /** Bytes, dtype and shape by tensor, read from the files. */
  readonly tensors: ReadonlyMap<string, { readonly dtype: string; readonly shape: readonly number[]; readonly bytes: Uint8Array<ArrayBuffer> }>;
}

async function mergeInto(family: Family, recipe: Recipe, limits: PlanLimits = LARGE, choices: FitChoices = DEFAULT_CHOICES, hooks: RunHooks = {}): Promise<Written> {
  const folder = new MemoryFolder();
  const plan = planMerge(family.checkpoints, recipe, choices, limits, {});
  expect(plan.refusals).toEqual([]);
  const result = await runMerge(plan, backend, family.openShard, folder, hooks);
  const tensors = new Map<string, { dtype: string; shape: readonly number[]; bytes: Uint8Array<ArrayBuffer> }>();
  for (const { file } of plan.shards) {
    const bytes = folder.files.get(file)!;
    for (const { name, dtype, shape, begin, end } of (await readHeader(new MemorySource(file, bytes))).tensors) {
      tensors.set(name, { dtype, shape, bytes: bytes.slice(begin, end) });
    }
  }
  return { folder, result, tensors };
}

const inNameOrder = ({ tensors }: Written) => join([...tensors].sort(([a], [b]) => compareUtf8(a, b)).map(([, { bytes }]) => bytes));

describe('the trained sample family', async () => {
  const names = ['base', 'sft', 'ct-x-4M'];
  const path = (name: string) => `${name}/model.safetensors`;
  const contents = new Map(await Promise.all(names.map(async (name) => [path(name), new Uint8Array(await readFile(`public/sample/${path(name)}`))] as const)));
  const family = await openFamily(contents);
  interface Entry {
    readonly total: object;
    readonly per_tensor: Readonly<Record<string, object>>;
    readonly sha256_of_bf16_tensors_in_utf8_name_order: string;
  }
  const series = JSON.parse(await readFile('tests/fixtures/checkpoints/figures.json', 'utf8')) as Record<string, Entry>;
  const paper = recipeOf(family, 'ties_sv', 'base', ['sft', 'ct-x-4M'], {
    models: [{ model: family.id('sft'), weight: 1, density: 0.2 }, { model: family.id('ct-x-4M'), weight: 1, density: 1 }],
    slack: { s: 0.04, of: 'retained', prefer: family.id('sft') },
  });
  const entry = series['ties-sv 4% of retained: sft + ct-x-4M']!;

  it('gives the same bytes from base and SFT in three shards with an index', async () => {
    const variants = ['base-sharded', 'sft-sharded'];
    const root = 'tests/fixtures/checkpoints/variants';
    const sharded = new Map([[path('ct-x-4M'), contents.get(path('ct-x-4M'))!]]);
    for (const name of variants) {
      for (const file of await readdir(`${root}/${name}`)) sharded.set(`${name}/${file}`, new Uint8Array(await readFile(`${root}/${name}/${file}`)));
    }
    const opened = await openFamily(sharded);
    expect(opened.checkpoints.map(({ shards }) => shards.length).sort()).toEqual([1, 3, 3]);
    const recipe = recipeOf(opened, 'ties_sv', 'base-sharded', ['sft-sharded', 'ct-x-4M'], {
      models: [{ model: opened.id('sft-sharded'), weight: 1, density: 0.2 }, { model: opened.id('ct-x-4M'), weight: 1, density: 1 }],
      slack: { s: 0.04, of: 'retained', prefer: opened.id('sft-sharded') },
    });
    expect(sha256Hex(inNameOrder(await mergeInto(opened, recipe)))).toBe(entry.sha256_of_bf16_tensors_in_utf8_name_order);
  });

  it.each([
    ['one file, few groups', LARGE, 1],
    ['4 shards, tensors in chunks', { chunkBytes: 100_000, shardBytes: 900_000 }, 4],
  ] as const)('gives the bytes and counts of figures.json: %s', async (_, limits, shards) => {
    const seen: string[] = [];
    const written = await mergeInto(family, paper, limits, DEFAULT_CHOICES, { onTensor: (tensor) => seen.push(tensor) });
    expect([...written.folder.files.keys()].filter((name) => name.endsWith('.safetensors')).length).toBe(shards);
    expect(sha256Hex(inNameOrder(written))).toBe(entry.sha256_of_bf16_tensors_in_utf8_name_order);
    const total = emptyFigures(2);
    for (const [tensor, { figures }] of written.result.figures) {
      expect(figures, tensor).toMatchObject(entry.per_tensor[tensor]!);
      addFigures(total, figures);
    }
    expect(total).toMatchObject(entry.total);
    expect(seen).toEqual([...written.result.figures.keys()]);
    expect([seen.length, written.result.tensors, written.result.verified, written.result.overflow]).toEqual([75, 75, 75, 0]);
    for (const { name, bytes, sha256 } of written.result.files) {
      expect([bytes, sha256], name).toEqual([written.folder.files.get(name)!.length, sha256Hex(written.folder.files.get(name)!)]);
    }
    if (shards === 1) return;
    const { weightMap } = parseIndex(written.folder.files.get(INDEX_FILE)!, INDEX_FILE);
    expect([...weightMap.keys()].sort()).toEqual([...written.tensors.keys()].sort());
    for (const [name, file] of weightMap) {
      const { tensors } = await readHeader(new MemorySource(file, written.folder.files.get(file)!));
      expect(tensors.map((tensor) => tensor.name)).toContain(name);
    }
  });
});

describe('golden cases through the planner', () => {
  const golden = async (id: string) => {
    const at = (name: string) => readFile(`tests/fixtures/golden/${id}/${name}`);
    const file = async (name: string) => [`${name}/model.safetensors`, new Uint8Array(await at(`${name}.safetensors`))] as const;
    const family = await openFamily(new Map([await file('base'), await file('m1'), await file('m2'), await file('expected')]));
    const { yaml_f32: yaml } = JSON.parse(String(await at('case.json'))) as { yaml_f32: string };
    const reading = fromMergeKit(yaml, (name) => family.id(name));
    const expected = family.checkpoints.find(({ name }) => name === 'expected')!;
    const wanted = new Map(expected.tensors.map(({ name, shape, begin, end }) => [name, { shape, bytes: family.bytesOf('expected/model.safetensors').slice(begin, end) }]));
    return { family, recipe: { ...recipeOf(family, 'ties', 'base', ['m1', 'm2']), ...reading.recipe! }, wanted };
  };
  /** Bits, with -0 as 0: what the cases' `compare` asks for. */
  const bits = (bytes: Uint8Array) => [...new Uint32Array(decodeToF32(bytes, 'F32').map((value) => value + 0).buffer)];

  it('ties_41: larger vocabularies are cut, the model of another shape is left out', async () => {
    const { family, recipe, wanted } = await golden('ties_41_embed_mismatch');
    const choices = { ...DEFAULT_CHOICES, leaveOut: { 'model.layers.0.mlp.up_proj.weight': [family.id('m1')] } };
    const { tensors } = await mergeInto(family, recipe, LARGE, choices);
    expect([...tensors.keys()]).toEqual([...wanted.keys()]);
    for (const [name, { shape, bytes }] of wanted) {
      expect(tensors.get(name)!.shape, name).toEqual(shape);
      expect(bits(tensors.get(name)!.bytes), name).toEqual(bits(bytes));
    }
  });

  it('ties_42: gradients and filters, tensor by tensor', async () => {
    const { family, recipe, wanted } = await golden('ties_42_f32_gradient_filter');
    const { tensors } = await mergeInto(family, recipe);
    expect(tensors.size).toBe(11);
    for (const [name, { bytes }] of wanted) expect(bits(tensors.get(name)!.bytes), name).toEqual(bits(bytes));
  });
});

describe('chunks, shards and files change no bit', () => {
  const arbitrary = fc.record({
    rows: fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 40 })),
    columns: fc.integer({ min: 1, max: 5 }),
    lengths: fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 4 }),
    dtypes: fc.tuple(...([0, 1, 2] as const).map(() => fc.constantFrom('BF16' as const, 'F16' as const, 'F32' as const, 'F64' as const))),
    method: fc.constantFrom('linear' as const, 'task_arithmetic' as const, 'ties' as const, 'ties_sv' as const),
    chunkBytes: fc.integer({ min: 1, max: 2000 }),
    shardBytes: fc.integer({ min: 1, max: 2000 }),
    pieceBytes: fc.integer({ min: 16, max: 500 }),
    grows: fc.boolean(),
  });

  it('over methods, dtypes, odd vocabularies and budgets down to one byte', async () => {
    await fc.assert(
      fc.asyncProperty(arbitrary, async ({ rows, columns, lengths, dtypes, method, chunkBytes, shardBytes, pieceBytes, grows }) => {
        const tensors = (i: number) => ({
          [EMBED]: { shape: [rows[i]!, columns], dtype: dtypes[i]! },
          ...Object.fromEntries(lengths.map((length, t) => [`t${t}`, { shape: [length], dtype: dtypes[i]! }])),
        });
        const whole = await familyOf({ base: tensors(0), x: tensors(1), y: tensors(2) });
        const split = (i: number) => Object.entries(tensors(i)).map(([name, tensor]) => ({ [name]: tensor }));
        const sharded = await familyOf({ base: split(0), x: split(1), y: split(2) });
        const merged = (family: Family, limits: PlanLimits, hooks: RunHooks) => {
          const recipe = recipeOf(family, method, 'base', ['x', 'y'], { slack: { s: 0.3, of: 'retained', prefer: family.id('x') } });
          const choices: FitChoices = { ...DEFAULT_CHOICES, extraRows: grows ? { from: family.id('y') } : 'cut' };
          return mergeInto(family, recipe, limits, choices, hooks);
        };
        const one = await merged(whole, LARGE, {});
        const many = await merged(sharded, { chunkBytes, shardBytes }, { pieceBytes });
        expect([...many.tensors].sort()).toEqual([...one.tensors].sort());
        expect([...many.result.figures].map(([name, { figures }]) => [name, figures]).sort()).toEqual([...one.result.figures].map(([name, { figures }]) => [name, figures]).sort());
      }),
      { numRuns: 60 },
    );
  });
});

describe('copies', () => {
  it('are converted once, to nearest even, and overflow is counted', async () => {
    const values = [1, 65519.99609375, 65520, 1 + 2 ** -11, -1e30, Infinity];
    const family = await familyOf({ base: { a: { shape: [6], dtype: 'F32', values } }, x: {} });
    const { tensors, result } = await mergeInto(family, recipeOf(family, 'ties', 'base', ['x'], { outDtype: 'F16' }));
    expect([...decodeToF32(tensors.get('a')!.bytes, 'F16')]).toEqual([1, 65504, Infinity, 1, -Infinity, Infinity]);
    expect(result.overflow).toBe(2);
  });

  it('of F64 are written as F32, rounded once', async () => {
    const values = [1 + 2 ** -24, 1 + 2 ** -23, 1e300];
    const family = await familyOf({ base: { a: { shape: [3], dtype: 'F64', values } }, x: {} });
    const { tensors, result } = await mergeInto(family, recipeOf(family, 'ties', 'base', ['x']));
    expect(tensors.get('a')).toMatchObject({ dtype: 'F32', bytes: encodeFromF32(Float32Array.of(1, 1 + 2 ** -23, Infinity), 'F32') });
    expect(result.overflow).toBe(1);
  });

  it('keep every bit without conversion: integers, FP8, NaN payloads', async () => {
    const family = await familyOf({
      base: { f8: { shape: [3], dtype: 'F8_E4M3', values: [0x7f, 1, 0xff] }, ids: { shape: [2], dtype: 'I16', values: [1, 2, 3, 0xff] }, none: [0, 5] },
      x: {},
    });
    const { tensors } = await mergeInto(family, recipeOf(family, 'ties', 'base', ['x'], { rules: [{ filter: 'f8', action: 'keep-base' }] }));
    expect([...tensors.get('f8')!.bytes]).toEqual([0x7f, 1, 0xff]);
    expect([...tensors.get('ids')!.bytes]).toEqual([1, 2, 3, 0xff]);
    expect(tensors.get('none')).toMatchObject({ shape: [0, 5], bytes: new Uint8Array(0) });
  });

  it('append the extra rows of the chosen vocabulary, after the base\'s own', async () => {
    const row = (value: number) => [value, value, value];
    const family = await familyOf({
      base: { [EMBED]: { shape: [3, 3], values: [1, 2, 3].flatMap(row) } },
      x: { [EMBED]: { shape: [2, 3], values: [2, 2].flatMap(row) } },
      y: { [EMBED]: { shape: [5, 3], dtype: 'F32', values: [9, 9, 9, 40, 50].flatMap(row) } },
    });
    const choices: FitChoices = { ...DEFAULT_CHOICES, extraRows: { from: family.id('y') }, leaveOut: { [EMBED]: [family.id('y')] } };
    const { tensors } = await mergeInto(family, recipeOf(family, 'task_arithmetic', 'base', ['x', 'y'], { normalize: false }), LARGE, choices);
    // Rows 0 and 1: base + (x - base) = 2; row 2 nobody has but the base; 3 and 4 are y's.
    expect(tensors.get(EMBED)!.shape).toEqual([5, 3]);
    expect([...decodeToF32(tensors.get(EMBED)!.bytes, 'BF16')]).toEqual([2, 2, 3, 40, 50].flatMap(row));
  });
});
