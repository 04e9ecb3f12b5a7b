/** Random merges: shapes, dtypes, parameters and values that are unkind to selection, election and rounding. */
import fc from 'fast-check';
import { encodeFromF32 } from '../../src/bytes/floats';
import { bytesPerValue, MERGED_DTYPES, OUTPUT_DTYPES, type MergedDtype, type OutputDtype } from '../../src/bytes/dtypes';
import { drops, traitsOf } from '../../src/recipe/methods';
import { METHODS, type Method, type TensorParameters } from '../../src/recipe/types';
import type { Input, SlotCase, Stretch } from './harness';

/** How the values of a tensor look. */
export const KINDS = [
  'gaussian', // what training gives
  'quantised', // few magnitudes: most of a tensor ties with its threshold
  'all-equal',
  'equal-to-base', // task vectors of zero
  'one-huge',
  'subnormal',
  'signed-zeros',
  'alternating', // opposite equal magnitudes: e = 0 everywhere
  'overflowing', // near the largest finite value
] as const;
export type Kind = (typeof KINDS)[number] | 'nonfinite';

export interface Scenario {
  readonly method: Method;
  readonly slots: readonly SlotCase[];
  /** Where to cut the slots into segments. */
  readonly stretches: readonly Stretch[];
}

export interface ScenarioLimits {
  readonly methods: readonly Method[];
  readonly maxModels: number;
  readonly maxElements: number;
  readonly kinds: readonly Kind[];
}
/** Every method with passes of its own; those that the host decides for are merged by these (angles.ts, masks.ts). */
const HAVE_PASSES = METHODS.filter((method) => traitsOf(method).angle === null && ['all', 'largest', 'drawn'].includes(traitsOf(method).keeps));
export const EVERYTHING: ScenarioLimits = { methods: HAVE_PASSES, maxModels: 5, maxElements: 700, kinds: [...KINDS, 'nonfinite'] };

/** A small linear congruential generator with good high bits: values in [0, 1). Fixtures must not depend on the engine. */
export function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d);
    mixed = Math.imul(mixed ^ (mixed >>> 12), 0x297a2d39);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}

export function arbitraryScenario(limits: ScenarioLimits = EVERYTHING): fc.Arbitrary<Scenario> {
  return fc
    .record({ method: fc.constantFrom(...limits.methods), models: fc.integer({ min: 1, max: limits.maxModels }) })
    .chain(({ method, models }) =>
      fc
        .array(arbitrarySlot(method, models, limits), { minLength: 1, maxLength: 3 })
        .chain((slots) => fc.tuple(...slots.map((slot, s) => arbitraryStretches(s, slot.elements))).map((cuts) => ({
          method,
          slots: slots.map((slot, s) => ({ ...slot, name: `tensor.${s}` })),
          stretches: cuts.flat(),
        }))),
    );
}

function arbitrarySlot(method: Method, models: number, limits: ScenarioLimits): fc.Arbitrary<SlotCase> {
  return fc
    .record({
      seed: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
      elements: fc.integer({ min: 1, max: limits.maxElements }),
      kind: fc.constantFrom(...limits.kinds),
      dtypes: fc.array(fc.constantFrom(...MERGED_DTYPES), { minLength: models + 1, maxLength: models + 1 }),
      // Which models are absent, and which end early; the first is whole, so that `linear` has its base.
      parts: fc.array(fc.constantFrom('whole', 'whole', 'whole', 'short', 'absent'), { minLength: models, maxLength: models }),
      hasBase: fc.boolean(),
      outDtype: fc.constantFrom(...OUTPUT_DTYPES),
      parameters: arbitraryParameters(method, models),
    })
    .map(({ seed, elements, kind, dtypes, parts, hasBase, outDtype, parameters }) => {
      const random = generator(seed);
      const base = baseValues(kind, elements, random);
      const inputs = dtypes.map((dtype, input): Input | null => {
        if (input === 0) return method === 'linear' && !hasBase ? null : encodeInput(base, dtype);
        const part = input === 1 ? 'whole' : parts[input - 1]!;
        if (part === 'absent') return null;
        const values = modelValues(kind, base, input, random);
        return encodeInput(part === 'short' ? values.slice(0, evenBelow(elements)) : values, dtype);
      });
      return { name: '', elements, inputs, outDtype, parameters };
    });
}

/** Segments begin at even elements, so a model ends at one. */
function evenBelow(elements: number): number {
  return elements < 3 ? elements : Math.floor(elements / 4) * 2;
}

function arbitraryStretches(slot: number, elements: number): fc.Arbitrary<Stretch[]> {
  return fc.uniqueArray(fc.integer({ min: 1, max: Math.max(1, Math.floor((elements - 1) / 2)) }), { maxLength: 4 }).map((halves) => {
    const cuts = [0, ...halves.map((half) => 2 * half).filter((cut) => cut < elements).sort((a, b) => a - b), elements];
    return cuts.slice(1).map((end, i) => ({ slot, first: cuts[i]!, end }));
  });
}

function arbitraryParameters(method: Method, models: number): fc.Arbitrary<TensorParameters> {
  const perModel = <T>(value: fc.Arbitrary<T>) => fc.array(value, { minLength: models, maxLength: models });
  const weight = fc.oneof(
    { weight: 3, arbitrary: fc.constant(1) },
    fc.constantFrom(0, -1, 0.5, -0.5, 2, 0.3, 0.7),
    fc.double({ min: -2, max: 2, noNaN: true }),
  );
  const share = fc.oneof(fc.constantFrom(0, 0.04, 0.25, 0.5, 1), fc.double({ min: 0, max: 1, noNaN: true }));
  const density = fc.oneof(fc.constantFrom(0.2, 1, 0.01, 0.6, 1.5), fc.double({ min: 0.001, max: 1, noNaN: true }));
  const slack = fc.record({
    s: share,
    of: fc.constantFrom('retained' as const, 'discarded' as const),
    prefer: fc.nat({ max: models - 1 }),
  });
  const drop = fc.record({
    seed: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 2 ** 32 - 1 })),
    rescaleBy: fc.constantFrom('magnitude' as const, 'density' as const),
  });
  return fc.record({
    weight: perModel(weight),
    density: perModel(density),
    lambda: fc.oneof(fc.constant(1), fc.constantFrom(0.5, 1.5, -1, 0, 0.3)),
    normalize: fc.boolean(),
    rescale: fc.boolean(),
    ...(method === 'ties_sv' ? { slack } : {}),
    ...(drops(method) ? { drop } : {}),
  });
}

function gaussian(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

function baseValues(kind: Kind, elements: number, random: () => number): Float64Array {
  return Float64Array.from({ length: elements }, (_, i) => {
    switch (kind) {
      case 'subnormal':
        return (random() - 0.5) * 2 ** -125;
      case 'signed-zeros':
        return random() < 0.5 ? 0 : -0;
      case 'overflowing':
        return (random() < 0.5 ? -1 : 1) * 3e38 * random();
      case 'all-equal':
        return 0.5;
      case 'alternating':
        return i % 3;
      case 'nonfinite':
        return random() < 0.02 ? oddity(random) : gaussian(random) * 0.02;
      default:
        return gaussian(random) * 0.02;
    }
  });
}

function modelValues(kind: Kind, base: Float64Array, input: number, random: () => number): Float64Array {
  const huge = Math.floor(random() * base.length);
  return base.map((value, i) => {
    switch (kind) {
      case 'gaussian':
        return value + gaussian(random) * 0.001;
      case 'quantised':
        return value + Math.round(gaussian(random) * 1.5) / 1024;
      case 'all-equal':
        return value + 0.25;
      case 'equal-to-base':
        return value;
      case 'one-huge':
        return i === huge ? 60000 : value + gaussian(random) * 1e-4;
      case 'subnormal':
        return value + Math.round(gaussian(random) * 8) * 2 ** -149;
      case 'signed-zeros':
        return random() < 0.8 ? -value : gaussian(random);
      case 'alternating':
        return value + ((i + input) % 2 === 0 ? 0.125 : -0.125);
      case 'overflowing':
        return (random() < 0.5 ? -1 : 1) * 3e38 * random();
      case 'nonfinite':
        return random() < 0.05 ? oddity(random) : value + gaussian(random) * 0.001;
    }
  });
}

function oddity(random: () => number): number {
  return [NaN, Infinity, -Infinity][Math.floor(random() * 3)]!;
}

export function encodeInput(values: Float64Array, dtype: MergedDtype): Input {
  if (dtype === 'F64') return { dtype, bytes: new Uint8Array(values.slice().buffer) };
  return { dtype, bytes: encodeFromF32(new Float32Array(values), dtype) };
}

/** A slot of `elements` with gaussian values, for tests that vary only how it is cut. */
export function trainedSlot(
  name: string,
  elements: number,
  dtypes: readonly MergedDtype[],
  outDtype: OutputDtype,
  parameters: TensorParameters,
  { kind = 'quantised' as Kind, seed = elements } = {},
): SlotCase {
  const random = generator(seed);
  const base = baseValues(kind, elements, random);
  const inputs = dtypes.map((dtype, i) => encodeInput(i === 0 ? base : modelValues(kind, base, i, random), dtype));
  return { name, elements, inputs, outDtype, parameters };
}

/** What a failing run prints: the scenario without its bytes. */
export function describeScenario({ method, slots, stretches }: Scenario): string {
  const shape = slots.map(({ elements, inputs, outDtype, parameters }) => ({
    elements,
    inputs: inputs.map((input) => input && `${input.dtype} x ${input.bytes.byteLength / bytesPerValue(input.dtype)}`),
    outDtype,
    parameters,
  }));
  return JSON.stringify({ method, shape, stretches });
}
