/** tally: what a held slot adds to a ranking over several tensors (merging.md sections 2 and 6). */
import type { Tally, TallyCounts, TallyPlace } from '../merge/tally-types';
import type { TensorParameters } from '../recipe/types';
import { INFINITY_KEY, NAN_KEY } from '../reference/select';
import type { Decisions } from './held-decisions';
import { NO_RANK, type HeldModel, type Scratch } from './held-slot';
import { tallyBlock } from './select';

/** Bits whose lower 31 are the keys of a model's values; null for one that takes no part. What it does not have is left out. */
export function keysOf(model: HeldModel | null, { words }: Scratch): Int32Array | null {
  if (model === null) return null;
  const { tau, rank, count } = model;
  const bits = new Int32Array(tau.buffer, tau.byteOffset, tau.length);
  if (count === bits.length) return bits;
  const keys = words[1];
  let found = 0;
  for (let p = 0; p < bits.length; p++) {
    keys[found] = bits[p]!;
    found += Number(rank[p] !== NO_RANK);
  }
  return keys.subarray(0, found);
}

/** Complements of the keys of |e| over D; null where the preferred model takes no part. */
export function marginKeys(decisions: Decisions, { slack: _, ...own }: TensorParameters, prefer: number, { words }: Scratch): Int32Array | null {
  if (decisions.trim(own).cuts[prefer] == null) return null;
  const { keys } = decisions.marginsFor(own, prefer);
  const complements = words[1].subarray(0, keys.length);
  for (let k = 0; k < keys.length; k++) complements[k] = NAN_KEY - keys[k]!;
  return complements;
}

export function countKeys(keys: Int32Array, { model, digit: { shift, bits } }: Tally, { row, low }: TallyPlace, { counts, above }: TallyCounts): void {
  const bins = 2 ** bits;
  const largest = model === null ? NAN_KEY : INFINITY_KEY;
  above[row]! += tallyBlock(keys, keys.length, { low, shift, bins }, largest, counts.subarray(row * bins, (row + 1) * bins));
}
