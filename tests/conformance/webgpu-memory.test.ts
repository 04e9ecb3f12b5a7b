/**
 * Rule: faults.md row 29 - a device without room for a buffer, whichever it is: smaller pieces and the same bytes, or the error that
 * gives the numbers; nothing stays lent. Issue 4: what a merge reads from device memory and how often it submits, counted.
 */
import { describe, expect, it } from 'vitest';
import { OutOfMemoryError } from '../../src/bytes/errors';
import { createWebGpuBackend, type EngineOptions } from '../../src/engine/backend';
import type { AdaptRequest } from '../../src/merge/adapting';
import type { Group } from '../../src/merge/backend';
import type { Tally } from '../../src/merge/tally-types';
import type { TensorParameters } from '../../src/recipe/types';
import { createReferenceBackend } from '../../src/reference/backend';
import { failOnUncaptured, label, make, software } from './adapter';
import { expectSameResult } from './compare';
import { cramped, room } from './cramped';
import { makeGroup, mergeGroup, readerOf, type SlotCase } from './harness';
import { trainedSlot } from './scenarios';

failOnUncaptured();

const at = (first: number, second: number): TensorParameters => ({ weight: [1, 1], density: [first, second], lambda: 1, normalize: true, rescale: false });
const slotOf = (elements: number, parameters = at(0.2, 1)) => trainedSlot(`t${elements}`, elements, ['BF16', 'BF16', 'BF16'], 'BF16', parameters, { kind: 'quantised' });
const LARGE = [slotOf(12_001)];
const SMALL = [slotOf(100), slotOf(5000), slotOf(300)];
const large = makeGroup('ties', LARGE, [[{ slot: 0, first: 0, end: 8192 }], [{ slot: 0, first: 8192, end: 12_001 }]]);
const small = makeGroup('ties', SMALL, [SMALL.map(({ elements }, slot) => ({ slot, first: 0, end: elements }))]);
const reference = createReferenceBackend();

/** One row of a base. */
function adapterOf(columns: number, rank: number): AdaptRequest {
  const of = (count: number) => Float32Array.from({ length: count }, (_, i) => (i % 97) / 64 - 0.7);
  return { base: slotOf(columns).inputs[0]!.bytes.slice(), dtype: 'BF16', first: 0, columns, rank, scale: 0.375, left: of(rank), right: of(rank * columns) };
}

describe('a device without room', () => {
  const OPTIONS: EngineOptions = { label, software, arithmetic: 'integer', chunkBytes: 64 * 1024, bracketBlocks: 1, dispatchBlocks: 64, uploadBytes: 8192 };
  /** On a backend of its own, whose buffer number `from` is not to be had, nor the next `times - 1`; whether it came to that. */
  async function tried(from: number, times: number, act: (backend: Awaited<ReturnType<typeof createWebGpuBackend>>) => Promise<void>, more: EngineOptions = {}): Promise<boolean> {
    room.from = Infinity;
    const backend = await createWebGpuBackend(cramped, { ...OPTIONS, ...more });
    Object.assign(room, { made: 0, from, end: from + times });
    try {
      await act(backend);
      expect(backend.ledger().lent).toBe(0);
      return room.made > from;
    } finally {
      room.from = Infinity;
      backend.dispose();
    }
  }

  it.each<[string, Group, readonly SlotCase[]]>([
    ['a tensor in chunks', large, LARGE],
    ['small tensors together', small, SMALL],
  ])('%s: whichever buffer there is no room for once, the reference\'s bytes, sets and figures', async (_, group, slots) => {
    const expected = await mergeGroup(reference, group, slots);
    let from = 0;
    let halved = 0;
    while (
      await tried(from, 2, async (backend) => {
        const actual = await mergeGroup(backend, group, slots);
        expectSameResult(actual.result, expected.result);
        expect(actual.outputs).toEqual(expected.outputs);
        if (backend.ledger().chunkBytes < 64 * 1024) halved++;
      })
    ) from++;
    // All but the list of keys, without which it is selected by radix, and the staging buffers.
    expect(from).toBeGreaterThan(12);
    expect(halved).toBeGreaterThanOrEqual(from - 4);
  });

  it('where no piece is small enough, an error with what was wanted and what there is', async () => {
    for (const from of [0, 5, 11, 13]) {
      await tried(from, Infinity, async (backend) => {
        const failure: unknown = await mergeGroup(backend, small, SMALL).catch((error: unknown) => error);
        expect(failure).toBeInstanceOf(OutOfMemoryError);
        expect((failure as OutOfMemoryError).reason).toBe('device-floor');
        expect((failure as OutOfMemoryError).where.actual).toBeGreaterThan(0);
        expect((failure as OutOfMemoryError).message).toContain('in chunks of 4096');
        // Whoever tries again has made room meanwhile.
        expect(backend.ledger().chunkBytes).toBe(64 * 1024);
      });
    }
  });

  it('counting for a ranking over several tensors goes on in smaller pieces too', async () => {
    const tallies: Tally[] = [{ model: 0, prefer: 0, digit: { shift: 20, bits: 11 }, rows: 2, slots: [{ row: 1, low: 0 }, { row: 0, low: 0 }, { row: 1, low: 0 }] }];
    const parameters = SMALL.map((slot) => slot.parameters);
    const expected = await reference.tally(small, parameters, tallies, readerOf(SMALL));
    for (const from of [0, 5, 11]) {
      await tried(from, 2, async (backend) => {
        expect(await backend.tally(small, parameters, tallies, readerOf(SMALL))).toEqual(expected);
        expect(backend.ledger().chunkBytes).toBe(32 * 1024);
      });
    }
  });

  it('values of an adapter are formed on the host, to the same bits, whichever of their buffers there is no room for', async () => {
    const request = adapterOf(301, 2);
    const expected = await reference.adapt(request);
    let asked = 0;
    const formOnHost: EngineOptions['formOnHost'] = (own) => {
      asked++;
      return reference.adapt(own);
    };
    let from = 0;
    const adapting = async (backend: Awaited<ReturnType<typeof createWebGpuBackend>>) => expect(await backend.adapt(request)).toEqual(expected);
    while (await tried(from, Infinity, adapting, { formOnHost })) from++;
    // Of the values, the base, the settings, two factors, two staging buffers and what reads back.
    expect([from, asked]).toEqual([8, 8]);
    await tried(0, Infinity, (backend) => expect(backend.adapt(request)).rejects.toMatchObject({ reason: 'device-memory' }));
  });

  it('what is held and does not fit is told, and nothing of it stays', async () => {
    const one = makeGroup('ties', SMALL.slice(0, 1), [[{ slot: 0, first: 0, end: 100 }]]);
    for (const from of [0, 3]) {
      await tried(from, 2, async (backend) => {
        await expect(backend.hold(one, readerOf(SMALL))).rejects.toMatchObject({ code: 'out-of-memory', reason: 'device-memory' });
      });
    }
  });
});

describe('a buffer that was lent before', () => {
  it('is emptied before keys are counted in it, also where the first selection was cancelled before it was sent', async () => {
    const backend = await make({ dispatchBlocks: 64 })();
    // Its merged values are as large as the histograms of a slot.
    const former = trainedSlot('former', 8000, ['F32', 'F32', 'F32'], 'F32', at(1, 1), { kind: 'gaussian' });
    await mergeGroup(backend, makeGroup('ties', [former], [[{ slot: 0, first: 0, end: 8000 }]]), [former]);
    const slot = slotOf(300, at(0.2, 0.7));
    const group = makeGroup('ties', [slot], [[{ slot: 0, first: 0, end: 300 }]]);
    const held = await backend.hold(group, readerOf([slot]));
    await expect(held.evaluate([slot.parameters], AbortSignal.abort())).rejects.toMatchObject({ code: 'cancelled' });
    const expected = await mergeGroup(reference, group, [slot]);
    expectSameResult(await held.evaluate([slot.parameters]), expected.result);
    held.release();
    backend.dispose();
  });
});

describe('uploads', () => {
  it('in pieces through a ring give the reference\'s bytes, odd counts and odd pieces included', async () => {
    const backend = await make({ uploadBytes: 1000, chunkBytes: 64 * 1024 })();
    const slots = [slotOf(5001), slotOf(63), slotOf(301)];
    const group = makeGroup('ties', slots, [slots.map(({ elements }, slot) => ({ slot, first: 0, end: elements }))]);
    const [actual, expected] = [await mergeGroup(backend, group, slots), await mergeGroup(reference, group, slots)];
    expectSameResult(actual.result, expected.result);
    expect(actual.outputs).toEqual(expected.outputs);
    // Three inputs of 11, 1 and 1 pieces; 126 bytes are an eighth of a piece and more.
    expect([backend.ledger().uploads, backend.ledger().lent]).toEqual([3 * (11 + 1 + 1), 0]);
    backend.dispose();
  });
});

describe('uploads of an adapter', () => {
  it('go through the ring too, and give the reference\'s bits', async () => {
    const backend = await make({ uploadBytes: 1000 })();
    const request = adapterOf(5001, 2);
    expect(await backend.adapt(request)).toEqual(await reference.adapt(request));
    // 10,002 bytes of the base and 40,008 of the right factor; the left one and the settings are too little for it.
    expect([backend.ledger().uploads, backend.ledger().lent]).toEqual([11 + 41, 0]);
    backend.dispose();
  });
});

describe('what a merge of one chunk asks of the device', () => {
  it.each([
    { densities: [0.2, 1], readings: [2, 2, 1] },
    { densities: [0.2, 0.2], readings: [2, 2, 2] },
    { densities: [1, 1], readings: [1, 1, 1] },
  ])('TIES at $densities: one submission, inputs read $readings times', async ({ densities, readings }) => {
    const backend = await make({ bracketBlocks: 1, dispatchBlocks: 64 })();
    const slot = trainedSlot('t', 20_002, ['BF16', 'BF16', 'BF16'], 'BF16', at(densities[0]!, densities[1]!), { kind: 'gaussian' });
    await mergeGroup(backend, makeGroup('ties', [slot], [[{ slot: 0, first: 0, end: 20_002 }]]), [slot]);
    const { submissions, inputBytes, brackets } = backend.ledger();
    expect(brackets.missed).toBe(0);
    expect(inputBytes.map((bytes) => bytes / (2 * 20_002))).toEqual(readings);
    expect(submissions).toBe(1);
    backend.dispose();
  });
});
