/** How a tensor is cut must not show: chunks, segments, neighbours in a group and sampled blocks (merging.md section 2). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MergedDtype, OutputDtype } from '../../src/bytes/dtypes';
import type { Backend } from '../../src/merge/backend';
import { addFigures, emptyFigures, type Figures } from '../../src/merge/figures';
import { drops } from '../../src/recipe/methods';
import type { Method, TensorParameters } from '../../src/recipe/types';
import { expectSameFigures, expectSameSelections } from './compare';
import { concatenate, makeGroup, mergeGroup, mergeWhole, type Merged, type SlotCase, type Stretch } from './harness';
import { trainedSlot } from './scenarios';

const PLAIN: TensorParameters = { weight: [1, 0.5], density: [0.2, 0.7], lambda: 1.5, normalize: true, rescale: false };
const SLACK: TensorParameters = { ...PLAIN, weight: [1, 1], slack: { s: 0.3, of: 'discarded', prefer: 0 } };

const RECIPES: readonly { title: string; method: Method; parameters: TensorParameters }[] = [
  { title: 'linear', method: 'linear', parameters: PLAIN },
  { title: 'task arithmetic', method: 'task_arithmetic', parameters: PLAIN },
  { title: 'dare_ties, rescaled', method: 'dare_ties', parameters: { ...PLAIN, rescale: true, drop: { seed: 7, rescaleBy: 'magnitude' } } },
  { title: 'ties', method: 'ties', parameters: PLAIN },
  { title: 'ties, rescaled', method: 'ties', parameters: { ...PLAIN, rescale: true } },
  { title: 'ties_sv of discarded', method: 'ties_sv', parameters: SLACK },
  { title: 'ties_sv of retained', method: 'ties_sv', parameters: { ...SLACK, slack: { s: 0.04, of: 'retained', prefer: 0 } } },
];
const DTYPES: readonly { inputs: MergedDtype[]; out: OutputDtype }[] = [
  { inputs: ['BF16', 'BF16', 'BF16'], out: 'BF16' },
  { inputs: ['F32', 'F16', 'F64'], out: 'F32' },
  { inputs: ['F16', 'BF16', 'F32'], out: 'F16' },
];
/** One element, odd counts of 16-bit values, and both sides of the sizes that workgroups and blocks come in. */
const EDGES = [1, 2, 3, 255, 256, 257, 4095, 4096, 4097, 8191, 8192, 8193];

export function describeChunks(name: string, makeBackend: () => Promise<Backend>): void {
  describe(`cutting tensors on ${name}`, () => {
    let backend: Backend;
    beforeAll(async () => {
      backend = await makeBackend();
    });
    afterAll(() => {
      backend.dispose();
    });

    for (const { title, method, parameters } of RECIPES) {
      for (const { inputs, out } of DTYPES) {
        const slotOf = (elements: number) => trainedSlot(`t${elements}`, elements, inputs, out, parameters);

        it(`${title}, ${inputs.join('+')} to ${out}: one chunk and many tiny ones give the same bytes, sets and figures`, async () => {
          for (const slot of [slotOf(601), slotOf(4097)].map((s) => withoutBase(method, s))) {
            const whole = await mergeWhole(backend, method, [slot]);
            const pieces = cut(slot, 0, 2 * Math.ceil(slot.elements / 14));
            const chunked = await mergeGroup(backend, makeGroup(method, [slot], pieces.map((piece) => [piece])), [slot]);
            const segmented = await mergeGroup(backend, makeGroup(method, [slot], [pieces]), [slot]);
            const mixed = await mergeGroup(backend, makeGroup(method, [slot], [pieces.slice(0, 3), pieces.slice(3)]), [slot]);
            for (const other of [chunked, segmented, mixed]) expectSameMerge(other, 0, whole, 0, `${slot.elements} elements`);
          }
        });
      }

      it(`${title}: tensors of every edge size in one group and each alone give the same bytes, sets and figures`, async () => {
        const slots = EDGES.map((elements, i) => {
          const { inputs, out } = DTYPES[i % DTYPES.length]!;
          return withoutBase(method, trainedSlot(`t${elements}`, elements, inputs, out, parameters));
        });
        const together = await mergeWhole(backend, method, slots);
        for (const [s, slot] of slots.entries()) {
          const alone = await mergeWhole(backend, method, [slot]);
          expectSameMerge(together, s, alone, 0, `${slot.elements} elements`);
        }
      });

      if (drops(method)) {
        it(`${title}: sampled blocks keep what the tensor keeps at their indices`, async () => {
          const slot = trainedSlot('sampled', 9000, ['BF16', 'F32', 'BF16'], 'BF16', { ...parameters, drop: { seed: 7, rescaleBy: 'density' } });
          const whole = (await mergeWhole(backend, method, [slot])).outputs[0]!;
          const blocks = [[0, 512], [3000, 3513], [8488, 9000]].map(([first, end]) => ({ slot: 0, first: first!, end: end! }));
          const sample = await mergeGroup(backend, makeGroup(method, [slot], [blocks]), [slot]);
          expect(sample.outputs[0]).toEqual(concatenate(blocks.map(({ first, end }) => whole.slice(2 * first, 2 * end))));
        });
        continue;
      }

      it(`${title}: sampled blocks are a tensor of their own, with the tensor's indices`, async () => {
        const slot = withoutBase(method, trainedSlot('sampled', 20_000, ['BF16', 'BF16', 'BF16'], 'BF16', parameters));
        const blocks = [[0, 512], [3000, 3512], [3600, 3856], [19_488, 20_000]].map(([first, end]) => ({ slot: 0, first: first!, end: end! }));
        const sample = await mergeGroup(backend, makeGroup(method, [slot], [blocks]), [slot]);
        const packed = packBlocks(slot, blocks);
        const alone = await mergeWhole(backend, method, [packed]);
        expectSameFigures(sample.result.slots[0]!.figures, alone.result.slots[0]!.figures, 'figures');
        expect(sample.outputs[0]).toEqual(alone.outputs[0]);
        const [inSample, inPacked] = [sample.result.slots[0]!, alone.result.slots[0]!];
        const unpack = (cutoff: number) => flatIndex(blocks, cutoff);
        for (const [m, kept] of inPacked.kept.entries()) {
          const trimmed = inPacked.figures.kept[m]! < packed.elements;
          const cutoff = trimmed ? unpack(kept!.cutoff) : slot.elements;
          expect(inSample.kept[m], `kept of model ${m}`).toEqual({ threshold: kept!.threshold, cutoff });
        }
        const reserved = inPacked.reserved && { ...inPacked.reserved, cutoff: unpack(inPacked.reserved.cutoff) };
        expect(inSample.reserved).toEqual(reserved);
      });
    }

    it('rows that a model lacks are not in its K, and the others merge there', async () => {
      const whole = trainedSlot('rows', 1000, ['F32', 'F32', 'F32'], 'F32', { ...PLAIN, density: [0.5, 0.5] });
      const short = { ...whole, inputs: whole.inputs.map((input, i) => (i === 2 ? { ...input!, bytes: input!.bytes.slice(0, 4 * 600) } : input)) };
      const { result, outputs } = await mergeWhole(backend, 'ties', [short]);
      expect(result.slots[0]!.figures.kept).toEqual([500, 300]);
      expect(result.segments[0]!.map(({ numel }) => numel)).toEqual([600, 400]);
      expect(result.segments[0]![1]!.kept[1]).toBe(0);
      const first = await mergeWhole(backend, 'ties', [{ ...short, inputs: [short.inputs[0]!, short.inputs[1]!, null] }]);
      expect(outputs[0]!.slice(4 * 600)).toEqual(first.outputs[0]!.slice(4 * 600));
      expect(first.result.slots[0]!.kept[1]).toBeNull();
    });

    it('a tensor that no model has is the base, converted', async () => {
      const slot = trainedSlot('alone', 77, ['F32', 'F32', 'F32'], 'F32', PLAIN);
      const { result, outputs } = await mergeWhole(backend, 'ties', [{ ...slot, inputs: [slot.inputs[0]!, null, null] }]);
      expect(outputs[0]).toEqual(slot.inputs[0]!.bytes);
      expect(result.slots[0]!.figures).toEqual({ ...emptyFigures(2), numel: 77 });
      expect(result.slots[0]!.kept).toEqual([null, null]);
    });

    it('reports chunks as they are done', async () => {
      const slot = trainedSlot('progress', 64, ['F32', 'F32', 'F32'], 'F32', PLAIN);
      const group = makeGroup('ties', [slot], cut(slot, 0, 16).map((piece) => [piece]));
      const seen: [number, number][] = [];
      const read = (s: { first: number; count: number }, input: number) =>
        Promise.resolve(slot.inputs[input]!.bytes.slice(4 * s.first, 4 * (s.first + s.count)));
      await backend.merge(group, [PLAIN], read, () => Promise.resolve(), { onChunk: (done, of) => seen.push([done, of]) });
      expect(seen.at(-1)).toEqual([4, 4]);
      expect(seen.map(([done]) => done)).toEqual([...seen.keys()].map((i) => i + 1));
    });
  });
}

/** `linear` has no base. */
function withoutBase(method: Method, slot: SlotCase): SlotCase {
  return method === 'linear' ? { ...slot, inputs: [null, ...slot.inputs.slice(1)] } : slot;
}

function cut({ elements }: SlotCase, slot: number, size: number): Stretch[] {
  const pieces: Stretch[] = [];
  for (let first = 0; first < elements; first += size) pieces.push({ slot, first, end: Math.min(first + size, elements) });
  return pieces;
}

/** The blocks of a BF16 slot, one after the other. */
function packBlocks(slot: SlotCase, blocks: readonly Stretch[]): SlotCase {
  const elements = blocks.reduce((sum, { first, end }) => sum + end - first, 0);
  const inputs = slot.inputs.map((input) => {
    if (input === null) return null;
    const bytes = new Uint8Array(blocks.flatMap(({ first, end }) => [...input.bytes.slice(2 * first, 2 * end)]));
    return { dtype: input.dtype, bytes };
  });
  return { ...slot, elements, inputs };
}

/** The cutoff among the packed blocks, as one in the slot: after the same element. */
function flatIndex(blocks: readonly Stretch[], cutoff: number): number {
  let before = 0;
  for (const { first, end } of blocks) {
    if (cutoff <= before) break;
    if (cutoff - before <= end - first) return first + cutoff - before;
    before += end - first;
  }
  return 0;
}

function expectSameMerge(actual: Merged, a: number, expected: Merged, e: number, what: string): void {
  const [mine, theirs] = [actual.result.slots[a]!, expected.result.slots[e]!];
  expectSameFigures(mine.figures, theirs.figures, `${what}: figures`);
  expectSameSelections(mine, theirs, what);
  expect(actual.outputs[a], `${what}: bytes`).toEqual(expected.outputs[e]);
  expectSameFigures(sumOfSegments(actual, a, mine.kept.length), mine.figures, `${what}: segments sum to the slot`);
}

/** Only for groups whose segments all belong to one slot, or where the slot has one segment. */
function sumOfSegments({ result }: Merged, slot: number, models: number): Figures {
  const sum = emptyFigures(models);
  const segments = result.segments.flat();
  for (const figures of result.slots.length === 1 ? segments : [segments[slot]!]) addFigures(sum, figures);
  return sum;
}
