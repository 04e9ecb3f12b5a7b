import { formatCount } from '../../analysis/format';
import { plural } from '../format';

interface VerifiedLineProps {
  readonly verified: number;
  readonly tensors: number;
  /** Computed again by the reference while merging. */
  readonly values: number;
  /** Values that became infinite in the output dtype. */
  readonly overflow: number;
}

/** What was checked of an export, in one line. */
export function VerifiedLine({ verified, tensors, values, overflow }: VerifiedLineProps) {
  const isWhole = verified === tensors;
  return (
    <p data-grave={isWhole ? 'good' : 'bad'} className="verified">
      {isWhole ? '✓' : '✗'} {formatCount(verified)} of {formatCount(tensors)} tensors verified: re-read after closing, equal to what was computed
      {values > 0 && `; ${formatCount(values)} values computed again on the CPU while merging: the same`}
      {overflow > 0 && `. ${plural(overflow, 'value', formatCount(overflow))} overflowed to infinity in the output dtype`}
    </p>
  );
}
