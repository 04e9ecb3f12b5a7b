/** Which checkpoint is what: guessed from names, then as the user says. */
import { guessRoles } from '../checkpoint/roles';
import type { Checkpoint } from '../checkpoint/types';
import { PAPER_K_SFT } from '../recipe/presets';
import type { Recipe, RecipeModel } from '../recipe/types';
import { ROLES, type Role } from './types';

export type Roles = Readonly<Record<string, Role>>;
type Named = Pick<Checkpoint, 'id' | 'name' | 'adapter'>;

/** A name that `guessRoles` reads as the role: what is decided already must count when the rest is guessed. */
const SPOKEN: Readonly<Record<Role, string>> = { base: 'base', sft: 'sft', ct: 'ct', other: 'merged', none: 'merged' };

/**
 * Roles of checkpoints that have none yet, beside those that have. Of several CT checkpoints only the last of the first
 * series takes part, the case of the paper, since earlier checkpoints of a run add nothing to later ones; without an SFT
 * model the next CT comes in too, so that two models are merged.
 */
export function guessNew(open: readonly Named[], decided: Roles): Roles {
  const guess = guessRoles(open.map((one) => (decided[one.id] === undefined ? one : { ...one, name: SPOKEN[decided[one.id]!] })));
  const roles: Record<string, Role> = { ...decided };
  const taken = (role: Role) => Object.values(roles).filter((one) => one === role).length;
  const give = (id: string | null, role: Role) => {
    if (id !== null && roles[id] === undefined && taken(role) === 0) roles[id] = role;
  };
  give(guess.base, 'base');
  give(guess.sft, 'sft');
  const wanted = taken('sft') > 0 ? 1 : 2;
  for (const id of lastOfSeries(open, guess.ct)) {
    if (taken('ct') < wanted && roles[id] === undefined) roles[id] = 'ct';
  }
  for (const { id } of open) roles[id] ??= 'none';
  return roles;
}

/** One id per series, its last, in the order of the series: `ct-x-256k` and `ct-x-4M` are one. */
function lastOfSeries(open: readonly Named[], ct: readonly string[]): string[] {
  const last = new Map<string, string>();
  for (const id of ct) {
    const { name } = open.find((one) => one.id === id)!;
    last.set(name.toLowerCase().replace(/\d+(?:\.\d+)?[kmbgt]?/g, ''), id);
  }
  return [...last.values()];
}

/** The base first, then the models as in the recipe, then what is not merged; otherwise in the order of opening. */
export function inRoleOrder<T extends Named>(open: readonly T[], roles: Roles): T[] {
  const rank = ({ id }: Named) => ROLES.indexOf(roles[id] ?? 'none');
  return open.toSorted((a, b) => rank(a) - rank(b));
}

/** `role` for one checkpoint. Base and SFT are one each: who has the role already gets the role given up. */
export function assignRole(roles: Roles, id: string, role: Role): Roles {
  const before = roles[id] ?? 'none';
  const holder = role === 'base' || role === 'sft' ? Object.keys(roles).find((other) => other !== id && roles[other] === role) : undefined;
  return { ...roles, [id]: role, ...(holder === undefined ? {} : { [holder]: before }) };
}

const ORDER: readonly Role[] = ['sft', 'ct', 'other'];

/**
 * The recipe for these roles: SFT first, then CT, then others, in the order of opening. Settings belong to the place in
 * the merge: when two models swap roles, each takes over the other's. A model that joins starts as a fresh recipe would.
 */
export function recipeForRoles(recipe: Recipe, before: Roles, after: Roles, open: readonly Named[]): Recipe {
  const idsOf = (role: Role) => open.filter(({ id }) => after[id] === role).map(({ id }) => id);
  const base = idsOf('base')[0] ?? null;
  const sft = idsOf('sft')[0] ?? null;
  const models = ORDER.flatMap((role) =>
    idsOf(role).map((id): RecipeModel => {
      const own = recipe.models.find(({ model }) => model === id);
      if (own && before[id] === role) return own;
      const predecessor = recipe.models.find(({ model }) => before[model] === role && after[model] !== role);
      return { ...(predecessor ?? { weight: 1, density: role === 'sft' ? PAPER_K_SFT : 1 }), model: id };
    }),
  );
  const isModel = (id: string | null | undefined) => id !== null && id !== undefined && (id === base || models.some(({ model }) => model === id));
  return {
    ...recipe,
    base,
    models,
    slack: preferring(recipe, models, before[recipe.slack.prefer] === 'sft' ? sft : recipe.slack.prefer),
    rules: recipe.rules.filter(({ action, from }) => action !== 'take' || isModel(from)),
    tokenizerFrom: isModel(recipe.tokenizerFrom) ? recipe.tokenizerFrom : null,
  };
}

function preferring({ slack }: Recipe, models: readonly RecipeModel[], prefer: string | null): Recipe['slack'] {
  const listed = models.some(({ model }) => model === prefer);
  return { ...slack, prefer: (listed ? prefer : models[0]?.model) ?? '' };
}
