/** The largest the contract allows: eight models, and flat indices up to the end of a u32 (issue 4, scale modes). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Backend, Group, SlotResult } from '../../src/merge/backend';
import { MAX_SLOT_ELEMENTS } from '../../src/merge/chunks';
import { MAX_MODELS } from '../../src/recipe/methods';
import type { Method, TensorParameters } from '../../src/recipe/types';
import { createReferenceBackend } from '../../src/reference/backend';
import { distance, expectSameFigures, expectSameResult, expectWithinSection8 } from './compare';
import { makeGroup, mergeWhole, readerOf, type SlotCase } from './harness';
import { trainedSlot } from './scenarios';

const BLOCK = 512;
/** Where the blocks of a packed slot lie: at the start, across 2^31, and to the last element, of an odd number. */
const FAR = [0, 2 ** 31 - BLOCK / 2, MAX_SLOT_ELEMENTS - (BLOCK - 1)];

/** `methods`: those tried with eight models. */
export function describeLimits(name: string, makeBackend: () => Promise<Backend>, methods: readonly Method[] = ['linear', 'task_arithmetic', 'ties', 'ties_sv']): void {
  describe(`the largest merges on ${name}`, () => {
    let backend: Backend;
    beforeAll(async () => {
      backend = await makeBackend();
    });
    afterAll(() => {
      backend.dispose();
    });

    it.each(methods)('%s: eight models, the last ones as much as the first', async (method) => {
      const parameters: TensorParameters = {
        weight: [1, 0.5, 2, 1, 0.25, 1, 1.5, 0.75],
        density: [0.2, 1, 0.5, 0.1, 0.9, 0.3, 0.7, 0.05],
        lambda: 1,
        normalize: true,
        rescale: false,
        ...(method === 'ties_sv' ? { slack: { s: 0.2, of: 'retained' as const, prefer: 7 } } : {}),
      };
      const inputs = ['BF16', 'F32', 'BF16', 'F16', 'BF16', 'BF16', 'F32', 'BF16', 'BF16'] as const;
      expect(inputs.length - 1).toBe(MAX_MODELS);
      const slot = trainedSlot('eight', 3001, [...inputs], 'BF16', parameters);
      const slots = [method === 'linear' ? { ...slot, inputs: [null, ...slot.inputs.slice(1)] } : slot];
      const expected = await mergeWhole(createReferenceBackend(), method, slots);
      const actual = await mergeWhole(backend, method, slots);
      expectSameResult(actual.result, expected.result);
      expectWithinSection8(distance(actual.outputs[0]!, expected.outputs[0]!, 'BF16'), method);
    });

    it('ties and equal margins beyond element 2^31 are cut where they lie, up to the last index of a u32', async () => {
      const elements = 3 * BLOCK - 1;
      // Every magnitude ties and every margin is 0, so that the cutoffs alone decide: in the middle block, and in the last one.
      const parameters: TensorParameters = { weight: [1, 1], density: [(1.5 * BLOCK + 20) / elements, (elements - 1) / elements], lambda: 1, normalize: true, rescale: false, slack: { s: 0.9, of: 'discarded', prefer: 1 } };
      const packed = trainedSlot('far', elements, ['BF16', 'BF16', 'BF16'], 'BF16', parameters, { kind: 'alternating' });
      const near = await mergeWhole(backend, 'ties_sv', [packed]);
      const far = await mergeFar(backend, 'ties_sv', packed);
      const [{ kept, reserved, figures }] = near.result.slots as [SlotResult];
      expect(kept.map((own) => own!.cutoff)).toEqual([1.5 * BLOCK + 20, elements - 1]);
      expect(reserved!.cutoff).toBeGreaterThan(BLOCK);
      const place = (cutoff: number) => FAR[Math.floor((cutoff - 1) / BLOCK)]! + ((cutoff - 1) % BLOCK) + 1;
      expect(far.result.slots[0]!.kept.map((own) => own!.cutoff)).toEqual([2 ** 31 + 20, 2 ** 32 - 2]);
      expect(far.result.slots[0]!.reserved).toEqual({ threshold: reserved!.threshold, cutoff: place(reserved!.cutoff) });
      expectSameFigures(far.result.slots[0]!.figures, figures, 'figures');
      expect(far.output).toEqual(near.outputs[0]);
    });
  });
}

/** Merges the blocks of `packed` at their far places in a slot of the largest size. */
async function mergeFar(backend: Backend, method: Method, packed: SlotCase) {
  const blocks = FAR.map((_, i) => ({ slot: 0, first: i * BLOCK, end: Math.min(packed.elements, (i + 1) * BLOCK) }));
  const { slots, chunks } = makeGroup(method, [packed], [blocks]);
  const segments = chunks[0]!.map((segment, i) => ({ ...segment, first: FAR[i]! }));
  const group: Group = { method, slots: [{ ...slots[0]!, elements: MAX_SLOT_ELEMENTS }], chunks: [segments] };
  const read = readerOf([packed]);
  const written: Uint8Array[] = [];
  const result = await backend.merge(
    group,
    [packed.parameters],
    (segment, input) => read({ ...segment, first: FAR.indexOf(segment.first) * BLOCK }, input),
    async (_, bytes) => void written.push(bytes.slice()),
  );
  return { result, output: new Uint8Array(written.flatMap((bytes) => [...bytes])) };
}
