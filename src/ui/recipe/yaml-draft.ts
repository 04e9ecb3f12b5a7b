/** What stands in the way of an edited YAML, line by line. */
import type { MergeKitReading } from '../../recipe/mergekit';
import { describeError } from '../messages';

/** `Line 4: The density 1.5 is not in (0, 1]. ...` */
export function problemLines({ problems }: MergeKitReading, nameOf: (id: string) => string): { text: string; severity: 'error' | 'warning' }[] {
  return problems.map(({ severity, error }) => {
    const { title, detail, action } = describeError(error.toWire(), nameOf);
    return { severity, text: `Line ${error.where.line ?? 1}: ${title}. ${detail} ${action}` };
  });
}
