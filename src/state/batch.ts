/** What "Export several" exports: a grid of densities, or the snapshots that are kept. */
import { densityGrid, withFolders } from '../recipe/batch';
import type { BatchRequestEntry } from '../worker/protocol';
import { fulfilSnapshot } from './snapshots';
import type { Decisions, StudioState } from './types';

/** The grid of arXiv 2407.03994. */
export const PAPER_GRID: readonly number[] = [0.01, 0.2, 0.4, 0.6, 0.8, 1];
/** Densities of one model: 144 merges are more than anybody validates. */
export const MAX_DENSITIES = 12;

/** Densities as typed, separated by commas, semicolons or spaces: ascending, each once. Null unless there is one to MAX_DENSITIES, all within (0, 1]. */
export function readDensities(text: string): number[] | null {
  const words = text.split(/[\s,;]+/).filter(Boolean);
  const values = [...new Set(words.map(Number))].sort((a, b) => a - b);
  return values.length > 0 && values.length <= MAX_DENSITIES && values.every((value) => value > 0 && value <= 1) ? values : null;
}

/** The present recipe with every pair of `densities` for two of its models. */
export function gridEntries({ recipe, text, choices }: Pick<Decisions, 'recipe' | 'text' | 'choices'>, models: readonly [string, string], densities: readonly number[], nameOf: (id: string) => string): BatchRequestEntry[] {
  return densityGrid(recipe, models, densities, nameOf).map((entry) => ({ ...entry, text, choices }));
}

/** The snapshots whose checkpoints are all open. */
export function snapshotEntries({ snapshots, checkpoints, decisions }: Pick<StudioState, 'snapshots' | 'checkpoints' | 'decisions'>): BatchRequestEntry[] {
  const found = snapshots.list.flatMap((snapshot) => {
    const fulfilled = fulfilSnapshot(snapshot, checkpoints.open, decisions.present.roles);
    return fulfilled ? [{ name: snapshot.name, recipe: fulfilled.recipe, choices: fulfilled.choices }] : [];
  });
  return withFolders(found).map((entry, i) => ({ ...entry, text: null, choices: found[i]!.choices }));
}
