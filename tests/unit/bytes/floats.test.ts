/** merging.md section 1 (exact decoding, F64 rounded once) and section 4 (rounded once, to nearest even). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bf16ToF32, decodeToF32, encodeFromF32, f16ToF32, f32ToBf16, f32ToF16 } from '../../../src/bytes/floats';

const word = new DataView(new ArrayBuffer(4));
const valueOf = (bits: number): number => (word.setUint32(0, bits), word.getFloat32(0));
const bitsOf = (value: number): number => (word.setFloat32(0, value), word.getUint32(0));

/** The value of an f16 pattern by its definition. */
function f16Value(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}
const isNaN16 = (bits: number, infinity: number) => (bits & 0x7fff) > infinity;

const PATTERNS = Array.from({ length: 65_536 }, (_, bits) => bits);

/**
 * Every rounding of a 16-bit format: for each pair of finite neighbours the tie goes to the even one, and one f32 step to
 * either side of the tie goes to the nearer one. Neighbours and ties are exact in f64 and the ties are exact in f32.
 */
function checkRounding(toF32: (bits: number) => number, fromF32: (bits: number) => number, infinity: number): void {
  for (let lower = 0; lower < infinity; lower++) {
    const upper = lower + 1;
    // The neighbour above the largest finite value, for rounding, is the next step of its binade.
    const low = valueOf(toF32(lower));
    const high = upper === infinity ? 2 * low - valueOf(toF32(lower - 1)) : valueOf(toF32(upper));
    const tie = bitsOf((low + high) / 2);
    const even = lower % 2 === 0 ? lower : upper;
    const got = [fromF32(tie - 1), fromF32(tie), fromF32(tie + 1), fromF32((tie | 0x80000000) >>> 0)];
    const want = [lower, even, upper, even | 0x8000];
    for (let i = 0; i < 4; i++) if (got[i] !== want[i]) throw new Error(`between ${lower} and ${upper}: got ${got}, want ${want}`);
  }
}

describe('f16', () => {
  it('decodes all 65,536 patterns exactly', () => {
    for (const bits of PATTERNS) {
      const value = valueOf(f16ToF32(bits));
      if (!Object.is(value, f16Value(bits))) throw new Error(`0x${bits.toString(16)}: ${value}`);
    }
    expect(f16ToF32(0x8000)).toBe(0x80000000);
    expect(f16ToF32(0x0001)).toBe(bitsOf(2 ** -24));
    expect(f16ToF32(0x7e01)).toBe(0x7fc02000);
  });

  it('encodes every f16 value as itself; every NaN stays a NaN of its sign', () => {
    for (const bits of PATTERNS) {
      const back = f32ToF16(f16ToF32(bits));
      const ok = isNaN16(bits, 0x7c00) ? isNaN16(back, 0x7c00) && back >> 15 === bits >> 15 : back === bits;
      if (!ok) throw new Error(`0x${bits.toString(16)} came back as 0x${back.toString(16)}`);
    }
  });

  it('rounds to nearest even between all neighbours, subnormals included', () => checkRounding(f16ToF32, f32ToF16, 0x7c00));

  it.each([
    [65504, 0x7bff],
    [65519.99609375, 0x7bff], // the last f32 below the tie
    [65520, 0x7c00],
    [-65520, 0xfc00],
    [3.4028234663852886e38, 0x7c00],
    [Infinity, 0x7c00],
    [2 ** -25, 0x0000],
    [2 ** -25 * (1 + 2 ** -23), 0x0001],
    [-(2 ** -26), 0x8000],
    [1e-45, 0x0000],
    [-0, 0x8000],
    [2 ** -14 * (1 - 2 ** -12), 0x0400], // rounds up from the subnormals into the normals
  ])('%s is 0x%s', (value, bits) => expect(f32ToF16(bitsOf(value))).toBe(bits));

  it('keeps NaN whose payload is only in the bits that are cut', () => {
    expect(f32ToF16(0x7f800001)).toBe(0x7e00);
    expect(f32ToF16(0xff800001)).toBe(0xfe00);
    expect(f32ToF16(0x7fffffff)).toBe(0x7fff);
  });
});

describe('bf16', () => {
  it('decodes all 65,536 patterns: the upper half of the f32', () => {
    for (const bits of PATTERNS) if (bf16ToF32(bits) !== bits * 65_536) throw new Error(`0x${bits.toString(16)}`);
  });

  it('encodes every bf16 value as itself; every NaN stays a NaN of its sign', () => {
    for (const bits of PATTERNS) {
      const back = f32ToBf16(bf16ToF32(bits));
      const ok = isNaN16(bits, 0x7f80) ? isNaN16(back, 0x7f80) && back >> 15 === bits >> 15 : back === bits;
      if (!ok) throw new Error(`0x${bits.toString(16)} came back as 0x${back.toString(16)}`);
    }
  });

  it('rounds to nearest even between all neighbours, by the bits', () => {
    for (let lower = 0; lower < 0x7f80; lower++) {
      const even = lower % 2 === 0 ? lower : lower + 1;
      const base = lower * 65_536;
      const got = [f32ToBf16(base + 0x7fff), f32ToBf16(base + 0x8000), f32ToBf16(base + 0x8001), f32ToBf16(base + 0x80008000)];
      const want = [lower, even, lower + 1, even | 0x8000];
      for (let i = 0; i < 4; i++) if (got[i] !== want[i]) throw new Error(`between ${lower} and ${lower + 1}: got ${got}, want ${want}`);
    }
    expect(f32ToBf16(0x7f7fffff)).toBe(0x7f80); // the largest f32 overflows to infinity
    expect(f32ToBf16(0x7f7f7fff)).toBe(0x7f7f);
  });

  it('keeps NaN that rounding would carry to infinity, to zero or across the sign', () => {
    expect(f32ToBf16(0x7f800001)).toBe(0x7fc0);
    expect(f32ToBf16(0x7fffffff)).toBe(0x7fff);
    expect(f32ToBf16(0xffffffff)).toBe(0xffff);
    expect(f32ToBf16(0xff800001)).toBe(0xffc0);
  });
});

describe('whole arrays', () => {
  const all16 = new Uint8Array(Uint16Array.from(PATTERNS).buffer);
  const bits = (values: Float32Array) => new Uint32Array(values.buffer, values.byteOffset, values.length);

  it('decodes as the single conversions do, at any alignment, without sharing memory', () => {
    for (const [dtype, one] of [['F16', f16ToF32], ['BF16', bf16ToF32]] as const) {
      const shifted = new Uint8Array(all16.length + 1);
      shifted.set(all16, 1);
      const want = Uint32Array.from(PATTERNS, one);
      expect(bits(decodeToF32(all16, dtype))).toEqual(want);
      expect(bits(decodeToF32(shifted.subarray(1), dtype))).toEqual(want);
    }
    const f32 = new Uint8Array(Uint32Array.of(0x7f800001, 0x80000000, 1).buffer);
    const decoded = decodeToF32(f32, 'F32');
    expect([...bits(decoded)]).toEqual([0x7f800001, 0x80000000, 1]);
    decoded[0] = 5;
    expect(f32[0]).toBe(1);
    const odd = new Uint8Array(13);
    odd.set(f32, 1);
    expect([...bits(decodeToF32(odd.subarray(1), 'F32'))]).toEqual([0x7f800001, 0x80000000, 1]);
  });

  it('rounds F64 once, to nearest even: subnormals, ties and overflow', () => {
    const tie = 1 + 2 ** -24;
    const values = [tie, tie + 2 ** -52, 1 + 3 * 2 ** -24, 1e-45, 2 ** -150, 2 ** -150 * 1.0001, 1e300, -0, NaN, 3.4028235677973366e38, 0.1];
    const want = [1, 1 + 2 ** -23, 1 + 2 ** -22, 2 ** -149, 0, 2 ** -149, Infinity, -0, NaN, Infinity, 0.10000000149011612];
    expect([...decodeToF32(new Uint8Array(Float64Array.from(values).buffer), 'F64')]).toEqual(want);
  });

  it('encodes as the single conversions do, from any view', () => {
    fc.assert(
      fc.property(fc.uint32Array({ maxLength: 40 }), fc.nat(3), (words, skip) => {
        const view = new Float32Array(words.buffer).subarray(skip);
        const source = words.subarray(skip);
        expect([...new Uint16Array(encodeFromF32(view, 'F16').buffer)]).toEqual([...source].map(f32ToF16));
        expect([...new Uint16Array(encodeFromF32(view, 'BF16').buffer)]).toEqual([...source].map(f32ToBf16));
        expect([...new Uint32Array(encodeFromF32(view, 'F32').buffer)]).toEqual([...source]);
      }),
      { numRuns: 300 },
    );
    const values = Float32Array.of(1);
    encodeFromF32(values, 'F32')[3] = 0;
    expect(values[0]).toBe(1);
  });

  it('refuses bytes that are not whole values', () => {
    for (const [dtype, width] of [['F16', 2], ['BF16', 2], ['F32', 4], ['F64', 8]] as const) {
      expect(decodeToF32(new Uint8Array(width * 3), dtype).length).toBe(3);
      expect(() => decodeToF32(new Uint8Array(width * 3 - 1), dtype)).toThrow(RangeError);
    }
  });

  it('converts ten million values in each direction', () => {
    const bytes = new Uint8Array(20_000_000).fill(0x3c);
    for (const dtype of ['F16', 'BF16'] as const) expect(encodeFromF32(decodeToF32(bytes, dtype), dtype)).toHaveLength(20_000_000);
  });
});
