/** Methods whose weights follow from angles (merging.md section 7), on any backend: golden values, cutting, and rows that a model lacks. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeToF32 } from '../../src/bytes/floats';
import type { Backend } from '../../src/merge/backend';
import type { Method, TensorParameters } from '../../src/recipe/types';
import { createReferenceBackend } from '../../src/reference/backend';
import { distance, expectSameResult, expectWithinSection8 } from './compare';
import { loadFixture, loadJson } from './fixtures';
import { makeGroup, mergeGroup, mergeWhole, readerOf, wholeSlots, type SlotCase } from './harness';
import { elementsOf, readSafetensors } from './safetensors';
import { trainedSlot } from './scenarios';

interface CaseFile {
  readonly method: Method;
  readonly models: readonly string[];
  readonly model_parameters: Readonly<Record<string, { weight: number }>>;
  readonly parameters: { readonly t?: number };
  readonly tensors: Readonly<Record<string, { readonly shape: readonly number[] }>>;
  readonly compare: string;
}

const PLAIN: TensorParameters = { weight: [1, 1], density: [1, 1], lambda: 1, normalize: false, rescale: false };
/** MergeKit's `compare`, in units of the largest value of the tensor. */
const COMPARE = 'max|diff| <= 2e-6 * max|expected| per tensor; native: 1 ulp of the dtype';
const LARGEST = 2e-6;

const GOLDEN: readonly { id: string; values: number; method: Method; inputs: readonly (string | null)[]; vectors?: 'rows' | 'columns' }[] = [
  { id: 'slerp_01_f32_t035', values: 517, method: 'slerp', inputs: [null, 'base', 'm1'] },
  { id: 'slerp_02_f32_far', values: 517, method: 'slerp', inputs: [null, 'base', 'm1'] },
  { id: 'slerp_03_bf16_far', values: 517, method: 'slerp', inputs: [null, 'base', 'm1'] },
  { id: 'nuslerp_01_flatten', values: 517, method: 'nuslerp_values', inputs: [null, 'm1', 'm2'] },
  { id: 'nuslerp_02_base_flatten', values: 517, method: 'nuslerp', inputs: ['base', 'm1', 'm2'] },
  { id: 'model_stock_01', values: 517, method: 'model_stock', inputs: ['base', 'm1', 'm2'] },
  // MergeKit's row_wise takes the vectors along the first dimension.
  { id: 'nuslerp_03_base_rows', values: 480, method: 'nuslerp', inputs: ['base', 'm1', 'm2'], vectors: 'columns' },
  { id: 'nuslerp_04_base_cols', values: 480, method: 'nuslerp', inputs: ['base', 'm1', 'm2'], vectors: 'rows' },
  { id: 'model_stock_02_3models_filterwise', values: 517, method: 'model_stock', inputs: ['base', 'm1', 'm2', 'm3'], vectors: 'rows' },
];

const rowOf = (shape: readonly number[]) => (shape.length < 2 ? {} : { row: shape.at(-1)! });

/** Two models; the second has only the first rows of `short`, and takes no part in `alone`. */
function lacking(method: Method): SlotCase[] {
  const parameters = { ...PLAIN, weight: [0.3, 0.7] };
  const base = method === 'slerp' || method === 'nuslerp_values' ? [null] : [];
  const of = (name: string, elements: number): SlotCase => {
    const slot = trainedSlot(name, elements, ['BF16', 'F32', 'BF16'], 'F32', parameters);
    return { ...slot, inputs: [...(base.length > 0 ? base : [slot.inputs[0]!]), ...slot.inputs.slice(1)] };
  };
  const [whole, short, alone] = [of('whole', 1000), of('short', 1200), of('alone', 300)];
  const cut = short.inputs[2]!;
  return [
    whole,
    { ...short, inputs: [short.inputs[0]!, short.inputs[1]!, { ...cut, bytes: cut.bytes.slice(0, 2 * 700) }] },
    { ...alone, inputs: [alone.inputs[0]!, alone.inputs[1]!, null] },
  ];
}

export function describeAngles(name: string, makeBackend: () => Promise<Backend>): void {
  describe(`weights from angles on ${name}`, () => {
    let backend: Backend;
    const reference = createReferenceBackend();
    beforeAll(async () => {
      backend = await makeBackend();
    });
    afterAll(() => {
      backend.dispose();
    });

    for (const { id, values, method, inputs, vectors } of GOLDEN) {
      it(`${id} as ${method}`, async () => {
        const file = await loadJson<CaseFile>(`golden/${id}/case.json`);
        expect(file.compare).toBe(COMPARE);
        const load = async (input: string) => readSafetensors(await loadFixture(`golden/${id}/${input}.safetensors`));
        const tensors = await Promise.all(inputs.map((input) => (input === null ? null : load(input))));
        const expected = await load('expected');
        const { t } = file.parameters;
        const weight = t === undefined ? file.models.map((model) => file.model_parameters[model]?.weight ?? 1) : [1 - t, t];
        const slots = [...expected.keys()].map((tensor): SlotCase => ({
          name: tensor,
          elements: elementsOf(expected.get(tensor)!),
          inputs: tensors.map((own) => own?.get(tensor) ?? null),
          outDtype: 'F32',
          parameters: { ...PLAIN, weight, ...(vectors === undefined ? {} : { vectors }) },
          ...rowOf(file.tensors[tensor]!.shape),
        }));
        const { outputs } = await mergeWhole(backend, method, slots);
        let compared = 0;
        for (const [s, slot] of slots.entries()) {
          const wanted = decodeToF32(expected.get(slot.name)!.bytes, 'F32');
          const actual = decodeToF32(outputs[s]!, 'F32');
          const largest = Math.max(...wanted.map(Math.abs));
          const farthest = Math.max(...wanted.map((x, i) => Math.abs(x - actual[i]!)));
          expect(farthest / largest, slot.name).toBeLessThanOrEqual(LARGEST);
          compared += wanted.length;
        }
        expect(compared).toBe(values);
      });
    }

    for (const [method, vectors] of [['nuslerp', 'rows'], ['nuslerp', 'columns'], ['model_stock', 'rows']] as const) {
      it(`${method} by ${vectors}: of one row and column as of the whole, figures alike, cut or not`, async () => {
        const whole = lacking(method);
        const result = await mergeWhole(reference, method, whole);
        // One long row, or one column: the vectors are the tensors themselves.
        const single = whole.map((slot) => ({ ...slot, parameters: { ...slot.parameters, vectors }, row: vectors === 'rows' ? slot.elements : 1 }));
        const merged = await mergeWhole(backend, method, single);
        expectSameResult(merged.result, result.result);
        // Weights are rounded to f32, and sums of products have another order.
        whole.forEach((slot, s) => expectWithinSection8(distance(merged.outputs[s]!, result.outputs[s]!, 'F32'), slot.name));

        const rows = { ...whole[1]!, parameters: { ...whole[1]!.parameters, vectors }, row: 100 };
        const once = await mergeWhole(backend, method, [rows]);
        const cuts = [0, 128, 600, 640, 900, 1200];
        const chunks = cuts.slice(1).map((end, i) => [{ slot: 0, first: cuts[i]!, end }]);
        const cut = await mergeGroup(backend, makeGroup(method, [rows], chunks), [rows]);
        expect(cut.outputs).toEqual(once.outputs);
        expect(once.outputs[0]).not.toEqual(result.outputs[1]);
        expectSameResult({ ...cut.result, segments: [] }, { ...once.result, segments: [] });
      });
    }

    for (const method of ['slerp', 'nuslerp_values', 'nuslerp', 'model_stock'] as const) {
      it(`${method}: rows that a model lacks are the other's, and what is held says the same`, async () => {
        const slots = lacking(method);
        const merged = await mergeWhole(backend, method, slots);
        const expected = await mergeWhole(reference, method, slots);
        expectSameResult(merged.result, expected.result);
        slots.forEach((slot, s) => expectWithinSection8(distance(merged.outputs[s]!, expected.outputs[s]!, 'F32'), `${method} ${slot.name}`));
        const alone = decodeToF32(merged.outputs[2]!, 'F32');
        const theta = decodeToF32(slots[2]!.inputs[1]!.bytes, 'F32');
        // base + (theta - base) is theta up to the rounding of the difference.
        expect(Math.max(...alone.map((x, i) => Math.abs(x - theta[i]!) / Math.abs(theta[i]!)))).toBeLessThan(2 ** -22);

        const parameters = slots.map((slot) => slot.parameters);
        const group = makeGroup(method, slots, [wholeSlots(slots)]);
        const held = await backend.hold(group, readerOf(slots));
        const evaluated = await held.evaluate(parameters);
        expectSameResult(evaluated, { ...merged.result, slots: merged.result.slots.map((one) => ({ ...one, figures: { ...one.figures, overflow: 0 } })) });
        const effect = (await held.effect(parameters))[1]!;
        expect(effect.numel).toBe(1200);
        const { counts } = await held.distribution(1);
        expect(counts.map((own) => own?.reduce((sum, count) => sum + count, 0))).toEqual([1200, 700]);
        await expect(held.surface(parameters, { x: 0, y: 1, densitiesX: [1], densitiesY: [1] })).rejects.toThrow(RangeError);
        held.release();
      });

      it(`${method}: one chunk and many give the same bytes`, async () => {
        const [, slot] = lacking(method);
        const whole = await mergeWhole(backend, method, [slot!]);
        const cuts = [0, 128, 600, 640, 900, 1200];
        const chunks = cuts.slice(1).map((end, i) => [{ slot: 0, first: cuts[i]!, end }]);
        const chunked = await mergeGroup(backend, makeGroup(method, [slot!], chunks), [slot!]);
        expect(chunked.outputs).toEqual(whole.outputs);
        expectSameResult({ ...chunked.result, segments: [] }, { ...whole.result, segments: [] });
      });
    }
  });
}
