/**
 * Rule: issue 4 items 1 and 2 - the lists of a bracket are as long as the sample says, within one binding and a chunk of the budget,
 * however large the tensor and however many lanes they are for; a tensor has none where they would be too long.
 */
import { describe, expect, it } from 'vitest';
import { chooseBrackets, type LaneSample, listCapacity } from '../../../src/engine/bracket';
import { deviceBudget } from '../../../src/engine/budget';
import { KeySample, SAMPLED } from '../../../src/engine/sample';
import { awkwardGroup } from '../../../src/merge/self-test-data';

const MIB = 2 ** 20;
/** What every device has (WebGPU's default limits). */
const DEFAULTS = { maxBufferSize: 256 * MIB, maxStorageBufferBindingSize: 128 * MIB };
const ENTRY = 8;
const [SAMPLE, ELEMENTS] = [SAMPLED, 45_088_768];

/** As many lanes of keys that all differ, of a sample of that many. */
function distinct(lanes: number, sampled: number, elements: number, density: number): LaneSample[] {
  const keys = Uint32Array.from({ length: sampled }, (_, i) => 16 * i);
  return Array.from({ length: lanes }, () => ({ keys, kept: Math.trunc(density * elements), elements }));
}

/** What is sampled of a tensor of three inputs and one output in BF16 before its first pass: the chunks that stay, and one more. */
function sampledOf(elements: number, { chunkBytes, residentBytes }: { readonly chunkBytes: number; readonly residentBytes: number }): number {
  const [chunk, arena] = [chunkBytes / 8, 0.75 * chunkBytes];
  return Math.floor(SAMPLED * Math.min(elements / chunk, Math.floor(residentBytes / arena) + 1));
}

describe('room of the lists', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])('of %i lanes is within one binding, in whole bindings a lane, with half as much again as the sample says', (lanes) => {
    const { ranges, capacity } = chooseBrackets(ELEMENTS, distinct(lanes, SAMPLE, ELEMENTS, 0.2), 128 * MIB)!;
    expect(lanes * ENTRY * capacity).toBeLessThanOrEqual(128 * MIB);
    expect((ENTRY * capacity) % 256).toBe(0);
    for (const { inside } of ranges) {
      // 6 deviations (434.4) of 0.2 of 2 ** 15, and 1 in 256 (128), to both sides of place 6,553.6.
      if (lanes < 5) expect(inside).toBe(7116 - 5991 + 2);
      expect((capacity * SAMPLE) / ELEMENTS).toBeGreaterThan(1.15 * inside);
      expect((capacity * SAMPLE) / ELEMENTS).toBeLessThan(1.5 * inside + 1);
    }
  });

  it('is for all that six deviations of the sample hold, or there is none', () => {
    const inside = { sampled: 1000, inside: 99, elements: 32_000 };
    // 99 + 6 * 10 of 1,000.
    expect(listCapacity(inside, 5088)).toBe(5088);
    expect(listCapacity(inside, 5056)).toBeNull();
    expect(listCapacity({ sampled: 10_000, inside: 1000, elements: 320_000 }, 1e6)).toBe(1.5 * 32_000);
  });

  it.each([
    { elements: 32_000 * 4096, software: false, lanes: 2, mib: 52 },
    { elements: 32_000 * 4096, software: true, lanes: 2, mib: 56 },
    { elements: 128_256 * 4096, software: false, lanes: 1, mib: 100 },
    { elements: 128_256 * 4096, software: false, lanes: 2, mib: 128 },
    { elements: 128_256 * 4096, software: true, lanes: 2, mib: 80 },
    { elements: 128_256 * 8192, software: false, lanes: 2, mib: 128 },
  ])('a tensor of $elements values, $lanes trimmed at 0.2, software $software: $mib MiB', ({ elements, software, lanes, mib }) => {
    const budget = deviceBudget(DEFAULTS, { software });
    const chosen = chooseBrackets(elements, distinct(lanes, sampledOf(elements, budget), elements, 0.2), budget.chunkBytes);
    expect(chosen).not.toBeNull();
    expect(Math.round((lanes * ENTRY * chosen!.capacity) / MIB)).toBe(mib);
  });

  it('of a bracket that ties fill is none: not where every key is the same, nor where one in three is', () => {
    const lane = (keys: Uint32Array<ArrayBuffer>) => [{ keys, kept: 200_000, elements: 1_000_000 }];
    expect(chooseBrackets(1_000_000, lane(new Uint32Array(SAMPLE).fill(7)), 128 * MIB)).toBeNull();
    const third = Uint32Array.from({ length: SAMPLE }, (_, i) => (i < 0.6 * SAMPLE ? i : i < 0.9 * SAMPLE ? SAMPLE : 2 * SAMPLE + i));
    expect(chooseBrackets(1_000_000, lane(third), 128 * MIB)).toBeNull();
  });

  it('is there for the tensor of the self-test, which has to reach the passes that fill it', async () => {
    const elements = 8197;
    const { group, read } = awkwardGroup('ties_sv', ['BF16', 'BF16', 'BF16'], [{ elements, modelElements: [elements, elements], outDtype: 'BF16' }], [4098]);
    const sample = new KeySample(group);
    for (const segment of group.chunks.flat()) for (const input of [0, 1, 2]) sample.take(segment, input, await read(segment, input));
    const lanes = [0.2, 0.7].map((density, model) => ({ keys: sample.keys(model), kept: Math.trunc(density * elements), elements }));
    expect(chooseBrackets(elements, lanes, 128 * MIB)!.ranges.map(({ inside }) => inside)).toEqual([1490, 2977]);
  });

  it('where it is short makes brackets narrower, and where those are too wide still, none', () => {
    const lanes = distinct(2, SAMPLE, ELEMENTS, 0.2);
    const insides = [128, 28, 22, 16, 15].map((mib) => chooseBrackets(ELEMENTS, lanes, mib * MIB)?.ranges[0]!.inside);
    // At place 6,553.6: 562.4 places to both sides, 430, and 297.6: four deviations and eight.
    expect(insides).toEqual([1127, 1127, 862, 598, undefined]);
  });
});
