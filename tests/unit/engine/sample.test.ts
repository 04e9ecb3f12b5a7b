/** Rule: merging.md section 2 - what a sample says of where the last key kept lies, and that it is taken evenly. */
import { describe, expect, it } from 'vitest';
import { bracketOf, KeySample, SAMPLED, samplePlaces } from '../../../src/engine/sample';
import type { TensorParameters } from '../../../src/recipe/types';
import { makeGroup } from '../../conformance/harness';
import { encodeInput, generator } from '../../conformance/scenarios';

const PARAMETERS: TensorParameters = { weight: [1], density: [0.2], lambda: 1, normalize: true, rescale: false };

describe('a sample of keys', () => {
  it('takes all of a small run, and SAMPLED places of a large one, no sixteenth of it with less than nine tenths of its share', () => {
    expect([...samplePlaces(5, 8)]).toEqual([0, 1, 2, 3, 4]);
    const count = 45_088_768;
    const places = samplePlaces(count, SAMPLED);
    expect(new Set(places).size).toBe(SAMPLED);
    const parts = new Array<number>(16).fill(0);
    for (const place of places) parts[Math.floor((16 * place) / count)]!++;
    expect(Math.min(...parts)).toBeGreaterThan((0.9 * SAMPLED) / 16);
    expect(Math.max(...places)).toBeLessThan(count);
  });

  it.each(['F32', 'F16', 'BF16', 'F64'] as const)('ranks |value - base| of %s as their f32 bits, NaN as the largest', (dtype) => {
    const values = [[1, 1, 2, -4, 0.5, NaN], [1.5, 1, 1, -4.5, 0.25, 1]].map((one) => encodeInput(Float64Array.from(one), dtype));
    const slot = { name: 't', elements: 6, inputs: values, outDtype: 'F32' as const, parameters: PARAMETERS };
    const group = makeGroup('ties', [slot], [[{ slot: 0, first: 0, end: 6 }]]);
    const sample = new KeySample(group);
    values.forEach(({ bytes }, input) => sample.take(group.chunks[0]![0]!, input, bytes));
    expect(sample.taken).toBe(2);
    const bits = (value: number) => new Uint32Array(Float32Array.of(value).buffer)[0]!;
    expect([...sample.keys(0)]).toEqual([0, bits(0.25), bits(0.5), bits(0.5), bits(1), 0x7fffffff]);
  });

  it('looks at later chunks as closely as at the first, each once, and says whether there are more', () => {
    const values = [0, 1].map((input) => encodeInput(Float64Array.from({ length: 3 * SAMPLED }, (_, i) => input * i), 'F32'));
    const slot = { name: 't', elements: 3 * SAMPLED, inputs: values, outDtype: 'F32' as const, parameters: PARAMETERS };
    const group = makeGroup('ties', [slot], [[{ slot: 0, first: 0, end: 2 * SAMPLED }], [{ slot: 0, first: 2 * SAMPLED, end: 3 * SAMPLED }]]);
    const sample = new KeySample(group);
    const takeAll = (chunk: number) => {
      const segment = group.chunks[chunk]![0]!;
      values.forEach(({ bytes }, input) => sample.take(segment, input, bytes.subarray(4 * segment.first, 4 * (segment.first + segment.count))));
    };
    takeAll(0);
    expect([sample.taken, sample.keys(0).length]).toEqual([2, SAMPLED]);
    takeAll(1);
    takeAll(0);
    expect([sample.taken, sample.keys(0).length]).toEqual([4, 1.5 * SAMPLED]);
    expect(sample.keys(0).filter((key) => key >= new Uint32Array(Float32Array.of(2 * SAMPLED).buffer)[0]!).length).toBe(SAMPLED / 2);
  });

  it('brackets the last key kept of 200,000 drawn evenly at every density, in less than a 24th of them or, if it is to be narrow, a 42nd, and counts its own inside', () => {
    const random = generator(7);
    const keys = Uint32Array.from({ length: 200_000 }, () => Math.floor(random() * 0x7f800000));
    const sample = samplePlaces(keys.length, SAMPLED).map((place) => keys[place]!).sort();
    const ordered = keys.slice().sort().reverse();
    for (const density of [0.001, 0.05, 0.2, 0.5, 0.8, 0.999]) {
      const kept = Math.trunc(density * keys.length);
      for (const [width, most] of [[1, 1 / 24], [0.5, 1 / 30], [0, 1 / 42]] as const) {
        const { low, high, inside } = bracketOf(sample, kept, keys.length, width);
        expect(ordered[kept - 1]).toBeGreaterThanOrEqual(low);
        expect(ordered[kept - 1]).toBeLessThan(high);
        expect(keys.filter((key) => key >= low && key < high).length).toBeLessThan(keys.length * most);
        expect(inside).toBe(sample.filter((key) => key >= low && key < high).length);
      }
    }
  });

  it('is open at the ends: the first and the last of all', () => {
    const sample = Uint32Array.from({ length: 1000 }, (_, i) => 10 + i);
    expect(bracketOf(sample, 1, 100_000).high).toBe(2 ** 31);
    expect(bracketOf(sample, 99_999, 100_000).low).toBe(0);
  });
});
