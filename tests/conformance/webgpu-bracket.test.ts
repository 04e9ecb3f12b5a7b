/** Rule: merging.md section 2 - selection from a bracket keeps what the reference keeps, on data that is unkind to it too. */
import { describe, expect, it } from 'vitest';
import { SAMPLED, samplePlaces } from '../../src/engine/sample';
import type { TensorParameters } from '../../src/recipe/types';
import { createReferenceBackend } from '../../src/reference/backend';
import { failOnUncaptured, make } from './adapter';
import { distance, expectSameResult } from './compare';
import { makeGroup, mergeGroup, type SlotCase, type Stretch } from './harness';
import { encodeInput, trainedSlot, type Kind } from './scenarios';

failOnUncaptured();
/** Three blocks of the engine; the sample is four in five of them, or all of a first chunk. */
const ELEMENTS = 20_001;
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
const slotOf = (kind: Kind, parameters: TensorParameters) => trainedSlot(kind, ELEMENTS, [...DTYPES], 'BF16', parameters, { kind });

interface Case {
  readonly title: string;
  readonly slot: SlotCase;
  /** Of the whole tensor and of its chunks. */
  readonly misses?: readonly [number, number];
}
const CASES: readonly Case[] = [
  { title: 'as training gives', slot: slotOf('gaussian', at(0.2, 1)), misses: [0, 0] },
  { title: 'two lanes', slot: slotOf('gaussian', at(0.2, 0.7)), misses: [0, 0] },
  { title: 'few magnitudes, ties everywhere', slot: slotOf('quantised', at(0.2, 0.6)) },
  { title: 'all equal, and more than a list has room for', slot: slotOf('all-equal', at(0.3, 1)), misses: [1, 1] },
  { title: 'task vectors of zero', slot: slotOf('equal-to-base', at(0.3, 1)), misses: [1, 1] },
  { title: 'one place', slot: slotOf('one-huge', at(1 / ELEMENTS, 1)) },
  { title: 'all places but one', slot: slotOf('gaussian', at((ELEMENTS - 1) / ELEMENTS, 1)) },
  { title: 'NaN and infinities', slot: slotOf('nonfinite', at(0.2, 1)) },
  { title: 'subnormal task vectors', slot: slotOf('subnormal', at(0.2, 1)) },
  // What a ranking over the whole model gives each tensor, whatever its density says (docs/whole-model.md).
  { title: 'none kept of one model, as a ranking of all tensors may have it', slot: slotOf('quantised', { ...at(0.05, 1), kept: [0, ELEMENTS] }), misses: [1, 1] },
  { title: 'more kept than its density says', slot: slotOf('gaussian', { ...at(0.05, 1), kept: [9000, ELEMENTS] }), misses: [0, 0] },
  { title: 'a first chunk unlike the rest misses', slot: ramp(at(0.2, 1)), misses: [0, 1] },
  { title: 'what the sample does not see is unlike it', slot: hidden(at(0.1, 1)), misses: [1, 0] },
];

describe('selection from a bracket', () => {
  const whole: Stretch[] = [{ slot: 0, first: 0, end: ELEMENTS }];
  const cut: Stretch[] = [{ slot: 0, first: 0, end: 9000 }, { slot: 0, first: 9000, end: ELEMENTS }];

  it.each(CASES)('$title: the reference\'s sets, figures and bytes, whole and in chunks', async ({ slot, misses }) => {
    const backend = await make({ bracketBlocks: 1 })();
    const reference = createReferenceBackend();
    for (const [which, chunks] of [[whole], cut.map((stretch) => [stretch])].entries()) {
      const { missed } = backend.ledger().brackets;
      const group = makeGroup('ties', [slot], chunks);
      const [actual, expected] = [await mergeGroup(backend, group, [slot]), await mergeGroup(reference, group, [slot])];
      expectSameResult(actual.result, expected.result);
      expect(distance(actual.outputs[0]!, expected.outputs[0]!, slot.outDtype).differing).toBe(0);
      if (misses) expect(backend.ledger().brackets.missed - missed).toBe(misses[which]);
    }
    expect(backend.ledger().brackets.tried).toBe(2);
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
