/** The edited YAML of a recipe: what it would be, and what stands in the way, line by line. */
import { fromMergeKit, type MergeKitReading } from '../../recipe/mergekit';
import { describeError } from '../messages';

/** Reads a draft against the open checkpoints: a path of MergeKit ends in the folder's name, which is what a card shows. */
export function readDraft(draft: string, open: readonly { readonly id: string; readonly name: string }[]): MergeKitReading {
  return fromMergeKit(draft, (path) => (open.find(({ name }) => name === path) ?? open.find(({ name }) => name === path.split('/').at(-1)))?.id ?? null);
}

/** `Line 4: The density 1.5 is not in (0, 1]. ...` */
export function problemLines({ problems }: MergeKitReading, nameOf: (id: string) => string): { text: string; severity: 'error' | 'warning' }[] {
  return problems.map(({ severity, error }) => {
    const { title, detail, action } = describeError(error.toWire(), nameOf);
    return { severity, text: `Line ${error.where.line ?? 1}: ${title}. ${detail} ${action}` };
  });
}
