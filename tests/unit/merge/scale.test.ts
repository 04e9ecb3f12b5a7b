/** Any size: files and tensors beyond 32 bits, many shards, one model and eight (issue 4, scale modes). */
import { describe, expect, it } from 'vitest';
import { createCpuBackend } from '../../../src/cpu/backend';
import { ChunkReader } from '../../../src/merge/chunk-reading';
import { READ_AHEAD_BYTES, READ_BYTES } from '../../../src/merge/io-sizes';
import { planMerge } from '../../../src/merge/plan';
import { DEFAULT_CHOICES } from '../../../src/merge/plan-types';
import type { MergePlan, MergeStep } from '../../../src/merge/plan-types';
import { inputPart } from '../../../src/merge/inputs';
import { Sources } from '../../../src/merge/reading';
import { runMerge } from '../../../src/merge/run';
import type { Family } from './family';
import { familyOf, recipeOf } from './family';
import { MemoryFolder } from './memory-folder';
import { byteAt, sparseFamily } from './sparse';
import type { SparseFamily } from './sparse';

const MIB = 2 ** 20;
/** Elements of a chunk. */
const EACH = 2 ** 18;

function planOf(family: SparseFamily, limits: { readonly chunkBytes: number; readonly shardBytes: number }): MergePlan {
  return planMerge(family.checkpoints, recipeOf(family as unknown as Family, 'ties', 'base', ['x']), DEFAULT_CHOICES, limits, {});
}
/** 2.2e9 values, 4.4 GB in BF16: more than 2^31 elements and than 2^32 bytes. Another tensor lies behind it. */
const LARGE = { 'a.large': [134_500, 16_384], 'b.behind': [4096] };

describe('a tensor of more than 2^32 bytes', () => {
  it('is planned in chunks that cover it once, within the budget, at offsets that are exact', async () => {
    const family = await sparseFamily({ base: [LARGE], x: [LARGE] });
    const plan = planOf(family, { chunkBytes: 128 * MIB, shardBytes: 1e9 });
    const step = plan.steps.find((one): one is MergeStep => one.kind === 'merge' && one.group.slots[0]!.name === 'a.large')!;
    const elements = 134_500 * 16_384;
    let next = 0;
    for (const [segment, ...more] of step.group.chunks) {
      expect(more).toEqual([]);
      expect(segment!.first).toBe(next);
      expect(6 * segment!.count).toBeLessThanOrEqual(128 * MIB);
      next += segment!.count;
    }
    expect(next).toBe(elements);
    const [base] = step.inputs[0]!;
    expect(base!.end - base!.begin).toBe(2 * elements);
    expect(plan.bytesRead).toBe(2 * 2 * (elements + 4096));
    // A shard of its own, larger than a shard may be.
    expect(plan.shards.map(({ payloadBytes }) => payloadBytes)).toEqual([2 * elements, 8192]);
    // Reading ahead, one chunk and the writer: nothing of it grows with the tensor.
    expect(plan.peakBytes).toBeLessThan(READ_AHEAD_BYTES + 128 * MIB + 65 * MIB);
  });

  it('is read at its true place, to its last byte', async () => {
    const family = await sparseFamily({ base: [LARGE], x: [LARGE] });
    const plan = planOf(family, { chunkBytes: 6 * EACH, shardBytes: 1e9 });
    const step = plan.steps.find((one): one is MergeStep => one.kind === 'merge' && one.group.slots[0]!.name === 'a.large')!;
    const { group, inputs } = step;
    const last = group.chunks.length - 1;
    const sources = new Sources(family.openShard, { ready: async () => {}, reading: (_, read) => read() });
    const reader = new ChunkReader(group, sources, ({ slot, first, count }, input) => inputPart(group.slots[slot]!, input, inputs[slot]![input]!, first, count), 1);
    for (const chunk of [0, Math.ceil(2 ** 31 / EACH), last]) {
      const segment = group.chunks[chunk]![0]!;
      const bytes = await reader.read(segment, 1);
      const begin = inputs[0]![1]!.begin + 2 * segment.first;
      const expected = Uint8Array.from({ length: 2 * segment.count }, (_, k) => byteAt('x/model.safetensors', begin + k));
      expect(bytes.length).toBe(expected.length);
      expect(bytes.findIndex((byte, k) => byte !== expected[k])).toBe(-1);
      if (chunk === last) expect(begin + bytes.length).toBe(inputs[0]![1]!.end);
    }
    expect(inputs[0]![1]!.end).toBeGreaterThan(2 ** 32);
  });

  it('is refused by name where it has more values than an index of 32 bits can tell apart', async () => {
    const huge = { 'a.huge': [2 ** 16, 2 ** 16] };
    const family = await sparseFamily({ base: [huge], x: [huge] });
    expect(() => planOf(family, { chunkBytes: 128 * MIB, shardBytes: 1e9 })).toThrowError(expect.objectContaining({ reason: 'tensor-too-large' }));
  });
});

describe('files of more than 4 GiB', () => {
  it('are written as one where the shards may be so large, with offsets that are exact', async () => {
    const family = await sparseFamily({ base: [LARGE], x: [LARGE] });
    const plan = planOf(family, { chunkBytes: 128 * MIB, shardBytes: 1e12 });
    const elements = 134_500 * 16_384;
    expect(plan.shards.map(({ file, payloadBytes }) => [file, payloadBytes])).toEqual([['model.safetensors', 2 * elements + 8192]]);
    const { header } = plan.shards[0]!;
    const json = JSON.parse(new TextDecoder().decode(header.subarray(8))) as Record<string, { data_offsets: number[] }>;
    expect(json['b.behind']!.data_offsets).toEqual([2 * elements, 2 * elements + 8192]);
    expect(2 * elements).toBeGreaterThan(2 ** 32);
    expect(plan.bytesWritten).toBe(header.length + 2 * elements + 8192);
  });

  it('give neighbours behind that border in one read', async () => {
    const tensors = { ...LARGE, 'c.behind': [4096] };
    const family = await sparseFamily({ base: [tensors], x: [tensors] });
    const plan = planOf(family, { chunkBytes: 128 * MIB, shardBytes: 1e9 });
    const step = plan.steps.find((one): one is MergeStep => one.kind === 'merge' && one.group.slots[0]!.name === 'b.behind')!;
    expect(step.group.slots.map(({ name }) => name)).toEqual(['b.behind', 'c.behind']);
    const sources = new Sources(family.openShard, { ready: async () => {}, reading: (_, read) => read() });
    const ranges = step.inputs.map((inputs) => inputs[0]!);
    const [b, c] = await sources.readAll(ranges);
    expect(family.reads).toEqual([{ begin: ranges[0]!.begin, end: ranges[1]!.end }]);
    expect(ranges[0]!.begin).toBeGreaterThan(2 ** 32);
    expect([b![0], c![8191]]).toEqual([byteAt('base/model.safetensors', ranges[0]!.begin), byteAt('base/model.safetensors', ranges[1]!.end - 1)]);
  });

  it('are never asked for more than one read may hold', async () => {
    const family = await sparseFamily({ base: [{ a: [70, MIB / 2] }], x: [{ a: [70, MIB / 2] }] });
    const plan = planOf(family, { chunkBytes: 1e9, shardBytes: 1e9 });
    const [range] = (plan.steps[0] as MergeStep).inputs[0]!;
    let asked = 0;
    const source = { name: 'a', size: 1e9, read: async (begin: number, end: number) => ((asked = Math.max(asked, end - begin)), new Uint8Array(end - begin)) };
    const bytes = await new Sources(async () => source, { ready: async () => {}, reading: (_, read) => read() }).read(range!);
    expect([bytes.length, asked]).toEqual([70 * MIB, READ_BYTES]);
  });
});

/** 300 tensors of 8 values, `each` to a shard. */
const shardsOf = (each: number) => Array.from({ length: 300 / each }, (_, s) => Object.fromEntries(Array.from({ length: each }, (_, t) => [`t${String(s * each + t).padStart(3, '0')}`, [8]])));

describe('hundreds of shards', () => {
  it('merge into hundreds of others, every byte where it belongs', async () => {
    const family = await familyOf({ base: shardsOf(1), x: shardsOf(2) });
    const recipe = recipeOf(family, 'ties', 'base', ['x']);
    const merged = async (shardBytes: number) => {
      const folder = new MemoryFolder();
      const plan = planMerge(family.checkpoints, recipe, DEFAULT_CHOICES, { chunkBytes: 4096, shardBytes }, {});
      await runMerge(plan, createCpuBackend(), family.openShard, folder, {});
      const payloads = plan.shards.map(({ file, header }) => folder.files.get(file)!.subarray(header.length));
      return { names: plan.shards.map(({ file }) => file), files: folder.files.size, bytes: payloads.flatMap((payload) => [...payload]) };
    };
    const [one, some, many] = [await merged(1e9), await merged(1600), await merged(1)];
    expect([one.files, some.files, many.files]).toEqual([1, 4, 301]);
    expect([one.names, some.names]).toEqual([['model.safetensors'], [1, 2, 3].map((n) => `model-0000${n}-of-00003.safetensors`)]);
    expect([many.names[0], many.names[299]]).toEqual(['model-00001-of-00300.safetensors', 'model-00300-of-00300.safetensors']);
    expect([some.bytes, many.bytes]).toEqual([one.bytes, one.bytes]);
    expect(one.bytes.length).toBe(300 * 16);
  });

  it('are one read each when all of them are one group, and one in all where they are one file', async () => {
    const family = await familyOf({ base: shardsOf(1), x: shardsOf(2), y: shardsOf(300) });
    const plan = planMerge(family.checkpoints, recipeOf(family, 'ties', 'base', ['x', 'y']), DEFAULT_CHOICES, { chunkBytes: 1e6, shardBytes: 1e9 }, {});
    await runMerge(plan, createCpuBackend(), family.openShard, new MemoryFolder(), {});
    const readsOf = (model: string) => family.reads.filter(({ file }) => file.startsWith(`${model}/`)).length;
    expect([readsOf('base'), readsOf('x'), readsOf('y')]).toEqual([300, 150, 1]);
  });
});

describe('a tensor about as large as a chunk', () => {
  it('gives the bytes of one piece from four elements below the limit to four above it', async () => {
    const limit = 2 * 4096;
    for (let elements = limit - 4; elements <= limit + 4; elements++) {
      const family = await familyOf({ base: { a: [elements] }, x: { a: [elements] }, y: { a: [elements] } });
      const recipe = recipeOf(family, 'ties', 'base', ['x', 'y']);
      const [cut, whole] = [planMerge(family.checkpoints, recipe, DEFAULT_CHOICES, { chunkBytes: 8 * limit, shardBytes: 1e9 }, {}), planMerge(family.checkpoints, recipe, DEFAULT_CHOICES, { chunkBytes: 1e9, shardBytes: 1e9 }, {})];
      expect((cut.steps[0] as MergeStep).group.chunks.length, `${elements}`).toBe(elements <= limit ? 1 : 2);
      const outputs = await Promise.all([cut, whole].map(async (plan) => {
        const folder = new MemoryFolder();
        await runMerge(plan, createCpuBackend({ residentBytes: 0 }), family.openShard, folder, {});
        return folder.files.get('model.safetensors')!;
      }));
      expect(Buffer.compare(outputs[0]!, outputs[1]!), `${elements}`).toBe(0);
    }
  });
});

describe('how many models', () => {
  it('one checkpoint alone is scaled by its weight', async () => {
    const family = await familyOf({ x: { a: { shape: [4], values: [1, -2.5, 0.125, 3] } } });
    const recipe = { ...recipeOf(family, 'linear', null, ['x']), models: [{ model: family.id('x'), weight: 0.5, density: 1 }], normalize: false };
    expect(await valuesOf(family, recipe)).toEqual([0.5, -1.25, 0.0625, 1.5]);
  });

  it('a base and one model are scaled by the weight of the difference', async () => {
    const family = await familyOf({ base: { a: { shape: [3], values: [1, 1, -4] } }, x: { a: { shape: [3], values: [3, 1, -2] } } });
    const recipe = { ...recipeOf(family, 'task_arithmetic', 'base', ['x']), models: [{ model: family.id('x'), weight: 0.25, density: 1 }], normalize: false };
    expect(await valuesOf(family, recipe)).toEqual([1.5, 1, -3.5]);
  });

  it('eight models are averaged', async () => {
    const names = ['m1', 'm2', 'm3', 'm4', 'm5', 'm6', 'm7', 'm8'];
    const family = await familyOf(Object.fromEntries(names.map((name, i) => [name, { a: { shape: [2], values: [i, -8 * i] } }])));
    expect(await valuesOf(family, recipeOf(family, 'linear', null, names))).toEqual([3.5, -28]);
  });
});

async function valuesOf(family: Family, recipe: Parameters<typeof planMerge>[1]): Promise<number[]> {
  const folder = new MemoryFolder();
  const plan = planMerge(family.checkpoints, recipe, DEFAULT_CHOICES, { chunkBytes: 4096, shardBytes: 1e9 }, {});
  await runMerge(plan, createCpuBackend(), family.openShard, folder, {});
  const payload = folder.files.get('model.safetensors')!.slice(plan.shards[0]!.header.length);
  return Array.from(new Uint16Array(payload.buffer), (bits) => new Float32Array(new Uint32Array([bits << 16]).buffer)[0]!);
}
