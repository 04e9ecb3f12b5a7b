/**
 * Rule: issue 4 item 1 - two groups on the device at a time: the bytes, sets and figures of the reference, as many readings as of one,
 * within the budget, where it holds both and where it holds one, whatever is cancelled or not to be had.
 */
import { describe, expect, it } from 'vitest';
import { claimOf } from '../../src/engine/claims';
import { createWebGpuBackend, type EngineOptions, type WebGpuBackend } from '../../src/engine/backend';
import type { Group, GroupResult } from '../../src/merge/backend';
import type { TensorParameters } from '../../src/recipe/types';
import { createReferenceBackend } from '../../src/reference/backend';
import { device, failOnUncaptured, label, software } from './adapter';
import { expectSameResult } from './compare';
import { cramped, room } from './cramped';
import { concatenate, makeGroup, mergeGroup, readerOf, type SlotCase } from './harness';
import { trainedSlot } from './scenarios';

failOnUncaptured();

const SLACK: TensorParameters = { weight: [1, 1], density: [0.2, 0.7], lambda: 1, normalize: true, rescale: false, slack: { s: 0.2, of: 'discarded', prefer: 0 } };
const slot = (elements: number, parameters = SLACK) => trainedSlot(`t${elements}`, elements, ['BF16', 'BF16', 'BF16'], 'BF16', parameters, { kind: 'quantised' });
interface Case {
  readonly group: Group;
  readonly slots: readonly SlotCase[];
}
function inChunks(elements: number, each: number, parameters = SLACK): Case {
  const slots = [slot(elements, parameters)];
  const chunks = Array.from({ length: Math.ceil(elements / each) }, (_, c) => [{ slot: 0, first: c * each, end: Math.min(elements, (c + 1) * each) }]);
  return { slots, group: makeGroup(parameters.slack ? 'ties_sv' : 'ties', slots, chunks) };
}
function together(sizes: readonly number[], parameters = SLACK): Case {
  const slots = sizes.map((size) => slot(size, parameters));
  return { slots, group: makeGroup(parameters.slack ? 'ties_sv' : 'ties', slots, [slots.map(({ elements }, s) => ({ slot: s, first: 0, end: elements }))]) };
}
/** Large beside small, in chunks and not, either first. */
const MIXED = [inChunks(20_001, 8192), together([100, 5000, 300]), inChunks(12_001, 12_001), inChunks(30_000, 16_384, { ...SLACK, rescale: true }), together([64]), inChunks(9000, 4000)];
/** Of few passes, for what is tried again and again. */
const PLAIN: TensorParameters = { weight: [1, 1], density: [0.2, 0.7], lambda: 1, normalize: true, rescale: false };
const PAIR = [inChunks(12_001, 8192, PLAIN), together([100, 5000], PLAIN)];

interface Outcome {
  readonly result: GroupResult;
  readonly outputs: readonly Uint8Array<ArrayBuffer>[];
}
const reference = createReferenceBackend();
const expected = new Map<Case, Promise<Outcome>>([...MIXED, ...PAIR].map((one) => [one, mergeGroup(reference, one.group, one.slots)]));

/** Two at a time, as the pipeline gives them: each is written after those before it. `events`: what was read and written, in order. */
async function inPairs(backend: WebGpuBackend, cases: readonly Case[], atOnce = 2, signal?: AbortSignal) {
  const events: string[] = [];
  const ends: Promise<Outcome>[] = [];
  for (const [c, { group, slots }] of cases.entries()) {
    const read = readerOf(slots);
    const parts: Uint8Array<ArrayBuffer>[][] = slots.map(() => []);
    const before = ends[c - 1];
    const merge = backend.merge(
      group,
      slots.map(({ parameters }) => parameters),
      (segment, input) => {
        events.push(`read ${c}`);
        return read(segment, input);
      },
      async (segment, bytes) => {
        await before;
        events.push(`write ${c}`);
        parts[segment.slot]!.push(bytes);
      },
      signal ? { signal } : {},
    );
    ends.push(merge.then((result) => ({ result, outputs: parts.map(concatenate) })));
    ends[c]!.catch(() => {});
    await ends[c - atOnce + 1]?.catch(() => {});
  }
  return { events, outcomes: await Promise.allSettled(ends) };
}

async function expectReference(cases: readonly Case[], outcomes: readonly PromiseSettledResult<Outcome>[]): Promise<void> {
  for (const [c, outcome] of outcomes.entries()) {
    if (outcome.status === 'rejected') throw outcome.reason;
    const wanted = (await expected.get(cases[c]!))!;
    expectSameResult(outcome.value.result, wanted.result);
    expect(outcome.value.outputs).toEqual(wanted.outputs);
  }
}

const OPTIONS: EngineOptions = { label, software, arithmetic: 'integer', bracketBlocks: 1, dispatchBlocks: 64, uploadBytes: 8192 };

it('a merge gives a GPU two groups at a time, a software adapter one', async () => {
  const backends = await Promise.all([false, true].map((isSoftware) => createWebGpuBackend(device, { ...OPTIONS, software: isSoftware })));
  expect(backends.map(({ concurrency }) => concurrency)).toEqual([2, 1]);
  for (const backend of backends) backend.dispose();
});

it('a third of what may be read ahead lies idle for inputs, and is counted with the groups that there are at a time', async () => {
  const [MIB, { group }] = [2 ** 20, PAIR[1]!];
  for (const [isSoftware, share] of [[false, 16], [true, 32]] as const) {
    const [backend, none] = await Promise.all([96 * MIB, 0].map((readAheadBytes) => createWebGpuBackend(device, { ...OPTIONS, software: isSoftware, readAheadBytes })));
    expect(backend!.heldBytes!(group) - none!.heldBytes!(group)).toBe(share * MIB);
    const buffers = backend!.buffers!;
    for (const buffer of [buffers.take(20 * MIB), buffers.take(20 * MIB)]) buffers.give(buffer);
    for (let i = 0; i < 2; i++) buffers.take(20 * MIB);
    // Two were made, of which one stayed.
    expect([buffers.allocated, buffers.reused]).toEqual([3, 1]);
    backend!.dispose();
    none!.dispose();
  }
});

describe('two groups at a time', () => {
  it('give what they give one at a time, and read as much of the device; the second is read while the first is at work', async () => {
    const alone = await createWebGpuBackend(device, OPTIONS);
    await expectReference(MIXED, (await inPairs(alone, MIXED, 1)).outcomes);
    const backend = await createWebGpuBackend(device, OPTIONS);
    const { events, outcomes } = await inPairs(backend, MIXED);
    await expectReference(MIXED, outcomes);
    expect(events.indexOf('read 1')).toBeLessThan(events.indexOf('write 0'));
    expect(backend.ledger().inputBytes).toEqual(alone.ledger().inputBytes);
    expect(backend.ledger()).toMatchObject({ lent: 0, submissions: alone.ledger().submissions, brackets: alone.ledger().brackets });
    alone.dispose();
    backend.dispose();
  });

  it('are one at a time in a budget that holds no two, and the budget is kept', async () => {
    const residentBytes = 2 ** 20;
    // What one takes by itself, and the staging ring.
    const claims = MIXED.map(({ group }) => claimOf(group, { residentBytes, listBytes: 2 ** 20 }) + 2 * 8192);
    for (const [c, bufferBytes] of claims.entries()) {
      const backend = await createWebGpuBackend(device, { ...OPTIONS, bufferBytes, residentBytes });
      await expectReference([MIXED[c]!], (await inPairs(backend, [MIXED[c]!])).outcomes);
      expect(backend.ledger().chunkBytes).toBe(backend.chunkBytes);
      backend.dispose();
    }
    const cases = MIXED.slice(0, 3);
    const bufferBytes = Math.max(...claims.slice(0, 3));
    const backend = await createWebGpuBackend(device, { ...OPTIONS, bufferBytes, residentBytes });
    const { events, outcomes } = await inPairs(backend, cases);
    await expectReference(cases, outcomes);
    // Not one input of the second while the first had chunks to come.
    expect(events.indexOf('read 1')).toBeGreaterThan(events.lastIndexOf('read 0'));
    const { lent, peakBytes, chunkBytes } = backend.ledger();
    expect([lent, peakBytes <= bufferBytes, chunkBytes === backend.chunkBytes]).toEqual([0, true, true]);
    backend.dispose();
  });

  it('whichever buffer there is no room for, twice or four times: the same, in smaller pieces only where one by itself had none', async () => {
    const [whole, halved] = [128 * 1024, 64 * 1024];
    const chunkBytes = { 2: new Set<number>(), 4: new Set<number>() };
    let from = 0;
    for (let wasRefused = true; wasRefused; from++) {
      room.from = Infinity;
      const backend = await createWebGpuBackend(cramped, { ...OPTIONS, chunkBytes: whole });
      // One is not to be had, nor when what nobody uses is given up; or, a third time, when there is one group.
      const times = from % 2 === 1 ? 4 : 2;
      Object.assign(room, { made: 0, from, end: from + times });
      const { outcomes } = await inPairs(backend, PAIR);
      wasRefused = room.made > from;
      room.from = Infinity;
      await expectReference(PAIR, outcomes);
      expect(backend.ledger().lent).toBe(0);
      chunkBytes[times].add(backend.ledger().chunkBytes);
      backend.dispose();
    }
    expect(from).toBeGreaterThan(25);
    expect(chunkBytes[2]).toEqual(new Set([whole]));
    // Which of the two ask for the refused ones is a matter of time: webgpu-memory halves for certain.
    expect([...chunkBytes[4]].filter((size) => size !== whole && size !== halved)).toEqual([]);
  });

  it('cancelled before any submission: both end, nothing stays lent, and what comes next is right', async () => {
    const backend = await createWebGpuBackend(device, OPTIONS);
    const { queue } = device;
    const submit = queue.submit.bind(queue);
    try {
      for (let at = 0, wasCancelled = true; wasCancelled; at += 2) {
        const cancelling = new AbortController();
        let submits = 0;
        queue.submit = (commands) => {
          if (submits++ === at) cancelling.abort();
          submit(commands);
        };
        const { outcomes } = await inPairs(backend, PAIR, 2, cancelling.signal);
        wasCancelled = cancelling.signal.aborted;
        const failures = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [(outcome.reason as { code?: string }).code] : []));
        // What had its results before the last submission may have ended.
        if (wasCancelled) expect(new Set(failures)).toEqual(new Set(['cancelled']));
        expect(backend.ledger().lent).toBe(0);
      }
    } finally {
      delete (queue as Partial<GPUQueue>).submit;
    }
    await expectReference(PAIR, (await inPairs(backend, PAIR)).outcomes);
    backend.dispose();
  });
});
