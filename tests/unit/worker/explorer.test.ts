/** Exploring as the page meets it: coarse first, finer soon, others beside it, and nothing counted twice. */
import { describe, expect, it } from 'vitest';
import { memoryFiguresStore } from '../../../src/files/figures-store';
import type { FiguresStore } from '../../../src/files/figures-store';
import type { Backend } from '../../../src/merge/backend';
import { DEFAULT_CHOICES } from '../../../src/merge/plan-types';
import type { Recipe } from '../../../src/recipe/types';
import { createReferenceBackend } from '../../../src/reference/backend';
import type { PickedFile } from '../../../src/worker/protocol';
import { SIZING } from '../../../src/worker/sizing';
import type { Sizing } from '../../../src/worker/sizing';
import { NORM, Q, openFamily, picked, shardBytes } from './family';

/** A q of 1,024 values is never whole, a norm of 4 always is. */
const TINY: Sizing = {
  whole: { bytes: 1e9, values: 100, blocks: 3 },
  coarse: { bytes: 1e9, values: 64, blocks: 3 },
  refined: () => ({ bytes: 1e9, values: 400, blocks: 8 }),
  others: 1e9,
  rest: 60_000,
};
function files(): PickedFile[] {
  const shard = (seed: number) =>
    shardBytes([
      { name: Q, dtype: 'F32', shape: [128, 8], values: Array.from({ length: 1024 }, (_, i) => Math.sin(i * (seed + 1)) * seed) },
      { name: NORM, dtype: 'F32', shape: [4], values: [1, 2, 3, seed] },
    ]);
  return ['base', 'sft', 'ct', 'ct-2', 'ct-3'].map((name, seed) => picked(`${name}/model.safetensors`, shard(seed)));
}

/** What the backend was asked, in order. */
function recording(asked: string[]): () => Backend {
  return () => {
    const backend = createReferenceBackend();
    return {
      ...backend,
      hold: async (group, read) => {
        asked.push('hold');
        if (Math.abs(group.slots.reduce((sum, { elements }) => sum + elements, 0) - 750) < 250) throw new Error('does not answer');
        const held = await backend.hold(group, read);
        return {
          ...held,
          evaluate: (parameters, signal) => {
            asked.push('evaluate');
            return held.evaluate(parameters, signal);
          },
          release: () => {
            asked.push('release');
            held.release();
          },
        };
      },
    };
  };
}

async function open(sizing: Partial<Sizing> = {}, figuresStore: FiguresStore = memoryFiguresStore(), given = files()) {
  const asked: string[] = [];
  const session = await openFamily({ cpu: recording(asked) }, given, { sizing: { ...TINY, ...sizing }, figuresStore });
  const question = (changes: Partial<Recipe> = {}) => ({ recipe: { ...session.recipe, ...changes }, choices: DEFAULT_CHOICES });
  const withCt = (name: string) => question({ models: session.recipe.models.map((model, i) => (i === 1 ? { ...model, model: session.idOf(name) } : model)) });
  const finer = () => session.events.filter(({ event }) => event === 'sample').length;
  const until = async (condition: () => boolean) => {
    while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
  };
  return { ...session, asked, question, withCt, finer, refined: () => until(() => finer() > 0), until };
}
const holds = (asked: readonly string[]) => asked.filter((one) => one === 'hold').length;

describe('a model larger than a sample', () => {
  it('is answered from a coarse sample at once, and from a finer one after the event', async () => {
    const { request, question, refined, asked, finer } = await open();
    const first = await request('explore', question());
    expect(first.sample).toMatchObject({ of: 1028, settled: false });
    expect(first.sample.values).toBeLessThanOrEqual(64);
    expect(first.sample.reads).toBeLessThanOrEqual(3 * (3 + 1));
    expect(first.tensors.map(({ tensor, exact }) => [tensor, exact])).toEqual([[NORM, true], [Q, false]].sort());
    await refined();
    const second = await request('explore', question());
    expect(second.sample).toMatchObject({ of: 1028, settled: true });
    expect(second.sample.values).toBeGreaterThan(300);
    expect(second.sample.values).toBeLessThanOrEqual(400);
    const before = holds(asked);
    expect(before).toBe(2);
    for (const lambda of [0.1, 0.2]) await request('explore', question({ lambda }));
    expect([holds(asked), finer(), asked.filter((one) => one === 'release').length]).toEqual([2, 1, 1]);
  });

  it('is answered once more when what its intervals rest on was measured, and not again for what changes no figure', async () => {
    const { request, question, refined, finer, asked, until } = await open({ rest: 1 });
    const trimmed = { models: question().recipe.models.map((model) => ({ ...model, density: 0.5 })) };
    await request('explore', question(trimmed));
    await refined();
    const spreadOf = async () => (await request('explore', question(trimmed))).tensors.find(({ tensor }) => tensor === Q)!.spread!;
    const before = await spreadOf();
    const evaluations = asked.length;
    await until(() => finer() === 2);
    expect(asked.slice(evaluations)).toEqual(['evaluate', 'evaluate']);
    const after = await spreadOf();
    expect(after.totals.kept).toEqual(before.totals.kept);
    expect(after.variance.discarded).not.toEqual(before.variance.discarded);
    await request('explore', question({ ...trimmed, lambda: 0.3 }));
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect([finer(), asked.length]).toEqual([2, evaluations + 4]);
  });

  it('is not refined while a job runs', async () => {
    const { request, question, refined, finer, asked } = await open();
    const scan = request('scan', question({ lambda: 0.5 }));
    await request('pause', { paused: true });
    await request('explore', question({ models: question().recipe.models.map((model) => ({ ...model, density: 0.3 })) }));
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect([holds(asked), finer()]).toEqual([1, 0]);
    await request('pause', { paused: false });
    await scan;
    await refined();
    expect(holds(asked)).toBe(2);
  });

  it('a finer sample that cannot be had leaves the coarse one, and is not tried again', async () => {
    const { request, question, refined, finer, asked } = await open({ refined: () => ({ bytes: 1e9, values: 800, blocks: 8 }) });
    const first = await request('explore', question());
    await refined();
    const second = await request('explore', question({ lambda: 0.5 }));
    expect(second.sample).toEqual({ ...first.sample, settled: true });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect([holds(asked), finer()]).toEqual([2, 1]);
  });

  it('a small model is whole, exact and settled at once', async () => {
    const { request, question, finer } = await open({ whole: SIZING.whole });
    const { sample, tensors } = await request('explore', question());
    expect([sample, tensors.every(({ exact }) => exact)]).toEqual([{ values: 1028, of: 1028, bytes: 3 * 4 * 1028, reads: 3, settled: true }, true]);
    expect(finer()).toBe(0);
  });
});

describe('the size of the refined sample', () => {
  it.each([
    // 2 million values in 50 ms: 3 million take 75 ms, what a CPU may; a GPU has 10 ms.
    ['cpu', 50, 3e6],
    ['cpu', 300, 5e5],
    ['cpu', 10_000, 5e5],
    ['webgpu', 2, 1e7],
  ] as const)('%s: 2 million values in %d ms make it %d values', (kind, milliseconds, values) => {
    expect(SIZING.refined(kind, { milliseconds, values: 2e6 }).values).toBe(values);
  });
});

describe('a question beside the screen', () => {
  it('has a sample of its own, which is kept, and leaves the one on the screen', async () => {
    const { request, question, withCt, asked } = await open({ whole: SIZING.whole });
    await request('explore', question());
    const first = await request('estimate', withCt('ct-2'));
    expect(first.tensors.map(({ tensor }) => tensor).sort()).toEqual([NORM, Q].sort());
    await request('estimate', withCt('ct-2'));
    await request('explore', question({ lambda: 0.5 }));
    expect(holds(asked)).toBe(2);
    expect(await request('explore', withCt('ct-2'))).toMatchObject({ tensors: first.tensors });
    expect(holds(asked)).toBe(2);
  });

  it('the least recently used go first when memory is short, the one on the screen never', async () => {
    // Each sample has 3 x 1,028 values: there is room for one beside the screen.
    const { request, question, withCt, asked } = await open({ whole: SIZING.whole, others: 3 * 1028 });
    await request('explore', question());
    await request('estimate', withCt('ct-2'));
    await request('estimate', withCt('ct-3'));
    expect(asked.filter((one) => one === 'release')).toHaveLength(1);
    await request('estimate', withCt('ct-3'));
    await request('explore', question({ lambda: 0.5 }));
    expect(holds(asked)).toBe(3);
    await request('estimate', withCt('ct-2'));
    expect(holds(asked)).toBe(4);
  });

  it('waits for the screen, and comes in the order of asking', async () => {
    const { request, question, withCt } = await open();
    const order: string[] = [];
    const noted = (name: string, answer: Promise<unknown>) => answer.then(() => order.push(name));
    await Promise.all([
      noted('ct-2', request('estimate', withCt('ct-2'))),
      noted('ct-3', request('estimate', withCt('ct-3'))),
      noted('screen', request('explore', question())),
    ]);
    expect(order).toEqual(['screen', 'ct-2', 'ct-3']);
  });

  it('is cancelled when a checkpoint of it is closed, and others are not', async () => {
    const { request, withCt, idOf } = await open();
    const closed = request('estimate', withCt('ct-2'));
    const other = request('estimate', withCt('ct-3'));
    const outcome = expect(closed).rejects.toMatchObject({ code: 'cancelled' });
    await request('close', { checkpoint: idOf('ct-2') });
    await outcome;
    expect((await other).tensors).toHaveLength(2);
  });
});

describe('what a scan has counted', () => {
  it('answers at once wherever it decides the figures, and after a reload', async () => {
    const store = memoryFiguresStore();
    const given = files();
    const one = await open({}, store, given);
    const { tensors } = await one.request('scan', one.question());
    const again = await one.request('explore', one.question({ lambda: 0.3, outDtype: 'F16' }));
    const sorted = <T extends { readonly tensor: string }>(list: readonly T[]) => list.toSorted((a, b) => (a.tensor < b.tensor ? -1 : 1));
    expect(sorted(again.tensors)).toEqual(sorted(tensors));
    expect(again.sample).toEqual({ values: 1028, of: 1028, bytes: 0, reads: 0, settled: true });
    const denser = one.question({ models: one.recipe.models.map((model) => ({ ...model, density: 0.9 })) });
    expect((await one.request('explore', denser)).tensors.some(({ exact }) => !exact)).toBe(true);

    const reloaded = await open({}, store, given);
    expect((await reloaded.request('estimate', reloaded.question())).tensors).toEqual(tensors);
    expect(reloaded.asked).toEqual([]);
    expect((await reloaded.request('explore', reloaded.question())).tensors).toEqual(tensors);
    expect(reloaded.asked).not.toContain('evaluate');
  });

  it('is not taken for that of files written since, nor of others with the same headers', async () => {
    const store = memoryFiguresStore();
    const one = await open({}, store);
    await one.request('scan', one.question());
    const other = await open({}, store, files());
    expect((await other.request('explore', other.question())).tensors.some(({ exact }) => !exact)).toBe(true);
  });

  it('a merge counts as well, and a question whose checkpoint is closed is not answered from memory', async () => {
    const { merge, request, question, idOf } = await open();
    await merge();
    expect((await request('explore', question())).tensors.every(({ exact }) => exact)).toBe(true);
    await request('close', { checkpoint: idOf('ct') });
    await expect(request('explore', question())).rejects.toMatchObject({ reason: 'checkpoint-not-open' });
  });
});
