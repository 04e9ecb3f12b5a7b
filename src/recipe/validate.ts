/** Whether a recipe has a meaning, before any checkpoint is looked at (merging.md sections 2, 6, 7 and 9). */
import { InvalidRecipeError } from '../bytes/errors';
import type { ErrorWhere } from '../bytes/errors';
import { drops, needsBase, readsDensity, readsEpsilon, readsGamma, readsLambda, readsNormalize, readsTopk, traitsOf } from './methods';
import { sumsToZero } from './resolve';
import { constantValue, hasEmptyList, isFilterList, settingValues } from './settings';
import type { Recipe, RecipeModel, Setting } from './types';

/** The generator's key has 32 bits. */
export const MAX_SEED = 2 ** 32 - 1;

/**
 * Everything that keeps the recipe from having a meaning; empty when it has one. `where.names` holds the parameter
 * (`weight`, `density`, `gamma`, `epsilon`, `topk`, `t`, `lambda`, `normalize`, `slack`, `seed`, `models`, `base`, `rules`), `where.model` the checkpoint id.
 * Only what the method reads is judged, so a density left over from TIES does not stop a weighted average.
 *
 * A model listed twice is allowed and counts twice. The base as a model is allowed for `linear` only: elsewhere its task
 * vector is 0. `linear` weights that sum to 0 for some tensors only are found by `resolveParameters`.
 */
export function validateRecipe(recipe: Recipe): InvalidRecipeError[] {
  return [...modelProblems(recipe), ...settingProblems(recipe), ...slackProblems(recipe), ...dropProblems(recipe), ...ruleProblems(recipe)];
}

function modelProblems({ method, base, models }: Recipe): InvalidRecipeError[] {
  const problems: InvalidRecipeError[] = [];
  if (models.length === 0) problems.push(invalid('models-empty', 'the recipe has no model', { names: ['models'], expected: 1, actual: 0 }));
  const [fewest, most] = traitsOf(method).models;
  if (models.length > most) {
    const where = { names: ['models'], expected: most, actual: models.length };
    problems.push(invalid('models-too-many', `${models.length} models, at most ${most}`, where));
  } else if (models.length > 0 && models.length < fewest) {
    const where = { names: ['models'], expected: fewest, actual: models.length };
    problems.push(invalid('models-too-few', `${models.length} models, at least ${fewest}`, where));
  }
  if (!needsBase(method)) return problems;
  if (base === null) problems.push(invalid('base-missing', `${method} needs a base`, { names: ['base'] }));
  else if (models.some(({ model }) => model === base)) {
    problems.push(invalid('base-is-model', `the base is also a model, and its task vector is 0`, { model: base, names: ['models'] }));
  }
  return problems;
}

function settingProblems(recipe: Recipe): InvalidRecipeError[] {
  const { method, models } = recipe;
  const isShare = (value: number) => value >= 0 && value <= 1;
  const problems = models.flatMap(({ model, weight, density, gamma, epsilon }) => [
    ...check('weight', weight, Number.isFinite, 'weight-not-finite', 'a number', model),
    ...(readsDensity(method) ? check<number>('density', density, (k) => Number.isFinite(k) && k > 0, 'density-out-of-range', '(0, 1]', model) : []),
    ...(readsGamma(method) && gamma !== undefined ? check<number>('gamma', gamma, isShare, 'gamma-out-of-range', '[0, 1]', model) : []),
    ...(readsEpsilon(method) && epsilon !== undefined ? check<number>('epsilon', epsilon, isShare, 'epsilon-out-of-range', '[0, 1]', model) : []),
  ]);
  if (readsTopk(method) && recipe.topk !== undefined) problems.push(...check<number>('topk', recipe.topk, isShare, 'topk-out-of-range', '[0, 1]'));
  if (traitsOf(method).weights === 't' && recipe.t !== undefined) problems.push(...check<number>('t', recipe.t, (t) => t >= 0 && t <= 1, 't-out-of-range', '[0, 1]'));
  if (readsLambda(method)) problems.push(...check('lambda', recipe.lambda, Number.isFinite, 'lambda-not-finite', 'a number'));
  const isSwitch = (value: number | boolean) => typeof value === 'boolean' || Number.isFinite(value);
  if (readsNormalize(method)) problems.push(...check('normalize', recipe.normalize, isSwitch, 'normalize-invalid', 'true or false'));
  if ((method === 'linear' || traitsOf(method).mergekit === 'nuslerp') && problems.length === 0 && dividesByZero(recipe)) {
    const actual = models.map(({ weight }) => constantValue(weight)).join(', ');
    problems.push(invalid('weights-sum-zero', `the weights sum to 0: ${actual}`, { names: ['weight'], actual }));
  }
  return problems;
}

/** True when it is so for every tensor; a sum that depends on layer or name is judged tensor by tensor. */
function dividesByZero({ method, models, normalize }: Recipe): boolean {
  const weights = models.map(({ weight }: RecipeModel) => constantValue(weight));
  const divides = traitsOf(method).mergekit === 'nuslerp' || constantValue(normalize);
  if (weights.length === 0 || weights.includes(null) || divides === null) return false;
  return Boolean(divides ?? traitsOf(method).normalize) && sumsToZero(weights as number[]);
}

function slackProblems({ method, models, slack }: Recipe): InvalidRecipeError[] {
  if (!traitsOf(method).slack) return [];
  const inRange = (s: number) => s >= 0 && s <= 1;
  const problems = check<number>('slack', slack.s, inRange, 'slack-out-of-range', '[0, 1]');
  // Without models there is nothing to prefer, which is said already.
  if (models.length === 0) return problems;
  const listed = models.filter(({ model }) => model === slack.prefer).length;
  if (listed === 0) {
    problems.push(invalid('prefer-not-a-model', `slack prefers ${slack.prefer}, which is not a model`, { model: slack.prefer, names: ['slack'] }));
  } else if (listed > 1) {
    const where = { model: slack.prefer, names: ['slack'], expected: 1, actual: listed };
    problems.push(invalid('prefer-ambiguous', `slack prefers ${slack.prefer}, which is listed ${listed} times`, where));
  }
  return problems;
}

function dropProblems({ method, drop }: Recipe): InvalidRecipeError[] {
  if (drop === undefined || !drops(method) || (Number.isInteger(drop.seed) && drop.seed >= 0 && drop.seed <= MAX_SEED)) return [];
  const expected = `a whole number from 0 to ${MAX_SEED}`;
  return [invalid('seed-out-of-range', `seed ${drop.seed} is not ${expected}`, { names: ['seed'], expected, actual: drop.seed })];
}

function ruleProblems({ rules }: Recipe): InvalidRecipeError[] {
  return rules
    .filter(({ action, from }) => action === 'take' && from === undefined)
    .map(({ filter }) => invalid('rule-from-missing', `the rule for ${filter} takes from no model`, { names: ['rules'], actual: filter }));
}

/** One error per setting: the first value that is refused. */
function check<T extends number | boolean>(
  name: string,
  setting: Setting<T>,
  accepts: (value: T | number) => boolean,
  reason: string,
  expected: string,
  model?: string,
): InvalidRecipeError[] {
  const where: ErrorWhere = { names: [name], ...(model === undefined ? {} : { model }) };
  if (isFilterList(setting) && setting.some((item) => typeof item !== 'object')) {
    return [invalid('setting-mixed', `${name} mixes numbers and filters`, where)];
  }
  if (hasEmptyList(setting)) return [invalid('gradient-empty', `${name} is an empty list`, where)];
  const refused = settingValues(setting).find((value) => !accepts(value));
  if (refused === undefined) return [];
  return [invalid(reason, `${name} ${String(refused)} is not ${expected}`, { ...where, expected, actual: String(refused) })];
}

function invalid(reason: string, message: string, where: ErrorWhere): InvalidRecipeError {
  return new InvalidRecipeError(reason, message, where);
}
