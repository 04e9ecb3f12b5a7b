/** Rule: merging.md section 2 - selection from a bracket keeps what the reference keeps, on data that is unkind to it too. */
import { describe, expect, it } from 'vitest';
import { chooseBrackets } from '../../src/engine/bracket';
import { SAMPLED, samplePlaces } from '../../src/engine/sample';
import type { ReadSegment } from '../../src/merge/backend';
import type { TensorParameters } from '../../src/recipe/types';
import { createReferenceBackend } from '../../src/reference/backend';
import { failOnUncaptured, make } from './adapter';
import { distance, expectSameResult } from './compare';
import { makeGroup, mergeGroup, readerOf, type SlotCase, type Stretch } from './harness';
import { encodeInput, trainedSlot, type Kind } from './scenarios';

failOnUncaptured();
/** Six blocks of the engine; the sample is two in three of them, or all of every chunk. */
const ELEMENTS = 45_001;
const DTYPES = ['BF16', 'BF16', 'BF16'] as const;
const at = (first: number, second: number): TensorParameters => ({ weight: [1, 1], density: [first, second], lambda: 1, normalize: true, rescale: false });

/** Large values where the sample does not look, more than are kept. */
function hidden(parameters: TensorParameters): SlotCase {
  const seen = new Set(samplePlaces(ELEMENTS, SAMPLED));
  const base = Float64Array.from({ length: ELEMENTS }, () => 0);
  const inputs = [0, 1, 2].map((input) => encodeInput(base.map((_, i) => (input === 0 ? 0 : input * (seen.has(i) ? 1 : 64) * (1 + (i % 100) / 128))), 'F32'));
  return { name: 'hidden', elements: ELEMENTS, inputs, outDtype: 'F32', parameters };
}

/** As a ramp: no block looks like another. */
function ramp(parameters: TensorParameters): SlotCase {
  const base = Float64Array.from({ length: ELEMENTS }, (_, i) => 0.5 - (i % 2));
  const inputs = [0, 1, 2].map((input) => encodeInput(base.map((value, i) => value * (1 + (input * (i + 1)) / 64)), 'F32'));
  return { name: 'ramp', elements: ELEMENTS, inputs, outDtype: 'F32', parameters };
}
/** Keys of one model's task vector, of a slot in F32. */
function keysOf({ inputs }: SlotCase, model: number): Uint32Array {
  const [base, own] = [inputs[0]!, inputs[model + 1]!].map(({ bytes }) => new Float32Array(bytes.buffer, bytes.byteOffset, ELEMENTS));
  return new Uint32Array(own!.map((value, i) => value - base![i]!).buffer).map((bits) => bits & 0x7fffffff);
}
const slotOf = (kind: Kind, parameters: TensorParameters) => trainedSlot(kind, ELEMENTS, [...DTYPES], 'BF16', parameters, { kind });

/** What the sample does not see is alike, and inside the bracket of what it sees: more than the list has room for. */
function crowded(parameters: TensorParameters): SlotCase {
  const seen = new Set(samplePlaces(ELEMENTS, SAMPLED));
  const middle = 1 - parameters.density[0]!;
  const inputs = [0, 1, 2].map((input) => encodeInput(Float64Array.from({ length: ELEMENTS }, (_, i) => input * (seen.has(i) ? ((i * 7919) % ELEMENTS) / ELEMENTS : middle)), 'F32'));
  return { name: 'crowded', elements: ELEMENTS, inputs, outDtype: 'F32', parameters };
}

/** Of a few magnitudes in no order. */
function stepped(magnitudes: number, parameters: TensorParameters): SlotCase {
  const inputs = [0, 1, 2].map((input) => encodeInput(Float64Array.from({ length: ELEMENTS }, (_, i) => input * (1 + ((i * 7919) % ELEMENTS) % magnitudes)), 'F32'));
  return { name: 'stepped', elements: ELEMENTS, inputs, outDtype: 'F32', parameters };
}

interface Case {
  readonly title: string;
  readonly slot: SlotCase;
  /** Of the whole tensor and of its chunks: brackets tried, one where not given, and missed. */
  readonly tried?: readonly [number, number];
  readonly misses?: readonly [number, number];
}
const CASES: readonly Case[] = [
  { title: 'as training gives', slot: slotOf('gaussian', at(0.2, 1)), misses: [0, 0] },
  { title: 'two lanes', slot: slotOf('gaussian', at(0.2, 0.7)), misses: [0, 0] },
  { title: 'few magnitudes, ties everywhere', slot: slotOf('quantised', at(0.2, 0.6)), tried: [0, 0] },
  { title: 'forty magnitudes, ties in the list', slot: stepped(40, at(0.21, 0.6)), misses: [0, 0] },
  { title: 'all equal, and more than a list has room for, as the sample says', slot: slotOf('all-equal', at(0.3, 1)), tried: [0, 0], misses: [0, 0] },
  { title: 'task vectors of zero', slot: slotOf('equal-to-base', at(0.3, 1)), tried: [0, 0], misses: [0, 0] },
  { title: 'one place', slot: slotOf('one-huge', at(1 / ELEMENTS, 1)) },
  { title: 'all places but one', slot: slotOf('gaussian', at((ELEMENTS - 1) / ELEMENTS, 1)) },
  { title: 'NaN and infinities', slot: slotOf('nonfinite', at(0.2, 1)) },
  { title: 'subnormal task vectors', slot: slotOf('subnormal', at(0.2, 1)), tried: [0, 0] },
  // What a ranking over the whole model gives each tensor, whatever its density says (docs/whole-model.md).
  { title: 'none kept of one model, as a ranking of all tensors may have it', slot: slotOf('quantised', { ...at(0.05, 1), kept: [0, ELEMENTS] }), misses: [1, 1] },
  { title: 'more kept than its density says', slot: slotOf('gaussian', { ...at(0.05, 1), kept: [9000, ELEMENTS] }), misses: [0, 0] },
  { title: 'a first chunk unlike the rest, all of them sampled', slot: ramp(at(0.2, 1)), misses: [0, 0] },
  { title: 'a list that is too short for what the sample does not see', slot: crowded(at(0.2, 1)), tried: [1, 0], misses: [1, 0] },
  { title: 'what the sample does not see is unlike it', slot: hidden(at(0.1, 1)), misses: [1, 0] },
];

describe('selection from a bracket', () => {
  const whole: Stretch[] = [{ slot: 0, first: 0, end: ELEMENTS }];
  const cut: Stretch[] = [{ slot: 0, first: 0, end: 9000 }, { slot: 0, first: 9000, end: ELEMENTS }];

  it.each(CASES)('$title: the reference\'s sets, figures and bytes, whole and in chunks', async ({ slot, tried = [1, 1], misses }) => {
    const backend = await make({ bracketBlocks: 1 })();
    const reference = createReferenceBackend();
    for (const [which, chunks] of [[whole], cut.map((stretch) => [stretch])].entries()) {
      const before = backend.ledger().brackets;
      const group = makeGroup('ties', [slot], chunks);
      const [actual, expected] = [await mergeGroup(backend, group, [slot]), await mergeGroup(reference, group, [slot])];
      expectSameResult(actual.result, expected.result);
      expect(distance(actual.outputs[0]!, expected.outputs[0]!, slot.outDtype).differing).toBe(0);
      const after = backend.ledger().brackets;
      expect(after.tried - before.tried).toBe(tried[which]);
      if (misses) expect(after.missed - before.missed).toBe(misses[which]);
    }
    backend.dispose();
  });

  it('a bracket that holds is given up where its list is too short for what is inside', () => {
    const keys = keysOf(crowded(at(0.2, 1)), 0);
    const sample = samplePlaces(ELEMENTS, SAMPLED).map((place) => keys[place]!).sort();
    const kept = Math.trunc(0.2 * ELEMENTS);
    const { ranges, capacity } = chooseBrackets(ELEMENTS, [{ keys: sample, kept, elements: ELEMENTS }], 2 ** 27)!;
    const [above, inside] = [keys.filter((key) => key >= ranges[0]!.high).length, keys.filter((key) => key >= ranges[0]!.low && key < ranges[0]!.high).length];
    expect(above).toBeLessThan(kept);
    expect(above + inside).toBeGreaterThanOrEqual(kept);
    expect(inside).toBeGreaterThan(2 * capacity);
  });

  it('of a tensor far larger than eight times its lists reads every input twice, and twice from its file what does not stay', async () => {
    // In F32, where few values are equal.
    const slot = trainedSlot('large', ELEMENTS, ['F32', 'F32', 'F32'], 'BF16', at(0.2, 0.2), { kind: 'gaussian' });
    const chunks = [0, 1, 2, 3, 4].map((c): Stretch[] => [{ slot: 0, first: 9001 * c, end: Math.min(ELEMENTS, 9001 * (c + 1)) }]);
    const group = makeGroup('ties', [slot], chunks);
    // Room for an entry of each lane for one value in eighteen; of the five arenas of 1 MiB two stay.
    const backend = await make({ bracketBlocks: 1, listBytes: 2 * 8 * 2500, residentBytes: 2 ** 21 })();
    const times = group.chunks.map(() => [0, 0, 0]);
    const read: ReadSegment = (segment, input) => {
      times[group.chunks.findIndex(([own]) => own === segment)]![input]!++;
      return readerOf([slot])(segment, input);
    };
    const outputs: Uint8Array[] = [];
    const result = await backend.merge(group, [slot.parameters], read, (_, bytes) => Promise.resolve(void outputs.push(bytes.slice())));
    const expected = await mergeGroup(createReferenceBackend(), group, [slot]);
    expectSameResult(result, expected.result);
    expect(new Uint8Array(outputs.flatMap((bytes) => [...bytes]))).toEqual(expected.outputs[0]);
    const { brackets, inputBytes } = backend.ledger();
    expect(brackets).toEqual({ tried: 1, missed: 0 });
    expect(inputBytes).toEqual([8 * ELEMENTS, 8 * ELEMENTS, 8 * ELEMENTS]);
    expect(times).toEqual([1, 1, 2, 2, 2].map((count) => [count, count, count]));
    backend.dispose();
  });

  it('goes over its list in dispatches as long as the pace allows, like every pass over blocks', async () => {
    // One value in five is in the list: two blocks of it.
    const slot = stepped(5, at(0.3, 1));
    const dispatched: number[] = [];
    const { setPipeline, dispatchWorkgroups } = GPUComputePassEncoder.prototype;
    let label = '';
    GPUComputePassEncoder.prototype.setPipeline = function (pipeline) {
      label = pipeline.label;
      setPipeline.call(this, pipeline);
    };
    GPUComputePassEncoder.prototype.dispatchWorkgroups = function (x, y, z) {
      if (label.startsWith('listed/')) dispatched.push(x * (y ?? 1));
      dispatchWorkgroups.call(this, x, y, z);
    };
    try {
      const backend = await make({ bracketBlocks: 1, dispatchBlocks: 1 })();
      const group = makeGroup('ties', [slot], [whole]);
      const [actual, expected] = [await mergeGroup(backend, group, [slot]), await mergeGroup(createReferenceBackend(), group, [slot])];
      expectSameResult(actual.result, expected.result);
      expect(actual.outputs).toEqual(expected.outputs);
      expect(backend.ledger().brackets).toEqual({ tried: 1, missed: 0 });
      backend.dispose();
    } finally {
      Object.assign(GPUComputePassEncoder.prototype, { setPipeline, dispatchWorkgroups });
    }
    // Three digits, the ties of every block, the bits of the last.
    expect(dispatched).toEqual(new Array<number>(5 * 2).fill(1));
  });

  it('that missed is drawn once more from what the passes over all chunks have sampled', async () => {
    const slot = ramp(at(0.2, 1));
    const backend = await make({ bracketBlocks: 1, residentBytes: 0 })();
    const group = makeGroup('ties', [slot], cut.map((stretch) => [stretch]));
    const [actual, expected] = [await mergeGroup(backend, group, [slot]), await mergeGroup(createReferenceBackend(), group, [slot])];
    expectSameResult(actual.result, expected.result);
    expect(distance(actual.outputs[0]!, expected.outputs[0]!, slot.outDtype).differing).toBe(0);
    expect(backend.ledger().brackets).toEqual({ tried: 2, missed: 1 });
    backend.dispose();
  });

  it('tensors of less than 32 blocks are not sampled', async () => {
    const backend = await make()();
    const slot = slotOf('gaussian', at(0.2, 1));
    await mergeGroup(backend, makeGroup('ties', [slot], [whole]), [slot]);
    expect(backend.ledger().brackets).toEqual({ tried: 0, missed: 0 });
    backend.dispose();
  });
});
