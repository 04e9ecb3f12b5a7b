/** What float units can be trusted with: the ranges of shaders/lib/f32_float.wgsl on this side. */
import type { TensorParameters } from '../recipe/types';

/** Magnitudes, inclusive, of weights and lambda that are not 0. */
const WEIGHT = [2 ** -14, 2 ** 14] as const;
const LAMBDA = [2 ** -10, 2 ** 20] as const;
/** Rescale factors are at least 1 but for rounding, and at most this. */
const FACTOR = [0.5, 2 ** 14] as const;

/** Whether these parameters cannot take an ordinary value to an edge; with others, merging is by integers. */
export function areOrdinary({ weight, lambda }: TensorParameters): boolean {
  return weight.every((w) => isWithin(w, WEIGHT)) && isWithin(lambda, LAMBDA);
}

/** The same for factors of `rescale`, known only after the selection. */
export function areOrdinaryFactors(factors: readonly (readonly number[])[]): boolean {
  return factors.every((mine) => mine.every((factor) => isWithin(factor, FACTOR)));
}

function isWithin(x: number, [low, high]: readonly [number, number]): boolean {
  const magnitude = Math.abs(Math.fround(x));
  return magnitude === 0 || (magnitude >= low && magnitude <= high);
}
