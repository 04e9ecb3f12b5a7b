/** What is set aside tells what another pass over the keys would count, also where equal keys were counted to make room. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { KeyList } from '../../../src/cpu/gathered';
import { rangeOf, tallyBlock } from '../../../src/cpu/select';
import { NAN_KEY } from '../../../src/reference/select';

const [LOW, END] = [1000, 1400];

it.each([
  ['keys that differ', fc.integer({ min: LOW, max: END - 1 }), false],
  ['ties of a few', fc.integer({ min: 0, max: 9 }).map((n) => LOW + 40 * n), true],
] as const)('of %s: counts of any range within are exact, or the list refuses', (_, key, alwaysFits) => {
  const lists = fc.array(fc.array(key, { maxLength: 30 }), { maxLength: 20 });
  fc.assert(
    fc.property(lists, fc.integer({ min: LOW, max: END - 1 }), fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 64 }), (blocks, low, width, bins) => {
      const list = new KeyList(10, 40, true);
      const fits = blocks.every((block) => list.append(Int32Array.from(block)));
      if (alwaysFits) expect(fits).toBe(true);
      if (!fits) return;
      const keys = Int32Array.from(blocks.flat());
      const range = rangeOf(low, Math.min(END, low + width), bins);
      const counts = new Uint32Array(range.bins);
      const above = tallyBlock(keys, keys.length, range, NAN_KEY, counts);
      const told = list.gathered({ low: LOW, bins: 512, shift: 0 }, 7, 5000).tally(range, NAN_KEY);
      expect(told).toEqual({ counts, above: above + 7, total: 5000 });
    }),
  );
});

it('a list that counts nothing refuses what is too much, and tells nothing beyond its range', () => {
  const list = new KeyList(10, 40);
  expect([list.append(new Int32Array(40).fill(LOW)), list.append(Int32Array.of(LOW))]).toEqual([true, false]);
  expect(list.gathered({ low: LOW, bins: 8, shift: 0 }, 0, 40).tally({ low: LOW, bins: 9, shift: 0 }, NAN_KEY)).toBeNull();
});
