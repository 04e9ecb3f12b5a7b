/** The table of methods: rows that would contradict each other (recipe/methods.ts). */
import { describe, expect, it } from 'vitest';
import { needsBase, readsDensity, traitsOf, trimsAndElects } from '../../../src/recipe/methods';
import { METHODS } from '../../../src/recipe/types';

describe('the table of methods', () => {
  it('tells every method apart by its label, and by its short name', () => {
    for (const key of ['label', 'short'] as const) expect(new Set(METHODS.map((method) => traitsOf(method)[key])).size).toBe(METHODS.length);
  });

  it('has no method that elects or trims without task vectors, nor a slack without trimming and election', () => {
    for (const method of METHODS) {
      const { elects, slack } = traitsOf(method);
      if (elects || readsDensity(method)) expect(needsBase(method), method).toBe(true);
      if (slack) expect(trimsAndElects(method), method).toBe(true);
    }
  });

  it('shares a name in MergeKit between TIES and TIES-SV, and between NuSLERP with a base and without, alone', () => {
    const shared = METHODS.filter((method) => METHODS.some((other) => other !== method && traitsOf(other).mergekit === traitsOf(method).mergekit));
    expect(shared).toEqual(['nuslerp_values', 'nuslerp', 'ties', 'ties_sv']);
  });
});
