/** Keys that a pass over a part sets aside, so that later rounds of a selection need not go over the part again. */
import { rangeHolds, tallyBlock, type KeyRange, type Tally } from './select';

/** A list that grows up to `most` keys. */
export class KeyList {
  private all: Int32Array<ArrayBuffer>;
  private length = 0;

  constructor(
    expected: number,
    private readonly most: number,
  ) {
    this.all = new Int32Array(Math.min(expected, most));
  }

  /** False, and nothing is added, when there would be more than `most`. */
  append(more: Int32Array): boolean {
    const length = this.length + more.length;
    if (length > this.most) return false;
    if (length > this.all.length) {
      const larger = new Int32Array(Math.min(this.most, Math.max(length, 2 * this.all.length)));
      larger.set(this.keys());
      this.all = larger;
    }
    this.all.set(more, this.length);
    this.length = length;
    return true;
  }

  keys(): Int32Array<ArrayBuffer> {
    return this.all.subarray(0, this.length);
  }
}

/** All keys of a part in one range, and how many are above it. */
export class Gathered {
  constructor(
    private readonly range: KeyRange,
    private readonly keys: Int32Array,
    private readonly above: number,
  ) {}

  /** What a pass over the part would count, or null where `range` is not within what was gathered. `largest` as in `tallyBlock`. */
  tally(range: KeyRange, largest: number): Tally | null {
    if (!rangeHolds(this.range, range)) return null;
    const counts = new Uint32Array(range.bins);
    return { counts, above: this.above + tallyBlock(this.keys, this.keys.length, range, largest, counts) };
  }
}
