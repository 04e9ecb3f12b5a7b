/** slack: what would be given back to the preferred model at any share, and what that costs (merging.md section 6). */
import { reservedOf, type Kept } from '../merge/backend';
import type { SlackCurveRequest, SlotSlackCurve } from '../merge/exploring';
import type { Figures } from '../merge/figures';
import type { TensorParameters } from '../recipe/types';
import { INFINITY_KEY } from '../reference/select';
import { ascendingOrder, selectSmallest } from './held-order';
import { flatIndex, termAt, type Cut, type HeldSlot, type Scratch } from './held-slot';

type Slack = NonNullable<TensorParameters['slack']>;

/** D, the preferred model's discarded positions that can be given back. */
export interface Margins {
  /** In the slot's arrays, ascending. */
  readonly places: Int32Array;
  /** Keys of |e| there. */
  readonly keys: Int32Array;
}

/** D out of `candidates`, ascending: not where any value or e itself is not finite. */
export function marginsOf({ odd }: HeldSlot, cuts: readonly (Cut | null)[], candidates: Int32Array): Margins {
  const e = new Float32Array(candidates.length);
  for (const cut of cuts) if (cut !== null) addTerms(cut, candidates, e);
  const bits = new Int32Array(e.buffer);
  const places = new Int32Array(candidates.length);
  let count = 0;
  for (let k = 0; k < candidates.length; k++) {
    const p = candidates[k]!;
    const key = bits[k]! & 0x7fffffff;
    places[count] = p;
    bits[count] = key;
    count += Number(key < INFINITY_KEY) & (odd === null ? 1 : 1 - odd[p]!);
  }
  return { places: places.subarray(0, count), keys: bits.subarray(0, count) };
}

function addTerms(cut: Cut, places: Int32Array, e: Float32Array): void {
  for (let k = 0; k < places.length; k++) e[k] = Math.fround(e[k]! + termAt(cut, places[k]!));
}

/** What the others lose where the position at `p` is given back to `prefer`: the sum of |w_i tau^_i| of those that had won. */
function costAt(cuts: readonly (Cut | null)[], prefer: number, p: number): number {
  // The preferred model disagrees with the elected sign, and its value is not 0.
  const elected = termAt(cuts[prefer]!, p) > 0 ? -1 : 1;
  let cost = 0;
  for (const cut of cuts) {
    const term = cut === null ? 0 : termAt(cut, p);
    if (term * elected > 0) cost += Math.abs(term);
  }
  return cost;
}

/** Reserves, adding to `figures` (per run). Returns the selection, its cutoff a flat index in the slot. */
export function reserve({ runs }: HeldSlot, cuts: readonly (Cut | null)[], slack: Slack, { places, keys }: Margins, figures: readonly Figures[]): Kept {
  const { threshold, last } = selectSmallest(keys, reservedOf(slack, cuts[slack.prefer]!.kept, places.length));
  if (last < 0) return { threshold: 0, cutoff: 0 };
  let r = 0;
  for (let k = 0; k < places.length; k++) {
    if (keys[k]! > threshold || (keys[k] === threshold && k > last)) continue;
    const p = places[k]!;
    while (p >= runs[r]!.end) r++;
    figures[r]!.reserved++;
    figures[r]!.reservedCost += costAt(cuts, slack.prefer, p);
  }
  return { threshold, cutoff: flatIndex(runs, places[last]!) + 1 };
}

/** 1 where `slack` gives the position back. */
export function reservedMask(length: number, cuts: readonly (Cut | null)[], slack: Slack, { places, keys }: Margins): Uint8Array {
  const { threshold, last } = selectSmallest(keys, reservedOf(slack, cuts[slack.prefer]!.kept, places.length));
  const mask = new Uint8Array(length);
  for (let k = 0; k < places.length; k++) {
    mask[places[k]!] = Number(keys[k]! < threshold) | (Number(keys[k] === threshold) & Number(k <= last));
  }
  return mask;
}

/** The curve of one slot: D in order of |e|, and the cost summed up so far at each share. `discarded` is the figure of that name. */
export function curveOf(
  cuts: readonly (Cut | null)[],
  { prefer, of, shares }: SlackCurveRequest,
  discarded: number,
  { places, keys }: Margins,
  length: number,
  { words }: Scratch,
): SlotSlackCurve {
  const order = ascendingOrder(keys, [words[1], words[2]]);
  const upTo = new Float64Array(order.length + 1);
  for (let k = 0; k < order.length; k++) upTo[k + 1] = upTo[k]! + costAt(cuts, prefer, places[order[k]!]!);
  const kept = cuts[prefer]!.kept;
  const reserved = Float64Array.from(shares, (s) => reservedOf({ s, of, prefer }, kept, places.length));
  let magnitude = 0;
  for (const [model, cut] of cuts.entries()) if (cut !== null && model !== prefer) magnitude += magnitudeOf(cut, length);
  return { numel: length, kept, discarded, magnitude, reserved, cost: reserved.map((count) => upTo[count]!) };
}

/** Sum of |w_i tau^_i| over finite values. */
function magnitudeOf(cut: Cut, length: number): number {
  let sum = 0;
  for (let p = 0; p < length; p++) {
    const size = Math.abs(termAt(cut, p));
    if (size < Infinity) sum += size;
  }
  return sum;
}
