/**
 * DARE against MergeKit (merging.md section 7): what torch drew is replayed through the reference, which then rescales, elects and
 * merges by itself. That the backends draw alike and do the same with what they drew is shown by the random merges.
 */
import { describe, expect, it } from 'vitest';
import { decodeToF32 } from '../../src/bytes/floats';
import { decodeSlot, runsOf } from '../../src/reference/decode';
import { droppedBy } from '../../src/reference/drop';
import { Pace } from '../../src/reference/pace';
import { decideSlot, mergeSlot, prepareSlot } from '../../src/reference/slot';
import { createReferenceBackend } from '../../src/reference/backend';
import { loadFixture } from './fixtures';
import { loadGoldenCase } from './golden-cases';
import { makeGroup, mergeWhole, readerOf, wholeSlots } from './harness';
import { readSafetensors } from './safetensors';

/** Values compared per case: its one tensor. */
const VALUES = 480;

describe.each(['random_01_dare_ties', 'random_02_dare_linear', 'random_04_dare_ties'])('%s', (id) => {
  it('gives the merged values for the masks that torch drew', async () => {
    const golden = await loadGoldenCase(id);
    expect(golden.compare).toBe('rtol 1e-5 of |merged-base|');
    const masks = await Promise.all(golden.models.map(async (model) => readSafetensors(await loadFixture(`golden/${id}/mask_${model}.safetensors`))));
    const [slot] = golden.slots;
    const group = makeGroup(golden.method, golden.slots, [wholeSlots(golden.slots)]);
    const pace = new Pace(undefined);
    const values = await decodeSlot(group.slots[0]!, runsOf(group)[0]!, readerOf(golden.slots), pace);
    const drawn = masks.map((tensors) => Uint8Array.from(decodeToF32(tensors.get(slot!.name)!.bytes, 'F32')));
    const decision = await decideSlot(golden.method, await prepareSlot(values, pace), slot!.parameters, pace, (of, { tau }, model) => droppedBy(of, tau, drawn[model]!));
    const merged = mergeSlot(golden.method, values, decision, slot!.parameters);
    const expected = decodeToF32(golden.expected.get(slot!.name)!.bytes, 'F32');
    expect(merged.length).toBe(VALUES);
    // The base's half ulp is in `merged - base` whatever its size, and in both.
    const beyond = expected.findIndex((x, i) => Math.abs(merged[i]! - x) > 1e-5 * Math.abs(x - values.base[i]!) + 2 ** -23 * Math.abs(x));
    expect(beyond).toBe(-1);
    expect(decision.figures[0]!.kept).toEqual(drawn.map((mask) => mask.reduce((sum, kept) => sum + kept, 0)));
    const { conflict, won } = decision.figures[0]!;
    expect(won[0]! + won[1]!).toBe(golden.method === 'dare_ties' ? conflict : 0);
  });
});

describe('DARE of one model', () => {
  const parameters = { weight: [1], density: [0.5], lambda: 1, normalize: false, rescale: true, drop: { seed: 11, rescaleBy: 'density' } } as const;

  it('multiplies what it keeps by 1 / k and copies the base elsewhere', async () => {
    const golden = await loadGoldenCase('random_02_dare_linear');
    const slot = { ...golden.slots[0]!, inputs: golden.slots[0]!.inputs.slice(0, 2), parameters };
    const { result, outputs } = await mergeWhole(createReferenceBackend(), 'dare_linear', [slot]);
    const [base, theta] = slot.inputs.map((input) => decodeToF32(input!.bytes, 'F32')) as [Float32Array, Float32Array];
    const merged = decodeToF32(outputs[0]!, 'F32');
    const twice = Float32Array.from(base, (b, i) => Math.fround(b + Math.fround(2 * Math.fround(theta[i]! - b))));
    const changed = merged.filter((value, i) => value !== base[i]!).length;
    expect(merged.every((value, i) => value === base[i]! || value === twice[i]!)).toBe(true);
    expect(result.slots[0]!.figures.kept).toEqual([changed]);
    expect(changed).toBeGreaterThan(VALUES / 2 - 5 * Math.sqrt(VALUES / 4));
    expect(changed).toBeLessThan(VALUES / 2 + 5 * Math.sqrt(VALUES / 4));
  });

  it('never drops what is not finite', async () => {
    const golden = await loadGoldenCase('random_02_dare_linear');
    const whole = golden.slots[0]!;
    const bytes = whole.inputs[1]!.bytes.slice();
    new Float32Array(bytes.buffer).fill(NaN, 0, 16);
    const slot = { ...whole, inputs: [whole.inputs[0]!, { dtype: 'F32', bytes }], parameters: { ...parameters, density: [0.01] } } as const;
    const { outputs } = await mergeWhole(createReferenceBackend(), 'dare_linear', [slot]);
    expect(decodeToF32(outputs[0]!, 'F32').slice(0, 16).every(Number.isNaN)).toBe(true);
  });
});
