/** Numbers as the charts and tables write them. */
import type { Estimate } from './estimate';
import type { Share } from './share';

/** U+00A0: a number and its unit stay on one line. */
const UNIT_SPACE = '\u00a0';
/** U+202F, narrow and non-breaking: groups of three digits. */
const THIN_SPACE = '\u202f';
const NO_VALUE = '–';

/**
 * A proportion in percent with two decimals below 10 % and one above. What would round to 0 or to 100 without being it says
 * so: `< 0.01 %`, `> 99.99 %`. Null (nothing to divide by) is a dash.
 */
export function formatPercent(value: number | null): string {
  if (value === null) return NO_VALUE;
  const percent = value * 100;
  if (percent === 0) return `0${UNIT_SPACE}%`;
  if (percent > 0 && percent < 0.01) return `<${UNIT_SPACE}0.01${UNIT_SPACE}%`;
  if (percent === 100) return `100${UNIT_SPACE}%`;
  if (percent > 99.99 && percent < 100) return `>${UNIT_SPACE}99.99${UNIT_SPACE}%`;
  const size = Math.abs(percent);
  // 9.996 would round to 10.00 and 99.96 to 100.0: the digits follow the rounded value.
  const decimals = size < 9.995 || (size >= 99.95 && size < 100) ? 2 : 1;
  return `${percent.toFixed(decimals)}${UNIT_SPACE}%`;
}

/**
 * A proportion with how far it may be off: `4.31 % ± 0.12`, `4.31 % (3.9 to 5.2)` where the two sides differ by more than a
 * quarter, `< 0.02 %` where too few events were seen for more than a bound. Without an interval as `formatPercent`.
 */
export function formatEstimate({ value, interval }: Estimate): string {
  const written = formatPercent(value);
  if (value === null || interval === null) return written;
  if (interval.kind === 'upper') return `<${UNIT_SPACE}${upwards(interval.high * 100)}${UNIT_SPACE}%`;
  const [below, above] = [value - interval.low, interval.high - value];
  const wider = Math.max(below, above) * 100;
  if (wider === 0) return written;
  if (Math.abs(below - above) > SKEWED * (below + above)) {
    return `${written} (${formatPercent(interval.low).replace(PERCENT_SIGN, '')} to ${formatPercent(interval.high).replace(PERCENT_SIGN, '')})`;
  }
  return `${written} ±${UNIT_SPACE}${upwards(wider)}`;
}
/** Difference of the two sides of an interval over their sum, above which both ends are written. */
const SKEWED = 0.125;
const PERCENT_SIGN = /\u00a0%$/;

/** Two significant digits and at most two decimals, rounded up: a bound must not shrink in writing. */
function upwards(percent: number): string {
  const decimals = percent >= 9.95 ? 0 : percent >= 0.995 ? 1 : 2;
  const unit = 10 ** -decimals;
  return (Math.ceil(percent / unit - 1e-9) * unit).toFixed(decimals);
}

/** A count in groups of three digits. Scaled estimates are fractional and shown rounded. */
export function formatCount(count: number): string {
  return Math.round(count)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, THIN_SPACE);
}

/** `9 062 of 100 000`. */
export function formatCounts({ numerator, denominator }: Share): string {
  return `${formatCount(numerator)} of ${formatCount(denominator)}`;
}

/** `9.06 % (9 062 of 100 000)`, an estimate `9.06 % ± 0.12 (...)`: a proportion with both counts, for accessible names. */
export function formatShare(share: Share | Estimate): string {
  return `${'interval' in share ? formatEstimate(share) : formatPercent(share.value)} (${formatCounts(share)})`;
}

/** Four significant digits, for magnitudes such as thresholds: `0.001953`, `1.25e-7`. */
export function formatMagnitude(value: number): string {
  if (value === 0) return '0';
  const size = Math.abs(value);
  return size >= 1e-4 && size < 1e6 ? String(Number(value.toPrecision(4))) : value.toExponential(2);
}
