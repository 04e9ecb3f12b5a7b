/** What a merge may hold: automatic, or as chosen, and never so little that nothing can be read. */
import { describe, expect, it } from 'vitest';
import { groupsBudget, memoryOf } from '../../../src/merge/budget';
import { PIECES_HELD, WRITE_BYTES } from '../../../src/merge/io-sizes';
import { LEAST_MEMORY, MergeMemory } from '../../../src/worker/sizing';

describe('memory of a merge', () => {
  it('is what the machine allows until something is chosen, and again when that is taken back', () => {
    const memory = new MergeMemory(8);
    const { readAhead, automatic } = memory;
    expect([readAhead / 2 ** 20, automatic / 2 ** 20]).toEqual([384, 384 * 3 + 96]);
    memory.choose(2e9);
    expect(memory.readAhead).toBeGreaterThan(readAhead);
    expect(memory.automatic).toBe(automatic);
    memory.choose(null);
    expect(memory.readAhead).toBe(readAhead);
    expect(new MergeMemory(1).automatic).toBeLessThan(automatic);
  });

  it('as chosen is for the groups and the pieces of the writer together', () => {
    const memory = new MergeMemory(undefined);
    for (const bytes of [LEAST_MEMORY, 1e9, 3.3e9]) {
      memory.choose(bytes);
      const { readAhead: readAheadBytes } = memory;
      expect(memoryOf(readAheadBytes)).toBeLessThanOrEqual(bytes);
      expect(memoryOf(readAheadBytes)).toBeGreaterThan(bytes - 4);
      expect(groupsBudget({ readAheadBytes })).toBe(memoryOf(readAheadBytes) - PIECES_HELD * WRITE_BYTES);
    }
    memory.choose(1);
    expect(memory.readAhead).toBeGreaterThanOrEqual(50 * 2 ** 20);
  });
});
