/** What each further percent of reserved values costs (merging.md section 6): the curve, its slope and its knee. */
import type { SlotSlackCurve } from '../merge/exploring';
import type { Exactness } from './aggregate';
import { exactnessOf, weightOf, type Part } from './parts';

/** Sums over tensors. Fractional where samples were scaled. */
export interface SlackCurve {
  /** Values of s, ascending, from 0. */
  readonly shares: readonly number[];
  /** K of the preferred model, |D|, and the magnitude that the other models have to lose. */
  readonly kept: number;
  readonly discarded: number;
  readonly magnitude: number;
  /** Per share: positions reserved, and the magnitude the other models lose there. */
  readonly reserved: readonly number[];
  readonly cost: readonly number[];
  readonly exactness: Exactness;
}

/** Adds the curves of tensors, all asked for at `shares`. */
export function sumSlackCurves(parts: readonly Part<SlotSlackCurve>[], shares: readonly number[]): SlackCurve {
  const reserved = shares.map(() => 0);
  const cost = shares.map(() => 0);
  let [kept, discarded, magnitude] = [0, 0, 0];
  for (const part of parts) {
    const { view } = part;
    const weight = weightOf(part);
    kept += view.kept * weight;
    discarded += view.discarded * weight;
    magnitude += view.magnitude * weight;
    for (let i = 0; i < shares.length; i++) {
      reserved[i]! += view.reserved[i]! * weight;
      cost[i]! += view.cost[i]! * weight;
    }
  }
  return { shares, kept, discarded, magnitude, reserved, cost, exactness: exactnessOf(parts) };
}

/** Reserved positions and cost at any s, linear between the shares asked for; beyond the last, what it is there. */
export function slackAt({ shares, reserved, cost }: SlackCurve, s: number): { readonly reserved: number; readonly cost: number } {
  const above = shares.findIndex((share) => share >= s);
  if (above === 0 || shares.length === 0) return { reserved: reserved[0] ?? 0, cost: cost[0] ?? 0 };
  if (above < 0) return { reserved: reserved.at(-1)!, cost: cost.at(-1)! };
  const part = (s - shares[above - 1]!) / (shares[above]! - shares[above - 1]!);
  const between = (values: readonly number[]) => values[above - 1]! + part * (values[above]! - values[above - 1]!);
  return { reserved: between(reserved), cost: between(cost) };
}

export interface SlopeStep {
  /** The step in s, and what a further reserved share costs within it: share of magnitude per share of kept values. */
  readonly from: number;
  readonly to: number;
  readonly slope: number;
}

/** Marginal cost, step by step: (cost / magnitude) over (reserved / kept). Steps that reserve nothing have none. */
export function slopes({ shares, reserved, cost, kept, magnitude }: SlackCurve): SlopeStep[] {
  if (kept === 0 || magnitude === 0) return [];
  return shares.slice(1).flatMap((to, i) => {
    const more = reserved[i + 1]! - reserved[i]!;
    return more > 0 ? [{ from: shares[i]!, to, slope: (cost[i + 1]! - cost[i]!) / magnitude / (more / kept) }] : [];
  });
}

/** Of all that could be reserved, the share at which a curve counts as used up: single tensors lag behind for long. */
const NEARLY_ALL = 0.995;

/** Index of the first share at which nearly all discarded values are reserved; the last where it is never so. */
export function usedUp({ reserved, discarded }: SlackCurve): number {
  const at = reserved.findIndex((count) => count >= NEARLY_ALL * discarded);
  return at < 0 ? reserved.length - 1 : at;
}

/**
 * Index of the knee, by Kneedle (Satopaa et al., 2011) without smoothing: with both axes scaled to run from 0 to 1 up to where
 * the curve is used up, the share furthest below the chord, i.e. where reserved positions run furthest ahead of their
 * cost. Null where the curve nowhere lies below its chord.
 */
export function kneeOf(curve: SlackCurve): number | null {
  const last = usedUp(curve);
  const [x, y] = [curve.reserved[last] ?? 0, curve.cost[last] ?? 0];
  if (x === 0 || y === 0) return null;
  let knee: number | null = null;
  let furthest = 1e-9;
  for (let i = 1; i < last; i++) {
    const ahead = curve.reserved[i]! / x - curve.cost[i]! / y;
    if (ahead > furthest) [knee, furthest] = [i, ahead];
  }
  return knee;
}

/** Steps of a curve between 0 and where nearly all discarded values are back: fine enough to find a knee. */
const STEPS = 48;

/** What one tensor has to give back: K and |D| of the preferred model. */
export interface Losses {
  readonly kept: number;
  readonly discarded: number;
}

/** The smallest s, rounded up to two digits, at which nearly all discarded values are reserved, tensor by tensor. At most 1. */
export function shareForAll(tensors: readonly Losses[], of: 'retained' | 'discarded'): number {
  const all = tensors.reduce((sum, { discarded }) => sum + discarded, 0);
  if (all === 0 || of === 'discarded') return 1;
  const reserved = (s: number) => tensors.reduce((sum, { kept, discarded }) => sum + Math.min(s * kept, discarded), 0);
  let [low, high] = [0, 1];
  for (let i = 0; i < 30; i++) {
    const middle = (low + high) / 2;
    if (reserved(middle) >= NEARLY_ALL * all) high = middle;
    else low = middle;
  }
  const unit = 10 ** (Math.floor(Math.log10(high)) - 1);
  return Math.min(1, Number((Math.ceil(high / unit) * unit).toPrecision(2)));
}

/**
 * Shares to ask for, from 0 to `most`, ascending: evenly spread with `also` among them (the paper's 4 %, which is marked).
 * The present s is not among them, so that moving it asks for nothing.
 */
export function sharesUpTo(most: number, also: readonly number[]): number[] {
  const end = Math.min(1, Math.max(most, ...also));
  const even = Array.from({ length: STEPS + 1 }, (_, i) => Number(((i * end) / STEPS).toPrecision(6)));
  return [...new Set([...even, ...also])].sort((a, b) => a - b);
}
