/** Part buffers that go round (issue 4: no allocation a tensor): how many are made for how many parts. */
import { describe, expect, it } from 'vitest';
import { mergeGroup } from '../../../src/cpu/merging';
import { Pool } from '../../../src/cpu/pool';
import { BufferRing } from '../../../src/cpu/ring';
import { createWorkspace } from '../../../src/cpu/workspace';
import { channelWorker } from '../../conformance/channel-worker';
import { concatenate, makeGroup, mergeGroup as mergeBy, readerOf } from '../../conformance/harness';
import { createCpuBackend } from '../../../src/cpu/backend';
import { trainedSlot } from '../../conformance/scenarios';

const KIB = 1024;
const PARAMETERS = { weight: [1, 1], density: [0.2, 0.7], lambda: 1, normalize: true, rescale: false, slack: { s: 0.04, of: 'retained', prefer: 0 } } as const;

describe('a ring of buffers', () => {
  it('gives what fits best and is no more than an eighth too large, and keeps no more than it may', () => {
    const ring = new BufferRing(400 * KIB);
    const made = [64, 120, 128].map((kib) => ring.take(kib * KIB));
    made.forEach((buffer) => ring.give(buffer));
    expect(ring.take(114 * KIB)).toBe(made[1]);
    expect(ring.take(114 * KIB)).toBe(made[2]);
    // Only the first is left, and too small.
    expect(ring.take(113 * KIB).byteLength).toBe(120 * KIB);
    expect([ring.allocated, ring.reused]).toEqual([4, 2]);
    const large = ring.take(350 * KIB);
    ring.give(large);
    // The one that lay there before it had to go.
    expect([ring.take(64 * KIB) === made[0], ring.take(320 * KIB) === large]).toEqual([false, true]);
    // Small ones are neither kept nor counted.
    ring.give(new ArrayBuffer(KIB));
    expect([ring.take(KIB).byteLength, ring.allocated]).toEqual([KIB, 6]);
  });

  it('never gives an eighth more than was asked for, new or used', () => {
    const ring = new BufferRing(2 ** 30);
    // Every size between two steps, the large ones first: all that lies there is larger than what is asked for.
    for (let bytes = 300 * KIB; bytes >= 64 * KIB; bytes -= 1000) {
      const buffer = ring.take(bytes);
      expect(buffer.byteLength).toBeGreaterThanOrEqual(bytes);
      expect(buffer.byteLength).toBeLessThanOrEqual(1.125 * bytes);
      ring.give(buffer);
    }
    expect(ring.reused).toBeGreaterThan(9 * ring.allocated);
  });
});

describe('what groups of several workers are counted with', () => {
  it('is what their buffers may be, and all that may lie idle while one is alone', () => {
    const group = makeGroup('ties', [trainedSlot('t', 160_000, ['BF16', 'BF16'], 'BF16', PARAMETERS)], [[{ slot: 0, first: 0, end: 160_000 }]]);
    const spawn = () => channelWorker();
    const [alone, pooled] = [createCpuBackend(), createCpuBackend({ workers: 1, spawn })];
    // One chunk: two inputs and an output.
    expect([alone.heldBytes!(group), pooled.heldBytes!(group)]).toEqual([960_000, 1.125 * 960_000 + 32 * 2 ** 20]);
  });

  it('lies idle for each group under way', async () => {
    const pool = new Pool([channelWorker()]);
    const own = 20 * 2 ** 20;
    const idle = () => {
      const before = pool.ring.reused;
      const taken = Array.from({ length: 4 }, () => pool.ring.take(own));
      const kept = pool.ring.reused - before;
      taken.forEach((buffer) => pool.ring.give(buffer));
      return kept;
    };
    let end = () => {};
    const other = pool.during(() => new Promise<void>((resolve) => (end = resolve)));
    idle();
    await pool.during(async () => {
      idle();
      expect(idle()).toBe(3);
    });
    expect(idle()).toBe(1);
    end();
    await other;
    expect(idle()).toBe(1);
    pool.dispose();
  });
});

it('parts of many groups are merged in the buffers of a few, to the same bytes', async () => {
  const slot = trainedSlot('t', 160_000, ['BF16', 'BF16', 'BF16'], 'BF16', PARAMETERS);
  const group = makeGroup('ties_sv', [slot], [0, 1, 2, 3].map((c) => [{ slot: 0, first: c * 40_000, end: (c + 1) * 40_000 }]));
  const expected = (await mergeBy(createCpuBackend(), group, [slot])).outputs[0]!;
  const pool = new Pool([channelWorker(), channelWorker()]);
  const read = readerOf([slot]);
  // Views of larger buffers, as what is read together is.
  const within = async (...asked: Parameters<typeof read>) => new Uint8Array(concatenate([await read(...asked), new Uint8Array(8)]).buffer, 0, 80_000);
  const made: number[] = [];
  for (let round = 0; round < 12; round++) {
    const outputs: Uint8Array<ArrayBuffer>[] = [];
    await mergeGroup(group, [PARAMETERS], within, async (_, bytes) => void outputs.push(bytes.slice()), { crew: pool, workspace: createWorkspace(), pause: async () => {}, residentBytes: 1e9 }, undefined);
    expect(Buffer.compare(concatenate(outputs), expected)).toBe(0);
    made.push(pool.ring.allocated);
    // What workers give back is on its way.
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  pool.dispose();
  // 4 parts of 3 inputs and an output a group: 16 buffers, 192 in all.
  expect(made[0]).toBeLessThanOrEqual(16);
  expect(made.at(-1)).toBeLessThanOrEqual(2 * 16);
  expect(pool.ring.allocated + pool.ring.reused).toBe(12 * 16);
});
