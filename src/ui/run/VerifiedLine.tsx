import { formatCount } from '../../analysis/format';
import type { Rechecked } from '../../merge/recheck';
import { plural } from '../format';

interface VerifiedLineProps {
  readonly verified: number;
  readonly tensors: number;
  /** Computed again by the reference while merging. */
  readonly values: number;
  /** What was computed again of all that was written. */
  readonly rechecked?: Rechecked | null;
  /** Values that became infinite in the output dtype. */
  readonly overflow: number;
}

/** What was checked of an export, in one line. */
export function VerifiedLine({ verified, tensors, values, rechecked = null, overflow }: VerifiedLineProps) {
  const isWhole = verified === tensors;
  return (
    <p data-grave={isWhole ? 'good' : 'bad'} className="verified">
      {isWhole ? '✓' : '✗'} {formatCount(verified)} of {formatCount(tensors)} tensors verified: re-read after closing, equal to what was computed
      {values > 0 && `; ${formatCount(values)} values computed again on the CPU while merging: the same`}
      {rechecked && `; all ${formatCount(rechecked.values)} values computed again by ${rechecked.by}: ${rechecked.differing === 0 ? 'the same to the bit' : `the same but for ${formatCount(rechecked.differing)} rounded by one unit in the last place`}`}
      {overflow > 0 && `. ${plural(overflow, 'value', formatCount(overflow))} overflowed to infinity in the output dtype`}
    </p>
  );
}
