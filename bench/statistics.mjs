/** Middle one of several, robust against the one repetition that met a busy machine. */
export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Slope of the line of least squares through points `[x, y]`; 0 for fewer than two. */
export function slope(points) {
  const mean = (of) => points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [x, y] = [mean(([at]) => at), mean(([, value]) => value)];
  const spread = points.reduce((sum, [at]) => sum + (at - x) ** 2, 0);
  return spread === 0 ? 0 : points.reduce((sum, [at, value]) => sum + (at - x) * (value - y), 0) / spread;
}

/** Quantile 0.975 of the normal distribution. */
const Z = 1.959964;

/** Quantile 0.975 of Student's t with `freedom` degrees of freedom, 3 or more: the first terms of its expansion around the normal's. */
function studentQuantile(freedom) {
  const second = (5 * Z ** 5 + 16 * Z ** 3 + 3 * Z) / (96 * freedom ** 2);
  const third = (3 * Z ** 7 + 19 * Z ** 5 + 17 * Z ** 3 - 15 * Z) / (384 * freedom ** 3);
  return Z + (Z ** 3 + Z) / (4 * freedom) + second + third;
}

/**
 * `slope` with the ends of its 95 % interval, `{slope, low, high}`, for deviations from the line that are independent of each other;
 * the ends are null for fewer than five points.
 */
export function slopeInterval(points) {
  const steepness = slope(points);
  const freedom = points.length - 2;
  if (freedom < 3) return { slope: steepness, low: null, high: null };
  const mean = (of) => points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [x, y] = [mean(([at]) => at), mean(([, value]) => value)];
  const spread = points.reduce((sum, [at]) => sum + (at - x) ** 2, 0);
  const left = points.reduce((sum, [at, value]) => sum + (value - y - steepness * (at - x)) ** 2, 0);
  const half = spread === 0 ? 0 : studentQuantile(freedom) * Math.sqrt(left / freedom / spread);
  return { slope: steepness, low: steepness - half, high: steepness + half };
}

/** Share of the minutes of a long run that is left out: caches fill and code is compiled. */
const WARM_UP = 1 / 6;

/**
 * What a figure of a long run's points `{minute, [key]}` grows by in an hour, the warm-up left out: `{slope, low, high}` with a 95 %
 * interval, and its `median`.
 */
export function growthOf(points, key) {
  const warm = WARM_UP * (points.at(-1)?.minute ?? 0);
  const kept = points.filter(({ minute }) => minute > warm);
  return { ...slopeInterval(kept.map((point) => [point.minute / 60, point[key]])), median: median(kept.map((point) => point[key])) };
}
