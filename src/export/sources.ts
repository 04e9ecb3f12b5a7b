/** Whose files an export carries, and where MergeKit finds the sources. */
import type { Checkpoint, FileEntry } from '../checkpoint/types';
import type { Recipe } from '../recipe/types';

const find = (id: string | null | undefined, checkpoints: readonly Checkpoint[]): Checkpoint | null =>
  checkpoints.find((checkpoint) => checkpoint.id === id) ?? null;

/** The checkpoint whose tensor names and shapes are written: the base, or for `linear` without one the first model. */
export function shapeSource({ base, models }: Recipe, checkpoints: readonly Checkpoint[]): Checkpoint | null {
  return find(base ?? models[0]?.model, checkpoints);
}

/** The checkpoint whose config and tokenizer files are carried: the one chosen, or the one of `shapeSource`. */
export function fileSource(recipe: Recipe, checkpoints: readonly Checkpoint[]): Checkpoint | null {
  return find(recipe.tokenizerFrom, checkpoints) ?? shapeSource(recipe, checkpoints);
}

/** Its sidecars by file name. Those of deeper folders are left: an export is a flat folder. */
export function sidecarsByName({ path, sidecars }: Checkpoint): ReadonlyMap<string, FileEntry> {
  const prefix = path === '' ? '' : `${path}/`;
  const beside = sidecars.filter((file) => file.path.startsWith(prefix) && !file.path.slice(prefix.length).includes('/'));
  return new Map(beside.map((file) => [file.path.slice(prefix.length), file]));
}

/** The config.json to read for `ExportInput.config`; null when the model has none. */
export function configFile(recipe: Recipe, checkpoints: readonly Checkpoint[]): FileEntry | null {
  const source = fileSource(recipe, checkpoints);
  return source === null ? null : (sidecarsByName(source).get('config.json') ?? null);
}

/** The folder of a checkpoint as it was dropped, or its name where loose files were; the id when it is not known. */
export function modelPath(id: string, checkpoints: readonly Checkpoint[]): string {
  const checkpoint = find(id, checkpoints);
  return checkpoint === null ? id : checkpoint.path || checkpoint.name;
}
