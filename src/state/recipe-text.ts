/** MergeKit's YAML against the open checkpoints. */
import { layerCount } from '../checkpoint/places';
import type { Checkpoint } from '../checkpoint/types';
import { fromMergeKit, matchModel, type MergeKitReading, type RecipeText } from '../recipe/mergekit';

export type DraftCheckpoint = Pick<Checkpoint, 'id' | 'name' | 'path' | 'tensors'>;
export type Draft = MergeKitReading & { readonly text: RecipeText };

/** Reads a draft against the open checkpoints, which are found by name, by folder, or by the last parts of a path. */
export function readDraft(draft: string, open: readonly DraftCheckpoint[]): Draft {
  const paths: Record<string, string> = {};
  const layersOf = (id: string) => layerCount(open.find((one) => one.id === id)?.tensors.map(({ name }) => name) ?? []) || null;
  const idOf = (path: string) => {
    const id = matchModel(path, open)?.id ?? null;
    if (id !== null) paths[id] ??= path;
    return id;
  };
  return { ...fromMergeKit(draft, idOf, layersOf), text: { text: draft, paths } };
}
