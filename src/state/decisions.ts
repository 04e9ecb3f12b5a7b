/** Edits of what undo goes through: pure functions from decisions to decisions. */
import { guessRoles } from '../checkpoint/roles';
import { stemOf } from '../checkpoint/series';
import type { Checkpoint } from '../checkpoint/types';
import { DEFAULT_CHOICES } from '../merge/plan-types';
import { defaultRecipe, PRESETS, type Preset } from '../recipe/presets';
import { traitsOf } from '../recipe/methods';
import type { Method, Recipe, RecipeModel } from '../recipe/types';
import { validateRecipe } from '../recipe/validate';
import { assignRole, guessNew, recipeForRoles } from './roles';
import type { Decisions, Role } from './types';

/** The shard size of the Hugging Face libraries since 2024. */
export const DEFAULT_SHARD_BYTES = 5e9;
/** The least that one can ask for: a shard smaller than most tensors only makes more files. */
export const LEAST_SHARD_BYTES = 1e6;

export function noDecisions(): Decisions {
  return { roles: {}, recipe: defaultRecipe(null, null, []), text: null, choices: DEFAULT_CHOICES, shardBytes: DEFAULT_SHARD_BYTES };
}

type Open = readonly Pick<Checkpoint, 'id' | 'name'>[];

/** After further checkpoints were opened: they get roles, and the recipe follows. */
export function withOpened(decisions: Decisions, open: Open): Decisions {
  return withRoles(decisions, guessNew(open, decisions.roles), open);
}

/** After a checkpoint was closed. */
export function withClosed(decisions: Decisions, id: string, open: Open): Decisions {
  const left = withRoles(decisions, { ...decisions.roles, [id]: 'none' }, open);
  const { [id]: _closed, ...roles } = left.roles;
  const { extraRows, integerFrom } = left.choices;
  const choices = {
    ...left.choices,
    extraRows: extraRows !== 'cut' && extraRows.from === id ? ('cut' as const) : extraRows,
    integerFrom: Object.fromEntries(Object.entries(integerFrom).filter(([, from]) => from !== id)),
  };
  return { ...left, roles, choices };
}

export function withRole(decisions: Decisions, id: string, role: Role, open: Open): Decisions {
  return withRoles(decisions, assignRole(decisions.roles, id, role), open);
}

/**
 * The paper's merge of a task model and two languages: what is merged as CT, and the last checkpoint of another run beside it, at
 * the paper's densities. Null where no second run is open or there is no SFT. Languages are told apart by name, as runs are.
 */
export function withTwoLanguages(decisions: Decisions, open: Open): Decisions | null {
  const { roles } = decisions;
  const sft = open.find(({ id }) => roles[id] === 'sft');
  const merged = open.filter(({ id }) => roles[id] === 'ct');
  const further = guessRoles(open).ct.filter((id) => roles[id] === 'none').map((id) => open.find((one) => one.id === id)!);
  const [first] = merged;
  const second = merged[1] ?? further.findLast(({ name }) => first === undefined || stemOf(name) !== stemOf(first.name));
  if (sft === undefined || first === undefined || second === undefined) return null;
  const next: Record<string, Role> = { ...roles };
  for (const { id } of merged) next[id] = 'none';
  next[first.id] = next[second.id] = 'ct';
  return withPreset(withRoles(decisions, next, open), 'paper');
}

/**
 * One checkpoint alone, multiplied by a weight: a weighted sum that is not divided. Null unless exactly one is open.
 */
export function withScaling(decisions: Decisions, open: Open): Decisions | null {
  const [only, ...others] = open;
  if (only === undefined || others.length > 0) return null;
  const next = withRoles(decisions, { [only.id]: 'other' }, open);
  const weight = next.recipe.models[0]?.weight ?? 1;
  return { ...next, recipe: { ...next.recipe, method: 'linear', normalize: false, models: [{ model: only.id, weight, density: 1 }] } };
}

/** Another checkpoint in the place of a model: the two swap roles, and the newcomer takes over the settings. */
export function withSwapped(decisions: Decisions, from: string, to: string, open: Open): Decisions {
  const { roles } = decisions;
  return withRoles(decisions, { ...roles, [from]: roles[to] ?? 'none', [to]: roles[from] ?? 'none' }, open);
}

function withRoles(decisions: Decisions, roles: Decisions['roles'], open: Open): Decisions {
  return { ...decisions, roles, recipe: recipeForRoles(decisions.recipe, decisions.roles, roles, open) };
}

/** Another method; normalisation and rescaling follow where they stand at the old method's default. */
export function withMethod(decisions: Decisions, method: Method): Decisions {
  const { recipe } = decisions;
  const normalize = recipe.normalize === traitsOf(recipe.method).normalize ? traitsOf(method).normalize : recipe.normalize;
  const rescale = recipe.rescale === traitsOf(recipe.method).rescale ? traitsOf(method).rescale : recipe.rescale;
  return { ...decisions, recipe: { ...recipe, method, normalize, rescale } };
}

export function withPreset(decisions: Decisions, preset: Preset['id']): Decisions {
  const sft = Object.keys(decisions.roles).find((id) => decisions.roles[id] === 'sft');
  return { ...decisions, recipe: PRESETS.find(({ id }) => id === preset)!.apply(decisions.recipe, sft) };
}

/** Whether applying the preset would change nothing. */
export function isPreset(decisions: Decisions, preset: Preset['id']): boolean {
  const { recipe } = decisions;
  // For a method without slack it may stand anywhere.
  const telling = ({ slack, ...others }: Recipe) => JSON.stringify(traitsOf(recipe.method).slack ? { ...others, slack } : others, sortedKeys);
  return recipe.models.length > 0 && telling(withPreset(decisions, preset).recipe) === telling(recipe);
}

/** For JSON.stringify: the same text whatever the order of the keys. */
function sortedKeys(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** One model's weight or density. `index` is its place in the recipe: a model may be listed twice. */
export function withModel(decisions: Decisions, index: number, patch: Partial<RecipeModel>): Decisions {
  const models = decisions.recipe.models.map((model, i) => (i === index ? { ...model, ...patch } : model));
  return { ...decisions, recipe: { ...decisions.recipe, models } };
}

/** Leaves a model out for tensors, or takes it in again. */
export function withLeftOut(decisions: Decisions, model: string, tensors: readonly string[], leftOut: boolean): Decisions {
  // A Map: tensors may be called `__proto__`.
  const ids = new Map(Object.entries(decisions.choices.leaveOut));
  for (const tensor of tensors) {
    const others = (ids.get(tensor) ?? []).filter((id) => id !== model);
    ids.set(tensor, leftOut ? [...others, model] : others);
  }
  const leaveOut = Object.fromEntries([...ids].filter(([, models]) => models.length > 0));
  return { ...decisions, choices: { ...decisions.choices, leaveOut } };
}

/** Whose extra vocabulary rows to keep; the tokenizer that can use them goes with them (merging.md section 10). */
export function withExtraRows(decisions: Decisions, from: string | null): Decisions {
  const { choices, recipe } = decisions;
  const had = choices.extraRows === 'cut' ? null : choices.extraRows.from;
  const tokenizerFrom = from ?? (recipe.tokenizerFrom === had ? null : recipe.tokenizerFrom);
  return { ...decisions, choices: { ...choices, extraRows: from === null ? 'cut' : { from } }, recipe: { ...recipe, tokenizerFrom } };
}

/** How rows of tokens under other ids are matched. By token is what is done unless told. */
export function withRows(decisions: Decisions, by: 'id' | 'token'): Decisions {
  const { rows: _, ...others } = decisions.choices;
  return { ...decisions, choices: by === 'id' ? { ...others, rows: by } : others };
}

export function withIntegerFrom(decisions: Decisions, tensor: string, from: string): Decisions {
  const integerFrom = Object.fromEntries(new Map(Object.entries(decisions.choices.integerFrom)).set(tensor, from));
  return { ...decisions, choices: { ...decisions.choices, integerFrom } };
}

/** Whether the worker can be asked for figures and a plan. */
export function isMergeable({ recipe }: Pick<Decisions, 'recipe'>): boolean {
  return validateRecipe(recipe).length === 0;
}
