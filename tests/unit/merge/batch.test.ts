/** Several merges in one run: the inputs read once for all of them, each folder what a merge of its own gives. */
import { describe, expect, it } from 'vitest';
import { CancelledError, StudioError } from '../../../src/bytes/errors';
import { HASHING_DIED, HASHING_HERE } from '../../../src/bytes/hashing';
import { Watchdog } from '../../../src/bytes/watchdog';
import { createCpuBackend } from '../../../src/cpu/backend';
import { runBatch } from '../../../src/merge/batch';
import type { BatchHooks } from '../../../src/merge/batch';
import { readJournal } from '../../../src/merge/journal';
import type { BatchItem, BatchProgress } from '../../../src/merge/batch-progress';
import { copyPieceOf, planBatch } from '../../../src/merge/batch-plan';
import { planMerge } from '../../../src/merge/plan';
import { COPY_BYTES } from '../../../src/merge/io-sizes';
import { DEFAULT_CHOICES } from '../../../src/merge/plan-types';
import type { MergePlan } from '../../../src/merge/plan-types';
import { runMerge } from '../../../src/merge/run';
import { batchTable, densityGrid } from '../../../src/recipe/batch';
import type { Recipe } from '../../../src/recipe/types';
import { recomputeSpots } from '../../../src/reference/spots';
import { FAST } from '../test-time';
import { familyOf, recipeOf } from './family';
import type { Family } from './family';
import { MemoryFolder, MemoryFolders } from './memory-folder';

/** Chunks that cut the embedding, shards that part the layers, an integer tensor that is compared and copied. */
const LIMITS = { chunkBytes: 40_000, shardBytes: 20_000, readAheadBytes: 30_000 };
const HOLD = 2 ** 20;
const GRID = [0.2, 0.7];

const tensors = (vocabulary: number) => ({
  'model.embed_tokens.weight': [vocabulary, 64],
  'model.layers.0.mlp.up_proj.weight': [40, 64],
  'model.layers.0.steps': { shape: [9], dtype: 'I32' as const, values: Array.from({ length: 36 }, (_, i) => i % 4) },
  'model.layers.1.mlp.up_proj.weight': [40, 64],
  'model.norm.weight': [64],
});

async function family(): Promise<Family> {
  return familyOf({ base: tensors(200), sft: tensors(200), ct: tensors(208) });
}
const paper = (of: Family, more: Partial<Recipe> = {}) => recipeOf(of, 'ties_sv', 'base', ['sft', 'ct'], { slack: { s: 0.04, of: 'retained', prefer: of.id('sft') }, ...more });

it('copies of many recipes are counted, in pieces that together are what one recipe has', async () => {
  const own = await family();
  const plan = planMerge(own.checkpoints, paper(own), DEFAULT_CHOICES, LIMITS, {});
  const range = { checkpoint: 'a', shard: 0, begin: 0, end: 2 ** 30 };
  const copying: MergePlan = { ...plan, steps: [...plan.steps, { kind: 'copy', shard: 0, tensor: 'large', parts: [{ range, dtype: 'I32', outDtype: 'I32' }] }] };
  const peak = (one: MergePlan, recipes: number) => planBatch(Array.from({ length: recipes }, () => one), { holdBytes: HOLD }).peakBytes;
  const copies = peak(copying, 36) - peak(plan, 36);
  expect(copyPieceOf(36)).toBeLessThanOrEqual(COPY_BYTES / 32);
  // Two pieces each, and what is kept of one another's reads; less what the plan's own integers, 36 bytes of three files, take alike.
  expect(copies).toBe(36 * (2 * copyPieceOf(36) - 3 * 36) + HOLD - 4 * 36);
  expect(peak(copying, 1)).toBe(peak(plan, 1));
});

function itemsOf(of: Family, recipes: readonly { readonly folder: string; readonly recipe: Recipe }[]): BatchItem[] {
  const extras = [{ name: 'config.json', content: new TextEncoder().encode('{}') }];
  return recipes.map(({ folder, recipe }) => {
    const plan = planMerge(of.checkpoints, recipe, DEFAULT_CHOICES, LIMITS, { recipe: folder });
    expect(plan.refusals).toEqual([]);
    return { folder, plan, extras };
  });
}

const gridOf = (of: Family, recipe = paper(of)) => densityGrid(recipe, [of.id('sft'), of.id('ct')], GRID, (id) => of.checkpoints.find((one) => one.id === id)!.name);
/** The base's integers are compared with the models' and then copied: planned twice, read once, since they are still kept. */
const INTEGERS = 36;
const bytesIn = (of: Family) => of.reads.reduce((sum, { begin, end }) => sum + end - begin, 0);
const plans = (items: readonly BatchItem[]) => items.map(({ plan }) => plan);

async function expectSingleMerges(of: Family, items: readonly BatchItem[], out: MemoryFolders): Promise<void> {
  for (const { folder, plan, extras } of items) {
    const alone = new MemoryFolder();
    await runMerge(plan, createCpuBackend(), of.openShard, alone, { extras });
    expect([...out.inner.get(folder)!.files.keys()].sort()).toEqual([...alone.files.keys()].sort());
    for (const [name, bytes] of alone.files) expect(out.inner.get(folder)!.files.get(name), `${folder}/${name}`).toEqual(bytes);
  }
}

describe('a grid of 2 x 2', () => {
  it('reads every byte once for all four, and gives each folder the bytes of its own merge', async () => {
    const own = await family();
    const entries = gridOf(own);
    const items = itemsOf(own, entries);
    const batch = planBatch(plans(items), { holdBytes: HOLD });
    expect(batch.waves.map(({ entries: of }) => of)).toEqual([[0, 1, 2, 3]]);
    expect(batch.bytesTooLarge).toBe(0);
    expect(batch.bytesRead).toBe(items[0]!.plan.bytesRead);
    expect(batch.bytesWritten).toBe(4 * items[0]!.plan.bytesWritten);

    const out = new MemoryFolders();
    const told: BatchProgress[] = [];
    const table = { name: 'results.csv', of: (folders: readonly string[]) => batchTable(entries.filter(({ folder }) => folders.includes(folder)), (id) => id) };
    const { finished, missing, stopped } = await runBatch(items, batch, createCpuBackend(), own.openShard, out, { holdBytes: HOLD, readAheadBytes: LIMITS.readAheadBytes, table, recompute: recomputeSpots, onProgress: (progress) => told.push(progress) });
    expect([missing, stopped]).toEqual([[], null]);
    expect(bytesIn(own)).toBe(batch.bytesRead - INTEGERS);
    expect(finished.map(({ folder }) => folder)).toEqual(['sft-0.2_ct-0.2', 'sft-0.2_ct-0.7', 'sft-0.7_ct-0.2', 'sft-0.7_ct-0.7']);
    expect(finished.every(({ result }) => result.checked.tensors === 4)).toBe(true);
    expect(new TextDecoder().decode(out.files.get('results.csv'))).toContain('sft-0.7_ct-0.2,ties_sv,0.7,0.2,1,0.04,\r\n');
    expect(told.at(-1)).toMatchObject({ phase: 'verifying', foldersDone: 4, folders: 4, bytesRead: batch.bytesRead - INTEGERS, bytesWritten: batch.bytesWritten, tensorsDone: 20, tensors: 20 });
    // Kept values differ with the density, so the folders are four different models.
    expect(new Set(finished.map(({ result }) => result.files.map(({ sha256 }) => sha256).join())).size).toBe(4);
    await expectSingleMerges(own, items, out);
  });

  it('keeps the figures of each recipe apart', async () => {
    const own = await family();
    const items = itemsOf(own, gridOf(own));
    const { finished } = await runBatch(items, planBatch(plans(items), { holdBytes: HOLD }), createCpuBackend(), own.openShard, new MemoryFolders(), { holdBytes: HOLD });
    for (const [i, { result }] of finished.entries()) {
      const alone = await runMerge(items[i]!.plan, createCpuBackend(), own.openShard, new MemoryFolder(), {});
      expect([...result.figures]).toEqual([...alone.figures]);
    }
  });

  it('reads a group that may not be kept once for each recipe, and the plan says so', async () => {
    const own = await family();
    const items = itemsOf(own, gridOf(own));
    const embedding = (2 * 200 + 200) * 64 * 2;
    const batch = planBatch(plans(items), { holdBytes: embedding / 2 });
    expect(batch.bytesTooLarge).toBeGreaterThanOrEqual(embedding);
    expect(batch.bytesRead).toBe(items[0]!.plan.bytesRead + 3 * batch.bytesTooLarge);
    const out = new MemoryFolders();
    await runBatch(items, batch, createCpuBackend({ residentBytes: 2 ** 30 }), own.openShard, out, { holdBytes: embedding / 2, readAheadBytes: LIMITS.readAheadBytes });
    expect(bytesIn(own)).toBe(batch.bytesRead - INTEGERS);
    await expectSingleMerges(own, items, out);
  });
});

describe('which plans go together', () => {
  it('parts those of other models, those ranked over the whole model, and those that are more than may be at once', async () => {
    const own = await family();
    const one = recipeOf(own, 'ties', 'base', ['sft']);
    const items = itemsOf(own, [...gridOf(own), { folder: 'alone', recipe: one }, { folder: 'again', recipe: paper(own, { lambda: 0.5 }) }, { folder: 'ranked', recipe: paper(own, { scope: { trim: 'model', slack: 'tensor' } }) }]);
    const waves = (atOnce: number) => planBatch(plans(items), { holdBytes: HOLD, atOnce }).waves.map(({ entries }) => entries);
    expect(waves(36)).toEqual([[0, 1, 2, 3, 5], [4], [6]]);
    expect(waves(2)).toEqual([[0, 1], [2, 3], [5], [4], [6]]);
  });

  it('puts methods of the same inputs together', async () => {
    const own = await family();
    const methods = ['ties', 'ties_sv', 'task_arithmetic'] as const;
    const items = itemsOf(own, methods.map((method) => ({ folder: method, recipe: paper(own, { method }) })));
    const batch = planBatch(plans(items), { holdBytes: HOLD });
    expect(batch.waves).toHaveLength(1);
    const out = new MemoryFolders();
    await runBatch(items, batch, createCpuBackend(), own.openShard, out, { holdBytes: HOLD });
    await expectSingleMerges(own, items, out);
  });
});

describe('what stops a batch', () => {
  async function inWaves() {
    const own = await family();
    const items = itemsOf(own, gridOf(own));
    return { own, items, batch: planBatch(plans(items), { holdBytes: HOLD, atOnce: 2 }) };
  }

  it('a full disk in the second wave: the first stays with its table, the second leaves nothing', async () => {
    const { own, items, batch } = await inWaves();
    const out = new MemoryFolders();
    out.prepare = (folder, name) => name === 'sft-0.7_ct-0.7' && folder.failAt(6);
    const table = { name: 'results.csv', of: (folders: readonly string[]) => folders.join() };
    const { finished, missing, stopped } = await runBatch(items, batch, createCpuBackend(), own.openShard, out, { holdBytes: HOLD, table });
    expect(stopped?.code).toBe('disk-full');
    expect(finished.map(({ folder }) => folder)).toEqual(['sft-0.2_ct-0.2', 'sft-0.2_ct-0.7']);
    expect(missing).toEqual(['sft-0.7_ct-0.2', 'sft-0.7_ct-0.7']);
    expect([...out.inner.keys()]).toEqual(['sft-0.2_ct-0.2', 'sft-0.2_ct-0.7']);
    expect(new TextDecoder().decode(out.files.get('results.csv'))).toBe('sft-0.2_ct-0.2,sft-0.2_ct-0.7');
    await expectSingleMerges(own, items.slice(0, 2), out);
  });

  it('tells of what it could not remove, with the folder that it is in', async () => {
    const { own, items, batch } = await inWaves();
    const out = new MemoryFolders();
    out.prepare = (folder, name) => {
      folder.before = (_, what) => {
        const isFull = name === 'sft-0.2_ct-0.7' && what === 'create config.json';
        const isStuck = what === 'remove model-00002-of-00003.safetensors';
        if (isFull || isStuck) throw new StudioError('disk-full', 'disk-full', what);
      };
    };
    const left: string[] = [];
    await expect(runBatch(items, batch, createCpuBackend(), own.openShard, out, { holdBytes: HOLD, onLeftBehind: (names) => left.push(...names) })).rejects.toMatchObject({ code: 'disk-full' });
    expect(left.sort()).toEqual(['sft-0.2_ct-0.2', 'sft-0.2_ct-0.7'].map((name) => `${name}/model-00002-of-00003.safetensors`));
    expect([...out.inner.get('sft-0.2_ct-0.7')!.files.keys()]).toEqual(['model-00002-of-00003.safetensors']);
  });

  it('a write that never ends in the second wave: the same, and it is not waited for', async () => {
    const { own, items, batch } = await inWaves();
    const out = new MemoryFolders();
    out.prepare = (folder, name) => name === 'sft-0.7_ct-0.7' && folder.holdAt(6);
    const { finished, stopped } = await runBatch(items, batch, createCpuBackend(), own.openShard, out, { holdBytes: HOLD, watchdog: new Watchdog(FAST) });
    expect(stopped).toMatchObject({ code: 'destination', reason: 'stalled' });
    expect(finished.map(({ folder }) => folder)).toEqual(['sft-0.2_ct-0.2', 'sft-0.2_ct-0.7']);
    await expectSingleMerges(own, items.slice(0, 2), out);
  });

  it('cancelling before any is finished: nothing is left', async () => {
    const { own, items, batch } = await inWaves();
    const out = new MemoryFolders();
    const controller = new AbortController();
    const running = runBatch(items, batch, createCpuBackend(), own.openShard, out, {
      holdBytes: HOLD,
      signal: controller.signal,
      onProgress: ({ bytesWritten }) => bytesWritten > 0 && controller.abort(),
    });
    await expect(running).rejects.toBeInstanceOf(CancelledError);
    expect([...out.inner.keys(), ...out.files.keys()]).toEqual([]);
  });

  it('a fault of one before it merges: the others of its wave do not wait for it', async () => {
    const { own, items, batch } = await inWaves();
    const out = new MemoryFolders();
    out.prepare = (folder, name) => name === 'sft-0.2_ct-0.7' && folder.failAt(0);
    await expect(runBatch(items, batch, createCpuBackend(), own.openShard, out, { holdBytes: HOLD })).rejects.toMatchObject({ code: 'disk-full' });
    expect([...out.inner.keys()]).toEqual([]);
  });

  it('folders of these names in the destination, whatever the case', async () => {
    const { own, items, batch } = await inWaves();
    const out = new MemoryFolders();
    await out.folder('SFT-0.2_ct-0.7');
    await expect(runBatch(items, batch, createCpuBackend(), own.openShard, out, { holdBytes: HOLD })).rejects.toMatchObject({ reason: 'folders-exist', where: { names: ['SFT-0.2_ct-0.7'] } });
    expect(own.reads).toEqual([]);
  });

  it('two recipes for one folder', async () => {
    const own = await family();
    const items = itemsOf(own, [{ folder: 'a', recipe: paper(own) }, { folder: 'A', recipe: paper(own) }]);
    await expect(runBatch(items, planBatch(plans(items), { holdBytes: HOLD }), createCpuBackend(), own.openShard, new MemoryFolders(), { holdBytes: HOLD })).rejects.toMatchObject({ reason: 'name-twice', where: { names: ['A'] } });
  });
});

describe('an interrupted batch that is carried on', () => {
  const SUBJECT = { application: 'a', choices: '{}', text: 'null', shardBytes: LIMITS.shardBytes, sources: [] };
  /** The items with what their folders hold. */
  const journaled = async (items: readonly BatchItem[], out: MemoryFolders): Promise<BatchItem[]> =>
    Promise.all(
      items.map(async (item) => {
        const inner = out.inner.get(item.folder);
        const resume = inner ? await readJournal(inner) : null;
        return { ...item, journal: { subject: { ...SUBJECT, recipe: item.folder }, ...(resume ? { resume } : {}) } };
      }),
    );
  const run = async (of: Family, items: readonly BatchItem[], out: MemoryFolders, more: Partial<BatchHooks> = {}, atOnce = 36) =>
    runBatch(await journaled(items, out), planBatch(plans(items), { holdBytes: HOLD, atOnce }), createCpuBackend(), of.openShard, out, { holdBytes: HOLD, readAheadBytes: LIMITS.readAheadBytes, ...more });

  it('leaves complete folders as they are, resumes the others, and gives each the bytes of its own merge', async () => {
    const own = await family();
    const items = itemsOf(own, gridOf(own));
    const out = new MemoryFolders();
    const [, , third] = items;
    out.prepare = (folder, name) => {
      if (name === third!.folder) folder.before = (_operation, what) => {
        if (what.startsWith('create model-00003')) throw new CancelledError();
      };
    };
    const first = await run(own, items, out, {}, 2);
    expect([first.finished.length, first.missing.length]).toEqual([2, 2]);
    for (const inner of out.inner.values()) inner.restart();
    const kept = [...out.inner.values()].slice(2).map(({ files }) => [...files.keys()].filter((name) => name.startsWith('model-')).length);
    expect(kept.every((count) => count >= 1), kept.join()).toBe(true);
    await expect(run(own, items, out)).rejects.toMatchObject({ reason: 'folders-exist' });

    const { finished, missing, stopped } = await run(own, items, out, { resume: true }, 2);
    expect([missing, stopped]).toEqual([[], null]);
    expect(finished.map(({ result }) => result.tensors)).toEqual([0, 0, 5, 5]);
    // Runs that go side by side keep the same shards.
    const shards = finished.slice(2).map(({ result }) => result.shards.map(({ isKept }) => isKept));
    expect(shards[0]).toEqual(shards[1]);
    expect(shards[0]!.includes(true) && shards[0]!.includes(false)).toBe(true);
    for (const { folder } of items.slice(0, 2)) expect(out.inner.get(folder)!.operations.filter((what) => /^(create|remove|close)/.test(what))).toEqual([]);
    await expectSingleMerges(own, items, out);
    // Nothing is left to do: all of it is complete.
    expect((await run(own, items, out, { resume: true })).finished.every(({ result }) => result.tensors === 0)).toBe(true);
  });

  it('finds complete folders also where what hashes them dies, and can be cancelled while that never answers', async () => {
    const own = await family();
    const items = itemsOf(own, gridOf(own));
    const out = new MemoryFolders();
    const first = await run(own, items, out);
    const died = () => {
      throw new StudioError('internal', HASHING_DIED, 'gone');
    };
    const again = await run(own, items, out, { resume: true, hashing: { file: died, piece: HASHING_HERE.piece } });
    expect(again.finished.map(({ result }) => [result.tensors, result.files.map(({ sha256 }) => sha256).sort()])).toEqual(first.finished.map(({ result }) => [0, result.files.map(({ sha256 }) => sha256).sort()]));
    const stopping = new AbortController();
    const never = () => {
      stopping.abort();
      return new Promise<never>(() => {});
    };
    const cancelled = run(own, items, out, { resume: true, signal: stopping.signal, watchdog: new Watchdog(FAST), hashing: { file: () => ({ update: never, hex: never }), piece: HASHING_HERE.piece } });
    await expect(cancelled).rejects.toMatchObject({ code: 'cancelled' });
    await expectSingleMerges(own, items, out);
  });

  it('does not take an export of another recipe, or one that was changed, for a finished one', async () => {
    const own = await family();
    const items = itemsOf(own, gridOf(own));
    const out = new MemoryFolders();
    await run(own, items, out);
    const { files } = out.inner.get(items[0]!.folder)!;
    files.get([...files.keys()].find((name) => name.startsWith('model-00001'))!)![20]! ^= 1;
    await expect(run(own, items.slice(0, 1), out, { resume: true })).rejects.toMatchObject({ reason: 'not-empty' });
  });
});
