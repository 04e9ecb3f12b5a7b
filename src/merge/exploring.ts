/**
 * What a held group tells besides its figures, for the views that show more than one setting at a time. Each equals what
 * `Held.evaluate` would say setting by setting; a backend answers from one pass where it can. This file constructs nothing.
 */

/** Densities of two models; everything else is as the parameters say. */
export interface SurfaceRequest {
  /** Models (recipe order) on the axes; two different ones. */
  readonly x: number;
  readonly y: number;
  /** Ascending, each in (0, 1]. */
  readonly densitiesX: readonly number[];
  readonly densitiesY: readonly number[];
}

/**
 * Counts of one slot at every pair of densities (merging.md section 5, before reserving); entry `iy * nx + ix`. Zeros where
 * one of the two models takes no part.
 */
export interface SlotSurface {
  readonly numel: number;
  readonly conflict: Float64Array;
  readonly wonX: Float64Array;
  readonly wonY: Float64Array;
  readonly discardedX: Float64Array;
  readonly discardedY: Float64Array;
  /** K and non-zero kept values, per density of the axis. */
  readonly keptX: Float64Array;
  readonly keptY: Float64Array;
  readonly nonzeroX: Float64Array;
  readonly nonzeroY: Float64Array;
}

/** Slack as a sweep: what would be reserved at each share, and what that costs (merging.md section 6). */
export interface SlackCurveRequest {
  /** Preferred model, index in recipe order. */
  readonly prefer: number;
  readonly of: 'retained' | 'discarded';
  /** Values of s, ascending, each in [0, 1]. */
  readonly shares: readonly number[];
}
export interface SlotSlackCurve {
  /** N as in `Figures.numel`: what a sample is scaled by. */
  readonly numel: number;
  /** K of the preferred model. */
  readonly kept: number;
  /** |D| of the preferred model. */
  readonly discarded: number;
  /** Sum of |w_i tau^_i| over all kept values of the other models: what there is to lose. f64, not bit-stable. */
  readonly magnitude: number;
  /** Per share: R, and the sum of |w_i tau^_i| of the models that lose there (`Figures.reservedCost`). */
  readonly reserved: Float64Array;
  readonly cost: Float64Array;
}

/**
 * Sums of squares and products over a slot's finite positions; lengths and cosines follow from them. f64 sums of f32 values,
 * not bit-stable across backends: within 1e-4 of the reference, relative to the product of the two lengths.
 */
export interface SlotEffect {
  readonly numel: number;
  /** Sum of theta_init squared (of the first model for `linear`). */
  readonly base2: number;
  /** Per model: sum of tau_i squared, untrimmed. */
  readonly tau2: readonly number[];
  /** Sums of tau_i * tau_j for i < j, (0,1), (0,2), ..., (1,2), ... */
  readonly between: readonly number[];
  /** Sum of (theta_m - theta_init) squared, theta_m in f32 before the output dtype: lambda * tau_m, slack included. */
  readonly change2: number;
  /** Per model: sum of (theta_m - theta_init) * tau_i. */
  readonly along: readonly number[];
}

/** Bins of a distribution: eighths of a binade, the upper 11 bits of the 31-bit key. */
export const DISTRIBUTION_BINS = 2048;
/** Shift from the key of |tau| to its bin. */
export const DISTRIBUTION_SHIFT = 20;

/** How a slot's |tau| spread: per model (null where it takes no part), DISTRIBUTION_BINS counts by `key >>> DISTRIBUTION_SHIFT`. */
export interface SlotDistribution {
  readonly counts: readonly (Uint32Array | null)[];
}
