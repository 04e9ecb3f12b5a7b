/** Axes and colour scales: where the ticks go. */

/** Multiples of a power of ten that read well as steps. */
const STEPS = [1, 2, 2.5, 5, 10];

/** The smallest round step that covers `span` in at most `intervals` steps. */
function roundStep(span: number, intervals: number): number {
  const raw = span / intervals;
  const power = 10 ** Math.floor(Math.log10(raw));
  // The tolerance keeps a span that is a round number already (0.3 / 3) at its own step.
  return power * STEPS.find((step) => step * power >= raw * (1 - 1e-9))!;
}

/**
 * Ticks from a round number at or below `min` to one at or above `max`, `intervals` steps or fewer; the first and last are
 * the ends of the axis. Meant for proportions: 0 <= min <= max, far from subnormal. A range of no width is one from 0, and
 * from 0 to 0 it is an axis of height 1, since an empty chart still has one.
 */
export function ticksBetween(min: number, max: number, intervals: number): readonly number[] {
  // Relative: ticks carry 12 digits, so that ends closer than this could not be told apart.
  if (!(max - min > 1e-9 * max)) return max > 0 ? ticksBetween(0, max, intervals) : [0, 1];
  let step = roundStep(max - min, intervals);
  const steps = () => ({ first: Math.floor(min / step + 1e-9), last: Math.ceil(max / step - 1e-9) });
  // Rounding both ends outwards can take more steps than the span needs.
  while (steps().last - steps().first > intervals) step = roundStep(step * (intervals + 1), intervals);
  const { first, last } = steps();
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/**
 * Ends and ticks of a colour scale over `values`: from 0 where the smallest is less than half of the largest, else from a
 * round number below the smallest, so that small differences show. The legend gives the numbers.
 */
export function colourScale(values: readonly number[], intervals: number): readonly number[] {
  const max = values.length === 0 ? 0 : Math.max(...values);
  const min = values.length === 0 ? 0 : Math.min(...values);
  return ticksBetween(min < max / 2 ? 0 : min, max, intervals);
}

/** Ticks of a logarithmic axis within [min, max], 0 < min < max: of 1, 2 and 5 times the powers of ten as many as leave at most `most`. */
export function logTicks(min: number, max: number, most: number): readonly number[] {
  const [first, last] = [Math.floor(Math.log10(min)), Math.floor(Math.log10(max))];
  const powers = Array.from({ length: last - first + 1 }, (_, i) => 10 ** (first + i));
  const among = (steps: readonly number[]) =>
    powers.flatMap((power) => steps.map((step) => Number((step * power).toPrecision(3)))).filter((tick) => tick >= min && tick <= max);
  const [dense, single] = [among([1, 2, 5]), among([1])];
  if (dense.length <= most) return dense;
  const every = Math.max(1, Math.ceil(single.length / most));
  return single.filter((_, i) => i % every === 0);
}
