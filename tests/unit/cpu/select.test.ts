/** The bracketed selection against a full sort: whatever the bracket, threshold and ties are those of the K largest. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addCounts, allKeys, bracket, narrow, rangeOf, tallyBlock, type Found, type KeyRange } from '../../../src/cpu/select';
import { INFINITY_KEY, NAN_KEY } from '../../../src/reference/select';

const PARTS = 3;

/** The selection as rounds over parts. `rounds` counts the passes over the keys. */
function select(keys: Int32Array, count: number, first: KeyRange, most: number): Found & { rounds: number } {
  for (let range = first, rounds = 1; ; rounds++) {
    const sum = { counts: new Uint32Array(range.bins), above: 0 };
    for (let part = 0; part < PARTS; part++) {
      const own = keys.subarray(Math.floor((part * keys.length) / PARTS), Math.floor(((part + 1) * keys.length) / PARTS));
      const counts = new Uint32Array(range.bins);
      sum.above += tallyBlock(own, own.length, range, INFINITY_KEY, counts);
      addCounts(sum.counts, counts);
    }
    const next = narrow(range, sum, count, most);
    if ('threshold' in next) return { ...next, rounds };
    if (rounds > 12) throw new Error('the selection does not end');
    range = next;
  }
}

function bySorting(keys: Int32Array, count: number): Found {
  const canonical = Uint32Array.from(keys, (key) => ((key & 0x7fffffff) > INFINITY_KEY ? NAN_KEY : key & 0x7fffffff)).sort();
  const threshold = canonical[canonical.length - count]!;
  return { threshold, take: count - canonical.filter((key) => key > threshold).length };
}

const bitsOf = (value: number) => new Int32Array(Float32Array.of(value).buffer)[0]!;
const ADVERSARIAL: Readonly<Record<string, fc.Arbitrary<number[]>>> = {
  'all equal': fc.tuple(fc.integer({ min: 0, max: NAN_KEY }), fc.integer({ min: 1, max: 400 })).map(([key, n]) => new Array<number>(n).fill(key)),
  'two values': fc.tuple(fc.nat(NAN_KEY), fc.nat(NAN_KEY), fc.array(fc.boolean(), { minLength: 1, maxLength: 400 })).map(([a, b, which]) => which.map((is) => (is ? a : b))),
  sorted: fc.array(fc.nat(NAN_KEY), { minLength: 1, maxLength: 400 }).map((keys) => keys.sort((a, b) => a - b)),
  'NaN of many kinds and infinities': fc.array(fc.oneof(fc.integer({ min: 0x7f800000, max: NAN_KEY }), fc.constantFrom(-1, -8388608, 0)), { minLength: 1, maxLength: 200 }),
  subnormals: fc.array(fc.nat(0x7fffff), { minLength: 1, maxLength: 400 }),
  'floats of both signs': fc.array(fc.float({ noNaN: true }), { minLength: 1, maxLength: 400 }).map((values) => values.map(bitsOf)),
};

describe('selection by rounds', () => {
  for (const [title, arbitrary] of Object.entries(ADVERSARIAL)) {
    it(`${title}: a bracket from any sample, right or wrong, gives the K largest`, () => {
      const where = fc.record({ keys: arbitrary, share: fc.double({ min: 0, max: 1, noNaN: true }), from: fc.nat(399), length: fc.integer({ min: 1, max: 60 }), most: fc.constantFrom(2, 16, 2 ** 11, 2 ** 18) });
      fc.assert(
        fc.property(where, ({ keys: drawn, share, from, length, most }) => {
          const keys = Int32Array.from(drawn);
          const count = Math.max(1, Math.trunc(share * keys.length));
          // A stretch of the keys is no fair sample: most brackets miss.
          const stretch = Uint32Array.from(keys.slice(Math.min(from, keys.length - 1)).slice(0, length), (key) => key & 0x7fffffff).sort();
          const expected = bySorting(keys, count);
          const rounds = most === 2 ? allKeys(2 ** 11) : bracket(stretch, count, keys.length, most);
          const { threshold, take } = select(keys, count, rounds, Math.max(16, most));
          expect({ threshold, take }).toEqual(expected);
        }),
        { numRuns: 150 },
      );
    });
  }

  it('a fair sample brackets the K-th key of 400,000, and one pass is enough', () => {
    let state = 7;
    const random = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
    const keys = Int32Array.from({ length: 400_000 }, () => bitsOf((random() + random() + random() - 1.5) * 0.001));
    const sample = Uint32Array.from({ length: 2 ** 15 }, (_, i) => keys[i * 12]! & 0x7fffffff).sort();
    for (const share of [0.01, 0.2, 0.5, 0.9]) {
      const count = Math.trunc(share * keys.length);
      const found = select(keys, count, bracket(sample, count, keys.length, 2 ** 22), 2 ** 22);
      expect({ threshold: found.threshold, take: found.take }).toEqual(bySorting(keys, count));
      expect(found.rounds).toBe(1);
    }
  });

  it('a bracket that misses on either side costs rounds, not the result', () => {
    const keys = Int32Array.from({ length: 1000 }, (_, i) => i * 1000);
    for (const range of [rangeOf(0, 10, 16), rangeOf(990_000, 2 ** 31, 16), rangeOf(499_000, 500_000, 2048)]) {
      expect(select(keys, 500, range, 2048)).toMatchObject({ threshold: 500_000, take: 1 });
    }
  });
});
