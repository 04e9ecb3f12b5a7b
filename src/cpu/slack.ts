/** slack: the preferred model's discarded positions and what is given back of them (merging.md section 6). Twin of reference/slack.ts. */
import { INFINITY_KEY, NAN_KEY } from '../reference/select';
import { Cutter } from './trim';

/**
 * Gathers D of a block: keys of |e|, complemented so that the smallest margin is the largest key, and their places. Returns
 * how many. Finite terms only; a sum that became infinite is not in D.
 */
export function gatherMargins(terms: Int32Array, agrees: Int32Array, e: Int32Array, n: number, keys: Int32Array, places: Int32Array): number {
  let found = 0;
  for (let j = 0; j < n; j++) {
    const margin = e[j]! & 0x7fffffff;
    keys[found] = NAN_KEY - margin;
    places[found] = j;
    const nonzero = ((terms[j]! & 0x7fffffff) + 0x7fffffff) >>> 31;
    found += nonzero & ~agrees[j]! & ((margin - INFINITY_KEY) >>> 31);
  }
  return found;
}

/** Elements of the part at which the last of equals was taken, and the block's reserved places. */
export class Reserver {
  private readonly cutter: Cutter;
  /** Elements of the part up to and including the last one taken among equals; null while it is not met. */
  last: number | null = null;

  constructor(cut: { readonly threshold: number; readonly take: number }) {
    this.cutter = new Cutter(cut);
  }

  /** Moves the places that are given back to the front of `places`; returns how many. `at` is where the block begins. */
  reserve(keys: Int32Array, places: Int32Array, found: number, at: number): number {
    const before = this.cutter.limit;
    const until = this.cutter.advance(keys, found);
    const after = this.cutter.limit;
    if (this.cutter.last !== null) this.last ??= at + places[until - 1]! + 1;
    let given = 0;
    for (let k = 0; k < found; k++) {
      const limit = k < until ? before : after;
      places[given] = places[k]!;
      given += Number(keys[k]! >= limit);
    }
    return given;
  }
}
