import { describe, expect, it } from 'vitest';
import type { Verification } from '../../../src/merge/verify';
import { verdictOf } from '../../../src/ui/run/verdict';

const SAME: Verification = { tensors: 2, same: 2, values: 40_000, differing: 0, differences: [], missing: [], foreign: [], reshaped: [] };
const apart = (differing: number, units: number | null): Verification => ({
  ...SAME,
  same: 1,
  differing,
  differences: [{ tensor: 'a', values: 20_000, differing, first: { index: 0, expected: '1', actual: '2' }, units }],
});
const verdict = (verification: Verification) => {
  const { grave, title } = verdictOf(verification, 'merged');
  return [grave, title];
};

describe('the verdict on a merged checkpoint', () => {
  it.each<[string, Verification, string, string]>([
    ['the same to the bit', SAME, 'good', 'merged is what its recipe gives'],
    ['one unit apart at one value in 10,000 (merging.md section 8)', apart(2, 1), 'good', 'merged is what its recipe gives, but for rounding'],
    ['one unit apart at more', apart(3, 1), 'bad', 'merged is not what its recipe gives'],
    ['two units apart', apart(1, 2), 'bad', 'merged is not what its recipe gives'],
    ['integers that differ', apart(1, null), 'bad', 'merged is not what its recipe gives'],
    ['a tensor that is missing', { ...SAME, same: 1, missing: ['a'] }, 'bad', 'merged is not what its recipe gives'],
    ['a tensor too many', { ...SAME, foreign: ['a'] }, 'bad', 'merged is not what its recipe gives'],
    ['another shape', { ...SAME, same: 1, reshaped: [{ tensor: 'a', expected: 'F32 [1]', actual: 'F32 [2]' }] }, 'bad', 'merged is not what its recipe gives'],
    ['more differences than are listed', { ...apart(1, 1), same: 0 }, 'bad', 'merged is not what its recipe gives'],
  ])('%s', (_name, verification, grave, title) => {
    expect(verdict(verification)).toEqual([grave, title]);
  });

  it('names the sources that are others', () => {
    expect(verdictOf(apart(3, 4), 'merged', ['ct', 'sft']).action).toBe('It was made from other values than those of ct and sft: drop the ones it was made from.');
  });

  it('gives both counts', () => {
    expect(verdictOf({ ...apart(3, 4), values: 400 }, 'merged').detail).toBe('1 of 2 tensors are the same to the bit; 3 of 400 values differ.');
  });
});
