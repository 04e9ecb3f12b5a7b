/** The real worker behind the real client: files in, figures and a checkpoint in private storage out. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileStore } from '../../../src/files/store';
import { readHeader } from '../../../src/format/safetensors/header';
import { DEFAULT_CHOICES } from '../../../src/merge/plan-types';
import { defaultRecipe } from '../../../src/recipe/presets';
import type { Recipe } from '../../../src/recipe/types';
import { WorkerClient } from '../../../src/worker/client';
import type { Spawned } from '../../../src/worker/client';
import type { BackendChoice, MergeProgress, MergeSummary, OpenResult, TensorFigures } from '../../../src/worker/protocol';
import { familyFiles, tiesRecipe } from '../../unit/worker/family';

const baseUrl = new URL('/sample/', location.href).href;
let client: WorkerClient;
beforeEach(() => {
  client = new WorkerClient();
});
afterEach(() => client.terminate());

const idIn = ({ checkpoints }: OpenResult) => (name: string) => checkpoints.find((checkpoint) => checkpoint.name === name)!.id;

async function exportedShard({ stamps }: MergeSummary) {
  const was = stamps.find(({ name }) => name === 'model.safetensors')!;
  const { handle } = await client.request('exported', { was });
  const store = new FileStore();
  const { entries } = await store.register([{ path: was.name, handle }]);
  return store.open(entries[0]!);
}

/** Explores, plans and merges into private storage, and checks each against the others. */
async function exploreAndMerge(recipe: Recipe) {
  const { tensors } = await client.request('explore', { recipe, choices: DEFAULT_CHOICES });
  const plan = await client.request('plan', { recipe, choices: DEFAULT_CHOICES, shardBytes: 2 ** 30 });
  expect(plan.refusals).toEqual([]);

  const exact = new Map<string, TensorFigures>();
  let last: MergeProgress | null = null;
  client.subscribe((event) => {
    if (event.event === 'tensor') for (const one of event.figures) exact.set(one.tensor, one);
    if (event.event === 'progress') last = event.progress;
  });
  const summary = await client.request('merge', { recipe, choices: DEFAULT_CHOICES, shardBytes: 2 ** 30, destination: null, replace: false });
  expect(summary).toMatchObject({ privateStorage: true, verified: plan.tensors, tensors: plan.tensors });
  expect(last).toMatchObject({ phase: 'verifying', tensorsDone: plan.tensors, bytesWritten: plan.bytesWritten });
  // Both families fit the sample whole, so that exploring counted the same values as the merge.
  const counted = ({ figures, ...one }: TensorFigures) => ({ ...one, figures: { ...figures, overflow: 0, reservedCost: 0 } });
  expect(tensors.map(counted)).toEqual(tensors.map(({ tensor }) => counted(exact.get(tensor)!)));

  const shard = await exportedShard(summary);
  expect(shard.size).toBe(plan.shards[0]!.bytes);
  expect((await readHeader(shard)).tensors).toHaveLength(plan.tensors);
  return { tensors: tensors.map(counted), sha256: summary.files.find(({ name }) => name === 'model.safetensors')!.sha256 };
}

describe('the worker', () => {
  it('explores and merges the sample family, fetched from the page\'s own origin', async () => {
    await client.request('start', { choice: 'cpu' });
    const opened = await client.request('openSample', { baseUrl });
    expect(opened.problems).toEqual([]);
    const idOf = idIn(opened);
    const { tensors } = await exploreAndMerge(defaultRecipe(idOf('base'), idOf('sft'), [idOf('ct-x-4M')]));
    expect(tensors.length).toBeGreaterThan(10);
  });

  it('gives the same figures and bytes on either backend', { timeout: 300_000 }, async () => {
    const files = familyFiles();
    const results = [];
    for (const choice of ['cpu', 'webgpu'] satisfies BackendChoice[]) {
      expect(await client.request('start', { choice })).toMatchObject({ info: { kind: choice }, gpuProblem: null });
      const idOf = idIn(await client.request('open', { files }));
      results.push(await exploreAndMerge(tiesRecipe(idOf('base'), idOf('sft'), idOf('ct'))));
    }
    expect(results[1]).toEqual(results[0]);
  });

  it('that ends without a word rejects what is pending', async () => {
    let spawned: Worker | null = null;
    const name = `test-${crypto.randomUUID()}`;
    const spawn = (): Spawned => {
      spawned = new Worker(new URL('../../../src/worker/main.ts', import.meta.url), { type: 'module', name });
      return { worker: spawned, isDead: () => navigator.locks.request(name, () => {}) };
    };
    const other = new WorkerClient(spawn);
    await other.request('start', { choice: 'cpu' });
    const pending = other.request('openSample', { baseUrl });
    spawned!.terminate();
    await expect(pending).rejects.toMatchObject({ code: 'internal', reason: 'worker-died' });
  });

  it('tells a family that is not served', async () => {
    await expect(client.request('openSample', { baseUrl: new URL('/absent/', location.href).href })).rejects.toMatchObject({
      // Vite answers with its page where a static server answers 404.
      code: expect.stringMatching(/source-changed|malformed-file/),
    });
  });
});
