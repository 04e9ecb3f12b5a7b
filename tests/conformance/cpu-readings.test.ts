/** A tensor whose inputs are not kept is read once for its thresholds, once for its slack and once to be merged, unless a bracket misses. */
import { describe, expect, it } from 'vitest';
import { createCpuBackend } from '../../src/cpu/backend';
import type { Method, TensorParameters } from '../../src/recipe/types';
import { channelWorker } from './channel-worker';
import { expectSameResult } from './compare';
import { makeGroup, mergeGroup, readerOf, type SlotCase, type Stretch } from './harness';
import { trainedSlot } from './scenarios';

const CHUNK = 2 ** 17;
const CHUNKS = 9;
const ELEMENTS = CHUNKS * CHUNK - 6;
const SLACK = { s: 0.04, of: 'retained', prefer: 0 } as const;
const parametersOf = (density: readonly number[], slack = false): TensorParameters => ({ weight: [1, 0.5], density, lambda: 1, normalize: true, rescale: false, ...(slack ? { slack: SLACK } : {}) });
const chunks = Array.from({ length: CHUNKS }, (_, i): Stretch[] => [{ slot: 0, first: i * CHUNK, end: Math.min(ELEMENTS, (i + 1) * CHUNK) }]);

const made = trainedSlot('t', ELEMENTS, ['BF16', 'BF16', 'BF16'], 'BF16', parametersOf([1, 1]));

/** Values as of rows whose changes differ in size by what the row is, or in order of size: the sample is no fair one. */
function sorted(slot: SlotCase): SlotCase {
  const [base, ...models] = slot.inputs.map((input) => new Uint16Array(input!.bytes.slice().buffer));
  for (const values of models) values.sort();
  return { ...slot, inputs: [base!, ...models].map((values, i) => ({ dtype: slot.inputs[i]!.dtype, bytes: new Uint8Array(values.buffer) })) };
}

/** Times that everything was read, whole segments alone; values read beside; output and result. */
async function readings(slot: SlotCase, method: Method, residentBytes: number, workers = 0) {
  const group = makeGroup(method, [slot], chunks);
  const backend = createCpuBackend({ residentBytes, leastPooled: 0, ...(workers > 0 ? { workers, spawn: () => channelWorker() } : {}) });
  const read = readerOf([slot]);
  const counts = new Map<string, number>();
  let beside = 0;
  const outputs: Uint8Array<ArrayBuffer>[] = [];
  const whole = group.chunks.flat();
  const result = await backend.merge(group, [slot.parameters], (segment, input) => {
    if (whole.includes(segment)) counts.set(`${segment.first} ${input}`, (counts.get(`${segment.first} ${input}`) ?? 0) + 1);
    else beside += segment.count;
    return read(segment, input);
  }, async (_, bytes) => void outputs.push(bytes.slice()));
  backend.dispose();
  expect(new Set(counts.values()).size).toBe(1);
  return { times: [...counts.values()][0]!, beside, result, output: Buffer.concat(outputs) };
}

describe('readings of a tensor that is not kept', () => {
  it.each([
    ['ties', [0.2, 1], false, 2],
    ['ties', [0.2, 0.3], false, 2],
    ['ties_sv', [0.2, 1], true, 3],
    ['ties_sv', [1, 1], true, 2],
    ['ties', [1, 1], false, 1],
  ] as const)('%s at %j: as many as there are decisions, and one', async (method, density, slack, times) => {
    const slot = { ...made, parameters: parametersOf(density, slack) };
    const kept = await mergeGroup(createCpuBackend(), makeGroup(method, [slot], chunks), [slot]);
    for (const workers of [0, 2]) {
      const own = await readings(slot, method, 4e6, workers);
      expect(own.times).toBe(times);
      // 48 blocks of 2048 values of three inputs.
      expect(own.beside).toBe(times === 1 ? 0 : 3 * 48 * 2048);
      expectSameResult(own.result, kept.result);
      expect(Buffer.compare(own.output, kept.outputs[0]!)).toBe(0);
    }
  });

  it('are more where nothing may be set aside, or the sample says little: the bytes are the same', async () => {
    for (const [slot, residentBytes] of [[made, 0], [sorted(made), 4e6]] as const) {
      const own = { ...slot, parameters: parametersOf([0.2, 0.3], true) };
      const kept = await mergeGroup(createCpuBackend(), makeGroup('ties_sv', [own], chunks), [own]);
      const { times, result, output } = await readings(own, 'ties_sv', residentBytes);
      expect(times).toBeGreaterThan(3);
      expect(times).toBeLessThanOrEqual(6);
      expectSameResult(result, kept.result);
      expect(Buffer.compare(output, kept.outputs[0]!)).toBe(0);
    }
  });
});
