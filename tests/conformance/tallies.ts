/** A backend against the reference on what a ranking over several tensors asks: counts of keys, and merges of given K and R. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Backend, Group } from '../../src/merge/backend';
import type { Tally, TallyCounts } from '../../src/merge/tally-types';
import type { TensorParameters } from '../../src/recipe/types';
import { createReferenceBackend } from '../../src/reference/backend';
import { distance, expectSameResult, expectWithinSection8 } from './compare';
import { makeGroup, mergeGroup, readerOf, type SlotCase, type Stretch } from './harness';
import { arbitraryScenario, EVERYTHING, generator, trainedSlot, type ScenarioLimits } from './scenarios';

export interface TallyOptions {
  readonly runs?: number;
  readonly limits?: Partial<ScenarioLimits>;
}

export function describeTallies(name: string, makeBackend: () => Promise<Backend>, { runs = 25, limits = {} }: TallyOptions = {}): void {
  describe(`rankings over several tensors on ${name}`, () => {
    let backend: Backend;
    const reference = createReferenceBackend();
    beforeAll(async () => {
      backend = await makeBackend();
    });
    afterAll(() => {
      backend.dispose();
    });
    const arbitrary = () => fc.tuple(arbitraryScenario({ ...EVERYTHING, ...limits, methods: ['ties_sv'] }), fc.integer({ min: 1, max: 2 ** 31 }));
    const settings = { numRuns: runs };

    it(
      'counts of keys are the reference’s, in every digit, of models and of margins, streamed in chunks and held',
      async () => {
        await fc.assert(
          fc.asyncProperty(arbitrary(), async ([{ slots, stretches }, seed]) => {
            const group = makeGroup('ties_sv', slots, [stretches]);
            const parameters = slots.map((slot, s) => withCounts(slot, group, s, generator(seed + s)));
            const held = await backend.hold(group, readerOf(slots));
            for (const tallies of [talliesOf(group, seed, false), talliesOf(group, seed, true)]) {
              const expected = await reference.tally(group, parameters, tallies, readerOf(slots));
              expectSame(await backend.tally(group, parameters, tallies, readerOf(slots)), expected);
              expectSame(await held.tally(parameters, tallies), expected);
            }
            held.release();
            const [first] = slots;
            const chunked = makeGroup('ties_sv', [first!], stretches.filter(({ slot }) => slot === 0).map((stretch) => [stretch]));
            const tallies = talliesOf(chunked, seed, true);
            const expected = await reference.tally(chunked, parameters.slice(0, 1), tallies, readerOf([first!]));
            expectSame(await backend.tally(chunked, parameters.slice(0, 1), tallies, readerOf([first!])), expected);
          }),
          settings,
        );
      },
    );

    it('ties that are cut in a later chunk are kept to the last one that fits, as in a tensor that is not cut', async () => {
      const slack = { s: 0.5, of: 'retained', prefer: 0 } as const;
      const parameters: TensorParameters = { weight: [1, 1, 1], density: [0.5, 0.4, 0.8], lambda: 1, normalize: true, rescale: false, slack };
      const slot = trainedSlot('quantised', 3000, ['BF16', 'BF16', 'BF16', 'BF16'], 'BF16', parameters);
      const stretches = [0, 1000, 2000].map((first): Stretch => ({ slot: 0, first, end: first + 1000 }));
      const group = makeGroup('ties_sv', [slot], stretches.map((stretch) => [stretch]));
      const tallies: Tally[] = [{ model: null, prefer: 0, digit: { shift: 15, bits: 16 }, rows: 1, slots: [{ row: 0, low: 0 }] }];
      const expected = await reference.tally(group, [parameters], tallies, readerOf([slot]));
      expect(expected[0]!.counts.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(100);
      expectSame(await backend.tally(group, [parameters], tallies, readerOf([slot])), expected);
    });

    it(
      'K and R that are given, none and all included, are kept and given back as by the reference',
      async () => {
        await fc.assert(
          fc.asyncProperty(arbitrary(), async ([{ slots, stretches }, seed]) => {
            const group = makeGroup('ties_sv', slots, [stretches]);
            const given = slots.map((slot, s): SlotCase => ({ ...slot, parameters: withCounts(slot, group, s, generator(seed + s)) }));
            const expected = await mergeGroup(reference, group, given);
            const actual = await mergeGroup(backend, group, given);
            expectSameResult(actual.result, expected.result);
            for (const [s, { outDtype }] of given.entries()) expectWithinSection8(distance(actual.outputs[s]!, expected.outputs[s]!, outDtype), `values of slot ${s}`);
            for (const [s, { kept }] of given.map(({ parameters }) => parameters).entries()) {
              expected.result.slots[s]!.figures.kept.forEach((count, model) => expect(count).toBe(Math.min(kept![model]!, group.slots[s]!.modelElements[model]!)));
            }
            const held = await backend.hold(group, readerOf(slots));
            const figures = await held.evaluate(given.map(({ parameters }) => parameters));
            held.release();
            for (const [s, slot] of figures.slots.entries()) {
              expect(slot.kept).toEqual(expected.result.slots[s]!.kept);
              expect(slot.figures.reserved).toBe(expected.result.slots[s]!.figures.reserved);
            }
          }),
          settings,
        );
      },
    );
  });
}

/** A million counts a call: a loop tells sooner than a matcher. */
function expectSame(actual: readonly TallyCounts[], expected: readonly TallyCounts[]): void {
  expect(actual.length).toBe(expected.length);
  for (const [t, { counts, above }] of expected.entries()) {
    expect(actual[t]!.above).toEqual(above);
    expect(actual[t]!.counts.length).toBe(counts.length);
    const differing = counts.findIndex((count, bin) => actual[t]!.counts[bin] !== count);
    if (differing >= 0) throw new Error(`tally ${t}: ${actual[t]!.counts[differing]} at ${differing}, ${counts[differing]} expected`);
  }
}

/** The scenario's parameters with K from none to all, and an R that may be more than |D|. */
function withCounts({ parameters, elements }: SlotCase, { slots }: Group, s: number, random: () => number): TensorParameters {
  const kept = slots[s]!.modelElements.map((own) => [0, own, Math.floor(random() * (own + 1)), 1][Math.floor(random() * 4)]!);
  const slack = { ...parameters.slack!, reserved: Math.floor(random() * elements * 0.3) };
  return { ...parameters, kept, slack };
}

/** Every digit of a 16 + 15 bit selection and a single key, at keys that the values may have, slots in rows of their own or together. */
function talliesOf({ slots }: Group, seed: number, margins: boolean): Tally[] {
  const random = generator(seed);
  const models = slots[0]!.inputs.length - 1;
  const lanes = margins ? [null] : Array.from({ length: models }, (_, model) => model);
  const prefer = Math.floor(random() * models);
  return lanes.flatMap((model) =>
    [
      { shift: 15, bits: 16 },
      { shift: 0, bits: 15 },
      { shift: 20, bits: 11 },
      { shift: 0, bits: 0 },
    ].map((digit): Tally => {
      const width = 2 ** (digit.shift + digit.bits);
      // Keys of 0.125 and thereabouts, of 1/1024 and of 0.
      const near = [0x3e000000, 0x3a800000, 0, Math.floor(random() * 2 ** 31)][Math.floor(random() * 4)]!;
      const key = margins ? 0x7fffffff - near : near;
      const low = width >= 2 ** 31 ? 0 : Math.floor(key / width) * width;
      const together = random() < 0.5;
      return { model, prefer, digit, rows: slots.length, slots: slots.map((_, s) => (random() < 0.2 ? null : { row: together ? 0 : s, low })) };
    }),
  );
}
