/**
 * Tensors large enough for a bracket from a sample: SIMD, typed arrays and the reference give the same bytes, sets and figures,
 * whether the bracket holds the threshold, holds little else than ties, or misses.
 */
import { expect, it } from 'vitest';
import { f32ToBf16 } from '../../src/bytes/floats';
import { createCpuBackend } from '../../src/cpu/backend';
import type { TensorParameters } from '../../src/recipe/types';
import { createReferenceBackend } from '../../src/reference/backend';
import { expectSameResult } from './compare';
import { makeGroup, mergeGroup, type SlotCase } from './harness';
import { generator } from './scenarios';

/** A little over what is sampled, and no multiple of a block. */
const ELEMENTS = 2 ** 20 + 2 ** 11 + 5;
const BITS = new Uint32Array(1);
const VALUE = new Float32Array(BITS.buffer);
function bf16(value: number): number {
  VALUE[0] = value;
  return f32ToBf16(BITS[0]!);
}

type Values = (at: number, random: () => number) => number;
/** What the models add to a base of 0, one after the other. */
const ADDED: Readonly<Record<string, readonly [Values, Values]>> = {
  'drawn evenly: the bracket holds the threshold': [(_, random) => random() - 0.5, (_, random) => 2 * (random() - 0.5)],
  'of four magnitudes: a quarter of all ties at the threshold': [(_, random) => (Math.floor(random() * 4) - 2) / 8, (at) => (at % 4) / 8],
  'all equal but one': [(at) => (at === 77_777 ? 1 : -0.25), () => 0.25],
  'all zero, of both signs': [(at) => (at & 1 ? -0 : 0), () => 0],
  'in runs as long as the sample steps over: the bracket misses': [(at) => ((at >> 4) % 64 === 0 ? 2 ** -10 : 1 + (at % 7)), (at) => ((at >> 4) % 64 === 0 ? 8 : 2 ** -12)],
  'subnormal, and a NaN in one block': [(at) => (at === 500_000 ? NaN : (at % 100) * 2 ** -133), (at) => -(at % 90) * 2 ** -133],
};
const encoded = (values: Values, seed: number) => {
  const random = generator(seed);
  return { dtype: 'BF16' as const, bytes: new Uint8Array(Uint16Array.from({ length: ELEMENTS }, (_, at) => bf16(values(at, random))).buffer) };
};
const base = encoded(() => 0, 1);
const parameters = (density: readonly number[]): TensorParameters => ({ weight: [1, 0.5], density, lambda: 1, normalize: true, rescale: false, slack: { s: 0.04, of: 'retained', prefer: 0 } });

// The third keeps no inputs and sets nothing aside, the last two keep none and set aside what is in the bracket.
const backends = [createCpuBackend(), createCpuBackend({ simd: false }), createCpuBackend({ residentBytes: 0 }), createCpuBackend({ residentBytes: 2 ** 20 }), createCpuBackend({ residentBytes: 6e6, simd: false })];
const reference = createReferenceBackend();

for (const [c, [title, [first, second]]] of Object.entries(ADDED).entries()) {
  const inputs = [base, encoded(first, 2), encoded(second, 3)];
  // K = 1 and K = N - 1 in turns.
  const densities = [0.2, c % 2 === 0 ? 1 / ELEMENTS : (ELEMENTS - 0.5) / ELEMENTS];
  it(title, async () => {
    const slot: SlotCase = { name: 't', elements: ELEMENTS, inputs, outDtype: 'BF16', parameters: parameters(densities) };
    const cut = 2 ** 19 + 2;
    const group = makeGroup('ties_sv', [slot], [[{ slot: 0, first: 0, end: cut }], [{ slot: 0, first: cut, end: ELEMENTS }]]);
    const expected = await mergeGroup(reference, group, [slot]);
    for (const backend of backends) {
      const { result, outputs } = await mergeGroup(backend, group, [slot]);
      expectSameResult(result, expected.result);
      expect(Buffer.compare(outputs[0]!, expected.outputs[0]!)).toBe(0);
    }
  });
}
