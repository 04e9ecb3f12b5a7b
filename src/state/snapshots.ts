/** Recipes kept under a name: listed, applied, compared with the present one. Kept by checkpoint names, since ids are of this page. */
import { DEFAULT_DROP, DEFAULT_EPSILON, DEFAULT_GAMMA, DEFAULT_T, DEFAULT_TOPK, drops, readsDensity, readsEpsilon, readsGamma, readsLambda, readsTopk, traitsOf } from '../recipe/methods';
import { vectorsOf } from '../recipe/resolve';
import { decodeRecipe, encodeRecipe } from '../recipe/serialise';
import { settingValues } from '../recipe/settings';
import type { Recipe, Setting } from '../recipe/types';
import { fulfil, idsOf, renamed, type Named } from './address';
import { readChoices, recordOf, renamedChoices } from './choices';
import type { Decisions, Snapshot, SnapshotsState, StudioState, WantedEstimate } from './types';

/** More than anybody can tell apart; at some 2 kB each far below what a browser stores. */
export const MAX_SNAPSHOTS = 40;
/** UTF-16 units. */
export const MAX_SNAPSHOT_NAME = 80;

/** The present decisions as a snapshot. Null where an id has no open checkpoint: it could not be found again. */
export function snapshotOf(decisions: Decisions, open: readonly Named[], id: number, name: string): Snapshot | null {
  const names = new Map(open.map((one) => [one.id, one.name]));
  const { recipe, choices } = decisions;
  if (idsOf(recipe).some((own) => !names.has(own))) return null;
  const nameOf = (own: string) => names.get(own) ?? own;
  return { id, name: name.trim().slice(0, MAX_SNAPSHOT_NAME) || wordsOf(recipe), recipe: renamed(recipe, nameOf), choices: renamedChoices(choices, nameOf) };
}

/** The decisions a snapshot stands for; null while one of its checkpoints is not open. */
export function fulfilSnapshot({ recipe, choices }: Snapshot, open: readonly Named[], roles: Decisions['roles']): Pick<Decisions, 'recipe' | 'roles' | 'choices'> | null {
  return fulfil({ recipe, names: idsOf(recipe), choices }, open, roles);
}

/** Names of a snapshot's checkpoints that are not open. */
export function missingFor({ recipe }: Snapshot, open: readonly Named[]): string[] {
  return idsOf(recipe).filter((name) => !open.some((one) => one.name === name));
}

/** The estimate of the snapshot that is compared; none where its checkpoints are not all open. */
export function snapshotEstimates({ snapshots, checkpoints, decisions }: Pick<StudioState, 'snapshots' | 'checkpoints' | 'decisions'>): WantedEstimate[] {
  const compared = snapshots.list.find(({ id }) => id === snapshots.compared);
  const found = compared && fulfilSnapshot(compared, checkpoints.open, decisions.present.roles);
  return found ? [{ slot: `snapshot ${compared.id}`, recipe: found.recipe, choices: found.choices }] : [];
}

/** A recipe in a few words, for a snapshot that nobody named: `TIES-SV, k 0.2 and 1, s 0.04`; weights and λ where they are not 1. */
export function wordsOf(recipe: Recipe): string {
  const { method, models, slack, lambda, t, drop, topk } = recipe;
  const vectors = vectorsOf(recipe);
  const short = (setting: Setting<number>) => {
    const values = settingValues(setting);
    const [low, high] = [Math.min(...values.map(Number)), Math.max(...values.map(Number))];
    return low === high ? String(low) : `${low} to ${high}`;
  };
  const listed = (settings: readonly Setting<number>[]) => settings.map(short).join(' and ');
  const { weights } = traitsOf(method);
  const isWeighted = weights === 'each' && (!readsDensity(method) || models.some(({ weight }) => settingValues(weight).some((value) => Number(value) !== 1)));
  return [
    traitsOf(method).short,
    ...(readsDensity(method) ? [`k ${listed(models.map(({ density }) => density))}`] : []),
    ...(isWeighted ? [`w ${listed(models.map(({ weight }) => weight))}`] : []),
    ...(readsGamma(method) ? [`γ ${listed(models.map(({ gamma }) => gamma ?? DEFAULT_GAMMA))}`] : []),
    ...(readsEpsilon(method) ? [`ε ${listed(models.map(({ epsilon }) => epsilon ?? DEFAULT_EPSILON))}`] : []),
    ...(readsTopk(method) ? [`select_topk ${short(topk ?? DEFAULT_TOPK)}`] : []),
    ...(vectors === 'tensor' ? [] : [`by ${vectors}`]),
    ...(weights === 't' ? [`t ${short(t ?? DEFAULT_T)}`] : []),
    ...(drops(method) ? [`seed ${(drop ?? DEFAULT_DROP).seed}`] : []),
    ...(traitsOf(method).slack ? [`s ${short(slack.s)}`] : []),
    ...(!readsLambda(method) || lambda === 1 ? [] : [`λ ${short(lambda)}`]),
  ].join(', ');
}

/** All snapshots as text that the browser keeps. */
export function writeSnapshots({ list }: SnapshotsState): string {
  return JSON.stringify(list.map(({ id, name, recipe, choices }) => ({ id, name, recipe: encodeRecipe(recipe), choices })));
}

/** What `writeSnapshots` wrote; what is malformed is left out. */
export function readSnapshots(text: string | null): Snapshot[] {
  const list = parsed(text);
  if (!Array.isArray(list)) return [];
  const seen = new Set<number>();
  return list.slice(0, MAX_SNAPSHOTS).flatMap((one: unknown) => {
    const { id, name, recipe, choices } = recordOf(one);
    if (typeof id !== 'number' || !Number.isSafeInteger(id) || seen.has(id) || typeof name !== 'string' || typeof recipe !== 'string') return [];
    try {
      const snapshot = { id, name: name.slice(0, MAX_SNAPSHOT_NAME), recipe: decodeRecipe(recipe), choices: readChoices(choices) };
      seen.add(id);
      return [snapshot];
    } catch {
      return [];
    }
  });
}

function parsed(text: string | null): unknown {
  try {
    return JSON.parse(text ?? '[]');
  } catch {
    return null;
  }
}
