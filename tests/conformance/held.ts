/** Exploring is merging without writing: a held group answers what a merge of it would count, and can be cancelled. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Backend } from '../../src/merge/backend';
import type { TensorParameters } from '../../src/recipe/types';
import { expectSameResult } from './compare';
import { makeGroup, mergeGroup, readerOf, wholeSlots, type SlotCase } from './harness';
import { trainedSlot, type Kind } from './scenarios';

const START: TensorParameters = { weight: [1, 1, 0.5], density: [0.2, 1, 0.6], lambda: 1, normalize: true, rescale: false };
const SETTINGS: readonly TensorParameters[] = [
  START,
  { ...START, density: [0.2, 0.01, 1] },
  { ...START, density: [0.21, 0.5, 0.333] },
  { ...START, weight: [1, -0.3, 2], rescale: true },
  { ...START, slack: { s: 0.04, of: 'retained', prefer: 0 } },
  { ...START, slack: { s: 0.5, of: 'discarded', prefer: 1 } },
  START,
];

export function describeHeld(name: string, makeBackend: () => Promise<Backend>): void {
  describe(`held groups on ${name}`, () => {
    let backend: Backend;
    beforeAll(async () => {
      backend = await makeBackend();
    });
    afterAll(() => {
      backend.dispose();
    });

    for (const method of ['linear', 'task_arithmetic', 'ties', 'ties_sv'] as const) {
      it(`${method}: every setting gives the figures and sets of a merge, and reads nothing more`, async () => {
        const slots = testSlots();
        const group = makeGroup(method, slots, [wholeSlots(slots)]);
        let reads = 0;
        const read = readerOf(slots);
        const held = await backend.hold(group, (segment, input) => {
          reads++;
          return read(segment, input);
        });
        const readsToHold = reads;
        for (const parameters of SETTINGS) {
          const mine = slots.map((slot) => ({ ...slot, parameters }));
          const merged = await mergeGroup(backend, group, mine);
          expectSameResult(await held.evaluate(mine.map((slot) => slot.parameters)), merged.result);
        }
        expect(reads).toBe(readsToHold);
        held.release();
      });
    }

    it('an evaluation whose signal is aborted rejects as cancelled, and the group stays usable', async () => {
      const slots = testSlots();
      const group = makeGroup('ties', slots, [wholeSlots(slots)]);
      const held = await backend.hold(group, readerOf(slots));
      const parameters = slots.map((slot) => slot.parameters);
      const before = await held.evaluate(parameters);
      await expect(held.evaluate(parameters, AbortSignal.abort())).rejects.toMatchObject({ code: 'cancelled' });
      expectSameResult(await held.evaluate(parameters), before);
      held.release();
    });

    it('a merge whose signal is aborted rejects as cancelled and writes nothing', async () => {
      const slots = testSlots();
      const group = makeGroup('ties', slots, [wholeSlots(slots)]);
      let writes = 0;
      const merge = backend.merge(
        group,
        slots.map((slot) => slot.parameters),
        readerOf(slots),
        () => {
          writes++;
          return Promise.resolve();
        },
        { signal: AbortSignal.abort() },
      );
      await expect(merge).rejects.toMatchObject({ code: 'cancelled' });
      expect(writes).toBe(0);
    });

    it('refuses to hold a group of several chunks', async () => {
      const [slot] = testSlots() as [SlotCase];
      const group = makeGroup('ties', [slot], [[{ slot: 0, first: 0, end: 256 }], [{ slot: 0, first: 256, end: slot.elements }]]);
      await expect(backend.hold(group, readerOf([slot]))).rejects.toThrow();
    });
  });
}

/** Written as F32, so that a merge counts no overflow and an evaluation need not know the output. */
function testSlots(): SlotCase[] {
  const kinds: readonly [number, Kind][] = [[1030, 'gaussian'], [513, 'quantised'], [1, 'gaussian'], [256, 'equal-to-base'], [300, 'nonfinite']];
  return kinds.map(([elements, kind], i) =>
    trainedSlot(`${kind}.${elements}`, elements, ['BF16', 'BF16', 'F16', 'F32'], 'F32', START, { kind, seed: i + 1 }),
  );
}
