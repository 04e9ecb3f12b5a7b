/** How much is read together and ahead: sizes from budgets (architecture.md, idea 8). */
import { describe, expect, it } from 'vitest';
import type { Group } from '../../../src/merge/backend';
import { stretchBytes, stretchesOf } from '../../../src/merge/chunk-reading';
import { READ_AHEAD_BYTES, readAheadBudget } from '../../../src/merge/io-sizes';

describe('readAheadBudget', () => {
  it('is a twelfth of the memory the browser tells of, and never more than keeps a disk busy', () => {
    expect([0.25, 0.5, 1, 2, 4, 8, 32].map((gib) => readAheadBudget(gib) / 2 ** 20)).toEqual([21 + 1 / 3, 42 + 2 / 3, 85 + 1 / 3, 170 + 2 / 3, 341 + 1 / 3, 384, 384].map((mib) => Math.floor(mib * 2 ** 20) / 2 ** 20));
  });

  it('is the full one where a browser tells nothing, or nonsense', () => {
    expect([undefined, 0, -1, Number.NaN].map(readAheadBudget)).toEqual(Array(4).fill(READ_AHEAD_BYTES));
  });
});

/** One slot of `elements` in chunks of `each`, three BF16 inputs; the last model has only its first `rows` elements. */
function groupOf(elements: number, each: number, rows = elements): Group {
  const slot = { name: 'w', elements, inputs: ['BF16', 'BF16', 'F32'] as const, modelElements: [elements, rows], outDtype: 'BF16' as const };
  const chunks = Array.from({ length: Math.ceil(elements / each) }, (_, c) => [{ slot: 0, first: c * each, count: Math.min(each, elements - c * each), present: [true, true, c * each < rows] }]);
  return { method: 'ties', slots: [slot], chunks };
}
const firsts = (group: Group, most: number) => stretchesOf(group, most).map(({ segments }) => segments.map(({ first }) => first));

describe('stretches', () => {
  it('are three for every input within the budget', () => {
    expect(stretchBytes(READ_AHEAD_BYTES, 3) * 9).toBeLessThanOrEqual(READ_AHEAD_BYTES);
    expect(stretchBytes(900, 3)).toBe(100);
    expect(stretchBytes(900, 9)).toBe(33);
  });

  it('hold as many chunks as the widest input allows, in order, the last ones fewer', () => {
    // 16 elements a chunk: 32 bytes of BF16, 64 of F32.
    expect(firsts(groupOf(80, 16), 128)).toEqual([[0, 16], [32, 48], [64]]);
    expect(firsts(groupOf(80, 16), 127)).toEqual([[0], [16], [32], [48], [64]]);
    expect(firsts(groupOf(80, 16), 1e6)).toEqual([[0, 16, 32, 48, 64]]);
  });

  it('count an input only where it has rows, and are never less than a chunk', () => {
    expect(firsts(groupOf(96, 16, 16), 64)).toEqual([[0, 16], [32, 48], [64, 80]]);
    expect(firsts(groupOf(48, 16), 1)).toEqual([[0], [16], [32]]);
  });
});
