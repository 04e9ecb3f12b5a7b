/** Do a header's entries describe the file? The reference implementation's checks, in its order (faults.md). */
import { dtypeBits } from '../../bytes/dtypes';
import type { Dtype } from '../../bytes/dtypes';
import type { RawEntry } from './entries';
import { malformed, shapeText } from './malformed';

const LARGEST_U64 = 2n ** 64n - 1n;

/**
 * Checks that the entries tile the payload without hole or overlap, that each has the size of its shape and dtype, and
 * that the last ends where the file does. Returns them in payload order (equal offsets, which only empty tensors may
 * share, in the order written).
 *
 * @param headBytes 8 + N, where the payload starts. @param fileBytes the file's size.
 */
export function checkLayout(entries: readonly RawEntry[], headBytes: number, fileBytes: number, file: string): readonly RawEntry[] {
  const sorted = [...entries].sort((a, b) => a.from - b.from || a.to - b.to);
  let end = 0;
  for (const entry of sorted) {
    const { name: tensor, dtype, shape, from, to } = entry;
    if (from > to) {
      throw malformed(file, 'offsets-reversed', `ends at ${to}, before it begins at ${from}`, { tensor, expected: from, actual: to });
    }
    if (from !== end) {
      const [reason, what] = from > end ? (['offsets-hole', 'a hole'] as const) : (['offsets-overlap', 'an overlap'] as const);
      throw malformed(file, reason, `begins at ${from}, the tensor before it ends at ${end}: ${what}`, { tensor, expected: end, actual: from });
    }
    const bits = bitsOf(shape, dtype);
    if (bits === null) {
      throw malformed(file, 'size-overflow', `the size of shape ${shapeText(shape)} overflows 64 bits`, { tensor, actual: shapeText(shape) });
    }
    if (bits % 8n !== 0n) {
      throw malformed(file, 'bits-not-bytes', `${bits} bits do not fill whole bytes`, { tensor, actual: bits.toString() });
    }
    if (bits / 8n !== BigInt(to - from)) {
      const expected = bits / 8n;
      throw malformed(file, 'size-mismatch', `${dtype} ${shapeText(shape)} takes ${expected} bytes, its offsets span ${to - from}`, {
        tensor,
        expected: expected <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(expected) : expected.toString(),
        actual: to - from,
      });
    }
    end = to;
  }
  const needed = headBytes + end;
  if (fileBytes !== needed) {
    const [reason, what] = fileBytes < needed ? (['file-truncated', 'ends early'] as const) : (['file-has-extra-bytes', 'has extra bytes'] as const);
    throw malformed(file, reason, `the header describes ${needed} bytes, the file has ${fileBytes}: it ${what}`, { expected: needed, actual: fileBytes });
  }
  return sorted;
}

/**
 * Bits of a tensor, or null when a product on the way is over 64 bits, even if a later factor is 0: the reference multiplies
 * u64 with a check at each step, first the shape, then the dtype.
 */
export function bitsOf(shape: readonly number[], dtype: Dtype): bigint | null {
  let product = 1;
  for (const dimension of shape) {
    product *= dimension;
    if (product > Number.MAX_SAFE_INTEGER) return bigBitsOf(shape, dtype);
  }
  return BigInt(product) * BigInt(dtypeBits(dtype)) > LARGEST_U64 ? null : BigInt(product) * BigInt(dtypeBits(dtype));
}

function bigBitsOf(shape: readonly number[], dtype: Dtype): bigint | null {
  let product = 1n;
  for (const dimension of [...shape, dtypeBits(dtype)]) {
    product *= BigInt(dimension);
    if (product > LARGEST_U64) return null;
  }
  return product;
}
