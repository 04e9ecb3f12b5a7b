/** A backend against the reference on random merges: decisions identical, values within merging.md section 8. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, it } from 'vitest';
import type { Backend } from '../../src/merge/backend';
import { createReferenceBackend } from '../../src/reference/backend';
import { distance, expectSameResult, expectWithinSection8 } from './compare';
import { makeGroup, mergeGroup } from './harness';
import { arbitraryScenario, describeScenario, EVERYTHING, type Scenario, type ScenarioLimits } from './scenarios';

export interface PropertyOptions {
  readonly runs?: number;
  /** For repeating a failure: the seed that it printed. */
  readonly seed?: number;
  readonly limits?: Partial<ScenarioLimits>;
  /** Every byte must equal the reference's, up to the sign of a zero. */
  readonly exact?: boolean;
}

export function describeProperties(
  name: string,
  makeBackend: () => Promise<Backend>,
  { runs = 60, seed, limits = {}, exact = false }: PropertyOptions = {},
): void {
  describe(`random merges on ${name}`, () => {
    let backend: Backend;
    const reference = createReferenceBackend();
    beforeAll(async () => {
      backend = await makeBackend();
    });
    afterAll(() => {
      backend.dispose();
    });

    const bounds = { ...EVERYTHING, ...limits };
    for (const method of bounds.methods) {
      it(
        `${method}: figures, kept and reserved sets equal the reference's, values within section 8`,
        async () => {
          await fc.assert(
            fc.asyncProperty(arbitraryScenario({ ...bounds, methods: [method] }), async (scenario) => {
              const group = makeGroup(method, scenario.slots, [scenario.stretches]);
              const expected = await mergeGroup(reference, group, scenario.slots);
              const actual = await mergeGroup(backend, group, scenario.slots);
              expectSameResult(actual.result, expected.result);
              for (const [s, slot] of scenario.slots.entries()) {
                const found = distance(actual.outputs[s]!, expected.outputs[s]!, slot.outDtype);
                if (exact && found.differing > 0) throw new Error(`${found.differing} values of slot ${s} differ`);
                expectWithinSection8(found, `values of slot ${s}`);
              }
            }),
            { numRuns: runs, ...(seed === undefined ? {} : { seed }), reporter: reportWithShape },
          );
        },
      );
    }
  });
}

/** Fails with fast-check's seed and path and the shape of the counterexample, not its bytes. */
export function reportWithShape(details: fc.RunDetails<[Scenario]>): void {
  if (!details.failed) return;
  const shape = details.counterexample === null ? 'none' : describeScenario(details.counterexample[0]);
  const reason = details.errorInstance instanceof Error ? details.errorInstance.message : String(details.errorInstance);
  throw new Error(`${reason}\nseed ${details.seed}, path ${details.counterexamplePath}, ${shape}`, { cause: details.errorInstance });
}
