/** rescale: what trimming took from a task vector's sum of magnitudes is given back (merging.md sections 4 and 8). */

/** Below this either sum is taken for nothing, and nothing is rescaled. */
export const LEAST_SUM = 1e-7;

/**
 * sum |tau_i| / sum |tau^_i|: both in f64 and in flat order, the ratio rounded once to f32. Values that are not finite are
 * left out of both sums: one of them would make every value of the tensor NaN.
 */
export function rescaleFactor(tau: Float32Array, mask: Uint8Array): number {
  let all = 0;
  let kept = 0;
  for (let p = 0; p < tau.length; p++) {
    const magnitude = Math.abs(tau[p]!);
    if (!Number.isFinite(magnitude)) continue;
    all += magnitude;
    if (mask[p] === 1) kept += magnitude;
  }
  return all < LEAST_SUM || kept < LEAST_SUM ? 1 : Math.fround(all / kept);
}
