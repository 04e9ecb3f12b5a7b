/** The loops in WebAssembly against those on typed arrays, each by itself: the same bits, counts and answers on unkind blocks. */
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createKernels, STEP, type Kernels } from '../../../src/cpu/kernels';
import { TYPED_OPS, type BlockOps } from '../../../src/cpu/ops';
import { pairOf } from '../../../src/cpu/pair';
import { BLOCK, Scratch, type Lane } from '../../../src/cpu/scratch';
import { rangeOf } from '../../../src/cpu/select';
import { INFINITY_KEY, NAN_KEY } from '../../../src/reference/select';

const kernels: Kernels = createKernels()!;
const PATHS: readonly { readonly ops: BlockOps; readonly scratch: Scratch }[] = [
  { ops: kernels.ops, scratch: new Scratch(kernels.allocate) },
  { ops: TYPED_OPS, scratch: new Scratch() },
];

/** Runs the same on both paths and compares every answer; arrays bit by bit. */
function same(act: (ops: BlockOps, scratch: Scratch) => unknown): void {
  const [simd, typed] = PATHS.map(({ ops, scratch }) => act(ops, scratch));
  expect(simd).toEqual(typed);
}
const bitsOf = (lane: Lane, n: number) => [...lane.bits.subarray(0, n)];
const fill = (lane: Lane, words: readonly number[]) => void lane.bits.set(words);

/** Bits of finite values: ordinary, equal ones, both zeros, subnormals, the edges of rounding and the largest. */
const EDGES = [0, 0x80000000, 1, 0x80000001, 0x7fffff, 0x800000, 0x3f800000, 0xbf800000, 0x7f7f7fff, 0x7f7f8000, 0x7f7fffff, 0xff7fffff, 0x33000000, 0x33000001, 0x387fffff, 0x38800000, 0x477fefff, 0x477ff000];
const finite = fc.oneof(
  fc.constantFrom(...EDGES.map((word) => word | 0)),
  fc.float({ noNaN: true, noDefaultInfinity: true, min: -2, max: 2 }).map((value) => new Int32Array(Float32Array.of(value).buffer)[0]!),
  fc.constantFrom(0x3a000000, 0xba000000 | 0),
);
const anything = fc.oneof(finite, fc.integer(), fc.constantFrom(INFINITY_KEY, INFINITY_KEY | 0x80000000, NAN_KEY, -1, 0x7f800001));
/** A block of `count` words made of a few drawn ones: ties in plenty. */
const block = (word: fc.Arbitrary<number>) =>
  fc.record({ words: fc.array(word, { minLength: 1, maxLength: 40 }), steps: fc.integer({ min: 1, max: 9 }), stride: fc.integer({ min: 1, max: 7 }) }).map(({ words, steps, stride }) =>
    Array.from({ length: steps * STEP }, (_, j) => words[(j * stride + (j >> 3)) % words.length]!),
  );
const blocks = (word: fc.Arbitrary<number>, count: number) => fc.array(block(word), { minLength: count, maxLength: count }).map((all) => {
  const n = Math.min(...all.map(({ length }) => length));
  return { n, words: all.map((one) => one.slice(0, n)) };
});
const check = <T>(arbitrary: fc.Arbitrary<T>, act: (drawn: T) => void) => fc.assert(fc.property(arbitrary, act), { numRuns: 80 });
const weight = fc.oneof(fc.constantFrom(1, 0, -1, 0.5), fc.float({ noNaN: true, min: -2, max: 2 }));

describe('WebAssembly SIMD gives the bits of typed arrays', () => {
  it('all 65,536 patterns of F16 and BF16 are decoded, from any place', () => {
    const words = Uint16Array.from({ length: 0x10000 + 3 }, (_, i) => i);
    for (const dtype of ['F16', 'BF16'] as const) {
      for (let at = 3; at < words.length; at += BLOCK) {
        same((ops, { base }) => {
          ops.decodeBlock({ dtype, words }, at, BLOCK, base);
          return bitsOf(base, BLOCK);
        });
      }
    }
  });

  it('task vectors, and whether they are finite, of every dtype', () => {
    check(fc.record({ drawn: blocks(anything, 2), dtype: fc.constantFrom('F16', 'BF16', 'F32', 'F64') }), ({ drawn: { n, words }, dtype }) => {
      const theta = Int32Array.from(words[1]!);
      const floats = new Float32Array(theta.buffer);
      const raw = {
        F16: { dtype: 'F16', words: Uint16Array.from(theta) } as const,
        BF16: { dtype: 'BF16', words: Uint16Array.from(theta, (word) => word >>> 16) } as const,
        F32: { dtype: 'F32', words: floats } as const,
        F64: { dtype: 'F64', words: Float64Array.from(floats, (value) => value * (1 + 2 ** -30)) } as const,
      }[dtype as 'F16'];
      same((ops, scratch) => {
        fill(scratch.base, words[0]!);
        const isFinite = ops.loadTau(raw, 0, n, scratch.base, scratch.tau(0));
        // Which NaN comes of an operation is no rule of either.
        return { isFinite, tau: isFinite ? bitsOf(scratch.tau(0), n) : null, base: ops.allFinite(scratch.base.bits, n) };
      });
    });
  });

  it('keys of any range are gathered, NaN as the largest; ties and trimming', () => {
    const where = fc.record({ low: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: NAN_KEY }), fc.constantFrom(0x3a000000, 0x3f800000, INFINITY_KEY)), width: fc.constantFrom(1, 2, 2 ** 12, 2 ** 20, 2 ** 25, 2 ** 31), most: fc.constantFrom(2 ** 11, 2 ** 18), largest: fc.constantFrom(INFINITY_KEY, NAN_KEY) });
    check(fc.record({ drawn: block(anything), where }), ({ drawn, where: { low, width, most, largest } }) => {
      const range = rangeOf(low, Math.min(2 ** 31, low + width), most);
      same((ops, scratch) => {
        const lane = scratch.tau(0);
        fill(lane, drawn);
        const { found, above } = ops.gatherKeys(lane.bits, drawn.length, range, largest, scratch.marginKeys);
        return { found, above, keys: [...scratch.marginKeys.subarray(0, found)], equal: ops.countEqual(lane.bits, drawn.length, low) };
      });
    });
    check(fc.record({ drawn: block(finite), limit: fc.oneof(fc.constantFrom(0, 1, 0x3a000000, 0x3a000001, INFINITY_KEY), fc.nat(NAN_KEY)), until: fc.nat(100) }), ({ drawn, limit, until }) => {
      same((ops, scratch) => {
        fill(scratch.tau(0), drawn);
        const cut = Math.min(until, drawn.length);
        const kept = [ops.trimBlock(scratch.tau(0).bits, 0, cut, limit), ops.trimBlock(scratch.tau(0).bits, cut, drawn.length, limit)];
        return { kept, bits: bitsOf(scratch.tau(0), drawn.length) };
      });
    });
  });

  it('two models under TIES in one piece', () => {
    const parameters = fc.record({ weights: fc.tuple(weight, weight), factors: fc.tuple(fc.constantFrom(1, 1.5), fc.constantFrom(1, 3)), lambda: weight, normalize: fc.boolean() });
    check(fc.record({ drawn: blocks(finite, 3), parameters }), ({ drawn: { n, words }, parameters }) => {
      same((ops, scratch) => {
        const pair = pairOf([0, 1], { ...parameters, cuts: [], prefer: -1, reserve: { threshold: 0, take: 0 } })!;
        fill(scratch.base, words[0]!);
        fill(scratch.tau(0), words[1]!);
        fill(scratch.tau(1), words[2]!);
        ops.mergePairBlock(pair, scratch, n);
        const merged = [...scratch.merged.f32.subarray(0, n)];
        const margins = [0, 1].map((prefer) => {
          const found = ops.gatherPairMargins(pair, prefer, scratch, n);
          return { keys: [...scratch.marginKeys.subarray(0, found)], places: [...scratch.marginPlaces.subarray(0, found)] };
        });
        return { counts: pair.counts, merged, margins };
      });
    });
  });

  it('any number of models: election, counts, margins and the disjoint merge', () => {
    const drawn = fc.record({ drawn: blocks(finite, 4), weights: fc.tuple(weight, weight, weight), lambda: weight, factor: fc.constantFrom(1, 0.75) });
    check(drawn, ({ drawn: { n, words }, weights, lambda, factor }) => {
      same((ops, scratch) => {
        const { base, e, negative, positives, negatives, conflict, sum, divisor, merged, marginKeys, marginPlaces } = scratch;
        fill(base, words[3]!);
        for (const lane of [e, sum, divisor]) lane.bits.fill(0);
        for (const flags of [positives, negatives]) flags.fill(0);
        for (let model = 0; model < 3; model++) {
          fill(scratch.tau(model), words[model]!);
          ops.weighBlock(scratch.tau(model).f32, factor, weights[model]!, n, scratch.term(model).f32);
          ops.addTerms(e.f32, scratch.term(model).f32, n);
          ops.addSigns(scratch.tau(model).bits, n, positives, negatives);
        }
        ops.electBlock(e.bits, n, negative);
        const counts = [ops.conflictBlock(positives, negatives, n, conflict), ops.countOpposite(scratch.tau(0).bits, scratch.tau(1).bits, n)];
        for (let model = 0; model < 3; model++) {
          ops.agreeBlock(scratch.term(model).bits, negative, n, scratch.agrees(model));
          ops.addAgreeing(scratch.term(model).bits, scratch.agrees(model), merged, weights[model]!, n, sum.f32, divisor.f32);
          counts.push(ops.countNonzero(scratch.tau(model).bits, n), ops.countOnes(scratch.agrees(model), n), ops.countBoth(scratch.agrees(model), conflict, n));
        }
        const found = ops.gatherMargins(scratch.term(0).bits, scratch.agrees(0), e.bits, n, marginKeys, marginPlaces);
        const sums = [...sum.f32.subarray(0, n), ...divisor.f32.subarray(0, n)];
        ops.divideBlock(sum.f32, divisor.f32, n);
        ops.applyBlock(base, sum, lambda, n, merged);
        ops.addWeighted(base.f32, weights[0], n, sum.f32);
        ops.divideByConstant(sum.f32, Math.fround(0.3), n);
        return { counts, sums, keys: [...marginKeys.subarray(0, found)], places: [...marginPlaces.subarray(0, found)], merged: [...merged.f32.subarray(0, n)], averaged: [...sum.f32.subarray(0, n)] };
      });
    });
  });

  it('rounding to F16 and BF16, to nearest even, and what overflows', () => {
    check(fc.record({ drawn: block(anything), dtype: fc.constantFrom('F16', 'BF16') }), ({ drawn, dtype }) => {
      same((ops, { merged }) => {
        fill(merged, drawn);
        const words = new Uint16Array(drawn.length + 1);
        return { overflow: ops.encodeBlock(merged.bits, drawn.length, { dtype: dtype as 'F16', words }, 1), words: [...words] };
      });
    });
  });

  it('every magnitude around a step of F16 is rounded alike: its subnormals, ties and largest', () => {
    for (const start of [0x32ff0000, 0x33000000, 0x33800000, 0x34000000, 0x387f0000, 0x38800000, 0x3f800000, 0x477f0000]) {
      for (let from = start; from < start + 0x20000; from += BLOCK) {
        same((ops, { merged }) => {
          for (let j = 0; j < BLOCK; j++) merged.bits[j] = (from + j) | ((j & 1) << 31);
          const words = new Uint16Array(BLOCK);
          const overflow = ops.encodeBlock(merged.bits, BLOCK, { dtype: 'F16', words }, 0);
          return { overflow, words: Buffer.from(words.buffer).toString('hex') };
        });
      }
    }
  });
});

function forbidden(): never {
  throw new Error('Wasm code generation disallowed by embedder');
}

describe('where WebAssembly SIMD does not run', () => {
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.resetModules();
  });

  it.each([
    ['there is none', undefined],
    ['a policy forbids to compile', { Module: forbidden, Instance: WebAssembly.Instance }],
  ])('%s: the CPU backend says so and computes by typed arrays', async (_, stub) => {
    vi.resetModules();
    vi.stubGlobal('WebAssembly', stub);
    const { createKernels: create } = await import('../../../src/cpu/kernels');
    const { createCpuBackend } = await import('../../../src/cpu/backend');
    expect(create()).toBeNull();
    expect(createCpuBackend().info.label).toBe('CPU, one thread');
  });
});
