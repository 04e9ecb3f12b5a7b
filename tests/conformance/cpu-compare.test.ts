/** Tests of the comparison itself: a tolerance that lets everything through would make the whole suite worthless. */
import { describe, expect, it } from 'vitest';
import { emptyFigures } from '../../src/merge/figures';
import { distance, expectSameFigures, expectSameResult, expectWithinSection8 } from './compare';

const f32 = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer);
const u16 = (...bits: number[]) => new Uint8Array(Uint16Array.from(bits).buffer);

describe('distance in units of the last place', () => {
  it('is 0 for equal values, both zeros and any two NaN', () => {
    expect(distance(f32(1, -0, 0, NaN, Infinity), f32(1, 0, -0, NaN, Infinity), 'F32')).toEqual({ values: 5, differing: 0, worst: 0 });
    expect(distance(u16(0x8000, 0x7fc1), u16(0, 0xffc0), 'BF16')).toEqual({ values: 2, differing: 0, worst: 0 });
  });

  it('counts neighbours, across powers of two, across zero and up to infinity', () => {
    expect(distance(f32(1), f32(1 + 2 ** -23), 'F32').worst).toBe(1);
    expect(distance(f32(1), f32(1 - 2 ** -24), 'F32').worst).toBe(1);
    expect(distance(f32(2 ** -149), f32(-(2 ** -149)), 'F32').worst).toBe(2);
    expect(distance(u16(0x7c00), u16(0x7bff), 'F16').worst).toBe(1);
    expect(distance(u16(0x7f80), u16(0x7f7e), 'BF16').worst).toBe(2);
  });

  it('is infinite between a NaN and a number, and reads 16-bit infinities by their dtype', () => {
    expect(distance(f32(NaN, 1), f32(1, 1), 'F32')).toEqual({ values: 2, differing: 1, worst: Infinity });
    expect(distance(u16(0x7c01), u16(0x7c00), 'F16').worst).toBe(Infinity);
    expect(distance(u16(0x7c01), u16(0x7c00), 'BF16').worst).toBe(1);
  });

  it('section 8 allows one value of a small tensor to be one unit off, and no more', () => {
    expect(() => { expectWithinSection8({ values: 10, differing: 1, worst: 1 }, 'v'); }).not.toThrow();
    expect(() => { expectWithinSection8({ values: 10, differing: 1, worst: 2 }, 'v'); }).toThrow();
    expect(() => { expectWithinSection8({ values: 10, differing: 2, worst: 1 }, 'v'); }).toThrow();
    expect(() => { expectWithinSection8({ values: 30_000, differing: 3, worst: 1 }, 'v'); }).not.toThrow();
    expect(() => { expectWithinSection8({ values: 30_000, differing: 4, worst: 1 }, 'v'); }).toThrow();
  });
});

describe('results', () => {
  const figures = { ...emptyFigures(1), reserved: 2, reservedCost: 1 };

  it('counts are exact, the cost of the slack is within f32 summation', () => {
    expect(() => { expectSameFigures({ ...figures, reservedCost: 1 + 1e-5 }, figures, 'v'); }).not.toThrow();
    expect(() => { expectSameFigures({ ...figures, reservedCost: 1 + 1e-4 }, figures, 'v'); }).toThrow();
    expect(() => { expectSameFigures({ ...figures, conflict: 1 }, figures, 'v'); }).toThrow();
  });

  it('kept sets, reserved sets and segments are exact', () => {
    const result = { slots: [{ figures, kept: [{ threshold: 5, cutoff: 3 }], reserved: null }], segments: [[figures]] };
    const slot = result.slots[0]!;
    expect(() => { expectSameResult(result, result); }).not.toThrow();
    for (const other of [
      { ...result, slots: [{ ...slot, kept: [{ threshold: 5, cutoff: 4 }] }] },
      { ...result, slots: [{ ...slot, kept: [null] }] },
      { ...result, slots: [{ ...slot, reserved: { threshold: 0, cutoff: 0 } }] },
      { ...result, segments: [[{ ...figures, numel: 1 }]] },
      { ...result, segments: [[]] },
    ]) {
      expect(() => { expectSameResult(other, result); }).toThrow();
    }
  });
});
