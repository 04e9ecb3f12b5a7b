/** Chunk and segment arithmetic (faults.md B 24, 25): exact edges, nothing lost, nothing twice. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Slot } from '../../../src/merge/backend';
import { bytesPerElement, chunkRanges, elementsPerChunk, segmentInputBytes, segmentsOf, slotBytes } from '../../../src/merge/chunks';

const slot = (elements: number, ...models: (number | null)[]): Slot => ({
  name: 't',
  elements,
  inputs: ['BF16', ...models.map((own) => (own === null ? null : ('BF16' as const)))],
  modelElements: models.map((own) => own ?? 0),
  outDtype: 'BF16',
});

describe('elementsPerChunk', () => {
  it('is a multiple of 4096 from 4096 on', () => {
    expect(elementsPerChunk(8 * 4096, 8)).toBe(4096);
    expect(elementsPerChunk(8 * 4096 - 1, 8)).toBe(4094);
    expect(elementsPerChunk(8 * 8191 + 7, 8)).toBe(4096);
    expect(elementsPerChunk(8 * 8192, 8)).toBe(8192);
    expect(elementsPerChunk(128 * 2 ** 20, 8)).toBe(16777216);
    expect(elementsPerChunk(128 * 2 ** 20, 10)).toBe(13418496);
  });
  it('is the largest even number that fits below, and 2 at least', () => {
    expect(elementsPerChunk(8 * 257, 8)).toBe(256);
    expect(elementsPerChunk(8 * 256, 8)).toBe(256);
    expect(elementsPerChunk(8 * 255, 8)).toBe(254);
    expect(elementsPerChunk(16, 8)).toBe(2);
    expect(elementsPerChunk(1, 8)).toBe(2);
  });
});

describe('chunkRanges', () => {
  const sizes = (elements: number, each: number) => chunkRanges(elements, each).map(({ first, end }) => [first, end]);
  it('has edges where they belong', () => {
    expect(sizes(0, 256)).toEqual([]);
    expect(sizes(1, 256)).toEqual([[0, 1]]);
    expect(sizes(255, 256)).toEqual([[0, 255]]);
    expect(sizes(256, 256)).toEqual([[0, 256]]);
    expect(sizes(257, 256)).toEqual([[0, 256], [256, 257]]);
    expect(sizes(8191, 4096)).toEqual([[0, 4096], [4096, 8191]]);
    expect(sizes(8192, 4096)).toEqual([[0, 4096], [4096, 8192]]);
    expect(sizes(8196, 4096)).toEqual([[0, 4096], [4096, 8192], [8192, 8196]]);
  });
  it('stays exact at the end of a u32', () => {
    const ranges = chunkRanges(2 ** 32 - 1, 2 ** 30);
    expect(ranges.map(({ end }) => end)).toEqual([2 ** 30, 2 ** 31, 3 * 2 ** 30, 2 ** 32 - 1]);
  });
});

describe('segmentsOf', () => {
  it('is one segment where every model has everything', () => {
    expect(segmentsOf(slot(257, 257, 257), 3, { first: 0, end: 257 })).toEqual([{ slot: 3, first: 0, count: 257, present: [true, true, true] }]);
  });
  it('is cut where the rows of a model end, also at an odd place', () => {
    expect(segmentsOf(slot(20, 20, 7, null), 0, { first: 0, end: 20 })).toEqual([
      { slot: 0, first: 0, count: 7, present: [true, true, true, false] },
      { slot: 0, first: 7, count: 13, present: [true, true, false, false] },
    ]);
  });
  it('is not cut at an end on the edge of a chunk', () => {
    const cut = (first: number, end: number) => segmentsOf(slot(20, 20, 8), 0, { first, end }).map((segment) => [segment.first, segment.count, segment.present[2]]);
    expect(cut(0, 8)).toEqual([[0, 8, true]]);
    expect(cut(8, 20)).toEqual([[8, 12, false]]);
    expect(cut(6, 12)).toEqual([[6, 2, true], [8, 4, false]]);
  });
  it('covers a slot once, in order, and each model exactly up to its end', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), fc.array(fc.option(fc.nat(500)), { minLength: 1, maxLength: 4 }), fc.integer({ min: 1, max: 60 }), (elements, ends, half) => {
        const it = slot(elements, ...ends.map((end) => (end === null ? null : Math.min(end, elements))));
        const segments = chunkRanges(elements, 2 * half).flatMap((range) => segmentsOf(it, 0, range));
        let at = 0;
        for (const { first, count, present } of segments) {
          expect(first).toBe(at);
          expect(count).toBeGreaterThan(0);
          // Even, but for the end of a model's rows.
          if (first % 2 === 1) expect(it.modelElements).toContain(first);
          present.slice(1).forEach((has, model) => {
            expect(has).toBe(it.inputs[model + 1] !== null && first < it.modelElements[model]!);
            if (has) expect(first + count).toBeLessThanOrEqual(it.modelElements[model]!);
          });
          at += count;
        }
        expect(at).toBe(elements);
      }),
    );
  });
});

it('counts bytes of inputs that take part and of the output, in whole pairs', () => {
  const mixed: Slot = { ...slot(5, 5, null), inputs: ['F32', 'F16', null], outDtype: 'BF16' };
  expect(bytesPerElement(mixed)).toBe(8);
  expect(slotBytes(mixed)).toBe(48);
  expect(bytesPerElement({ ...mixed, inputs: ['F64', 'F64', 'BF16'], outDtype: 'F32' })).toBe(22);
  expect(segmentInputBytes(mixed, { slot: 0, first: 0, count: 5, present: [true, true, false] })).toBe(30);
  expect(segmentInputBytes(mixed, { slot: 0, first: 0, count: 5, present: [true, false, false] })).toBe(20);
});
