/** Exploring on the CPU: every view, and every figure after any history of changes, equal to the reference's. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createCpuBackend } from '../../src/cpu/backend';
import { ascendingOrder, selectSmallest } from '../../src/cpu/held-order';
import { createHeld } from '../../src/cpu/held';
import { drops } from '../../src/recipe/methods';
import type { Group } from '../../src/merge/backend';
import { surfaceByEvaluating } from '../../src/merge/sweeps';
import type { TensorParameters } from '../../src/recipe/types';
import { createReferenceBackend } from '../../src/reference/backend';
import { expectSameResult } from './compare';
import { makeGroup, readerOf, wholeSlots } from './harness';
import { arbitraryScenario, describeScenario, EVERYTHING, trainedSlot } from './scenarios';
import { describeViews } from './views';

const reference = createReferenceBackend();

describeViews('the CPU backend', () => Promise.resolve(createCpuBackend()), { runs: 100 });

/** One setting moved, in one slot or in all of them, as a slider or a filter would. */
const arbitraryChange = fc.record({
  slot: fc.option(fc.nat({ max: 2 })),
  model: fc.nat({ max: 4 }),
  what: fc.constantFrom('density', 'density', 'weight', 'slack', 'prefer', 'rescale', 'lambda', 'nothing'),
  to: fc.oneof(fc.constantFrom(0, 0.04, 0.2, 0.5, 1), fc.double({ min: 0, max: 1, noNaN: true })),
});
type Change = typeof arbitraryChange extends fc.Arbitrary<infer T> ? T : never;

function changed(own: TensorParameters, { model, what, to }: Change): TensorParameters {
  const at = model % own.weight.length;
  const slack = own.slack ?? { s: 0.1, of: 'discarded', prefer: 0 };
  switch (what) {
    case 'density':
      return { ...own, density: own.density.with(at, Math.max(to, 0.001)) };
    case 'weight':
      return { ...own, weight: own.weight.with(at, 3 * to - 1) };
    case 'slack':
      return { ...own, slack: { ...slack, s: to } };
    case 'prefer':
      return { ...own, slack: { s: slack.s, of: to > 0.3 ? 'retained' : 'discarded', prefer: at } };
    case 'rescale':
      return { ...own, rescale: to > 0.5 };
    case 'lambda':
      return { ...own, lambda: to };
    case 'nothing':
      return own;
  }
}

describe('a held group on the CPU, setting after setting', () => {
  for (const maxModels of [2, 5]) {
    it(`up to ${maxModels} models: the figures and sets do not depend on what was asked before`, async () => {
      // Ranks are what it keeps; the backend holds a method that draws in another way.
      const methods = EVERYTHING.methods.filter((method) => !drops(method));
      const scenarios = arbitraryScenario({ ...EVERYTHING, methods, maxModels });
      await fc.assert(
        fc.asyncProperty(scenarios, fc.array(arbitraryChange, { minLength: 1, maxLength: 8 }), async ({ method, slots, stretches }, changes) => {
          const group = makeGroup(method, slots, [stretches]);
          const held = await createHeld(group, readerOf(slots));
          const oracle = await reference.hold(group, readerOf(slots));
          let parameters = slots.map((slot) => slot.parameters);
          for (const change of changes) {
            parameters = parameters.map((own, s) => (change.slot === null || change.slot === s ? changed(own, change) : own));
            const found = await held.evaluate(parameters);
            try {
              expectSameResult(found, await oracle.evaluate(parameters));
            } catch (error) {
              throw new Error(describeScenario({ method, slots: slots.map((slot, s) => ({ ...slot, parameters: parameters[s]! })), stretches }), { cause: error });
            }
            // What the caller does with an answer is no business of the next one.
            for (const { figures } of found.slots) figures.kept.fill(-1);
            for (const figures of found.segments[0]!) figures.won.fill(-1);
          }
        }),
        { numRuns: 150 },
      );
    });
  }

  it('surface: all 41 x 41 cells of a small group of three models, one of them with rows missing', async () => {
    const own: TensorParameters = { weight: [1, -0.5, 1], density: [0.2, 1, 0.3], lambda: 1, normalize: true, rescale: false };
    const slot = trainedSlot('v', 60, ['F32', 'F32', 'BF16', 'F16'], 'F32', own);
    const slots = [{ ...slot, inputs: slot.inputs.map((input, i) => (i === 2 ? { ...input!, bytes: input!.bytes.slice(0, 80) } : input)) }];
    const densities = Array.from({ length: 41 }, (_, i) => (i + 1) / 41);
    const request = { x: 1, y: 2, densitiesX: densities, densitiesY: densities };
    const group = makeGroup('ties', slots, [wholeSlots(slots)]);
    const oracle = await reference.hold(group, readerOf(slots));
    const expected = await surfaceByEvaluating(group, oracle.evaluate, [own], request);
    const held = await createHeld(group, readerOf(slots));
    expect(await held.surface([own], request)).toEqual(expected);
  });

  it('answers nothing after it was released', async () => {
    const slots = [trainedSlot('v', 10, ['F32', 'F32'], 'F32', { weight: [1], density: [1], lambda: 1, normalize: true, rescale: false })];
    const held = await createHeld(makeGroup('ties', slots, [wholeSlots(slots)]), readerOf(slots));
    held.release();
    await expect(held.evaluate([slots[0]!.parameters])).rejects.toThrow('released');
    await expect(held.distribution(0)).rejects.toThrow('released');
  });

  it('refuses to hold more than 1 GiB, before it reads', async () => {
    const elements = 2 ** 26;
    const group: Group = {
      method: 'ties',
      slots: [{ name: 'v', elements, inputs: ['BF16', 'BF16'], modelElements: [elements], outDtype: 'BF16' }],
      chunks: [[{ slot: 0, first: 0, count: elements, present: [true, true] }]],
    };
    const reading = () => Promise.reject(new Error('read'));
    await expect(createHeld(group, reading)).rejects.toMatchObject({ code: 'out-of-memory', where: { expected: 2 ** 30 } });
  });
});

describe('order on keys of 31 bits', () => {
  // Few values, so that there are ties; and every digit.
  const arbitraryKeys = fc.array(fc.oneof(fc.nat({ max: 3 }), fc.nat({ max: 0x7fffffff }), fc.constantFrom(0x7fffffff, 0x3ff, 0x400, 0xfffff, 0x100000)), { maxLength: 80 });
  const naive = (keys: readonly number[]) => [...keys.keys()].sort((a, b) => keys[a]! - keys[b]! || a - b);

  it('sorts as a comparison does, equal keys by position', () => {
    fc.assert(
      fc.property(arbitraryKeys, (keys) => {
        const scratch = [new Int32Array(80), new Int32Array(80)] as const;
        expect([...ascendingOrder(Int32Array.from(keys), scratch)]).toEqual(naive(keys));
      }),
    );
  });

  it('selects the smallest, equal ones by position, exactly as many as asked for', () => {
    fc.assert(
      fc.property(arbitraryKeys, fc.nat(80), (keys, asked) => {
        const count = Math.min(asked, keys.length);
        const { threshold, last } = selectSmallest(Int32Array.from(keys), count);
        const selected = [...keys.keys()].filter((i) => keys[i]! < threshold || (keys[i] === threshold && i <= last));
        expect(selected).toEqual(naive(keys).slice(0, count).sort((a, b) => a - b));
      }),
    );
  });
});
