/**
 * A ranking over several tensors (merging.md sections 2 and 6, whole-model scope), found digit by digit from counts of keys: how
 * many values of each tensor are among the first of all. What the values are nobody here knows.
 */
import { compareUtf8 } from '../bytes/utf8';
import type { KeyDigit, TallyCounts } from './tally-types';

/** One tensor of a ranking. */
export interface RankedTensor {
  readonly name: string;
  /** Tensors of one pool are ranked together. */
  readonly pool: string;
  /** Values of the tensor that each counted one stands for: 1, or more where a sample was counted. */
  readonly scale: number;
}

/** Two readings: the upper 16 bits, then the other 15. */
export const STREAMED_DIGITS: readonly KeyDigit[] = [{ shift: 15, bits: 16 }, { shift: 0, bits: 15 }];
/** Three, of what is held and costs no reading: the counts of every tensor are a twentieth of that. */
export const HELD_DIGITS: readonly KeyDigit[] = [{ shift: 20, bits: 11 }, { shift: 10, bits: 10 }, { shift: 0, bits: 10 }];
/** The keys equal to the threshold, and those above it. */
const ONE_KEY: KeyDigit = { shift: 0, bits: 0 };
/** Distinct keys of single tensors that are remembered from the last digit, all tensors together: 1.5 MiB. */
const MOST_REMEMBERED = 2 ** 18;

interface Pool {
  /** Its tensors, in the order in which equal keys are taken. */
  readonly members: number[];
  /** How many are taken; null until the first digit tells how many there are. */
  wanted: number | null;
  /** Values above the range that is counted. */
  reached: number;
  /** Least key of that range; at the end the threshold. */
  low: number;
  sums: Float64Array;
}

/** Of one tensor: keys above the last range counted, and what it has there, ascending. */
interface Tail {
  above: number;
  bins: Uint16Array;
  counts: Uint32Array;
}

/** The ranking of one model, or of the margins. */
export class Ranking {
  private readonly pools = new Map<string, Pool>();
  private readonly tails: (Tail | null)[];
  private remembered = 0;
  private round = 0;
  private isCrowded = false;
  private isOver = false;
  /** Most bytes that sums and remembered keys took. */
  stateBytes = 0;

  /** `wantedOf` tells how many values of a pool are taken, by how many there are: `total` counts what they stand for. */
  constructor(
    private readonly tensors: readonly RankedTensor[],
    private readonly digits: readonly KeyDigit[],
    private readonly wantedOf: (pool: string, total: number) => number,
    private readonly mostRemembered = MOST_REMEMBERED,
  ) {
    this.tails = tensors.map(() => null);
    for (const [t, { pool }] of tensors.entries()) {
      const known = this.pools.get(pool) ?? { members: [], wanted: null, reached: 0, low: 0, sums: new Float64Array() };
      known.members.push(t);
      this.pools.set(pool, known);
    }
    for (const { members } of this.pools.values()) members.sort((a, b) => compareUtf8(tensors[a]!.name, tensors[b]!.name));
    this.isOver = tensors.length === 0;
    this.begin();
  }

  /** What is to be counted now; null when the ranking is known. */
  get digit(): KeyDigit | null {
    if (this.isOver) return null;
    return this.digits[this.round] ?? ONE_KEY;
  }

  /** Least key of the range that is counted of tensor `t`. */
  lowOf(t: number): number {
    return this.pools.get(this.tensors[t]!.pool)!.low;
  }

  /** Counts of tensor `t` in the current digit, from `row` of `tally`; every tensor once. */
  add(t: number, { counts, above }: TallyCounts, row: number): void {
    const { pool, scale } = this.tensors[t]!;
    const { sums } = this.pools.get(pool)!;
    const own = counts.subarray(row * sums.length, (row + 1) * sums.length);
    for (let bin = 0; bin < own.length; bin++) sums[bin]! += scale * own[bin]!;
    if (this.digit!.shift === 0) this.remember(t, own, above[row]!);
  }

  /** All tensors were counted: on to the next digit. */
  advance(): void {
    const { shift, bits } = this.digit!;
    const held = [...this.pools.values()].reduce((sum, { sums }) => sum + sums.byteLength, 0);
    this.stateBytes = Math.max(this.stateBytes, held + this.remembered * (Uint16Array.BYTES_PER_ELEMENT + Uint32Array.BYTES_PER_ELEMENT));
    if (bits === 0) {
      this.isOver = true;
      return;
    }
    for (const [key, pool] of this.pools) {
      pool.wanted ??= this.wantedOf(key, pool.sums.reduce((sum, count) => sum + count, 0));
      let bin = pool.sums.length - 1;
      // With nothing wanted the largest bin it is: no key is above it, and none of the equal ones is taken.
      for (; bin > 0 && pool.reached + pool.sums[bin]! < pool.wanted; bin--) pool.reached += pool.sums[bin]!;
      pool.low += bin * 2 ** shift;
    }
    this.round++;
    this.isOver = shift === 0 && !this.isCrowded;
    this.begin();
  }

  /** Per tensor: how many of its values are taken. */
  counts(): number[] {
    const taken = new Array<number>(this.tensors.length).fill(0);
    for (const pool of this.pools.values()) {
      let left = pool.wanted! - pool.reached;
      for (const t of pool.members) {
        const { scale } = this.tensors[t]!;
        const { above, ties } = this.tailOf(t, pool.low);
        const take = Math.max(0, Math.min(ties, Math.round(left / scale)));
        left -= take * scale;
        taken[t] = pool.wanted === 0 ? 0 : above + take;
      }
    }
    return taken;
  }

  private begin(): void {
    const { digit } = this;
    if (digit === null) return;
    for (const pool of this.pools.values()) pool.sums = new Float64Array(2 ** digit.bits);
  }

  /** One pass too many is cheaper than remembering what a large model of F32 values may have near its threshold. */
  private remember(t: number, counts: Uint32Array, above: number): void {
    const isLast = this.digit!.bits === 0;
    if (this.isCrowded && !isLast) return;
    const bins: number[] = [];
    for (let bin = 0; bin < counts.length; bin++) if (counts[bin]! > 0) bins.push(bin);
    this.remembered += bins.length;
    if (this.remembered > this.mostRemembered && !isLast) {
      this.isCrowded = true;
      this.remembered = 0;
      this.tails.fill(null);
      return;
    }
    this.tails[t] = { above, bins: Uint16Array.from(bins), counts: Uint32Array.from(bins, (bin) => counts[bin]!) };
  }

  private tailOf(t: number, threshold: number): { above: number; ties: number } {
    const tail = this.tails[t];
    if (tail === null || tail === undefined) return { above: 0, ties: 0 };
    const digit = this.isCrowded ? ONE_KEY : this.digits.at(-1)!;
    const first = threshold - (threshold % 2 ** digit.bits);
    let { above } = tail;
    let ties = 0;
    tail.bins.forEach((bin, i) => {
      const key = first + bin;
      if (key > threshold) above += tail.counts[i]!;
      else if (key === threshold) ties = tail.counts[i]!;
    });
    return { above, ties };
  }
}
