/** Everything computed again by another backend (merging.md section 8; faults.md B 35): one wrong bit anywhere is found. */
import { describe, expect, it } from 'vitest';
import { createCpuBackend } from '../../../src/cpu/backend';
import type { Backend } from '../../../src/merge/backend';
import { runBatch } from '../../../src/merge/batch';
import { planBatch } from '../../../src/merge/batch-plan';
import type { BatchProgress } from '../../../src/merge/batch-progress';
import { planMerge } from '../../../src/merge/plan';
import { DEFAULT_CHOICES } from '../../../src/merge/plan-types';
import type { RunProgress } from '../../../src/merge/progress';
import { runMerge } from '../../../src/merge/run';
import { MOST_LISTED } from '../../../src/merge/verify';
import { createReferenceBackend } from '../../../src/reference/backend';
import { recomputeSpots } from '../../../src/reference/spots';
import { familyOf, recipeOf } from './family';
import type { MadeTensors } from './family';
import { MemoryFolder, MemoryFolders } from './memory-folder';

const TENSORS: MadeTensors = { big: [30_000], 'lm_head.weight': { shape: [5, 4] }, ids: { shape: [4], dtype: 'I32' } };
const reference = createReferenceBackend();

/** The reference with `bit` of value `index` of `big` turned over. */
function flipped(index: number, bit: number): Backend {
  return {
    ...reference,
    merge: (group, parameters, read, write, options) =>
      reference.merge(group, parameters, read, (segment, bytes) => {
        const place = index - segment.first;
        if (group.slots[segment.slot]!.name === 'big' && place >= 0 && place < segment.count) new Uint16Array(bytes.buffer, bytes.byteOffset)[place]! ^= 1 << bit;
        return write(segment, bytes);
      }, options),
  };
}

async function merged(backend: Backend, recheckBy: (() => Backend) | null, shardBytes = 1e9) {
  const family = await familyOf({ base: TENSORS, x: { ...TENSORS, 'lm_head.weight': { shape: [7, 4] } } });
  const choices = { ...DEFAULT_CHOICES, extraRows: { from: family.id('x') } };
  const plan = planMerge(family.checkpoints, recipeOf(family, 'ties', 'base', ['x']), choices, { chunkBytes: 9000, shardBytes }, {});
  const folder = new MemoryFolder();
  const told: RunProgress[] = [];
  const running = runMerge(plan, backend, family.openShard, folder, { recompute: recomputeSpots, onProgress: (progress) => told.push(progress), ...(recheckBy ? { recheckBy } : {}) });
  return { running, folder, told, plan };
}

describe('a merge computed again', () => {
  it.each([1e9, 64])('says how many values, by what, and comes before the index (shards of %d bytes)', async (shardBytes) => {
    let disposed = 0;
    const cpu = createCpuBackend({ simd: false });
    const recheckBy = () => ({ ...cpu, info: { ...cpu.info, label: 'another' }, dispose: () => void disposed++ });
    const { running, folder, told, plan } = await merged(reference, recheckBy, shardBytes);
    // Rows that are copied and integers are compared as well.
    expect((await running).rechecked).toEqual({ values: 30_000 + 7 * 4 + 4, differing: 0, by: 'another' });
    expect([folder.files.size, disposed]).toEqual([plan.shards.length + (plan.index === null ? 0 : 1), 1]);
    const phases = told.map(({ phase }) => phase).filter((phase, i, all) => phase !== all[i - 1]);
    expect(phases).toEqual(['reading', 'finalising', 'verifying', 'rechecking']);
    expect(told.at(-1)).toMatchObject({ bytesVerified: 2 * (30_000 + 28) + 16, tensorsDone: 3, tensors: 3 });
  });

  it('finds one that is wrong however many are rounded apart before it', async () => {
    const names = Array.from({ length: MOST_LISTED + 2 }, (_, i) => `t${String(i).padStart(4, '0')}`);
    const family = await familyOf(Object.fromEntries(['base', 'x'].map((model) => [model, Object.fromEntries(names.map((name) => [name, [2]]))])));
    const plan = planMerge(family.checkpoints, recipeOf(family, 'ties', 'base', ['x']), DEFAULT_CHOICES, { chunkBytes: 9000, shardBytes: 1e9 }, {});
    /** One unit in the last place of every tensor, and `bit` of the last one. */
    const apart = (bit: number): Backend => ({
      ...reference,
      merge: (group, parameters, read, write, options) =>
        reference.merge(group, parameters, read, (segment, bytes) => {
          new Uint16Array(bytes.buffer, bytes.byteOffset)[0]! ^= group.slots[segment.slot]!.name === names.at(-1) ? 1 << bit : 1;
          return write(segment, bytes);
        }, options),
    });
    const run = (bit: number) => runMerge(plan, apart(bit), family.openShard, new MemoryFolder(), { recheckBy: () => createCpuBackend() });
    expect((await run(0)).rechecked).toMatchObject({ differing: names.length });
    await expect(run(9)).rejects.toMatchObject({ reason: 'recheck-differs', where: { tensor: names.at(-1), index: 0 } });
  });

  it('is not done unasked', async () => {
    const { running } = await merged(reference, null);
    expect((await running).rechecked).toBeNull();
  });

  it('finds one bit at a value that the sample does not hold, names it, and removes what was written', async () => {
    // The lowest bit is one unit in the last place, which a tensor of 30,000 values may have three times; the next one is two.
    const index = 12_345;
    await expect((await merged(flipped(index, 1), null)).running).resolves.toMatchObject({ checked: { tensors: 2 } });
    for (const bit of [1, 9, 15]) {
      const { running, folder } = await merged(flipped(index, bit), () => createCpuBackend(), 64);
      await expect(running).rejects.toMatchObject({ code: 'internal', reason: 'recheck-differs', where: { tensor: 'big', index } });
      expect([[...folder.files.keys()], [...folder.unfinished]]).toEqual([[], []]);
    }
    expect((await (await merged(flipped(index, 0), () => createCpuBackend())).running).rechecked).toMatchObject({ differing: 1 });
  });

  /** Two densities of one merge, with journals, one of them computed by `wrong`. */
  async function several(wrong: Backend | null, told: BatchProgress[] = [], atOnce = 36) {
    const family = await familyOf({ base: TENSORS, x: TENSORS });
    const recipes = [0.3, 0.6].map((density) => {
      const recipe = recipeOf(family, 'ties', 'base', ['x']);
      return { ...recipe, models: recipe.models.map((model) => ({ ...model, density })) };
    });
    const items = recipes.map((recipe, i) => {
      const plan = planMerge(family.checkpoints, recipe, DEFAULT_CHOICES, { chunkBytes: 9000, shardBytes: 1e4 }, {});
      return { folder: 'ab'[i]!, plan, extras: [], journal: { subject: { application: 'a', recipe: String(i), choices: '{}', text: 'null', shardBytes: 1e4, sources: [] } } };
    });
    const backend: Backend = { ...reference, merge: (group, parameters, ...call) => (parameters[0]!.density[0] === 0.6 && wrong ? wrong : reference).merge(group, parameters, ...call) };
    const out = new MemoryFolders();
    let [live, most] = [0, 0];
    const recheckBy = () => {
      most = Math.max(most, ++live);
      return { ...createCpuBackend(), dispose: () => void live-- };
    };
    const result = await runBatch(items, planBatch(items.map(({ plan }) => plan), { holdBytes: 2 ** 20, atOnce }), backend, family.openShard, out, { holdBytes: 2 ** 20, recompute: recomputeSpots, recheckBy, onProgress: (progress) => told.push(progress) });
    expect([live, most]).toEqual([0, 1]);
    return { ...result, out };
  }

  it('also where several go side by side: each by itself, all counted', async () => {
    const told: BatchProgress[] = [];
    const { finished, stopped } = await several(null, told);
    expect(stopped).toBeNull();
    expect(finished.map(({ result }) => result.rechecked)).toEqual([1, 2].map(() => ({ values: 30_000 + 5 * 4 + 4, differing: 0, by: expect.stringContaining('CPU') as string })));
    expect(new Set(told.map(({ phase }) => phase))).toContain('rechecking');
    const last = told.at(-1)!;
    expect(last.bytesRead / last.bytesReadTotal).toBeGreaterThan(0.99);
    const shares = told.map(({ bytesRead, bytesWritten, bytesVerified }) => bytesRead + bytesWritten + bytesVerified);
    expect(shares.every((share, i) => i === 0 || share >= shares[i - 1]!)).toBe(true);
    expect(told.every(({ bytesReadTotal, bytesRead }) => bytesRead <= bytesReadTotal && bytesReadTotal === told[0]!.bytesReadTotal)).toBe(true);
  });

  it('finds the one that is wrong among several, and keeps the one that is right', async () => {
    const { finished, missing, stopped, out } = await several(flipped(12_345, 3), [], 1);
    expect(stopped).toMatchObject({ code: 'internal', reason: 'recheck-differs', where: { tensor: 'big', index: 12_345 } });
    expect([finished.map(({ folder }) => folder), missing, [...out.inner.keys()]]).toEqual([['a'], ['b'], ['a']]);
    await expect(several(flipped(12_345, 3))).rejects.toMatchObject({ reason: 'recheck-differs' });
  });

  it('is stopped like the rest, and its backend disposed of', async () => {
    const stopping = new AbortController();
    let disposed = 0;
    const cpu = createCpuBackend();
    const family = await familyOf({ base: TENSORS, x: TENSORS });
    const plan = planMerge(family.checkpoints, recipeOf(family, 'ties', 'base', ['x']), DEFAULT_CHOICES, { chunkBytes: 9000, shardBytes: 1e9 }, {});
    const folder = new MemoryFolder();
    const onProgress = ({ phase }: RunProgress) => phase === 'rechecking' && stopping.abort();
    await expect(runMerge(plan, reference, family.openShard, folder, { recheckBy: () => ({ ...cpu, dispose: () => void disposed++ }), signal: stopping.signal, onProgress })).rejects.toMatchObject({ code: 'cancelled' });
    expect([folder.files.size, disposed]).toEqual([0, 1]);
  });
});
