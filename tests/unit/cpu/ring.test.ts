/** Part buffers that go round (issue 4: no allocation a tensor): how many are made for how many parts. */
import { describe, expect, it } from 'vitest';
import { BufferRing } from '../../../src/bytes/buffer-ring';
import { mergeGroup } from '../../../src/cpu/merging';
import { Pool } from '../../../src/cpu/pool';
import { createWorkspace } from '../../../src/cpu/workspace';
import { channelWorker } from '../../conformance/channel-worker';
import { concatenate, lentReaderOf, makeGroup, mergeGroup as mergeBy, readerOf } from '../../conformance/harness';
import { createCpuBackend } from '../../../src/cpu/backend';
import { trainedSlot } from '../../conformance/scenarios';

const PARAMETERS = { weight: [1, 1], density: [0.2, 0.7], lambda: 1, normalize: true, rescale: false, slack: { s: 0.04, of: 'retained', prefer: 0 } } as const;

/** What workers give back is on its way: turns of the loop, which a busy machine makes no fewer. */
async function givenBack(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
}

describe('what groups of several workers are counted with', () => {
  it('is what their buffers may be, and what may lie idle, which two groups share', () => {
    const group = makeGroup('ties', [trainedSlot('t', 160_000, ['BF16', 'BF16'], 'BF16', PARAMETERS)], [[{ slot: 0, first: 0, end: 160_000 }]]);
    const spawn = () => channelWorker();
    const [alone, pooled] = [createCpuBackend(), createCpuBackend({ workers: 1, spawn })];
    const idle = Math.ceil((512 * 2 ** 20) / 6);
    // One chunk: two inputs and an output.
    expect([alone.heldBytes!(group), pooled.heldBytes!(group)]).toEqual([960_000 + idle, 1.125 * 960_000 + Math.ceil(idle / 2)]);
  });
});

it('parts of many groups are merged in the buffers of a few, to the same bytes', async () => {
  const slot = trainedSlot('t', 160_000, ['BF16', 'BF16', 'BF16'], 'BF16', PARAMETERS);
  const group = makeGroup('ties_sv', [slot], [0, 1, 2, 3].map((c) => [{ slot: 0, first: c * 40_000, end: (c + 1) * 40_000 }]));
  const expected = (await mergeBy(createCpuBackend(), group, [slot])).outputs[0]!;
  const ring = new BufferRing(2 ** 25);
  const pool = new Pool([channelWorker(), channelWorker()], ring);
  const read = readerOf([slot]);
  // Views of larger buffers, as what is read together is.
  const within = async (...asked: Parameters<typeof read>) => new Uint8Array(concatenate([await read(...asked), new Uint8Array(8)]).buffer, 0, 80_000);
  const made: number[] = [];
  for (let round = 0; round < 12; round++) {
    const outputs: Uint8Array<ArrayBuffer>[] = [];
    await mergeGroup(group, [PARAMETERS], within, async (_, bytes) => void outputs.push(bytes.slice()), { crew: pool, workspace: createWorkspace(), pause: async () => {}, residentBytes: 1e9 }, undefined);
    expect(Buffer.compare(concatenate(outputs), expected)).toBe(0);
    made.push(ring.allocated);
    await givenBack();
  }
  pool.dispose();
  // 4 parts of 3 inputs and an output a group: 16 buffers, 192 in all.
  expect(made[0]).toBeLessThanOrEqual(16);
  expect(made.at(-1)).toBeLessThanOrEqual(2 * 16);
  expect(ring.allocated + ring.reused).toBe(12 * 16);
});

it.each([
  ['moved to workers as they are', 2, 1, [3 + 1, 5 * 4]],
  ['cut for four workers, and given back when their pieces are copied', 4, 1, [3 + 2 * (3 + 1), 5 * 11]],
  ['looked at here, and given back when the part is released', 0, 1, [3, 5 * 3]],
] as const)('inputs lent by the backend are %s', async (_, workers, chunks, [made, reused]) => {
  const slot = trainedSlot('t', 2 ** 19, ['BF16', 'BF16', 'BF16'], 'BF16', PARAMETERS);
  const group = makeGroup('ties_sv', [slot], [[{ slot: 0, first: 0, end: slot.elements }]]);
  expect(group.chunks.length).toBe(chunks);
  const expected = (await mergeBy(createCpuBackend(), group, [slot])).outputs[0]!;
  const backend = createCpuBackend({ workers, spawn: () => channelWorker() });
  for (let round = 0; round < 6; round++) {
    const outputs: Uint8Array<ArrayBuffer>[] = [];
    await backend.merge(group, [PARAMETERS], lentReaderOf(backend, [slot]), async (_segment, bytes) => void outputs.push(bytes.slice()));
    expect(Buffer.compare(concatenate(outputs), expected)).toBe(0);
    await givenBack();
  }
  backend.dispose();
  const { allocated, reused: again } = backend.buffers!;
  expect([allocated, again]).toEqual([made, reused]);
});
