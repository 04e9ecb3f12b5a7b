/** The edited YAML of a recipe: what it would be, and what stands in the way, line by line. */
import { layerCount } from '../../checkpoint/places';
import type { Checkpoint } from '../../checkpoint/types';
import { fromMergeKit, matchModel, type MergeKitReading, type RecipeText } from '../../recipe/mergekit';
import { describeError } from '../messages';

export type DraftCheckpoint = Pick<Checkpoint, 'id' | 'name' | 'path' | 'tensors'>;

/** Reads a draft against the open checkpoints, which are found by name, by folder, or by the last parts of a path. */
export function readDraft(draft: string, open: readonly DraftCheckpoint[]): MergeKitReading & { readonly text: RecipeText } {
  const paths: Record<string, string> = {};
  const layersOf = (id: string) => layerCount(open.find((one) => one.id === id)?.tensors.map(({ name }) => name) ?? []) || null;
  const idOf = (path: string) => {
    const id = matchModel(path, open)?.id ?? null;
    if (id !== null) paths[id] ??= path;
    return id;
  };
  return { ...fromMergeKit(draft, idOf, layersOf), text: { text: draft, paths } };
}

/** `Line 4: The density 1.5 is not in (0, 1]. ...` */
export function problemLines({ problems }: MergeKitReading, nameOf: (id: string) => string): { text: string; severity: 'error' | 'warning' }[] {
  return problems.map(({ severity, error }) => {
    const { title, detail, action } = describeError(error.toWire(), nameOf);
    return { severity, text: `Line ${error.where.line ?? 1}: ${title}. ${detail} ${action}` };
  });
}
