/**
 * The address's fragment: `#r=RECIPE&f=FINGERPRINTS&c=CHOICES&b=SHARD&t=TAB&l=LAYER&m=MODULE&n=TENSOR&v=SHOWN&s=SERIES`. The recipe and what was decided where checkpoints differ
 * are compact JSON with checkpoint names for ids, since ids are of this machine; fingerprints are beginnings, in the order in which
 * the recipe names its checkpoints. No file contents, no paths.
 */
import { MODULE_KINDS, type Checkpoint } from '../checkpoint/types';
import { DEFAULT_CHOICES, type FitChoices } from '../merge/plan-types';
import { decodeRecipe, encodeRecipe } from '../recipe/serialise';
import type { Recipe } from '../recipe/types';
import { readChoices, recordOf, renamedChoices } from './choices';
import { DEFAULT_SHARD_BYTES, LEAST_SHARD_BYTES } from './decisions';
import { NO_SERIES, readSeries } from './series-names';
import type { Roles } from './roles';
import type { ChartView, SeriesState, Unlike, WantedRecipe } from './types';

export const TABS = ['layers', 'modules', 'map', 'surface', 'series', 'slack', 'effect', 'figures'] as const satisfies readonly ChartView['tab'][];

export type Named = Pick<Checkpoint, 'id' | 'name'>;

/** Characters of a fingerprint in a link: 48 bits tell any two checkpoints apart that anybody has. */
const FINGERPRINT = 12;
const FINGERPRINT_TEXT = new RegExp(`^[0-9a-f]{${FINGERPRINT}}$`);

/** Longer choices (models left out for thousands of tensors, one by one) would make a link that mail and chat cut. */
const MAX_CHOICES_TEXT = 4000;
/** Longer names of tensors are none that anybody has. */
const MAX_TENSOR = 200;

/** The fragment without `#`; without a recipe while no model takes part or two open checkpoints share a name. */
export function writeAddress(
  { recipe, choices, shardBytes = DEFAULT_SHARD_BYTES }: Pick<WantedRecipe, 'recipe' | 'choices' | 'shardBytes'>,
  open: readonly (Named & Partial<Pick<Checkpoint, 'fingerprint'>>)[],
  chart: ChartView,
  /** By name. */
  series: SeriesState = NO_SERIES,
): string {
  const fields = new URLSearchParams();
  const used = idsOf(recipe);
  const names = new Map(open.map(({ id, name }) => [id, name]));
  const distinct = new Set(used.map((id) => names.get(id)));
  if (recipe.models.length > 0 && distinct.size === used.length && !distinct.has(undefined)) {
    fields.set('r', encodeRecipe(renamed(recipe, (id) => names.get(id)!)));
    const fingerprints = new Map(open.map(({ id, fingerprint }) => [id, fingerprint?.slice(0, FINGERPRINT) ?? '']));
    const marks = used.map((id) => fingerprints.get(id)!).map((mark) => (FINGERPRINT_TEXT.test(mark) ? mark : ''));
    if (marks.some((mark) => mark !== '')) fields.set('f', marks.join('.'));
    const decided = choicesText(choices, names);
    if (decided !== null && decided.length <= MAX_CHOICES_TEXT) fields.set('c', decided);
    if (shardBytes !== DEFAULT_SHARD_BYTES) fields.set('b', String(shardBytes));
  }
  if (chart.tab !== 'layers') fields.set('t', chart.tab);
  if (chart.layer !== null) fields.set('l', String(chart.layer));
  if (chart.module !== null) fields.set('m', chart.module);
  if (chart.tensor !== null && chart.tensor.length <= MAX_TENSOR) fields.set('n', chart.tensor);
  if (Object.keys(chart.shown).length > 0) fields.set('v', JSON.stringify(chart.shown));
  const drawn = JSON.stringify(series);
  if (drawn !== JSON.stringify(NO_SERIES) && drawn.length <= MAX_CHOICES_TEXT) fields.set('s', drawn);
  return fields.toString();
}

/** Choices that are not what they are without a decision; null where all are. */
function choicesText(choices: FitChoices, names: ReadonlyMap<string, string>): string | null {
  const defaults = new Map(Object.entries(DEFAULT_CHOICES));
  const own = renamedChoices(choices, (id) => names.get(id) ?? id);
  const decided = Object.entries(own).filter(([key, value]) => JSON.stringify(value) !== JSON.stringify(defaults.get(key)));
  return decided.length === 0 ? null : JSON.stringify(Object.fromEntries(decided));
}

/** Characters of the choices that a link leaves out for their length; null where it holds them all. */
export function leftOutOfLink(choices: FitChoices, open: readonly Named[]): number | null {
  const length = choicesText(choices, new Map(open.map(({ id, name }) => [id, name])))?.length ?? 0;
  return length > MAX_CHOICES_TEXT ? length : null;
}

/** What a fragment asks for. What is malformed counts as absent: an old or cut link still opens the page. */
export function readAddress(fragment: string): { wanted: WantedRecipe | null; chart: Partial<ChartView>; series: SeriesState } {
  const fields = new URLSearchParams(fragment.replace(/^#/, ''));
  const tab = TABS.find((one) => one === fields.get('t'));
  const layer = /^\d{1,4}$/.test(fields.get('l') ?? '') ? Number(fields.get('l')) : null;
  const module = MODULE_KINDS.find((one) => one === fields.get('m'));
  const tensor = fields.get('n') ?? '';
  const wanted = readWanted(fields.get('r'), fields.get('c'), fields.get('f'));
  const asked = /^\d{1,15}$/.test(fields.get('b') ?? '') ? Number(fields.get('b')) : 0;
  const shardBytes = asked >= LEAST_SHARD_BYTES ? asked : DEFAULT_SHARD_BYTES;
  const shown = Object.fromEntries(Object.entries(recordOf(json(fields.get('v')))).filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
  return {
    wanted: wanted && { ...wanted, shardBytes },
    chart: {
      ...(tab ? { tab } : {}),
      ...(layer === null ? {} : { layer }),
      ...(module ? { module } : {}),
      ...(tensor !== '' && tensor.length <= MAX_TENSOR ? { tensor } : {}),
      ...(Object.keys(shown).length > 0 ? { shown } : {}),
    },
    series: readSeries(json(fields.get('s'))),
  };
}

/** What the text says; null where it is no JSON. */
function json(text: string | null): unknown {
  try {
    return JSON.parse(text ?? 'null');
  } catch {
    return null;
  }
}

function readWanted(text: string | null, choices: string | null, marks: string | null): WantedRecipe | null {
  if (text === null) return null;
  try {
    const recipe = decodeRecipe(text);
    const names = idsOf(recipe);
    const given = marks?.split('.') ?? [];
    const fingerprints = Object.fromEntries(names.flatMap((name, i) => (FINGERPRINT_TEXT.test(given[i] ?? '') ? [[name, given[i]!]] : [])));
    return { recipe, names, choices: readChoices(JSON.parse(choices ?? '{}')), fingerprints };
  } catch {
    return null;
  }
}

/** The wanted recipe and choices with the ids of open checkpoints, and their roles; null while one of its names is not open. */
export function fulfil(
  { recipe, names, choices, shardBytes }: Omit<WantedRecipe, 'fingerprints'>,
  open: readonly Named[],
  guessed: Roles,
): { recipe: Recipe; choices: FitChoices; roles: Roles; shardBytes?: number } | null {
  const ids = new Map(names.map((name) => [name, open.find((one) => one.name === name)?.id]));
  if ([...ids.values()].includes(undefined)) return null;
  const own = renamed(recipe, (name) => ids.get(name)!);
  const idOf = (name: string) => open.find((one) => one.name === name)?.id ?? name;
  return { recipe: own, choices: renamedChoices(choices, idOf), roles: rolesOf(own, open, guessed), ...(shardBytes === undefined ? {} : { shardBytes }) };
}

/** Open checkpoints of a link's names whose headers are not those that the link was made with. */
export function unlikeOf({ names, fingerprints }: WantedRecipe, open: readonly Checkpoint[]): Unlike[] {
  return names.flatMap((name) => {
    const wanted = fingerprints[name];
    const found = open.find((one) => one.name === name)?.fingerprint.slice(0, FINGERPRINT);
    return wanted === undefined || found === undefined || found === wanted ? [] : [{ name, wanted, open: found }];
  });
}

/** Roles of all that is open, as a recipe has them. */
export function rolesOf(own: Recipe, open: readonly Named[], guessed: Roles): Roles {
  const roles: Record<string, Roles[string]> = {};
  for (const { id } of open) roles[id] = 'none';
  for (const { model } of own.models) roles[model] = guessed[model] === 'other' ? 'other' : 'ct';
  if (own.models.some(({ model }) => model === own.slack.prefer)) roles[own.slack.prefer] = 'sft';
  if (own.base !== null) roles[own.base] = 'base';
  return roles;
}

/** Every checkpoint a recipe names, once. */
export function idsOf({ base, models, rules, tokenizerFrom, slack }: Recipe): string[] {
  const all = [base, ...models.map(({ model }) => model), slack.prefer, tokenizerFrom, ...rules.map(({ from }) => from)];
  return [...new Set(all.filter((id): id is string => typeof id === 'string' && id !== ''))];
}

/** The recipe with other names for its checkpoints. */
export function renamed(recipe: Recipe, nameOf: (id: string) => string): Recipe {
  const { base, models, slack, rules, tokenizerFrom } = recipe;
  return {
    ...recipe,
    base: base === null ? null : nameOf(base),
    models: models.map((model) => ({ ...model, model: nameOf(model.model) })),
    slack: { ...slack, prefer: slack.prefer === '' ? '' : nameOf(slack.prefer) },
    rules: rules.map(({ from, ...rule }) => (from === undefined ? rule : { ...rule, from: nameOf(from) })),
    tokenizerFrom: tokenizerFrom === null ? null : nameOf(tokenizerFrom),
  };
}
