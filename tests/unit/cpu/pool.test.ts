/** The pool: its work is the same as this thread's, and survives the death of a worker. */
import { BufferRing } from '../../../src/bytes/buffer-ring';
import { describe, expect, it } from 'vitest';
import { createCpuBackend } from '../../../src/cpu/backend';
import type { StudioError } from '../../../src/bytes/errors';
import { Watchdog } from '../../../src/bytes/watchdog';
import type { PartSpec } from '../../../src/cpu/part-types';
import { Pool, POOL_DIED } from '../../../src/cpu/pool';
import type { FromPoolWorker, PoolWorker } from '../../../src/cpu/pool-messages';
import type { KeyRange } from '../../../src/cpu/select';
import type { AdaptRequest } from '../../../src/merge/adapting';
import { createReferenceBackend } from '../../../src/reference/backend';
import { channelWorker } from '../../conformance/channel-worker';
import { expectSameResult } from '../../conformance/compare';
import { makeGroup, mergeGroup, readerOf, type Stretch } from '../../conformance/harness';
import { trainedSlot } from '../../conformance/scenarios';
import { FAST, TestTime } from '../test-time';

const PARAMETERS = { weight: [1, 1], density: [0.2, 0.7], lambda: 1, normalize: true, rescale: false, slack: { s: 0.04, of: 'retained', prefer: 0 } } as const;
const slotOf = (elements: number) => trainedSlot('t', elements, ['BF16', 'BF16', 'BF16'], 'BF16', PARAMETERS);
const slot = slotOf(40_000);
const chunks = Array.from({ length: 5 }, (_, i): Stretch[] => [{ slot: 0, first: i * 8000, end: (i + 1) * 8000 }]);
const group = makeGroup('ties_sv', [slot], chunks);
const SPEC: PartSpec = { method: 'ties_sv', count: 1, dtypes: ['F32', 'F32', 'F32', 'F32'], origin: 0, outDtype: 'F32' };
const RANGE: KeyRange = { low: 0, bins: 1, shift: 0 };

function pooled(workers: PoolWorker[], options = {}) {
  const left = [...workers];
  return createCpuBackend({ workers: workers.length, spawn: () => left.shift()!, leastPooled: 0, ...options });
}

describe('a pool of workers', () => {
  it('shares out the parts of one tensor, with the bytes, sets and figures of one thread', async () => {
    const workers = [channelWorker(), channelWorker()];
    const backend = pooled(workers);
    const expected = await mergeGroup(createCpuBackend(), group, [slot]);
    const merged = await mergeGroup(backend, group, [slot]);
    expectSameResult(merged.result, expected.result);
    expect(merged.outputs).toEqual(expected.outputs);
    const [a, b] = workers.map(({ passes }) => passes());
    expect(Math.min(a!, b!) / Math.max(a!, b!)).toBeGreaterThan(0.5);
    backend.dispose();
  });

  it('cuts a large tensor of one chunk for its share of the workers: two of them keep four busy', async () => {
    const large = slotOf(2 ** 19 + 3);
    const whole = makeGroup('ties_sv', [large], [[{ slot: 0, first: 0, end: large.elements }]]);
    const expected = await mergeGroup(createCpuBackend(), whole, [large]);
    const merged = async (groups: number) => {
      const workers = Array.from({ length: 4 }, () => channelWorker());
      const backend = pooled(workers);
      for (const { result, outputs } of await Promise.all(Array.from({ length: groups }, () => mergeGroup(backend, whole, [large])))) {
        expectSameResult(result, expected.result);
        // Byte by byte through the matcher would take seconds.
        expect(Buffer.compare(outputs[0]!, expected.outputs[0]!)).toBe(0);
      }
      backend.dispose();
      return workers.filter(({ passes }) => passes() > 0).length;
    };
    expect([await merged(1), await merged(2)]).toEqual([2, 4]);
  });

  it('shares out the rows of an adapted tensor, and forms them here when a worker dies', async () => {
    const [rows, columns, rank] = [101, 24, 3];
    const floats = (count: number) => Float32Array.from({ length: count }, (_, i) => Math.sin(i));
    // From the middle of a row to the middle of another.
    const request: AdaptRequest = { base: new Uint8Array(floats(rows * columns - 17).buffer), dtype: 'F32', first: 7, columns, rank, scale: 0.5, left: floats(rows * rank), right: floats(rank * columns) };
    const expected = await createReferenceBackend().adapt(request);
    const workers = [channelWorker(), channelWorker()];
    const backend = pooled(workers);
    expect(await backend.adapt(request)).toEqual(expected);
    expect(workers.map(({ passes }) => passes())).toEqual([1, 1]);
    backend.dispose();
    const dying = pooled([channelWorker(), channelWorker(0)]);
    expect(await dying.adapt(request)).toEqual(expected);
    expect(dying.info.label).toBe('CPU, one thread, SIMD');
    dying.dispose();
  });

  for (const diesAfter of [0, 4, 13]) {
    it(`goes on by itself when a worker dies after ${diesAfter} passes: every segment is written once`, async () => {
      const backend = pooled([channelWorker(), channelWorker(diesAfter)]);
      const expected = await mergeGroup(createCpuBackend(), group, [slot]);
      // The harness refuses segments that come twice or out of turn.
      const merged = await mergeGroup(backend, group, [slot]);
      expectSameResult(merged.result, expected.result);
      expect(merged.outputs).toEqual(expected.outputs);
      expect(backend.info.label).toBe('CPU, one thread, SIMD');
      expect((await mergeGroup(backend, group, [slot])).outputs).toEqual(expected.outputs);
      backend.dispose();
    });
  }

  it('two groups at once both go on when a worker dies', async () => {
    const expected = await mergeGroup(createCpuBackend(), group, [slot]);
    for (const diesAfter of [0, 3, 7, 13]) {
      const backend = pooled([channelWorker(), channelWorker(diesAfter)]);
      const both = await Promise.all([mergeGroup(backend, group, [slot]), mergeGroup(backend, group, [slot])]);
      for (const { result, outputs } of both) {
        expectSameResult(result, expected.result);
        expect(outputs).toEqual(expected.outputs);
      }
      backend.dispose();
    }
  });

  const silent = (after: number) => channelWorker(Infinity, true, after);
  it.each([0, 4, 13])('a worker that gives no answer after %i passes counts as dead: every segment is written once, on one thread', async (after) => {
    const expected = await mergeGroup(createCpuBackend(), group, [slot]);
    const backend = pooled([channelWorker(), silent(after)], { watchdog: new Watchdog(FAST) });
    const merged = await mergeGroup(backend, group, [slot]);
    expectSameResult(merged.result, expected.result);
    expect(merged.outputs).toEqual(expected.outputs);
    expect(backend.info.label).toBe('CPU, one thread, SIMD');
    backend.dispose();
  });

  it('a worker with much to do is not taken for dead while it answers, and an idle one never', async () => {
    const time = new TestTime();
    const [busy, idle] = [silent(0), silent(0)];
    let answer: (message: FromPoolWorker) => void = () => {};
    const pool = new Pool([{ ...busy, post: () => {}, listen: (onMessage) => (answer = onMessage) }, idle], new BufferRing(0), new Watchdog(time));
    const part = pool.load(SPEC, []);
    const asked = [0, 1, 2].map((model) => part.tally(model, RANGE));
    for (let id = 1; id <= 2; id++) {
      await time.pass(179_000);
      answer({ id, ok: true, result: null });
      expect(await asked[id - 1]).toBeNull();
    }
    const third = asked[2]!.then(() => 'answered', (error: StudioError) => [error.reason, error.message]);
    await time.pass(182_000);
    expect(await third).toEqual([POOL_DIED, 'a worker of the CPU backend is gone: no answer for 181 seconds']);
    expect(time.timers).toBe(0);
  });

  it('what could not be posted is told, and not waited for', async () => {
    const time = new TestTime();
    const full = () => {
      throw new RangeError('Array buffer allocation failed');
    };
    const pool = new Pool([{ ...silent(0), post: full }], new BufferRing(0), new Watchdog(time));
    const request = { base: new Uint8Array(4), dtype: 'F32', first: 0, columns: 1, rank: 1, scale: 1, left: new Float32Array(1), right: new Float32Array(1) } as const;
    await expect(pool.adapt(request)).rejects.toThrow(RangeError);
    await time.pass(200_000);
    await expect(pool.adapt(request)).rejects.toThrow(RangeError);
    expect(time.timers).toBe(0);
    pool.dispose();
  });

  it('an aborted merge does not wait for a worker that never answers', async () => {
    const time = new TestTime();
    const stopping = new AbortController();
    const worker = silent(2);
    const backend = pooled([worker], { watchdog: new Watchdog(time) });
    const ended = backend.merge(group, [PARAMETERS], readerOf([slot]), async () => {}, { signal: stopping.signal }).then(() => 'merged', (error: StudioError) => error.code);
    while (worker.passes() < 3) await new Promise((resolve) => setImmediate(resolve));
    stopping.abort();
    await time.pass(1000);
    expect(await ended).toBe('cancelled');
    backend.dispose();
  });

  it('small groups are done where they are asked for', async () => {
    const worker = channelWorker();
    const backend = pooled([worker], { leastPooled: 40_001 });
    await mergeGroup(backend, group, [slot]);
    expect(worker.passes()).toBe(0);
    backend.dispose();
  });

  it('a failure to write is the caller\'s, and is not tried again', async () => {
    const backend = pooled([channelWorker(), channelWorker()]);
    let writes = 0;
    const write = async () => {
      if (++writes === 2) throw new Error('disk full');
    };
    await expect(backend.merge(group, [PARAMETERS], readerOf([slot]), write)).rejects.toThrow('disk full');
    expect(writes).toBe(2);
    expect(backend.info.label).toBe('CPU, 2 workers, SIMD');
    backend.dispose();
  });

  it('a reader that gives too little is refused by name', async () => {
    const backend = pooled([channelWorker()]);
    const read = async () => new Uint8Array(10);
    await expect(backend.merge(group, [PARAMETERS], read, async () => {})).rejects.toThrow(/^t, input 0: 10 bytes instead of 16000/);
    backend.dispose();
  });
});
