/** Number formats, decoded and rounded the plain way: through the value, not through the bits of src/. */

export type FloatName = 'F16' | 'BF16' | 'F32';

export const BYTES_PER_VALUE: Record<FloatName, number> = { F16: 2, BF16: 2, F32: 4 };

const EXPONENT_BIAS_F16 = 15;

/** The value of one half-precision word, from its sign, exponent and fraction. */
function halfValue(word: number): number {
  const sign = word & 0x8000 ? -1 : 1;
  const exponent = (word >> 10) & 31;
  const fraction = word & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - EXPONENT_BIAS_F16);
}

/** Nearest whole number, halves to even: the rounding of IEEE 754. */
function roundHalfEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  if (rest !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}

/** `value` rounded to a format of `fractionBits` whose least normal exponent is `minExponent`; exact in a double. */
function roundToFormat(value: number, fractionBits: number, minExponent: number, largest: number): number {
  if (!Number.isFinite(value) || value === 0) return value;
  const exponent = Math.max(Math.floor(Math.log2(Math.abs(value))), minExponent);
  // log2 may be one off at a power of two: one spare step down keeps the unit no larger than it must be.
  const lowered = Math.abs(value) < 2 ** exponent ? Math.max(exponent - 1, minExponent) : exponent;
  const raised = Math.abs(value) >= 2 ** (lowered + 1) ? lowered + 1 : lowered;
  const unit = 2 ** (raised - fractionBits);
  const rounded = Math.sign(value) * roundHalfEven(Math.abs(value) / unit) * unit;
  return Math.abs(rounded) > largest ? Math.sign(value) * Infinity : rounded;
}

function halfWord(value: number): number {
  const rounded = roundToFormat(value, 10, -14, 65504);
  if (Number.isNaN(rounded)) return 0x7e00;
  const sign = rounded < 0 || Object.is(rounded, -0) ? 0x8000 : 0;
  const size = Math.abs(rounded);
  if (size === Infinity) return sign | 0x7c00;
  if (size < 2 ** -14) return sign | (size * 2 ** 24);
  let exponent = Math.floor(Math.log2(size));
  if (2 ** exponent > size) exponent -= 1;
  if (2 ** (exponent + 1) <= size) exponent += 1;
  return sign | ((exponent + EXPONENT_BIAS_F16) << 10) | ((size / 2 ** exponent - 1) * 1024);
}

/** Values of a payload as f32. */
export function decode(bytes: Uint8Array, format: FloatName): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = bytes.byteLength / BYTES_PER_VALUE[format];
  const pair = new DataView(new ArrayBuffer(4));
  return Float32Array.from({ length: count }, (_, i) => {
    if (format === 'F32') return view.getFloat32(i * 4, true);
    const word = view.getUint16(i * 2, true);
    if (format === 'F16') return halfValue(word);
    pair.setUint16(0, word);
    return pair.getFloat32(0);
  });
}

/** Values as a payload, each rounded once to nearest even. */
export function encode(values: Float32Array, format: FloatName): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(values.length * BYTES_PER_VALUE[format]);
  const view = new DataView(bytes.buffer);
  const pair = new DataView(new ArrayBuffer(4));
  values.forEach((value, i) => {
    if (format === 'F32') view.setFloat32(i * 4, value, true);
    else if (format === 'F16') view.setUint16(i * 2, halfWord(value), true);
    else {
      pair.setFloat32(0, roundToFormat(value, 7, -126, 3.3895313892515355e38));
      view.setUint16(i * 2, pair.getUint16(0), true);
    }
  });
  return bytes;
}
