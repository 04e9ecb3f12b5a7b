/** Merging again and comparing: equal to the bit where nothing was touched, and every difference named where something was. */
import { describe, expect, it } from 'vitest';
import { CancelledError } from '../../../src/bytes/errors';
import type { Dtype } from '../../../src/bytes/dtypes';
import { planMerge } from '../../../src/merge/plan';
import { DEFAULT_CHOICES, type FitChoices, type PlanLimits } from '../../../src/merge/plan-types';
import type { RunProgress } from '../../../src/merge/progress';
import { runMerge } from '../../../src/merge/run';
import { verifyPlan, type VerifyHooks } from '../../../src/merge/verify';
import { createReferenceBackend } from '../../../src/reference/backend';
import { familyOf, openFamily, recipeOf, type Family } from './family';
import { MemoryFolder } from './memory-folder';

const backend = createReferenceBackend();
const EMBED = 'model.embed_tokens.weight';
const Q = 'model.layers.0.self_attn.q_proj.weight';
const NORM = 'model.norm.weight';
const IDS = 'model.ids';
const shapes = (rows: number) => ({ [EMBED]: [rows, 4], [Q]: [8, 4], [NORM]: { shape: [4], dtype: 'F32' as Dtype }, [IDS]: { shape: [3], dtype: 'I64' as Dtype } });
/** Two shards, in another order than the verification's one. */
const SMALL: PlanLimits = { chunkBytes: 96, shardBytes: 100 };
const WHOLE: PlanLimits = { chunkBytes: 64, shardBytes: Number.MAX_SAFE_INTEGER };

/** Merges base, sft and ct into `merged`, lets `change` at its files, and opens all four. CT has two rows more, which are kept. */
async function mergedFamily(change: (files: Map<string, Uint8Array<ArrayBuffer>>) => void = () => {}) {
  const folders = { base: shapes(6), sft: shapes(6), ct: shapes(8) };
  const sources = await familyOf(folders);
  const choices = (family: Family): FitChoices => ({ ...DEFAULT_CHOICES, extraRows: { from: family.id('ct') } });
  const recipe = (family: Family) => recipeOf(family, 'ties', 'base', ['sft', 'ct']);
  const out = new MemoryFolder();
  await runMerge(planMerge(sources.checkpoints, recipe(sources), choices(sources), SMALL, {}), backend, sources.openShard, out, {});
  change(out.files);
  const contents = new Map(Object.keys(folders).map((name) => [`${name}/model.safetensors`, sources.bytesOf(`${name}/model.safetensors`)]));
  for (const [name, bytes] of out.files) contents.set(`merged/${name}`, bytes);
  const family = await openFamily(contents);
  const merged = family.checkpoints.find(({ name }) => name === 'merged')!;
  const verify = (hooks: VerifyHooks = {}, more: Parameters<typeof recipeOf>[4] = {}) =>
    verifyPlan(planMerge(family.checkpoints, { ...recipe(family), ...more }, choices(family), WHOLE, {}), merged, backend, family.openShard, hooks);
  return { family, merged, verify };
}

/** The bytes of a tensor within its file. */
function bytesOf(files: Map<string, Uint8Array<ArrayBuffer>>, tensor: string): Uint8Array<ArrayBuffer> {
  for (const file of files.values()) {
    const length = Number(new DataView(file.buffer).getBigUint64(0, true));
    if (length > file.length) continue;
    const header = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + length))) as Record<string, { data_offsets: [number, number] }>;
    const [begin, end] = header[tensor]?.data_offsets ?? [];
    if (begin !== undefined) return file.subarray(8 + length + begin, 8 + length + end!);
  }
  throw new Error(`no ${tensor}`);
}

describe('verifying a merged checkpoint', () => {
  it('finds every tensor the same, tails, integers and all, however it is sharded', async () => {
    const { merged, verify } = await mergedFamily();
    expect(merged.shards.length).toBeGreaterThan(1);
    expect(await verify()).toEqual({ tensors: 4, same: 4, values: 32 + 32 + 4 + 3, differing: 0, differences: [], missing: [], foreign: [], reshaped: [] });
  });

  it('names the tensor, the first value that differs by more than rounding may, how many differ and by how much', async () => {
    const { verify } = await mergedFamily((files) => {
      const q = bytesOf(files, Q);
      q[2 * 5]! ^= 1;
      q[2 * 9]! ^= 4;
      // The last value of the rows that are copied from CT.
      bytesOf(files, EMBED)[63]! ^= 0x80;
      bytesOf(files, IDS)[8] = 99;
    });
    const { same, differing, differences } = await verify();
    expect([same, differing]).toEqual([1, 4]);
    const by = new Map(differences.map((one) => [one.tensor, one]));
    // One unit, as rounding may make, comes before it.
    expect(by.get(Q)).toMatchObject({ values: 32, differing: 2, first: { index: 9 }, units: 4 });
    const { expected, actual } = by.get(EMBED)!.first;
    expect([by.get(EMBED)!.first.index, Number(actual)]).toEqual([31, -Number(expected)]);
    expect(by.get(IDS)).toMatchObject({ differing: 1, first: { index: 1, expected: '0x69625b544d463f38', actual: '0x69625b544d463f63' }, units: null });
  });

  it('of another recipe differs', async () => {
    const { verify } = await mergedFamily();
    const { same, differences } = await verify({}, { lambda: 0.5 });
    // Integers are copied whatever lambda is.
    expect(same).toBe(1);
    expect(differences.map(({ tensor }) => tensor).sort()).toEqual([EMBED, NORM, Q].sort());
  });

  it('names what is missing, foreign or of another form', async () => {
    const { family, merged } = await mergedFamily();
    const plan = planMerge(family.checkpoints, recipeOf(family, 'ties', 'base', ['sft', 'ct'], { outDtype: 'F32' }), DEFAULT_CHOICES, WHOLE, {});
    const other = { ...merged, tensors: merged.tensors.map((tensor) => (tensor.name === NORM ? { ...tensor, name: 'own' } : tensor)) };
    expect(await verifyPlan(plan, other, backend, family.openShard, {})).toEqual({
      tensors: 4, same: 1, values: 3, differing: 0, differences: [],
      missing: [NORM],
      foreign: ['own'],
      reshaped: [
        { tensor: EMBED, expected: 'F32 [6, 4]', actual: 'BF16 [8, 4]' },
        { tensor: Q, expected: 'F32 [8, 4]', actual: 'BF16 [8, 4]' },
      ],
    });
  });

  it('tells how far it is, and stops when it is told to', async () => {
    const { verify, merged } = await mergedFamily();
    const progress: RunProgress[] = [];
    await verify({ onProgress: (now) => progress.push(now) });
    expect(progress.at(-1)).toMatchObject({ tensorsDone: 4, tensors: 4, bytesVerified: merged.tensors.reduce((sum, { begin, end }) => sum + end - begin, 0) });
    const controller = new AbortController();
    let reads = 0;
    const stopped = verify({ signal: controller.signal, ready: async () => void (++reads === 3 && controller.abort()) });
    await expect(stopped).rejects.toBeInstanceOf(CancelledError);
  });
});
