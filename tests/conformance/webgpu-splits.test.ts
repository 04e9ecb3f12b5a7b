/** Rule: faults.md rows 26 and 33 - how a pass is cut into dispatches must not show, nor that it needs a second dimension. */
import { describe, expect, it } from 'vitest';
import { loadChunk } from '../../src/engine/chunk';
import { Context } from '../../src/engine/context';
import { createGroupBuffers } from '../../src/engine/group-buffers';
import { groupOverrides } from '../../src/engine/overrides';
import { BLOCK_WORDS } from '../../src/engine/layout';
import { Pace } from '../../src/engine/pace';
import { prepareTies } from '../../src/engine/passes/ties';
import type { TensorParameters } from '../../src/recipe/types';
import { createReferenceBackend } from '../../src/reference/backend';
import { device, failOnUncaptured, make } from './adapter';
import { expectSameResult } from './compare';
import { lentReaderOf, makeGroup, mergeWhole, readerOf } from './harness';
import { trainedSlot, type Kind } from './scenarios';

failOnUncaptured();
const SLACK: TensorParameters = { weight: [1, 0.5], density: [0.2, 0.7], lambda: 1, normalize: true, rescale: false, slack: { s: 0.3, of: 'discarded', prefer: 0 } };
const DTYPES = ['BF16', 'BF16', 'BF16'] as const;

describe('dispatches', () => {
  it('one block a dispatch gives the bytes, sets and figures of the reference', async () => {
    const backend = await make({ dispatchBlocks: 1 })();
    const kinds: readonly [number, Kind][] = [[30_001, 'quantised'], [100, 'gaussian'], [8193, 'gaussian']];
    const slots = kinds.map(([elements, kind]) => trainedSlot(`t${elements}`, elements, [...DTYPES], 'BF16', SLACK, { kind }));
    const actual = await mergeWhole(backend, 'ties_sv', slots);
    const expected = await mergeWhole(createReferenceBackend(), 'ties_sv', slots);
    expectSameResult(actual.result, expected.result);
    expect(actual.outputs).toEqual(expected.outputs);
    backend.dispose();
  });

  it('more than 65,535 workgroups go to a second dimension: every one of 65,600 blocks is counted, once', async () => {
    const blocks = 65_600;
    const context = new Context(device, { arithmetic: 'integer', exactDivision: false }, { pace: new Pace(blocks) });
    const slot = trainedSlot('one', 2, ['BF16', 'BF16'], 'BF16', { weight: [1], density: [0.5], lambda: 1, normalize: true, rescale: false }, { kind: 'all-equal' });
    const group = makeGroup('ties', [slot], [[{ slot: 0, first: 0, end: 2 }]]);
    const chunk = await loadChunk(context, group, 0, 0, readerOf([slot]), undefined);
    const buffers = await createGroupBuffers(context, group, [slot.parameters]);
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
    // The same two elements again and again under other numbers: both keys are those of 0.25, the threshold.
    const table = device.createBuffer({ label: 'blocks', size: 4 * BLOCK_WORDS * blocks, usage });
    device.queue.writeBuffer(table, 0, Uint32Array.from({ length: BLOCK_WORDS * blocks }, (_, i) => (i % BLOCK_WORDS === 2 ? Math.floor(i / BLOCK_WORDS) : 0)));
    const counts = device.createBuffer({ label: 'tie counts', size: 4 * blocks, usage });
    device.queue.writeBuffer(buffers.state, 0, new Uint32Array([0x3e800000, 0, 0, 0]));
    const ties = await prepareTies(context, groupOverrides(group, [slot.parameters]), 0);
    const recording = context.record('ties');
    const many = { ...chunk, blocks: table, tables: { ...chunk.tables, blockCount: blocks } };
    ties(recording, many, { ...buffers, tieCounts: () => ({ buffer: counts }) });
    recording.submit();
    const [found] = await context.readBack([{ buffer: counts, size: 4 * blocks }]);
    expect(new Uint32Array(found!.buffer)).toEqual(new Uint32Array(blocks).fill(2));
    buffers.release();
    chunk.release();
    table.destroy();
    counts.destroy();
    context.dispose();
  });
});

describe('inputs lent by the backend', () => {
  it('are given back once they are uploaded: three tensors in the buffers of one, to the bytes of the reference', async () => {
    const backend = await make()();
    const slot = trainedSlot('t', 300_000, [...DTYPES], 'BF16', SLACK);
    const group = makeGroup('ties_sv', [slot], [[{ slot: 0, first: 0, end: 300_000 }]]);
    const [expected] = (await mergeWhole(createReferenceBackend(), 'ties_sv', [slot])).outputs;
    for (let round = 0; round < 3; round++) {
      const outputs: Uint8Array[] = [];
      await backend.merge(group, [SLACK], lentReaderOf(backend, [slot]), async (_, bytes) => void outputs.push(bytes.slice()));
      expect(outputs).toEqual([expected]);
    }
    expect([backend.buffers!.allocated, backend.buffers!.reused]).toEqual([3, 6]);
    backend.dispose();
  });
});
