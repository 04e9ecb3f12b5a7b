/**
 * Methods that choose on the host what takes part (merging.md section 7), on any backend: golden values, a naive oracle, cutting,
 * dtypes that differ, rows that a model lacks, and what is held.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeToF32 } from '../../src/bytes/floats';
import type { Backend } from '../../src/merge/backend';
import type { Method, TensorParameters } from '../../src/recipe/types';
import { createReferenceBackend } from '../../src/reference/backend';
import { distance, expectSameResult, expectWithinSection8 } from './compare';
import { loadFixture, loadJson } from './fixtures';
import { makeGroup, mergeGroup, mergeWhole, readerOf, wholeSlots, type SlotCase } from './harness';
import { naiveMasked } from './naive-masked';
import { elementsOf, readSafetensors } from './safetensors';
import { trainedSlot } from './scenarios';

interface CaseFile {
  readonly method: Method;
  readonly models: readonly string[];
  readonly model_parameters: Readonly<Record<string, { weight: number; density: number; gamma: number }>>;
  readonly parameters: { readonly select_topk?: number; readonly normalize?: boolean };
  readonly compare: string;
}

const EXACT = 'bit-exact (treat -0 == +0, NaN == NaN)';
const SCE_COMPARE = 'max|diff| <= 2e-6 * max|expected| per tensor; native: 1 ulp of the dtype';
/** `values`: compared in all. */
const GOLDEN = [
  { id: 'breadcrumbs_01_breadcrumbs', values: 610, compare: EXACT },
  { id: 'breadcrumbs_02_breadcrumbs_ties', values: 610, compare: EXACT },
  { id: 'sce_01_topk05', values: 517, compare: SCE_COMPARE },
  { id: 'sce_02_3models_full', values: 517, compare: SCE_COMPARE },
] as const;

const DROP = { seed: 7, rescaleBy: 'magnitude' } as const;
const two = (own: Partial<TensorParameters>): TensorParameters => ({ weight: [0.75, 1.5], density: [0.4, 0.7], lambda: 1.25, normalize: false, rescale: false, ...own });
const METHODS: readonly { method: Method; parameters: TensorParameters }[] = [
  { method: 'breadcrumbs', parameters: two({ gamma: [0.05, 0.01] }) },
  { method: 'breadcrumbs_ties', parameters: two({ gamma: [0.1, 0], normalize: true, rescale: true }) },
  { method: 'della_linear', parameters: two({ epsilon: [0.2, 0.3], rescale: true, drop: DROP }) },
  { method: 'della', parameters: two({ epsilon: [0.4, 0.1], normalize: true, rescale: true, drop: DROP }) },
  { method: 'sce', parameters: two({ weight: [1, 1], density: [1, 1], lambda: 1, topk: 0.3 }) },
];

/** A whole tensor, one of other dtypes, one of which the second model has only the first rows, and one that it has nothing of. */
function mixedSlots(parameters: TensorParameters): SlotCase[] {
  const whole = { ...trainedSlot('whole', 1000, ['BF16', 'BF16', 'BF16'], 'BF16', parameters), row: 50 };
  const other = trainedSlot('other', 331, ['F16', 'F32', 'F64'], 'F32', parameters);
  const short = { ...trainedSlot('short', 1200, ['F64', 'F64', 'BF16'], 'F32', parameters), row: 100 };
  const alone = trainedSlot('alone', 300, ['F32', 'F32', 'F32'], 'F16', parameters);
  const cut = short.inputs[2]!;
  return [
    whole,
    other,
    { ...short, inputs: [short.inputs[0]!, short.inputs[1]!, { ...cut, bytes: cut.bytes.slice(0, 2 * 700) }] },
    { ...alone, inputs: [alone.inputs[0]!, alone.inputs[1]!, null] },
  ];
}

/**
 * `brief`: where every pipeline takes seconds to compile. The decisions are the host's whatever the backend: what is left to show of
 * one is that it merges what it is handed, factors and weights included.
 */
export function describeMasks(name: string, makeBackend: () => Promise<Backend>, { brief = false } = {}): void {
  describe(`what the host chooses on ${name}`, () => {
    let backend: Backend;
    const reference = createReferenceBackend();
    beforeAll(async () => {
      backend = await makeBackend();
    });
    afterAll(() => {
      backend.dispose();
    });

    for (const { id, values, compare } of brief ? GOLDEN.filter(({ id }) => /ties|full/.test(id)) : GOLDEN) {
      it(id, async () => {
        const { slots, expected, file } = await goldenSlots(id);
        expect(file.compare).toBe(compare);
        const { outputs } = await mergeWhole(backend, file.method, slots);
        let compared = 0;
        for (const [s, slot] of slots.entries()) {
          const wanted = expected.get(slot.name)!;
          if (compare === EXACT) expect(distance(outputs[s]!, wanted.bytes, 'F32').differing, slot.name).toBe(0);
          else expect(farthest(outputs[s]!, wanted.bytes), slot.name).toBeLessThanOrEqual(2e-6);
          compared += elementsOf(wanted);
        }
        expect(compared).toBe(values);
      });
    }

    it('della: factors of the host, as the reference', async () => {
      const slots = [trainedSlot('drawn', 700, ['F32', 'F32', 'F32'], 'F32', METHODS.find(({ method }) => method === 'della')!.parameters)];
      const [merged, expected] = [await mergeWhole(backend, 'della', slots), await mergeWhole(reference, 'della', slots)];
      expectSameResult(merged.result, expected.result);
      expectWithinSection8(distance(merged.outputs[0]!, expected.outputs[0]!, 'F32'), 'della');
      const wanted = naiveMasked('della', slots[0]!);
      expectWithinSection8(distance(expected.outputs[0]!, wanted.bytes, 'F32'), 'the reference');
    });

    it('what is held of della and of breadcrumbs_ties says what a merge says, two asked at once', async () => {
      const held = await Promise.all(
        METHODS.filter(({ method }) => method === 'della' || method === 'breadcrumbs_ties').map(async ({ method, parameters }) => {
          const slots = [trainedSlot(method, 700, ['F32', 'F32', 'F32'], 'F32', parameters)];
          const group = makeGroup(method, slots, [wholeSlots(slots)]);
          return { slots, expected: await mergeGroup(reference, group, slots), held: await backend.hold(group, readerOf(slots)) };
        }),
      );
      await Promise.all(
        held.map(async ({ slots, expected, held: own }) => {
          expectSameResult(await own.evaluate([slots[0]!.parameters]), expected.result);
          const [effect] = await own.effect([slots[0]!.parameters]);
          expect(effect!.change2).toBeCloseTo(changeOf(slots[0]!, expected.outputs[0]!), 6);
          own.release();
        }),
      );
    });
    if (brief) return;

    it('breadcrumbs_03: where gamma is less than one value nothing is an outlier, and the rest is trimmed', async () => {
      const { slots, file } = await goldenSlots('breadcrumbs_03_ntop0_bug');
      const { outputs, result } = await mergeWhole(backend, file.method, slots);
      const trimmed = await mergeWhole(reference, 'ties', slots);
      expect(outputs).toEqual(trimmed.outputs);
      expect(result.slots[0]!.figures.kept).toEqual([24]);
      expect(outputs[0]).not.toEqual(slots[0]!.inputs[0]!.bytes);
    });

    for (const { method, parameters } of METHODS) {
      it(`${method}: as the definitions say, and what is held says the same`, async () => {
        const slots = mixedSlots(parameters);
        const merged = await mergeWhole(backend, method, slots);
        for (const [s, slot] of slots.entries()) {
          const wanted = naiveMasked(method, slot);
          expectWithinSection8(distance(merged.outputs[s]!, wanted.bytes, slot.outDtype), `${method} ${slot.name}`);
          const { kept, nonzero, conflict, won, discarded } = merged.result.slots[s]!.figures;
          expect({ kept, nonzero, conflict, won, discarded }, slot.name).toEqual(wanted.figures);
        }
        const own = slots.map((slot) => slot.parameters);
        const held = await backend.hold(makeGroup(method, slots, [wholeSlots(slots)]), readerOf(slots));
        const evaluated = await held.evaluate(own);
        expectSameResult(evaluated, merged.result);
        const effect = (await held.effect(own))[1]!;
        expect(effect.numel).toBe(331);
        expect(effect.change2).toBeCloseTo(changeOf(slots[1]!, merged.outputs[1]!), 12);
        expect((await held.distribution(2)).counts.map((counts) => counts?.reduce((sum, count) => sum + count, 0))).toEqual([1200, 700]);
        await expect(held.surface(own, { x: 0, y: 1, densitiesX: [1], densitiesY: [1] })).rejects.toThrow(RangeError);
        held.release();
      });

      it(`${method}: one chunk and many give the same bytes`, async () => {
        const [whole] = mixedSlots(parameters);
        const cuts = [0, 128, 600, 640, 900, 1000];
        const chunks = cuts.slice(1).map((end, i) => [{ slot: 0, first: cuts[i]!, end }]);
        const once = await mergeWhole(backend, method, [whole!]);
        const chunked = await mergeGroup(backend, makeGroup(method, [whole!], chunks), [whole!]);
        expect(chunked.outputs).toEqual(once.outputs);
        expectSameResult({ ...chunked.result, segments: [] }, { ...once.result, segments: [] });
      });

      it(`${method}: what is not finite reaches the output`, async () => {
        const slot = trainedSlot('odd', 200, ['F32', 'F32', 'F32'], 'F32', parameters);
        const bytes = slot.inputs[1]!.bytes.slice();
        new Float32Array(bytes.buffer).set([NaN, Infinity, -Infinity], 10);
        const { outputs } = await mergeWhole(backend, method, [{ ...slot, inputs: [slot.inputs[0]!, { dtype: 'F32', bytes }, slot.inputs[2]!] }]);
        expect([...decodeToF32(outputs[0]!, 'F32').subarray(10, 13)]).toEqual([NaN, Infinity, -Infinity]);
      });
    }
  });
}

async function goldenSlots(id: string) {
  const file = await loadJson<CaseFile>(`golden/${id}/case.json`);
  const load = async (input: string) => readSafetensors(await loadFixture(`golden/${id}/${input}.safetensors`));
  const [base, expected, ...models] = await Promise.all(['base', 'expected', ...file.models].map(load));
  const of = <T>(read: (own: CaseFile['model_parameters'][string] | undefined) => T) => file.models.map((model) => read(file.model_parameters[model]));
  const parameters: TensorParameters = {
    weight: of((own) => own?.weight ?? 1),
    density: of((own) => own?.density ?? 1),
    lambda: 1,
    normalize: file.parameters.normalize ?? false,
    rescale: false,
    gamma: of((own) => own?.gamma ?? 0),
    topk: file.parameters.select_topk ?? 1,
  };
  const slots = [...expected!.keys()].map((tensor): SlotCase => ({
    name: tensor,
    elements: elementsOf(expected!.get(tensor)!),
    inputs: [base!, ...models].map((own) => own.get(tensor)!),
    outDtype: 'F32',
    parameters,
  }));
  return { slots, expected: expected!, file };
}

/** Largest difference, in units of the largest value. */
function farthest(actual: Uint8Array, expected: Uint8Array): number {
  const [found, wanted] = [decodeToF32(actual, 'F32'), decodeToF32(expected, 'F32')];
  return Math.max(...wanted.map((x, i) => Math.abs(x - found[i]!))) / Math.max(...wanted.map(Math.abs));
}

function changeOf(slot: SlotCase, output: Uint8Array): number {
  const [base, merged] = [decodeToF32(slot.inputs[0]!.bytes, slot.inputs[0]!.dtype), decodeToF32(output, 'F32')];
  return merged.reduce((sum, value, i) => sum + (value - base[i]!) ** 2, 0);
}
