/** The largest keys of a slot, by two readings of it: 16 bits of the key, then 15. Twin of src/reference/select.ts. */
import type { Block, SlotVectors } from './vectors';

const DIGITS = [
  { shift: 15, bits: 16 },
  { shift: 0, bits: 15 },
] as const;

/** What is ranked, and how many of it are wanted. */
export interface Wanted {
  readonly count: number;
  /** 31-bit keys of a block; null where it has none. */
  readonly keys: (block: Block) => Uint32Array | null;
}

/** The `count` largest, equal ones by lowest flat index: an answer block by block, in flat order. */
export class Largest {
  constructor(
    private readonly threshold: number,
    /** Keys equal to the threshold that are still to be taken. */
    private ties: number,
  ) {}

  /** Whether each of the next keys is among them: 1 or 0. */
  taken(keys: Uint32Array): Uint8Array {
    const { threshold } = this;
    const mask = new Uint8Array(keys.length);
    // The sign of a difference rather than a branch, which would be as unpredictable as the values are. Keys have 31 bits.
    for (let j = 0; j < keys.length; j++) mask[j] = (threshold - keys[j]!) >>> 31;
    for (let j = keys.indexOf(threshold); j >= 0 && this.ties > 0; j = keys.indexOf(threshold, j + 1)) {
      mask[j] = 1;
      this.ties--;
    }
    return mask;
  }
}

/** Nothing exceeds the largest key. */
const NONE = 0x7fffffff;

/** Each of `wanted` among the keys of the whole slot; counts are at most the number of keys. */
export async function selectLargest(vectors: SlotVectors, wanted: readonly Wanted[]): Promise<Largest[]> {
  const found = wanted.map(({ count }) => ({ prefix: 0, left: count }));
  for (const { shift, bits } of DIGITS) {
    if (wanted.every(({ count }) => count === 0)) break;
    const counts = wanted.map(() => new Uint32Array(2 ** bits));
    await vectors.each((block) => {
      for (const [w, { count, keys: keysOf }] of wanted.entries()) {
        const keys = count === 0 ? null : keysOf(block);
        if (keys) countDigit(keys, shift, bits, found[w]!.prefix, counts[w]!);
      }
    });
    for (const [w, own] of found.entries()) {
      let digit = 2 ** bits - 1;
      while (digit > 0 && counts[w]![digit]! < own.left) own.left -= counts[w]![digit--]!;
      own.prefix = own.prefix * 2 ** bits + digit;
    }
  }
  return found.map(({ prefix, left }, w) => (wanted[w]!.count === 0 ? new Largest(NONE, 0) : new Largest(prefix, left)));
}

/** Counts the digit of the keys whose digits above it are `prefix`. */
function countDigit(keys: Uint32Array, shift: number, bits: number, prefix: number, counts: Uint32Array): void {
  const mask = 2 ** bits - 1;
  const above = shift + bits;
  if (above === 31) for (let j = 0; j < keys.length; j++) counts[keys[j]! >>> shift]!++;
  else for (let j = 0; j < keys.length; j++) if (keys[j]! >>> above === prefix) counts[(keys[j]! >>> shift) & mask]!++;
}
