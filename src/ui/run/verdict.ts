/** A verification in words. */
import { formatCount } from '../../analysis/format';
import type { Verification } from '../../merge/verify';
import { plural } from '../format';

export interface Verdict {
  readonly grave: 'good' | 'warn' | 'bad';
  readonly title: string;
  readonly detail: string;
  readonly action: string;
}

/** Share of a tensor's values that two backends may round apart, by one unit in the last place (merging.md section 8). */
const ROUNDED_APART = 1 / 10_000;

/** `others`: names of sources that hold other values than those the file was made from. */
export function verdictOf(verification: Verification, name: string, others: readonly string[] = []): Verdict {
  const { tensors, same, values, differing, differences, missing, foreign, reshaped } = verification;
  const compared = `${formatCount(same)} of ${plural(tensors, 'tensor', formatCount(tensors))} are the same to the bit; ${formatCount(differing)} of ${plural(values, 'value', formatCount(values))} differ.`;
  const isOther = missing.length + foreign.length + reshaped.length > 0;
  if (same === tensors && !isOther) return { grave: 'good', title: `${name} is what its recipe gives`, detail: compared, action: '' };
  const isRounded = same + differences.length === tensors && differences.every((one) => one.units !== null && one.units <= 1 && one.differing <= Math.max(1, one.values * ROUNDED_APART));
  if (isRounded && !isOther) {
    return {
      grave: 'good',
      title: `${name} is what its recipe gives, but for rounding`,
      detail: `${compared} They are one unit in the last place apart, as two graphics adapters may be.`,
      action: 'It was merged on another adapter or by another version; nothing has to be done.',
    };
  }
  return {
    grave: 'bad',
    title: `${name} is not what its recipe gives`,
    detail: compared,
    action:
      others.length > 0
        ? `It was made from other values than those of ${others.join(' and ')}: drop the ones it was made from.`
        : 'The file was changed after the merge, or it was merged by another program.',
  };
}
