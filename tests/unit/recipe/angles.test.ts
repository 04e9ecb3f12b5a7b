/** Weights from angles (merging.md section 7): the formulas at angles that can be written down. */
import { describe, expect, it } from 'vitest';
import { modelStock, nuslerp, slerp } from '../../../src/recipe/angles';

/** Products of two vectors of lengths a and b at an angle. */
const pair = (a: number, b: number, angle: number) => Float64Array.from([a * a, a * b * Math.cos(angle), a * b * Math.cos(angle), b * b]);

describe('SLERP', () => {
  it('at a right angle goes along the circle, whatever the lengths', () => {
    for (const products of [pair(1, 1, Math.PI / 2), pair(3, 0.01, Math.PI / 2)]) {
      const [first, second] = slerp(products, [2 / 3, 1 / 3]);
      expect(first).toBeCloseTo(Math.cos(Math.PI / 6), 12);
      expect(second).toBeCloseTo(Math.sin(Math.PI / 6), 12);
    }
  });

  it('ends where the models are', () => {
    expect(slerp(pair(1, 2, 1), [1, 0])).toEqual([1, 0]);
    const [first, second] = slerp(pair(1, 2, 1), [0, 1]);
    expect([first, second]).toEqual([0, 1]);
  });

  it('goes straight above a cosine of 0.9995, and where a vector is 0; NuSLERP bends as long as there is an angle', () => {
    const close = pair(1, 1, 0.03);
    expect(slerp(close, [0.75, 0.25])).toEqual([0.75, 0.25]);
    expect(slerp(pair(1, 1, 0.032), [0.75, 0.25])).not.toEqual([0.75, 0.25]);
    expect(slerp(pair(1, 0, 1), [0.75, 0.25])).toEqual([0.75, 0.25]);
    expect(nuslerp(close, [0.75, 0.25])).not.toEqual([0.75, 0.25]);
    expect(nuslerp(close, [3, 1])).toEqual(nuslerp(close, [0.75, 0.25]));
    expect(nuslerp(pair(1, 1, 0), [3, 1])).toEqual([0.75, 0.25]);
    expect(nuslerp(pair(1, 1, Math.PI), [3, 1])).toEqual([0.75, 0.25]);
  });
});

describe('model stock', () => {
  it('is the mean at one direction and the base at right angles', () => {
    expect(modelStock(pair(1, 1, 0), [])).toEqual([0.5, 0.5]);
    for (const weight of modelStock(pair(1, 1, Math.PI / 2), [])) expect(weight).toBeCloseTo(0, 12);
  });

  it('of three takes the mean of the cosines: r = 3 c / (1 + 2 c)', () => {
    const products = Float64Array.from([1, 0.5, 0.2, 0.5, 1, 0.8, 0.2, 0.8, 1]);
    for (const weight of modelStock(products, [])) expect(weight).toBeCloseTo(0.5 / 2, 12);
  });

  it('takes a model that changed nothing for one at a right angle, and the mean where r has no value', () => {
    for (const weight of modelStock(pair(1, 0, 0), [])) expect(weight).toBe(0);
    expect(modelStock(pair(1, 1, Math.PI), [])).toEqual([0.5, 0.5]);
  });
});
