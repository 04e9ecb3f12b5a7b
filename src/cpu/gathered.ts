/** Keys that a pass over a part sets aside, so that later rounds of a selection need not go over the part again. */
import { addCounted, rangeHolds, tallyBlock, type KeyRange, type TallyOfAll } from './select';

/** Keys that differ, in ascending order, and how often each is there. */
export interface Counted {
  readonly keys: Int32Array;
  readonly counts: Uint32Array;
}
const NONE: Counted = { keys: new Int32Array(), counts: new Uint32Array() };
/** Of `most` keys, so many may be counted: 8 bytes each where a key takes 4. */
const MOST_COUNTED = 1 / 4;

/** A list that grows up to `most` keys. */
export class KeyList {
  private all: Int32Array<ArrayBuffer>;
  private length = 0;
  /** What was counted to make room. */
  private counted = NONE;

  /** @param counts whether equal keys are counted once there are more than `most`: a bracket of many ties holds few that differ */
  constructor(
    expected: number,
    private readonly most: number,
    private readonly counts = false,
  ) {
    this.all = new Int32Array(Math.min(expected, most));
  }

  /** False, and nothing is added, when there would be more than `most`. */
  append(more: Int32Array): boolean {
    if (this.counts && this.length > 0 && this.length + more.length > this.most) this.count();
    if (this.counted.keys.length > this.most * MOST_COUNTED) return false;
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

  /** Those that were not counted. */
  keys(): Int32Array<ArrayBuffer> {
    return this.all.subarray(0, this.length);
  }

  gathered(range: KeyRange, above: number, total: number): Gathered {
    return new Gathered(range, this.keys(), above, total, this.counted);
  }

  private count(): void {
    this.counted = merged(this.counted, this.keys().sort());
    this.length = 0;
  }
}

/** Both together; `sorted` are keys in ascending order. */
function merged({ keys, counts }: Counted, sorted: Int32Array): Counted {
  let differing = 0;
  for (let i = 0; i < sorted.length; i++) if (i === 0 || sorted[i] !== sorted[i - 1]) differing++;
  const into = { keys: new Int32Array(keys.length + differing), counts: new Uint32Array(keys.length + differing) };
  let [size, old, i] = [0, 0, 0];
  while (old < keys.length || i < sorted.length) {
    const key = Math.min(keys[old] ?? Infinity, sorted[i] ?? Infinity);
    let count = 0;
    if (keys[old] === key) count += counts[old++]!;
    for (; sorted[i] === key; i++) count++;
    into.keys[size] = key;
    into.counts[size++] = count;
  }
  return { keys: into.keys.slice(0, size), counts: into.counts.slice(0, size) };
}

/** All keys of a part in one range, how many are above it, and how many there are. */
export class Gathered {
  constructor(
    private readonly range: KeyRange,
    private readonly keys: Int32Array,
    private readonly above: number,
    private readonly total: number,
    private readonly counted = NONE,
  ) {}

  /** What a pass over the part would count, or null where `range` is not within what was gathered. `largest` as in `tallyBlock`. */
  tally(range: KeyRange, largest: number): TallyOfAll | null {
    if (!rangeHolds(this.range, range)) return null;
    const counts = new Uint32Array(range.bins);
    const above = this.above + tallyBlock(this.keys, this.keys.length, range, largest, counts) + addCounted(this.counted, range, counts);
    return { counts, above, total: this.total };
  }
}
