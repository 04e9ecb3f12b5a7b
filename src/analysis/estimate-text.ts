/** Estimates in words. */
import type { Estimate } from './estimate';
import { formatPercent } from './format';

/** `9.06 %`, `9.06 % (8.94 % to 9.18 %)` with its interval, `< 0.02 %` where too few events were seen to say more. */
export function formatEstimate(estimate: Estimate): string {
  const { value, interval } = estimate;
  if (interval === null) return formatPercent(value);
  if (interval.kind === 'upper') return `<\u00a0${formatPercent(interval.high).replace(/^<\u00a0/, '')}`;
  return `${formatPercent(value)} (${formatPercent(interval.low)} to ${formatPercent(interval.high)})`;
}
