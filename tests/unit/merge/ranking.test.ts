/** A ranking over several tensors from counts of keys (merging.md sections 2 and 6): against sorting them all. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareUtf8 } from '../../../src/bytes/utf8';
import { HELD_DIGITS, Ranking, STREAMED_DIGITS, type RankedTensor } from '../../../src/merge/ranking';

const KEYS = 2 ** 31;

/** What a backend answers of one tensor: keys in [low, low + 2^(shift + bits)) by digit, and those above. */
function countsOf(keys: readonly number[], low: number, { shift, bits }: { shift: number; bits: number }) {
  const counts = new Uint32Array(2 ** bits);
  const above = new Uint32Array(1);
  for (const key of keys) {
    if (key < low) continue;
    const bin = Math.floor((key - low) / 2 ** shift);
    if (bin < counts.length) counts[bin]!++;
    else above[0]!++;
  }
  return { counts, above };
}

function rank(ranking: Ranking, keys: readonly (readonly number[])[]): { counts: number[]; rounds: number } {
  let rounds = 0;
  for (; ranking.digit !== null; rounds++) {
    keys.forEach((own, t) => ranking.add(t, countsOf(own, ranking.lowOf(t), ranking.digit!), 0));
    ranking.advance();
  }
  return { counts: ranking.counts(), rounds };
}

/** Every key with its tensor, sorted: the largest first, equal ones by tensor name. */
function bySorting(tensors: readonly RankedTensor[], keys: readonly (readonly number[])[], wanted: (pool: string, total: number) => number): number[] {
  const taken = tensors.map(() => 0);
  for (const pool of new Set(tensors.map((tensor) => tensor.pool))) {
    const all = keys.flatMap((own, t) => (tensors[t]!.pool === pool ? own.map((key) => ({ key, t })) : []));
    all.sort((a, b) => b.key - a.key || compareUtf8(tensors[a.t]!.name, tensors[b.t]!.name));
    for (const { t } of all.slice(0, wanted(pool, all.length))) taken[t]!++;
  }
  return taken;
}

const key = fc.oneof(fc.constantFrom(0, 1, 0x3a800000, 0x3a800001, 0x7f800000, 0x7fffffff), fc.integer({ min: 0, max: KEYS - 1 }));
const drawn = fc.array(fc.record({ name: fc.string({ unit: 'grapheme', maxLength: 4 }), pool: fc.constantFrom('a', 'b'), keys: fc.array(key, { maxLength: 30 }) }), { minLength: 1, maxLength: 6 });

describe('a ranking', () => {
  it.each([
    ['in the two digits of a stream', STREAMED_DIGITS, undefined, [2, 2]],
    ['in the three digits of what is held', HELD_DIGITS, undefined, [3, 3]],
    ['in one digit more when single tensors have too many keys near the threshold to remember', STREAMED_DIGITS, 3, [2, 3]],
  ])('takes what sorting all keys takes, %s', (_, digits, mostRemembered, [least, most]) => {
    fc.assert(
      fc.property(drawn, fc.double({ min: 0, max: 1, noNaN: true }), (made, share) => {
        const tensors = made.map(({ name, pool }, t) => ({ name: `${name}${t}`, pool, scale: 1 }));
        const keys = made.map((one) => one.keys);
        const wanted = (pool: string, total: number) => Math.trunc((pool === 'a' ? share : share / 2) * total);
        const { counts, rounds } = rank(new Ranking(tensors, digits, wanted, mostRemembered), keys);
        expect(counts).toEqual(bySorting(tensors, keys, wanted));
        expect(rounds).toBeGreaterThanOrEqual(least!);
        expect(rounds).toBeLessThanOrEqual(most!);
      }),
      { numRuns: 60 },
    );
  });

  it('takes equal keys in the byte order of UTF-8, not in the order they were given or in that of UTF-16', () => {
    const tensors = ['\u{1F600}', 'b', '\uFF5E', 'a'].map((name) => ({ name, pool: '', scale: 1 }));
    const keys = tensors.map(() => [7, 7]);
    const takes = (count: number) => rank(new Ranking(tensors, STREAMED_DIGITS, () => count), keys).counts;
    expect(takes(3)).toEqual([0, 1, 0, 2]);
    expect(takes(5)).toEqual([0, 2, 1, 2]);
    expect(takes(7)).toEqual([1, 2, 2, 2]);
  });

  it('weighs what was drawn of a tensor by what it stands for', () => {
    // 4 values that stand for 400, and 100 that are all there is: the 100 largest of 500.
    const tensors = [{ name: 'large', pool: '', scale: 100 }, { name: 'small', pool: '', scale: 1 }];
    const keys = [[1000, 10, 10, 10], Array.from({ length: 100 }, (_, i) => 500 + i)];
    const takes = (count: number) => rank(new Ranking(tensors, HELD_DIGITS, (_, total) => (expect(total).toBe(500), count)), keys).counts;
    expect(takes(100)).toEqual([1, 0]);
    expect(takes(130)).toEqual([1, 30]);
    expect(takes(200)).toEqual([1, 100]);
    expect(takes(400)).toEqual([3, 100]);
  });

  it('holds half a mebibyte of sums a ranking, however many tensors there are, and a bounded memory of single keys', () => {
    const tensors = Array.from({ length: 500 }, (_, t) => ({ name: `t${t}`, pool: '', scale: 1 }));
    const ranking = new Ranking(tensors, STREAMED_DIGITS, (_, total) => total / 5);
    rank(ranking, tensors.map((_, t) => Array.from({ length: 40 }, (__, i) => 0x3a800000 + ((t * 40 + i) * 7919) % 2 ** 15)));
    expect(ranking.stateBytes).toBe(2 ** 16 * 8);
    expect(ranking.stateBytes).toBeGreaterThan(500 * 40 * 6);
  });
});
