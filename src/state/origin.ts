/** What a merged checkpoint was made of: from its weights' metadata, or from the YAML beside them. */
import type { WireError } from '../bytes/errors';
import { asStudioError } from '../bytes/errors';
import type { Checkpoint } from '../checkpoint/types';
import { DEFAULT_CHOICES, type FitChoices } from '../merge/plan-types';
import type { RecipeText } from '../recipe/mergekit';
import { matchSources, readProvenance } from '../recipe/provenance';
import type { Recipe } from '../recipe/types';
import { idsOf, renamed } from './address';
import { readChoices, renamedChoices } from './choices';
import { readDraft } from './recipe-text';
import type { RecipeFile } from './types';

export type Origin =
  /** Everything the recipe names is open; its ids, and those of what the sources held then, are of open checkpoints. */
  | { readonly status: 'ready'; readonly recipe: Recipe; readonly choices: FitChoices; readonly text: RecipeText | null; readonly contents: Readonly<Record<string, string>> }
  /** Names of the sources that are not open. */
  | { readonly status: 'waiting'; readonly missing: readonly string[] }
  | { readonly status: 'unreadable'; readonly error: WireError };

/** Null for a checkpoint that tells of no recipe. `files`: recipes that were dropped. */
export function originOf(checkpoint: Checkpoint, open: readonly Checkpoint[], files: readonly RecipeFile[]): Origin | null {
  const others = open.filter(({ id }) => id !== checkpoint.id);
  const beside = checkpoint.path === '' ? undefined : files.find(({ file }) => folderOf(file) === checkpoint.path);
  const draft = beside === undefined ? null : readDraft(beside.text, others);
  try {
    const provenance = readProvenance(checkpoint.shards[0]?.metadata ?? {});
    if (provenance !== null) {
      const { recipe, sources } = provenance;
      const ids = matchSources(sources, others);
      const missing = idsOf(recipe).filter((id) => !ids.has(id));
      if (missing.length > 0) return { status: 'waiting', missing: missing.map((id) => sources.find((source) => source.id === id)?.name ?? id) };
      const idOf = (id: string) => ids.get(id) ?? id;
      const contents = Object.fromEntries(sources.flatMap((source) => (source.contents === undefined ? [] : [[idOf(source.id), source.contents]])));
      const choices = renamedChoices(readChoices(provenance.choices), idOf);
      return { status: 'ready', recipe: renamed(recipe, idOf), choices, text: draft?.recipe ? draft.text : null, contents };
    }
  } catch (error) {
    return { status: 'unreadable', error: asStudioError(error).toWire() };
  }
  if (draft === null) return null;
  if (draft.recipe !== null) return { status: 'ready', recipe: draft.recipe, choices: { ...DEFAULT_CHOICES, ...draft.choices }, text: draft.text, contents: {} };
  const errors = draft.problems.filter(({ severity }) => severity === 'error').map(({ error }) => error);
  const other = errors.find(({ reason }) => reason !== 'model-not-open');
  if (other) return { status: 'unreadable', error: other.toWire() };
  return { status: 'waiting', missing: [...new Set(errors.map(({ where }) => where.model ?? ''))] };
}

/** Folder of a path, '' for none. */
export function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}
