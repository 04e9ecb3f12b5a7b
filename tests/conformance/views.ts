/** The views of a held group against the reference's: counts cell by cell, sums within what src/merge/exploring.ts allows. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Backend, Held } from '../../src/merge/backend';
import type { SlotEffect, SlotSlackCurve, SurfaceRequest } from '../../src/merge/exploring';
import { surfaceByEvaluating } from '../../src/merge/sweeps';
import type { Method, TensorParameters } from '../../src/recipe/types';
import { createReferenceBackend } from '../../src/reference/backend';
import { makeGroup, readerOf, type SlotCase, type Stretch } from './harness';
import { arbitraryScenario, describeScenario, EVERYTHING, KINDS, trainedSlot, type Scenario } from './scenarios';

/** The paper's densities, and two whose K are equal in small tensors. */
const DENSITIES = [0.01, 0.011, 0.2, 0.4, 0.6, 0.8, 1];
const SHARES = [0, 0.01, 0.04, 0.3, 1];
/** Of a sum, relative to the product of the two lengths (SlotEffect). */
const EFFECT_TOLERANCE = 1e-4;
/** Of sums of at most a few hundred f32 magnitudes of one sign. */
const SUM_TOLERANCE = 1e-4;
/** Subnormal terms may be flushed. */
const SUM_FLOOR = 1e-30;

export interface ViewOptions {
  readonly runs?: number;
}

export function describeViews(name: string, makeBackend: () => Promise<Backend>, { runs = 30 }: ViewOptions = {}): void {
  describe(`views of a held group on ${name}`, () => {
    let backend: Backend;
    const reference = createReferenceBackend();
    beforeAll(async () => {
      backend = await makeBackend();
    });
    afterAll(() => {
      backend.dispose();
    });

    /** Holds the scenario on both and compares what they say. */
    async function compare({ method, slots, stretches }: Scenario, ask: (held: Held, oracle: Held) => Promise<void>): Promise<void> {
      const group = makeGroup(method, slots, [stretches]);
      const held = await backend.hold(group, readerOf(slots));
      const oracle = await reference.hold(group, readerOf(slots));
      try {
        await ask(held, oracle);
      } finally {
        held.release();
        oracle.release();
      }
    }
    const parametersOf = ({ slots }: Scenario) => slots.map(({ parameters }) => parameters);

    async function expectSameSurface(scenario: Scenario, request: SurfaceRequest): Promise<void> {
      const parameters = parametersOf(scenario).map((own) => ({ ...own, rescale: false }));
      await compare(scenario, async (held, oracle) => {
        const expected = await surfaceByEvaluating(oracle.group, oracle.evaluate, parameters, request);
        expect(await held.surface(parameters, request)).toEqual(expected);
      });
    }
    async function expectSameCurve(scenario: Scenario, prefer: number, of: 'retained' | 'discarded'): Promise<void> {
      await compare(scenario, async (held, oracle) => {
        const request = { prefer, of, shares: SHARES };
        const actual = await held.slackCurve(parametersOf(scenario), request);
        const expected = await oracle.slackCurve(parametersOf(scenario), request);
        expect(actual.map(countsOf)).toEqual(expected.map(countsOf));
        actual.forEach((curve, s) => expectCloseCurve(curve, expected[s]!, `slot ${s}`));
      });
    }
    async function expectSameEffect(scenario: Scenario): Promise<void> {
      await compare(scenario, async (held, oracle) => {
        const expected = await oracle.effect(parametersOf(scenario));
        const actual = await held.effect(parametersOf(scenario));
        actual.forEach((effect, s) => expectCloseEffect(effect, expected[s]!, `slot ${s}`));
      });
    }
    async function expectSameDistribution(scenario: Scenario): Promise<void> {
      await compare(scenario, async (held, oracle) => {
        for (const s of scenario.slots.keys()) expect(await held.distribution(s), `slot ${s}`).toEqual(await oracle.distribution(s));
      });
    }

    it('surface: a 41 x 41 grid of sampled blocks, cell by cell', async () => {
      const scenario = sampled('ties', PLAIN);
      const densities = Array.from({ length: 41 }, (_, i) => (i + 1) / 41);
      // Cell by cell would be 1,681 evaluations: five rows of the surface, each as one row of the oracle.
      await compare(scenario, async (held, oracle) => {
        const whole = await held.surface(parametersOf(scenario), { x: 0, y: 1, densitiesX: densities, densitiesY: densities });
        for (const iy of [0, 8, 20, 31, 40]) {
          const row = { x: 0, y: 1, densitiesX: densities, densitiesY: [densities[iy]!] };
          const expected = await surfaceByEvaluating(oracle.group, oracle.evaluate, parametersOf(scenario), row);
          for (const [s, surface] of whole.entries()) {
            expect(surface.conflict.slice(iy * 41, (iy + 1) * 41)).toEqual(expected[s]!.conflict);
            expect(surface.wonX.slice(iy * 41, (iy + 1) * 41)).toEqual(expected[s]!.wonX);
            expect(surface.discardedY.slice(iy * 41, (iy + 1) * 41)).toEqual(expected[s]!.discardedY);
            expect([surface.keptX, surface.nonzeroX]).toEqual([expected[s]!.keptX, expected[s]!.nonzeroX]);
            expect([surface.keptY[iy], surface.nonzeroY[iy]]).toEqual([expected[s]!.keptY[0], expected[s]!.nonzeroY[0]]);
          }
        }
        expect(whole[0]!.conflict.at(-1)).toBeGreaterThan(whole[0]!.conflict[0]!);
      });
    });

    it('surface: the others are fixed where there are more than two, and weights of any sign elect', async () => {
      await expectSameSurface(sampled('ties_sv', FOUR), { x: 2, y: 0, densitiesX: DENSITIES, densitiesY: [0.2, 0.5, 1] });
    });

    it('surface: refuses what has none', async () => {
      const scenario = sampled('ties', PLAIN);
      const request = { x: 0, y: 1, densitiesX: [1], densitiesY: [1] };
      await compare(scenario, async (held) => {
        await expect(held.surface([{ ...PLAIN, rescale: true }], request)).rejects.toThrow(RangeError);
        await expect(held.surface([PLAIN], { ...request, y: 0 })).rejects.toThrow(RangeError);
      });
      await compare({ ...scenario, method: 'task_arithmetic' }, async (held) => {
        await expect(held.surface([PLAIN], request)).rejects.toThrow(RangeError);
      });
    });

    it('a view whose signal is aborted rejects as cancelled, and the group stays usable', async () => {
      const scenario = sampled('ties_sv', PLAIN);
      await compare(scenario, async (held, oracle) => {
        const aborted = AbortSignal.abort();
        const asked = { x: 0, y: 1, densitiesX: [0.2], densitiesY: [1] };
        await expect(held.surface([PLAIN], asked, aborted)).rejects.toMatchObject({ code: 'cancelled' });
        await expect(held.slackCurve([PLAIN], { prefer: 0, of: 'retained', shares: SHARES }, aborted)).rejects.toMatchObject({ code: 'cancelled' });
        expect((await held.evaluate([PLAIN])).slots[0]!.figures.conflict).toBe((await oracle.evaluate([PLAIN])).slots[0]!.figures.conflict);
      });
    });

    it('views asked for at once answer as one after the other', async () => {
      const scenario = sampled('ties_sv', PLAIN);
      await compare(scenario, async (held) => {
        const other = { ...PLAIN, density: [0.5, 0.1] };
        const apart = [await held.evaluate([PLAIN]), await held.effect([other]), await held.distribution(0), await held.evaluate([other])];
        const together = await Promise.all([held.evaluate([PLAIN]), held.effect([other]), held.distribution(0), held.evaluate([other])]);
        expect(together).toEqual(apart);
      });
    });

    const limits = { ...EVERYTHING, maxModels: 4, maxElements: 300 };
    const trimming = { ...limits, methods: ['ties', 'ties_sv'] as const };
    const property = (title: string, arbitrary: fc.Arbitrary<Scenario>, check: (scenario: Scenario, pick: number) => Promise<void>) =>
      it(
        title,
        async () => {
          await fc.assert(
            fc.asyncProperty(arbitrary, fc.nat({ max: 1000 }), async (scenario, pick) => {
              try {
                await check(scenario, pick);
              } catch (error) {
                throw new Error(`${describeScenario(scenario)} (${pick})`, { cause: error });
              }
            }),
            { numRuns: runs, endOnFailure: true },
          );
        },
      );

    property('random groups: the surface is what evaluating each cell says', arbitraryScenario(trimming), async (scenario, pick) => {
      const models = scenario.slots[0]!.inputs.length - 1;
      if (models < 2) return;
      const x = pick % models;
      const y = (x + 1 + (pick % (models - 1))) % models;
      await expectSameSurface(scenario, { x, y, densitiesX: DENSITIES.slice(pick % 3), densitiesY: [0.05, 0.7] });
    });
    property('random groups: the slack curve is what evaluating each share says', arbitraryScenario({ ...trimming, methods: ['ties_sv'], kinds: KINDS.filter((kind) => kind !== 'overflowing') }), async (scenario, pick) => {
      await expectSameCurve(scenario, pick % (scenario.slots[0]!.inputs.length - 1), pick % 2 === 0 ? 'retained' : 'discarded');
    });
    property('random groups: the effect is the reference\'s', arbitraryScenario(limits), expectSameEffect);
    property('random groups: the distribution is the reference\'s', arbitraryScenario(limits), expectSameDistribution);
  });
}

const PLAIN: TensorParameters = { weight: [1, 0.5], density: [0.2, 1], lambda: 1.5, normalize: true, rescale: false };
const FOUR: TensorParameters = { ...PLAIN, weight: [1, -0.5, 0.7, 0], density: [0.2, 0.5, 1, 0.6] };

/** One slot of a few blocks with gaps between, more than one block of the engine. */
function sampled(method: Method, parameters: TensorParameters): Scenario {
  const dtypes = ['BF16', ...parameters.weight.map(() => 'BF16' as const)] as const;
  const slot: SlotCase = trainedSlot('sampled', 12_000, [...dtypes], 'BF16', parameters);
  const stretches: Stretch[] = [[0, 501], [1000, 9500], [9600, 9602], [11_000, 12_000]].map(([first, end]) => ({ slot: 0, first: first!, end: end! }));
  return { method, slots: [slot], stretches };
}

function countsOf(curve: SlotSlackCurve | null) {
  return curve && { numel: curve.numel, kept: curve.kept, discarded: curve.discarded, reserved: [...curve.reserved] };
}

function expectCloseCurve(actual: SlotSlackCurve | null, expected: SlotSlackCurve | null, what: string): void {
  if (actual === null || expected === null) return;
  expectClose(actual.magnitude, expected.magnitude, expected.magnitude * SUM_TOLERANCE, `${what}: magnitude`);
  expected.cost.forEach((cost, i) => {
    if (Number.isFinite(cost)) expectClose(actual.cost[i]!, cost, cost * SUM_TOLERANCE, `${what}: cost at share ${i}`);
  });
}

function expectCloseEffect(actual: SlotEffect, expected: SlotEffect, what: string): void {
  expect(actual.numel, `${what}: numel`).toBe(expected.numel);
  const { base2, change2, tau2, along, between } = expected;
  const close = (a: number, b: number, squares: number, part: string) =>
    expectClose(a, b, EFFECT_TOLERANCE * Math.sqrt(squares), `${what}: ${part}`);
  close(actual.base2, base2, base2 * base2, 'base2');
  close(actual.change2, change2, change2 * change2, 'change2');
  expect([actual.tau2.length, actual.along.length, actual.between.length]).toEqual([tau2.length, along.length, between.length]);
  let pair = 0;
  tau2.forEach((square, i) => {
    close(actual.tau2[i]!, square, square * square, `tau2 ${i}`);
    close(actual.along[i]!, along[i]!, change2 * square, `along ${i}`);
    for (let j = i + 1; j < tau2.length; j++, pair++) close(actual.between[pair]!, between[pair]!, square * tau2[j]!, `between ${i} ${j}`);
  });
}

function expectClose(actual: number, expected: number, allowed: number, what: string): void {
  // Written so that a NaN fails.
  expect(Math.abs(actual - expected) <= allowed + SUM_FLOOR, `${what}: ${actual}, expected ${expected} within ${allowed}`).toBe(true);
}
