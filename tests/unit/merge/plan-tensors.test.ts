/** What becomes of each tensor (merging.md sections 8 to 10): one test per rule, numbers on both sides. */
import { describe, expect, it } from 'vitest';
import type { Checkpoint } from '../../../src/checkpoint/types';
import { planMerge } from '../../../src/merge/plan';
import { DEFAULT_CHOICES } from '../../../src/merge/plan-types';
import type { FitChoices, MergePlan, MergeStep } from '../../../src/merge/plan-types';
import type { Method, Recipe } from '../../../src/recipe/types';
import { checkpointOf } from '../checkpoint/folder';
import { familyOf, recipeOf } from './family';
import type { Family, MadeTensors } from './family';

const LIMITS = { chunkBytes: 2 ** 20, shardBytes: 2 ** 30 };
const EMBED = 'model.embed_tokens.weight';
const HEAD = 'lm_head.weight';

async function plan(
  folders: Readonly<Record<string, MadeTensors>>,
  { method = 'ties', base = 'base', models = Object.keys(folders).filter((name) => name !== 'base'), recipe = {}, choices = {} }: {
    method?: Method;
    base?: string | null;
    models?: string[];
    recipe?: Partial<Recipe> | ((family: Family) => Partial<Recipe>);
    choices?: Partial<FitChoices> | ((family: Family) => Partial<FitChoices>);
  } = {},
): Promise<{ made: MergePlan; family: Family; named: (id: string | undefined) => string | undefined }> {
  const family = await familyOf(folders);
  const more = typeof recipe === 'function' ? recipe(family) : recipe;
  const chosen = typeof choices === 'function' ? choices(family) : choices;
  const made = planMerge(family.checkpoints, recipeOf(family, method, base, models, more), { ...DEFAULT_CHOICES, ...chosen }, LIMITS, {});
  return { made, family, named: (id) => family.checkpoints.find((checkpoint) => checkpoint.id === id)?.name };
}

const slotOf = ({ steps }: MergePlan, name: string) => {
  const step = steps.find((candidate): candidate is MergeStep => candidate.kind === 'merge' && candidate.group.slots.some((slot) => slot.name === name))!;
  const at = step.group.slots.findIndex((slot) => slot.name === name);
  return { slot: step.group.slots[at]!, tail: step.tails[at]!, inputs: step.inputs[at]!, segments: step.group.chunks.flat().filter(({ slot }) => slot === at) };
};
const copyOf = ({ steps }: MergePlan, name: string) => steps.flatMap((step) => (step.kind === 'copy' && step.tensor === name ? [step.parts] : []))[0]!;
const shapeOf = ({ shards }: MergePlan, name: string) => shards.flatMap(({ tensors }) => tensors).find((tensor) => tensor.name === name)!;
const brief = ({ notes }: MergePlan, named: (id: string | undefined) => string | undefined) =>
  notes.map(({ kind, tensor, model, numbers }) => [kind, tensor, named(model) ?? null, ...(numbers ?? [])]);

describe('who takes part', () => {
  it('has base and models in recipe order; a tensor that a model lacks is merged without it', async () => {
    const { made, named } = await plan({ base: { a: [4], b: [6] }, x: { a: [4] }, y: { a: [4], b: [6] } });
    expect(slotOf(made, 'a').slot).toEqual({ name: 'a', elements: 4, inputs: ['BF16', 'BF16', 'BF16'], modelElements: [4, 4], outDtype: 'BF16' });
    expect(slotOf(made, 'b').slot).toMatchObject({ inputs: ['BF16', null, 'BF16'], modelElements: [0, 6] });
    expect(slotOf(made, 'b').inputs.map((range) => named(range?.checkpoint) ?? null)).toEqual(['base', null, 'y']);
    expect(brief(made, named)).toEqual([['missing-in-model', 'b', 'x']]);
  });

  it('copies from the base what no model has, and leaves out what only a model has', async () => {
    const { made, named } = await plan({ base: { a: [4], b: [6] }, x: { a: [4], c: [3] } });
    expect(copyOf(made, 'b').map(({ range, dtype, outDtype }) => [named(range.checkpoint), range.end - range.begin, dtype, outDtype])).toEqual([['base', 12, 'BF16', 'BF16']]);
    expect(made.tensors).toBe(2);
    expect(brief(made, named)).toEqual([['missing-in-model', 'b', 'x'], ['only-in-model', 'c', 'x']]);
  });

  it('gives the first model the part of the base for `linear` without one', async () => {
    const { made, named } = await plan({ x: { a: [4], b: [2] }, y: { a: [4], c: [2] } }, { method: 'linear', base: null, models: ['x', 'y'] });
    expect(made.shards[0]!.tensors.map(({ name }) => name)).toEqual(['a', 'b']);
    expect(slotOf(made, 'a').slot.inputs).toEqual([null, 'BF16', 'BF16']);
    expect(slotOf(made, 'b').slot.inputs).toEqual([null, 'BF16', null]);
    expect(brief(made, named)).toEqual([['missing-in-model', 'b', 'y'], ['only-in-model', 'c', 'y']]);
  });

  it('does not average a base that `linear` does not list', async () => {
    const { made } = await plan({ base: { a: [4] }, x: { a: [4] }, y: { a: [4] } }, { method: 'linear' });
    expect(slotOf(made, 'a').slot.inputs).toEqual([null, 'BF16', 'BF16']);
  });

  it('reads a model that is listed twice for each of its places', async () => {
    const { made, named } = await plan({ base: { a: [4] }, x: { a: [4] } }, { models: ['x', 'x'] });
    expect(slotOf(made, 'a').inputs.map((range) => named(range!.checkpoint))).toEqual(['base', 'x', 'x']);
    expect(made.bytesRead).toBe(24);
  });

  it('lets the embedding stand in for a tied head', async () => {
    const { made, named, family } = await plan({ base: { [EMBED]: [6, 4], [HEAD]: [6, 4] }, x: { [EMBED]: [6, 4] } });
    const embedding = family.checkpoints.find(({ name }) => name === 'x')!.tensors[0]!;
    expect(slotOf(made, HEAD).inputs[1]).toEqual({ checkpoint: family.id('x'), shard: 0, begin: embedding.begin, end: embedding.end });
    expect(brief(made, named)).toEqual([['tied-head', HEAD, 'x']]);
  });
});

describe('dtypes', () => {
  it('writes each tensor in the base\'s dtype, F64 as F32 with a note', async () => {
    const { made, named } = await plan({
      base: { a: { shape: [4], dtype: 'F16' }, b: { shape: [4], dtype: 'F64' } },
      x: { a: { shape: [4], dtype: 'F32' }, b: { shape: [4], dtype: 'BF16' } },
    });
    expect(slotOf(made, 'a').slot).toMatchObject({ inputs: ['F16', 'F32'], outDtype: 'F16' });
    expect(slotOf(made, 'b').slot).toMatchObject({ inputs: ['F64', 'BF16'], outDtype: 'F32' });
    expect(brief(made, named)).toEqual([['f64-written-as-f32', 'b', null]]);
  });

  it('writes merged and copied floating tensors in the recipe\'s dtype, integers in their own', async () => {
    const { made } = await plan(
      { base: { a: [2], b: [2], ids: { shape: [3], dtype: 'I32' } }, x: { a: [2], ids: { shape: [3], dtype: 'I32' } } },
      { recipe: { outDtype: 'F32' } },
    );
    expect(made.shards[0]!.tensors.map(({ name, dtype, end, begin }) => [name, dtype, end - begin])).toEqual([
      ['a', 'F32', 8],
      ['b', 'F32', 8],
      ['ids', 'I32', 12],
    ]);
    expect(copyOf(made, 'b')[0]).toMatchObject({ dtype: 'BF16', outDtype: 'F32' });
  });

  it('refuses FP8 by name, unless the tensor is kept from the base', async () => {
    const folders = { base: { a: { shape: [2], dtype: 'F8_E4M3' }, b: [2] }, x: { a: { shape: [2], dtype: 'F8_E4M3' }, b: { shape: [2], dtype: 'F8_E5M2' } } } as const;
    const { made, named } = await plan(folders);
    expect(made.refusals.map(({ kind, tensor, model, dtype }) => [kind, tensor, named(model), dtype])).toEqual([
      ['dtype-unsupported', 'a', 'base', 'F8_E4M3'],
      ['dtype-unsupported', 'b', 'x', 'F8_E5M2'],
    ]);
    expect([made.steps, made.shards, made.bytesRead]).toEqual([[], [], 0]);
    const kept = await plan(folders, { recipe: { rules: [{ filter: '*', action: 'keep-base' }] } });
    expect(kept.made.refusals).toEqual([]);
    expect(copyOf(kept.made, 'a')[0]).toMatchObject({ dtype: 'F8_E4M3', outDtype: 'F8_E4M3' });
  });
});

describe('integer tensors', () => {
  const folders = { base: { ids: { shape: [4], dtype: 'I64' } }, x: { ids: { shape: [4], dtype: 'I64' } }, y: {} } as const;

  it('are copied from the base, to be compared with every model that has them', async () => {
    const { made, named } = await plan(folders);
    expect(copyOf(made, 'ids').map(({ range }) => named(range.checkpoint))).toEqual(['base']);
    expect(made.integersToCompare.map(({ tensor, ranges }) => [tensor, ...ranges.map(({ checkpoint }) => named(checkpoint))])).toEqual([['ids', 'base', 'x']]);
    expect(made.bytesRead).toBe(3 * 32);
  });
  it('are somebody\'s by choice, and then not compared', async () => {
    const { made, named } = await plan(folders, { choices: (family) => ({ integerFrom: { ids: family.id('x') } }) });
    expect(copyOf(made, 'ids').map(({ range }) => named(range.checkpoint))).toEqual(['x']);
    expect(made.integersToCompare).toEqual([]);
    expect(brief(made, named)).toEqual([['taken', 'ids', 'x']]);
  });
  it('of another shape are refused until somebody\'s are chosen', async () => {
    const other = { base: { ids: { shape: [4], dtype: 'I64' } }, x: { ids: { shape: [5], dtype: 'I64' } } } as const;
    expect((await plan(other)).made.refusals.map(({ kind }) => kind)).toEqual(['integer-differs']);
    const { made } = await plan(other, { choices: (family) => ({ integerFrom: { ids: family.id('x') } }) });
    expect(shapeOf(made, 'ids').shape).toEqual([5]);
  });
});

describe('rules', () => {
  const folders = { base: { 'layers.0.norm': [4], 'layers.1.norm': [4] }, x: { 'layers.0.norm': [4], 'layers.1.norm': [4] } } as const;
  it('keep the base\'s or take a model\'s tensor, the first match', async () => {
    const { made, named } = await plan(folders, {
      recipe: (family) => ({ rules: [{ filter: 'layers.0', action: 'take', from: family.id('x') }, { filter: 'norm', action: 'keep-base' }] }),
    });
    expect(named(copyOf(made, 'layers.0.norm')[0]!.range.checkpoint)).toBe('x');
    expect(named(copyOf(made, 'layers.1.norm')[0]!.range.checkpoint)).toBe('base');
    expect(brief(made, named)).toEqual([['taken', 'layers.0.norm', 'x'], ['kept-base', 'layers.1.norm', null]]);
  });
  it('`merge` before another rule exempts from it', async () => {
    const { made } = await plan(folders, { recipe: { rules: [{ filter: 'layers.0', action: 'merge' }, { filter: '*', action: 'keep-base' }] } });
    expect(made.steps.map(({ kind }) => kind)).toEqual(['merge', 'copy']);
  });
  it('take a tensor only in the base\'s shape, and only one that is there', async () => {
    const { made } = await plan({ base: { a: [4], b: [4] }, x: { a: [5] } }, { recipe: (family) => ({ rules: [{ filter: '*', action: 'take', from: family.id('x') }] }) });
    expect(made.refusals.map(({ kind, tensor, severity, baseShape, modelShape }) => [kind, tensor, severity, baseShape, modelShape])).toEqual([
      ['shape-differs', 'a', 'refusal', [4], [5]],
      ['missing-in-model', 'b', 'refusal', [4], undefined],
    ]);
  });
  it('take converts to the base\'s dtype', async () => {
    const { made } = await plan({ base: { a: { shape: [4], dtype: 'F16' } }, x: { a: [4] } }, { recipe: (family) => ({ rules: [{ filter: '*', action: 'take', from: family.id('x') }] }) });
    expect(copyOf(made, 'a')[0]).toMatchObject({ dtype: 'BF16', outDtype: 'F16' });
  });
});

describe('rows of a vocabulary', () => {
  const rows = (base: number, x: number, y: number, columns = 4) => ({ base: { [EMBED]: [base, columns] }, x: { [EMBED]: [x, columns] }, y: { [EMBED]: [y, columns] } });

  it('beyond the base\'s are cut by default, before N and K', async () => {
    const { made, named } = await plan(rows(6, 9, 6));
    const { slot, inputs, tail } = slotOf(made, EMBED);
    expect([slot.elements, slot.modelElements]).toEqual([24, [24, 24]]);
    expect(inputs.map((range) => range!.end - range!.begin)).toEqual([48, 48, 48]);
    expect([shapeOf(made, EMBED).shape, tail]).toEqual([[6, 4], []]);
    expect(brief(made, named)).toEqual([['rows-cut', EMBED, 'x', 6, 9]]);
  });

  it('of the chosen model follow the merged ones', async () => {
    const { made, named, family } = await plan(rows(6, 9, 8), { choices: (own) => ({ extraRows: { from: own.id('x') } }) });
    const { slot, tail } = slotOf(made, EMBED);
    const { begin } = family.checkpoints.find(({ name }) => name === 'x')!.tensors[0]!;
    expect([slot.elements, shapeOf(made, EMBED).shape]).toEqual([24, [9, 4]]);
    expect(tail).toEqual([{ range: { checkpoint: family.id('x'), shard: 0, begin: begin + 48, end: begin + 72 }, dtype: 'BF16', outDtype: 'BF16' }]);
    expect(brief(made, named)).toEqual([['rows-copied', EMBED, 'x', 6, 9], ['rows-cut', EMBED, 'y', 6, 8]]);
  });

  it('that a model lacks: it takes no part in them, and they do not count in its K', async () => {
    const { made, named } = await plan(rows(6, 4, 6));
    const { slot, segments } = slotOf(made, EMBED);
    expect([slot.elements, slot.modelElements]).toEqual([24, [16, 24]]);
    expect(segments.map(({ first, count, present }) => [first, count, ...present])).toEqual([[0, 16, true, true, true], [16, 8, true, false, true]]);
    expect(brief(made, named)).toEqual([['rows-differ', EMBED, 'x', 6, 4]]);
  });

  it('that end at an odd element start the next segment there', async () => {
    const { made } = await plan(rows(5, 3, 5, 3));
    expect(slotOf(made, EMBED).segments.map(({ first, count }) => [first, count])).toEqual([[0, 9], [9, 6]]);
  });

  it('that no model has are copied from the base and count in no figure', async () => {
    const { made, family } = await plan(rows(8, 4, 6));
    const { slot, tail } = slotOf(made, EMBED);
    const { begin } = family.checkpoints.find(({ name }) => name === 'base')!.tensors[0]!;
    expect([slot.elements, slot.modelElements]).toEqual([24, [16, 24]]);
    expect(tail.map(({ range }) => [range.begin, range.end])).toEqual([[begin + 48, begin + 64]]);
  });

  it('kept from the base or taken grow by the chosen extra rows as well', async () => {
    const choices = (family: Family) => ({ extraRows: { from: family.id('x') } });
    const kept = await plan(rows(6, 9, 6), { choices, recipe: { rules: [{ filter: '*', action: 'keep-base' }] } });
    expect(copyOf(kept.made, EMBED).map(({ range }) => [kept.named(range.checkpoint), (range.end - range.begin) / 8])).toEqual([['base', 6], ['x', 3]]);
    const taken = await plan(rows(6, 9, 4), { choices, recipe: (family) => ({ rules: [{ filter: '*', action: 'take', from: family.id('y') }] }) });
    expect(copyOf(taken.made, EMBED).map(({ range }) => [taken.named(range.checkpoint), (range.end - range.begin) / 8])).toEqual([['y', 4], ['base', 2], ['x', 3]]);
    expect(shapeOf(taken.made, EMBED).shape).toEqual([9, 4]);
  });

  it('grow head and embedding of a tied model alike', async () => {
    const folders = { base: { [EMBED]: [6, 4], [HEAD]: [6, 4] }, x: { [EMBED]: [9, 4] } };
    const { made } = await plan(folders, { choices: (family) => ({ extraRows: { from: family.id('x') } }) });
    expect([shapeOf(made, EMBED).shape, shapeOf(made, HEAD).shape]).toEqual([[9, 4], [9, 4]]);
  });
});

describe('refused', () => {
  it('is another shape, unless the model is left out for that tensor', async () => {
    const folders = { base: { a: [4, 2], b: [4] }, x: { a: [2, 4], b: [4] }, y: { a: [4, 2], b: [4] } } as const;
    const { made, named } = await plan(folders);
    expect(made.refusals.map(({ kind, tensor, model, baseShape, modelShape }) => [kind, tensor, named(model), baseShape, modelShape])).toEqual([['shape-differs', 'a', 'x', [4, 2], [2, 4]]]);
    const without = await plan(folders, { choices: (family) => ({ leaveOut: { a: [family.id('x')] } }) });
    expect(slotOf(without.made, 'a').slot.inputs).toEqual(['BF16', null, 'BF16']);
    expect(slotOf(without.made, 'b').slot.inputs).toEqual(['BF16', 'BF16', 'BF16']);
    expect(brief(without.made, without.named)).toEqual([['shape-differs', 'a', 'x']]);
  });

  it('is a checkpoint that is not open, and a recipe without a meaning', async () => {
    const family = await familyOf({ base: { a: [4] }, x: { a: [4] } });
    const recipe = recipeOf(family, 'ties', 'base', ['x']);
    const open = family.checkpoints.filter(({ name }) => name !== 'x');
    expect(() => planMerge(open, recipe, DEFAULT_CHOICES, LIMITS, {})).toThrow(expect.objectContaining({ reason: 'checkpoint-not-open', where: { model: family.id('x') } }));
    expect(() => planMerge(family.checkpoints, { ...recipe, models: [] }, DEFAULT_CHOICES, LIMITS, {})).toThrow(expect.objectContaining({ reason: 'models-empty' }));
  });

  it('is a tensor of 2^32 values or more, by name and with both numbers; one less is planned', () => {
    const wide = (rows: number): Checkpoint[] => ['base', 'x'].map((id) => checkpointOf(id, { a: [rows, 65537] }));
    const recipe = { ...recipeOf({ id: (name: string) => name } as Family, 'ties', 'base', ['x']) };
    // 65537 * 65535 = 2^32 - 1.
    expect(planMerge(wide(65535), recipe, DEFAULT_CHOICES, LIMITS, {}).parameters).toBe(4294967295);
    expect(() => planMerge(wide(65536), recipe, DEFAULT_CHOICES, LIMITS, {})).toThrow(
      expect.objectContaining({ reason: 'tensor-too-large', where: { tensor: 'a', expected: 4294967295, actual: 4295032832 } }),
    );
  });
});

describe('parameters', () => {
  it('notes where K is raised to one (merging.md section 2), for TIES only', async () => {
    const folders = { base: { a: [2], b: [3] }, x: { a: [2], b: [3] } } as const;
    const { made, named } = await plan(folders);
    expect(brief(made, named)).toEqual([['k-raised-to-one', 'a', 'x', 1, 2]]);
    expect((await plan(folders, { method: 'task_arithmetic' })).made.notes).toEqual([]);
  });
  it('resolves gradients over the layers of the base', async () => {
    const names = ['model.layers.0.w', 'model.layers.1.w', 'model.layers.2.w', 'model.norm'];
    const tensors = Object.fromEntries(names.map((name) => [name, [8]]));
    const { made } = await plan({ base: tensors, x: tensors }, { recipe: (family) => ({ models: [{ model: family.id('x'), weight: [0, 1], density: 1 }] }) });
    const step = made.steps[0] as MergeStep;
    expect(step.group.slots.map(({ name }, i) => [name, step.parameters[i]!.weight[0]])).toEqual([
      ['model.layers.0.w', 0], ['model.layers.1.w', 0.5], ['model.layers.2.w', 1], ['model.norm', 0],
    ]);
  });
});

it('takes names of Object.prototype and empty ones as data', async () => {
  const tensors = Object.fromEntries([['__proto__', [2]], ['constructor', [2]], ['', [2]]]) as Record<string, number[]>;
  const { made } = await plan({ base: tensors, x: tensors });
  expect(made.shards[0]!.tensors.map(({ name }) => name)).toEqual(['', '__proto__', 'constructor']);
  expect(made.refusals).toEqual([]);
});
