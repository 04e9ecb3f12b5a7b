/** The largest keys of a slot, by three readings of it: 11 bits of the key, then 10, then 10. Twin of src/reference/select.ts. */
import type { Block, SlotVectors } from './vectors';

const DIGITS = [
  { shift: 20, bits: 11 },
  { shift: 10, bits: 10 },
  { shift: 0, bits: 10 },
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

  /** Whether the next key is among them. */
  takes(key: number): boolean {
    return key > this.threshold || (key === this.threshold && this.ties > 0 && this.ties-- > 0);
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
  for (let j = 0; j < keys.length; j++) {
    const key = keys[j]!;
    if (above >= 31 || key >>> above === prefix) counts[(key >>> shift) & mask]!++;
  }
}
