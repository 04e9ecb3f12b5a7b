/** In what two tensors of one form differ: how many values, the first of them, and by how much at most. */
import { dtypeBits, isMergedDtype } from '../bytes/dtypes';
import type { Dtype } from '../bytes/dtypes';
import { decodeToF32 } from '../bytes/floats';

export interface TensorDifference {
  readonly tensor: string;
  readonly values: number;
  readonly differing: number;
  /** Flat index and both values, as text: of the first that differ by more than one unit in the last place, else of the first that differ. */
  readonly first: { readonly index: number; readonly expected: string; readonly actual: string };
  /**
   * Most units in the last place between two values, counted over all values between them; null where the dtype has none. Two
   * adapters may differ by one unit (merging.md section 8).
   */
  readonly units: number | null;
}

/** Share of a tensor's values that two backends may round apart. */
const ROUNDED_APART = 1 / 10_000;

/** Whether no more differs than two backends may: one unit in the last place, in few values (merging.md section 8). */
export function isRoundedApart({ units, differing, values }: Pick<TensorDifference, 'units' | 'differing' | 'values'>): boolean {
  return units !== null && units <= 1 && differing <= Math.max(1, values * ROUNDED_APART);
}

/** Takes both tensors piece by piece. */
export class Difference {
  values = 0;
  differing = 0;
  private first: TensorDifference['first'] | null = null;
  /** Most so far; 0 where the dtype has none. */
  private units = 0;
  private readonly width: number;

  constructor(
    private readonly tensor: string,
    private readonly dtype: Dtype,
  ) {
    this.width = Math.max(1, dtypeBits(dtype) / 8);
  }

  /** The next values of both, of one length. */
  add(expected: Uint8Array, actual: Uint8Array): void {
    const { width } = this;
    const count = expected.length / width;
    if (isSame(expected, actual)) {
      this.values += count;
      return;
    }
    for (let value = 0, byte = 0; value < count; value++, byte += width) {
      let same = true;
      for (let i = byte; i < byte + width; i++) same &&= expected[i] === actual[i];
      if (!same) this.note(this.values + value, expected.slice(byte, byte + width), actual.slice(byte, byte + width));
    }
    this.values += count;
  }

  /** Only where something differs. */
  result(): TensorDifference {
    const { tensor, values, differing, first, units, dtype } = this;
    return { tensor, values, differing, first: first!, units: hasUnits(dtype) ? units : null };
  }

  private note(index: number, expected: Uint8Array<ArrayBuffer>, actual: Uint8Array<ArrayBuffer>): void {
    this.differing++;
    const units = hasUnits(this.dtype) ? Math.abs(orderOf(expected) - orderOf(actual)) : 0;
    if (this.first === null || (this.units <= 1 && units > 1)) this.first = { index, expected: textOf(expected, this.dtype), actual: textOf(actual, this.dtype) };
    this.units = Math.max(this.units, units);
  }
}

/** Word by word where both begin at one: nearly all there is to compare is the same. */
function isSame(a: Uint8Array, b: Uint8Array): boolean {
  if (a.byteOffset % 4 !== 0 || b.byteOffset % 4 !== 0) return false;
  const whole = Math.floor(a.length / 4);
  const [words, others] = [new Uint32Array(a.buffer, a.byteOffset, whole), new Uint32Array(b.buffer, b.byteOffset, whole)];
  for (let i = 0; i < whole; i++) if (words[i] !== others[i]) return false;
  for (let i = 4 * whole; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

const hasUnits = (dtype: Dtype) => dtype === 'BF16' || dtype === 'F16' || dtype === 'F32';

/** Place among all values of a floating dtype of 2 or 4 bytes, both zeros at 0: neighbours differ by 1. */
function orderOf(bytes: Uint8Array<ArrayBuffer>): number {
  const bits = bytes.reduceRight((sum, byte) => sum * 256 + byte, 0);
  const sign = 2 ** (8 * bytes.length - 1);
  return bits >= sign ? sign - bits : bits;
}

function textOf(bytes: Uint8Array<ArrayBuffer>, dtype: Dtype): string {
  if (isMergedDtype(dtype) && dtype !== 'F64') return String(decodeToF32(bytes, dtype)[0]);
  return `0x${[...bytes].reverse().map((byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}
