/** The generator behind DARE (merging.md section 7): Philox 2x32-10, and what must not show in it. */
import { describe, expect, it } from 'vitest';
import { drawInto, drawOf, philox2x32, streamOf, words, type Draw } from '../../../src/merge/draw';

const COUNT = 200_000;
/** Five standard deviations of a binomial count: one run in two million is beyond. */
const bound = (n: number, p: number) => 5 * Math.sqrt(n * p * (1 - p));

function maskOf(draw: Draw, first = 0, count = COUNT): Uint8Array<ArrayBuffer> {
  const mask = new Uint8Array(count);
  drawInto(draw, first, mask, 0, count);
  return mask;
}
const sum = (values: Uint8Array) => values.reduce((total, value) => total + value, 0);
const limitOf = (k: number) => Math.trunc(k * 2 ** 32);

describe('Philox 2x32-10', () => {
  it.each([
    // The known answers that its authors publish with Random123.
    [[0, 0], 0, [0xff1dae59, 0x6cd10df2]],
    [[0xffffffff, 0xffffffff], 0xffffffff, [0x2c3f628b, 0xab4fd7ad]],
    [[0x243f6a88, 0x85a308d3], 0x13198a2e, [0xdd7ce038, 0xf62a4c12]],
  ] as const)('of %j under %i', ([low, high], key, expected) => {
    philox2x32(low, high, key);
    expect([...words]).toEqual(expected);
  });
});

describe('a draw', () => {
  it.each([0.01, 0.2, 0.5, 0.9])('keeps a share of %f', (k) => {
    const kept = sum(maskOf({ seed: 1, stream: streamOf('w', 0), limit: limitOf(k) }));
    expect(Math.abs(kept - k * COUNT)).toBeLessThan(bound(COUNT, k));
    expect(kept).not.toBe(0);
  });

  it('is the same however the tensor is cut', () => {
    const draw = { seed: 9, stream: streamOf('w', 1), limit: limitOf(0.3) };
    const whole = maskOf(draw, 0, 1000);
    for (const at of [1, 2, 333, 998, 999]) {
      const cut = new Uint8Array(1000);
      drawInto(draw, at, cut, at, 1000);
      drawInto(draw, 0, cut, 0, at);
      expect(cut).toEqual(whole);
    }
  });

  it('goes on past 2^31 elements', () => {
    const draw = { seed: 3, stream: 4, limit: limitOf(0.5) };
    const far = maskOf(draw, 2 ** 31 - 4, 8);
    expect([...far.slice(4)]).toEqual([...maskOf(draw, 2 ** 31, 4)]);
    expect([...maskOf(draw, 2 ** 32 - 64, 64)]).not.toEqual([...maskOf(draw, 0, 64)]);
  });

  it('shares nothing with its neighbours, another model, another tensor or another seed', () => {
    const k = 0.4;
    const draw = (seed: number, model: number, name: string): Draw => ({ seed, stream: streamOf(name, model), limit: limitOf(k) });
    const mine = maskOf(draw(1, 0, 'layers.0.w'));
    const shifted = (by: number) => Uint8Array.from(mine, (_, i) => mine[(i + by) % COUNT]!);
    const others = [1, 2, 3, 4, 8, 64, 4096].map(shifted);
    others.push(maskOf(draw(1, 1, 'layers.0.w')), maskOf(draw(1, 0, 'layers.1.w')), maskOf(draw(2, 0, 'layers.0.w')));
    for (const other of others) {
      const both = mine.reduce((total, value, i) => total + (value & other[i]!), 0);
      expect(Math.abs(both - k * k * COUNT)).toBeLessThan(bound(COUNT, k * k));
    }
  });

  it('keeps with a larger density what it kept with a smaller one', () => {
    const at = (k: number) => maskOf({ seed: 5, stream: 6, limit: limitOf(k) }, 0, 5000);
    const [few, more] = [at(0.2), at(0.5)];
    expect(few.every((kept, i) => kept <= more[i]!)).toBe(true);
    expect(sum(few)).toBeLessThan(sum(more));
  });

  it('is of the seed, the name and the place in the recipe; of none where the density keeps everything', () => {
    const parameters = { weight: [1, 1], density: [0.25, 1], lambda: 1, normalize: false, rescale: true, drop: { seed: 77, rescaleBy: 'magnitude' } } as const;
    expect(drawOf(parameters, 'w', 0)).toEqual({ seed: 77, stream: streamOf('w', 0), limit: 2 ** 30 });
    expect(drawOf(parameters, 'w', 1)).toBeNull();
    expect(new Set([streamOf('w', 0), streamOf('w', 1), streamOf('v', 0)]).size).toBe(3);
  });
});
