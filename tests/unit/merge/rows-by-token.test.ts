/** merging.md section 10: rows of a vocabulary whose tokens lie under other ids are matched by token before anything is merged. */
import { describe, expect, it } from 'vitest';
import { decodeToF32 } from '../../../src/bytes/floats';
import type { Checkpoint, Vocabulary } from '../../../src/checkpoint/types';
import { createCpuBackend } from '../../../src/cpu/backend';
import { planMerge } from '../../../src/merge/plan';
import { DEFAULT_CHOICES, type FitChoices } from '../../../src/merge/plan-types';
import { runMerge } from '../../../src/merge/run';
import { planSample } from '../../../src/merge/sample';
import { readSample } from '../../../src/merge/sample-reading';
import { createReferenceBackend } from '../../../src/reference/backend';
import type { Recipe } from '../../../src/recipe/types';
import type { SlotResult } from '../../../src/merge/backend';
import { bytesOfTensor, familyOf, recipeOf, type MadeTensors } from './family';
import { MemoryFolder } from './memory-folder';

const COLUMNS = 6;
const EMBED = 'model.embed_tokens.weight';
const BASE = [...'abcdefghij'];
/** The base's tokens in another order, after one of its own. */
const MOVED = [...'zjihabcdefg'];
/** Lacks c, d and j. */
const LACKING = [...'baehgfiz'];
const NORM = { 'model.norm.weight': [COLUMNS] };

const vocabulary = (tokens: readonly string[]): Vocabulary => ({ tokens, rows: new Map(tokens.map((token, id) => [token, id])) });
const rowsOf = (name: string, rows: number) => {
  const values = decodeToF32(bytesOfTensor(name, EMBED, { shape: [rows, COLUMNS] }), 'BF16');
  return Array.from({ length: rows }, (_, row) => [...values.subarray(row * COLUMNS, (row + 1) * COLUMNS)]);
};
const table = (rows: readonly (readonly number[])[]): MadeTensors => ({ [EMBED]: { shape: [rows.length, COLUMNS], values: rows.flat() }, ...NORM });

/** base and sft in the base's order, ct in the order of `tokens`; ct-sorted is ct with its rows where the base has them. */
async function made(tokens: readonly string[]) {
  const ct = rowsOf('ct', tokens.length);
  const sorted = BASE.map((token) => ct[tokens.indexOf(token)] ?? Array<number>(COLUMNS).fill(0));
  const family = await familyOf({ base: table(rowsOf('base', 10)), sft: table(rowsOf('sft', 10)), ct: table(ct), 'ct-sorted': table(sorted) });
  const order: Readonly<Record<string, readonly string[]>> = { ct: tokens };
  const open: Checkpoint[] = family.checkpoints.map((one) => ({ ...one, vocabulary: vocabulary(order[one.name] ?? BASE) }));
  return { family, open };
}

async function merged({ family, open }: Awaited<ReturnType<typeof made>>, recipe: Recipe, choices: FitChoices = DEFAULT_CHOICES, chunkBytes = 1e6) {
  const plan = planMerge(open, recipe, choices, { chunkBytes, shardBytes: 1e9 }, {});
  const folder = new MemoryFolder();
  const figures = new Map<string, SlotResult>();
  await runMerge(plan, createCpuBackend(), family.openShard, folder, { onTensor: (name, result) => figures.set(name, result) });
  const { begin, end } = plan.shards[0]!.tensors.find(({ name }) => name === EMBED)!;
  const start = plan.shards[0]!.header.length;
  return { values: [...decodeToF32(folder.files.get('model.safetensors')!.slice(start + begin, start + end), 'F32')], figures: figures.get(EMBED)!, plan };
}
const F32 = { outDtype: 'F32' } as const;

describe('rows matched by token', () => {
  it.each(['ties', 'ties_sv', 'task_arithmetic', 'linear'] as const)('%s: like a model whose rows lie where the base has them, in chunks of any size', async (method) => {
    const family = await made(MOVED);
    const expected = await merged(family, recipeOf(family.family, method, 'base', ['sft', 'ct-sorted'], F32));
    for (const chunkBytes of [1e6, 16 * 10]) {
      const actual = await merged(family, recipeOf(family.family, method, 'base', ['sft', 'ct'], F32), DEFAULT_CHOICES, chunkBytes);
      expect(actual.values).toEqual(expected.values);
      expect(actual.figures.figures).toEqual(expected.figures.figures);
    }
    const byId = await merged(family, recipeOf(family.family, method, 'base', ['sft', 'ct'], F32), { ...DEFAULT_CHOICES, rows: 'id' });
    expect(byId.values).not.toEqual(expected.values);
  });

  it('lets a model take no part in rows of tokens it lacks, which count neither in its N nor its K', async () => {
    const family = await made(LACKING);
    const recipe = recipeOf(family.family, 'linear', 'base', ['sft', 'ct'], F32);
    const { values, plan } = await merged(family, recipe, DEFAULT_CHOICES, 16 * 8);
    const [sft, ct] = [rowsOf('sft', 10), rowsOf('ct', LACKING.length)];
    const expected = BASE.flatMap((token, row) =>
      sft[row]!.map((value, column) => {
        const own = LACKING.indexOf(token);
        return own < 0 ? value : Math.fround(Math.fround(value + ct[own]![column]!) / 2);
      }),
    );
    expect(values).toEqual(expected);
    const step = plan.steps.find((one) => one.kind === 'merge' && one.group.slots.some(({ name }) => name === EMBED));
    const slot = step?.kind === 'merge' ? step.group.slots.find(({ name }) => name === EMBED) : undefined;
    expect(slot).toMatchObject({ elements: 60, modelElements: [60, 42] });
    const trimmed = await merged(family, recipeOf(family.family, 'ties', 'base', ['sft', 'ct'], F32));
    // trunc(0.4 * 60) and trunc(0.4 * 42).
    expect(trimmed.figures.figures.kept).toEqual([24, 16]);
  });

  it('samples the same values', async () => {
    const family = await made(LACKING);
    const recipe = recipeOf(family.family, 'ties', 'base', ['sft', 'ct'], F32);
    const exact = await merged(family, recipe);
    const plan = planSample(family.open, recipe, DEFAULT_CHOICES, { bytes: 1e6, values: 1e6, blocks: 3 });
    const held = await createReferenceBackend().hold(plan.group, await readSample(plan, family.family.openShard));
    const at = plan.names.indexOf(EMBED);
    const parameters = plan.names.map(() => ({ weight: [1, 1], density: [0.4, 0.4], lambda: 1, normalize: true, rescale: false, slack: null }));
    const { slots } = await held.evaluate(parameters as never);
    expect(slots[at]!.figures).toEqual(exact.figures.figures);
  });

  it('refuses the tokenizer of a model whose ids the rows do not have', async () => {
    const { open, family } = await made(MOVED);
    const recipe = { ...recipeOf(family, 'ties', 'base', ['ct']), tokenizerFrom: family.id('ct') };
    const plan = (choices: FitChoices) => () => planMerge(open, recipe, choices, { chunkBytes: 1e6, shardBytes: 1e9 }, {});
    expect(plan(DEFAULT_CHOICES)).toThrow(expect.objectContaining({ reason: 'tokenizer-of-other-rows' }));
    expect(plan({ ...DEFAULT_CHOICES, rows: 'id' })).not.toThrow();
  });
});
