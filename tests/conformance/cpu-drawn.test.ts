/**
 * DARE and DELLA against MergeKit (merging.md section 7): what torch drew is replayed through the reference, which then rescales, elects and
 * merges by itself. That the backends draw alike and do the same with what they drew is shown by the random merges.
 */
import { describe, expect, it } from 'vitest';
import { decodeToF32 } from '../../src/bytes/floats';
import { decodeSlot, runsOf } from '../../src/reference/decode';
import { droppedBy } from '../../src/reference/drop';
import { Pace } from '../../src/reference/pace';
import { decideSlot, mergeSlot, prepareSlot } from '../../src/reference/slot';
import { createReferenceBackend } from '../../src/reference/backend';
import { mergeMasked } from '../../src/merge/masks/backend';
import { Bits } from '../../src/merge/masks/bits';
import { factorsOf, keptByPart, Magnitudes, type Choose } from '../../src/merge/masks/choose';
import { keepByRank } from '../../src/merge/masks/ranked';
import { keysOf } from '../../src/merge/masks/vectors';
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

describe('random_03_della', () => {
  const ID = 'random_03_della';
  const COLUMNS = 20;
  const file = async (name: string) => readSafetensors(await loadFixture(`golden/${ID}/${name}.safetensors`));

  it('keeps by the probabilities that MergeKit gives the ranks of a row', async () => {
    const golden = await loadGoldenCase(ID);
    const [slot] = golden.slots;
    const base = decodeToF32(slot!.inputs[0]!.bytes, 'F32');
    // Stored in f32, which is off by 2^-25 at most: words a little below them are kept, a little above are not.
    const aside = 2 ** 9;
    let rows = 0;
    for (const [m, model] of golden.models.entries()) {
      const theta = decodeToF32(slot!.inputs[m + 1]!.bytes, 'F32');
      const probabilities = decodeToF32((await file(`prob_${model}`)).get(slot!.name)!.bytes, 'F32');
      for (let at = 0; at < VALUES; at += COLUMNS, rows++) {
        const row = Float32Array.from({ length: COLUMNS }, (_, j) => theta[at + j]! - base[at + j]!);
        const keptOf = (shift: number) => {
          const kept = new Uint8Array(COLUMNS);
          keepByRank(row, keysOf(row), Uint32Array.from({ length: COLUMNS }, (_, j) => probabilities[at + j]! * 2 ** 32 + shift), 0.5, 0.15, kept);
          return kept.reduce((sum, one) => sum + one, 0);
        };
        expect([keptOf(-aside), keptOf(aside)]).toEqual([COLUMNS, 0]);
      }
    }
    expect(rows).toBe(48);
  });

  it('gives the merged values for the masks that torch drew', async () => {
    const golden = await loadGoldenCase(ID);
    const [slot] = golden.slots;
    const drawn = await Promise.all(golden.models.map(async (model) => decodeToF32((await file(`mask_${model}`)).get(slot!.name)!.bytes, 'F32')));
    const group = makeGroup('della', golden.slots, [wholeSlots(golden.slots)]);
    const replay: Choose = async (vectors, parameters) => {
      const bits = drawn.map(() => new Bits(vectors.length));
      const sums = drawn.map(() => new Magnitudes());
      await vectors.each(({ taus, begin, count }) => {
        for (const [m, mask] of drawn.entries()) {
          const kept = Uint8Array.from(mask.subarray(begin, begin + count));
          bits[m]!.write(begin, kept);
          sums[m]!.add(taus[m]!, kept);
        }
      });
      return { bits, parameters: factorsOf(parameters, sums), figures: keptByPart(vectors, bits) };
    };
    let merged = new Float32Array();
    const result = await mergeMasked(createReferenceBackend(), replay, group, [slot!.parameters], readerOf(golden.slots), async (_, bytes) => {
      merged = decodeToF32(bytes, 'F32');
    });
    const expected = decodeToF32(golden.expected.get(slot!.name)!.bytes, 'F32');
    const base = decodeToF32(slot!.inputs[0]!.bytes, 'F32');
    expect(merged.length).toBe(VALUES);
    expect(expected.findIndex((x, i) => Math.abs(merged[i]! - x) > 1e-5 * Math.abs(x - base[i]!) + 2 ** -23 * Math.abs(x))).toBe(-1);
    expect(result.slots[0]!.figures.kept).toEqual(drawn.map((mask) => mask.reduce((sum, kept) => sum + kept, 0)));
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
