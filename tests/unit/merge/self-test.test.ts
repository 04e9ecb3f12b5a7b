/** Rule: issue 6.5 - the self-test notices whatever a backend gets wrong, and says in what (faults.md rows 34, 35). */
import { describe, expect, it } from 'vitest';
import { createCpuBackend } from '../../../src/cpu/backend';
import type { Backend, GroupResult, Held } from '../../../src/merge/backend';
import { selfTest } from '../../../src/merge/self-test';
import { createReferenceBackend } from '../../../src/reference/backend';

const oracle = createReferenceBackend();
const wrongOf = async (subject: Backend) => (await selfTest(() => subject, oracle)).filter(({ ok }) => !ok).map(({ pass }) => pass);

type Change<T> = (answer: T) => T;
/** The reference, but for what `faults` does to its answers. */
function faulty(faults: { result?: Change<GroupResult>; bytes?: (bytes: Uint8Array<ArrayBuffer>, where: string) => void; adapted?: (bytes: Uint8Array) => void; held?: (held: Held) => Partial<Held> }): Backend {
  return {
    ...oracle,
    async merge(group, parameters, read, write, options) {
      const corrupting: typeof write = (segment, bytes) => {
        faults.bytes?.(bytes, `${group.method} of ${group.slots.length}, ${segment.slot} from ${segment.first}`);
        return write(segment, bytes);
      };
      const result = await oracle.merge(group, parameters, read, corrupting, options);
      return faults.result?.(result) ?? result;
    },
    async hold(group, read) {
      const held = await oracle.hold(group, read);
      return { ...held, ...faults.held?.(held) };
    },
    async adapt(request) {
      const bytes = await oracle.adapt(request);
      faults.adapted?.(bytes);
      return bytes;
    },
  };
}
type Slots = GroupResult['slots'];
const inFirstSlot = (change: Change<Slots[number]>): Change<GroupResult> => (result) => ({ ...result, slots: result.slots.map((slot, s) => (s === 0 ? change(slot) : slot)) });
const inFigures = (change: Partial<Slots[number]['figures']>) => inFirstSlot((slot) => ({ ...slot, figures: { ...slot.figures, ...change } }));

describe('the self-test', () => {
  it('finds nothing wrong with the CPU backend, and tries every kind of question', async () => {
    const findings = await selfTest(() => createCpuBackend(), oracle);
    expect(findings.filter(({ ok }) => !ok)).toEqual([]);
    expect(findings.map(({ pass }) => pass)).toEqual([
      'trim', 'elect', 'slack', 'count', 'merge', 'drop and rescale', 'average', 'surface', 'slack curve', 'effect', 'distribution', 'whole-model ranking', 'adapter',
    ]);
  });

  it.each([
    ['a threshold one unit off', 'trim', inFirstSlot((slot) => ({ ...slot, kept: slot.kept.map((kept) => kept && { ...kept, threshold: kept.threshold ^ 1 }) }))],
    ['a cutoff one place off', 'trim', inFirstSlot((slot) => ({ ...slot, kept: slot.kept.map((kept) => kept && { ...kept, cutoff: kept.cutoff + 1 }) }))],
    ['a conflict too few', 'elect', inFigures({ conflict: 0 })],
    ['a reserved place too many', 'slack', inFigures({ reserved: 99_999 })],
    ['a NaN not counted', 'count', ((result) => ({ ...result, slots: result.slots.map((slot) => ({ ...slot, figures: { ...slot.figures, nonfinite: [0, 0, 0] } })) })) as Change<GroupResult>],
  ])('names the pass of %s', async (_, pass, result) => {
    expect(await wrongOf(faulty({ result }))).toContain(pass);
  });

  // A unit in the last place of one value in ten thousand is what merging.md section 8 allows; a bit above it is not.
  it.each([
    ['ties_sv of 3, 0 from 0', 'merge'],
    ['ties_sv of 1, 0 from 4098', 'merge'],
    ['task_arithmetic of 1, 0 from 0', 'merge'],
    ['dare_linear of 1, 0 from 0', 'drop and rescale'],
    ['linear of 1, 0 from 0', 'average'],
  ])('notices one flipped bit in what it writes of %s', async (at, pass) => {
    expect(await wrongOf(faulty({ bytes: (bytes, where) => where === at && (bytes[2]! ^= 0x40) }))).toEqual([pass]);
  });

  it('allows one value a unit in the last place off, not two', async () => {
    const off = (count: number) => faulty({ bytes: (bytes, where) => { if (where === 'ties_sv of 3, 0 from 0') for (let i = 0; i < count; i++) bytes[2 * (8 * i + 4)]! ^= 1; } });
    expect(await wrongOf(off(1))).toEqual([]);
    expect(await wrongOf(off(2))).toEqual(['merge']);
  });

  it('notices one flipped bit in what an adapter makes', async () => {
    expect(await wrongOf(faulty({ adapted: (bytes) => (bytes[4 * 17]! ^= 1) }))).toEqual(['adapter']);
  });

  it.each<[string, (held: Held) => Partial<Held>]>([
    ['surface', (held) => ({ surface: async (...asked) => (await held.surface(...asked)).map((slot) => ({ ...slot, conflict: slot.conflict.map((count, i) => (i === 4 ? count + 1 : count)) })) })],
    ['slack curve', (held) => ({ slackCurve: async (...asked) => (await held.slackCurve(...asked)).map((curve) => curve && { ...curve, magnitude: 1.001 * curve.magnitude }) })],
    ['effect', (held) => ({ effect: async (...asked) => (await held.effect(...asked)).map((slot) => ({ ...slot, base2: 1.001 * slot.base2 })) })],
    ['distribution', (held) => ({ distribution: async (slot) => ({ counts: (await held.distribution(slot)).counts.map((counts) => counts && counts.map((count, i) => (i === 0 ? count + 1 : count))) }) })],
    ['whole-model ranking', (held) => ({ tally: async (...asked) => (await held.tally(...asked)).map(({ counts, above }) => ({ counts: counts.map((count, i) => (i === 100 ? count ^ 1 : count)), above })) })],
  ])('notices a wrong %s', async (pass, change) => {
    expect(await wrongOf(faulty({ held: change }))).toEqual([pass]);
  });
});
