/** LoRA adapters, made by PEFT itself (tests/fixtures/lora/make.py): what they make of their base, and which are refused. */
import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decodeToF32 } from '../../../src/bytes/floats';
import { isMergedDtype, type MergedDtype } from '../../../src/bytes/dtypes';
import { MemorySource } from '../../../src/bytes/source';
import { parseAdapterConfig, scalingOf } from '../../../src/checkpoint/adapter-config';
import { openCheckpoints } from '../../../src/checkpoint/open';
import type { Checkpoint, FileEntry } from '../../../src/checkpoint/types';
import { createCpuBackend } from '../../../src/cpu/backend';
import { readHeader } from '../../../src/format/safetensors/header';
import { inputPart } from '../../../src/merge/inputs';
import { planMerge } from '../../../src/merge/plan';
import { DEFAULT_CHOICES, type MergeStep } from '../../../src/merge/plan-types';
import { Sources } from '../../../src/merge/reading';
import { runMerge } from '../../../src/merge/run';
import { createReferenceBackend } from '../../../src/reference/backend';
import type { Recipe } from '../../../src/recipe/types';
import { MemoryFolder } from '../merge/memory-folder';
import { recipeOf } from '../merge/family';
import { shard, text } from './folder';

const root = new URL('../../fixtures/lora/', import.meta.url);
const cases = ['plain', 'patterns', 'rslora-embedding', 'gpt2'] as const;

async function opened(...folders: string[]) {
  const contents = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const folder of folders) for (const name of readdirSync(new URL(folder, root))) contents.set(`${folder}/${name}`, new Uint8Array(readFileSync(new URL(`${folder}/${name}`, root))));
  return open(contents);
}
async function open(contents: ReadonlyMap<string, Uint8Array<ArrayBuffer>>) {
  const files = [...contents].map(([path, { length }], i): FileEntry => ({ id: `f${i}`, path, size: length, modified: i }));
  const { checkpoints, problems } = await openCheckpoints(files, async ({ path }) => new MemorySource(path, contents.get(path)!));
  const openShard = async (id: string, index: number) => {
    const { path } = checkpoints.find((one) => one.id === id)!.shards[index]!.file;
    return new MemorySource(path, contents.get(path)!);
  };
  return { checkpoints, problems, openShard, id: (name: string) => checkpoints.find((one) => one.name === name)!.id };
}
const baseOf = (name: string) => (name === 'gpt2' ? 'base-gpt2' : 'base-llama');

async function valuesIn(bytes: Uint8Array<ArrayBuffer>): Promise<Map<string, Float32Array>> {
  const { tensors } = await readHeader(new MemorySource('x', bytes));
  return new Map(tensors.flatMap(({ name, dtype, begin, end }) => (isMergedDtype(dtype) ? [[name, decodeToF32(bytes.subarray(begin, end), dtype)]] : [])));
}

/** The values a plan reads of each slot in one input, segment by segment. */
async function inputsOf(family: Awaited<ReturnType<typeof opened>>, recipe: Recipe, input: number, chunkBytes: number) {
  const backend = createReferenceBackend();
  const plan = planMerge(family.checkpoints, recipe, DEFAULT_CHOICES, { chunkBytes, shardBytes: 1e9 }, {});
  const sources = new Sources(family.openShard, { ready: async () => {}, reading: (_, read) => read() }, (request) => backend.adapt(request));
  const values = new Map<string, number[]>();
  for (const { group, inputs } of plan.steps.filter((step): step is MergeStep => step.kind === 'merge')) {
    for (const segment of group.chunks.flat()) {
      const slot = group.slots[segment.slot]!;
      const part = inputPart(slot, input, inputs[segment.slot]![input]!, segment.first, segment.count);
      const read = decodeToF32(await sources.readPart(part), slot.inputs[input] as MergedDtype);
      values.set(slot.name, [...(values.get(slot.name) ?? []), ...read]);
    }
  }
  return values;
}

describe('what an adapter makes of its base', () => {
  it.each(cases)('%s: is what PEFT merges it into, in chunks of any size', async (name) => {
    const family = await opened(baseOf(name), name);
    expect(family.problems).toEqual([]);
    const recipe = recipeOf(family, 'ties', baseOf(name), [name]);
    const base = await valuesIn(new Uint8Array(readFileSync(new URL(`${baseOf(name)}/model.safetensors`, root))));
    const merged = await valuesIn(new Uint8Array(readFileSync(new URL(`${name}/merged.st`, root))));
    const whole = await inputsOf(family, recipe, 1, 2 ** 20);
    // Chunks of 54 elements end inside rows.
    expect(await inputsOf(family, recipe, 1, 54 * 12)).toEqual(whole);
    expect([...whole.keys()].sort()).toEqual([...base.keys()].sort());
    const changed: string[] = [];
    for (const [tensor, values] of whole) {
      const expected = merged.get(tensor) ?? base.get(tensor)!;
      if (values.some((value, i) => value !== base.get(tensor)![i])) changed.push(tensor);
      values.forEach((value, i) => {
        // At most 5 ranks: 5 products, 4 sums, the scale and the last sum, each off by 2^-24 of what is at most 2 here, on both sides.
        if (Math.abs(value - expected[i]!) > 2 * 11 * 2 ** -24 * 2) expect(`${tensor}[${i}]: ${value}`).toBe(`${tensor}[${i}]: ${expected[i]}`);
      });
    }
    expect(changed.sort()).toEqual([...merged.keys()].sort());
  });

  it.each(cases)('%s: merges like the checkpoint PEFT writes, the product formed by the CPU backend', async (name) => {
    const family = await opened(baseOf(name), name);
    const recipe = { ...recipeOf(family, 'task_arithmetic', baseOf(name), [name]), outDtype: 'F32' } as Recipe;
    const plan = planMerge(family.checkpoints, recipe, DEFAULT_CHOICES, { chunkBytes: 1000, shardBytes: 1e9 }, {});
    const folder = new MemoryFolder();
    await runMerge(plan, createCpuBackend(), family.openShard, folder, {});
    const written = await valuesIn(folder.files.get('model.safetensors')!);
    const merged = await valuesIn(new Uint8Array(readFileSync(new URL(`${name}/merged.st`, root))));
    for (const [tensor, expected] of merged) {
      const worst = Math.max(...[...expected].map((value, i) => Math.abs(value - written.get(tensor)![i]!)));
      // theta + (theta' - theta) has two more roundings than theta'.
      expect(worst, tensor).toBeLessThanOrEqual(2 * 13 * 2 ** -24 * 2);
    }
  });

  it('takes a tensor whole from an adapter, formed on the way', async () => {
    const family = await opened('base-llama', 'plain');
    const tensor = 'model.layers.1.self_attn.v_proj.weight';
    const rules = [{ filter: tensor, action: 'take', from: family.id('plain') }];
    const recipe = { ...recipeOf(family, 'ties', 'base-llama', ['plain']), rules } as unknown as Recipe;
    const plan = planMerge(family.checkpoints, recipe, DEFAULT_CHOICES, { chunkBytes: 2 ** 20, shardBytes: 1e9 }, {});
    const folder = new MemoryFolder();
    await runMerge(plan, createCpuBackend(), family.openShard, folder, {});
    const written = (await valuesIn(folder.files.get('model.safetensors')!)).get(tensor)!;
    const formed = (await inputsOf(family, recipeOf(family, 'ties', 'base-llama', ['plain']), 1, 2 ** 20)).get(tensor)!;
    expect([...written]).toEqual(formed);
  });
});

describe('refusals', () => {
  const config = { peft_type: 'LORA', r: 2, lora_alpha: 4 };
  const refusal = (more: object) => parseAdapterConfig(text(JSON.stringify({ ...config, ...more })));

  it('names the setting that is more than plain LoRA', async () => {
    const { problems, checkpoints } = await opened('dora');
    expect(checkpoints).toEqual([]);
    expect(problems.map(({ file, error }) => [file, error.reason, error.where.actual])).toEqual([['dora/adapter_model.safetensors', 'adapter-unsupported', 'use_dora: true']]);
    expect(refusal({ bias: 'lora_only' })).toEqual({ refused: 'bias: "lora_only"' });
    expect(refusal({ init_lora_weights: 'pissa' })).toEqual({ refused: 'init_lora_weights: "pissa"' });
    expect(refusal({ peft_type: 'IA3' })).toEqual({ refused: 'peft_type: "IA3"' });
    expect(refusal({ r: 0 })).toEqual({ refused: 'r: 0' });
    expect(refusal({ rank_pattern: { '(a+)+$': 4 } })).toMatchObject({ refused: 'rank_pattern: {"(a+)+$":4}' });
    expect(parseAdapterConfig(text('[]'))).toBeNull();
  });

  it('scales by alpha / r or alpha / sqrt(r), each by its first pattern that fits the end of the name', () => {
    const parsed = refusal({ rank_pattern: { 'q_proj': 8, 'layers.1.q_proj': 16 }, alpha_pattern: { '^model\\.layers\\.\\d+\\.v_proj': 1 } });
    if (!parsed || 'refused' in parsed) throw new Error('refused');
    expect(scalingOf(parsed, 'model.layers.1.q_proj')).toEqual({ rank: 8, scale: 0.5 });
    expect(scalingOf(parsed, 'model.layers.1.xq_proj')).toEqual({ rank: 2, scale: 2 });
    expect(scalingOf({ ...parsed, rankStabilised: true }, 'model.layers.3.k_proj').scale).toBe(Math.fround(4 / Math.SQRT2));
  });

  it.each([
    ['adapter-config-missing', { 'a/adapter_model.safetensors': shard('m.q.lora_A.weight', 'm.q.lora_B.weight') }],
    ['adapter-incomplete', { 'a/adapter_model.safetensors': shard('m.q.lora_A.weight'), 'a/adapter_config.json': text(JSON.stringify(config)) }],
    ['adapter-tensors-unknown', { 'a/adapter_model.safetensors': shard('m.q.lora_A.weight', 'm.q.lora_B.bias'), 'a/adapter_config.json': text(JSON.stringify(config)) }],
    ['adapter-shape', { 'a/adapter_model.safetensors': shard('m.q.lora_A.weight', 'm.q.lora_B.weight'), 'a/adapter_config.json': text(JSON.stringify(config)) }],
    ['adapter-config-unreadable', { 'a/adapter_model.safetensors': shard('m.q.lora_A.weight'), 'a/adapter_config.json': text('{') }],
  ])('%s', async (reason, contents) => {
    const { problems, checkpoints } = await open(new Map(Object.entries(contents)));
    expect([checkpoints, problems.map(({ error }) => error.reason)]).toEqual([[], [reason]]);
  });

  const planned = (checkpoints: readonly Checkpoint[], recipe: Recipe) => () => planMerge(checkpoints, recipe, DEFAULT_CHOICES, { chunkBytes: 1e6, shardBytes: 1e9 }, {});

  it('an adapter without its base, as a base, or on another model', async () => {
    const family = await opened('base-llama', 'base-gpt2', 'plain', 'gpt2');
    expect(planned(family.checkpoints, { ...recipeOf(family, 'linear', 'base-llama', ['plain']), base: null })).toThrow(expect.objectContaining({ reason: 'adapter-without-base' }));
    expect(planned(family.checkpoints, recipeOf(family, 'ties', 'plain', ['base-llama']))).toThrow(expect.objectContaining({ reason: 'adapter-as-base' }));
    expect(planned(family.checkpoints, recipeOf(family, 'ties', 'base-gpt2', ['plain']))).toThrow(
      expect.objectContaining({ reason: 'adapter-targets-absent', where: expect.objectContaining({ model: family.id('plain') }) as unknown }),
    );
    const [wider] = family.checkpoints.filter(({ name }) => name === 'plain');
    const changed = { ...wider!, adapter: { ...wider!.adapter!, rank: 3 } };
    expect(planned([...family.checkpoints.filter((one) => one !== wider), changed], recipeOf(family, 'ties', 'base-llama', ['plain']))).toThrow(
      expect.objectContaining({ reason: 'adapter-does-not-fit', where: expect.objectContaining({ expected: 'rank 3 in adapter_config.json', actual: 'rank 4 in its file' }) as unknown }),
    );
  });
});
