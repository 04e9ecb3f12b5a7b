/** Which questions have the same exact figures: a key for keeping them. */
import { DEFAULT_EPSILON, DEFAULT_GAMMA, DEFAULT_TOPK, drops, readsDensity, readsEpsilon, readsGamma, readsTopk, rescalesByDensity, traitsOf } from '../recipe/methods';
import { scopeOf } from '../recipe/resolve';
import { isFilterList, matchesAll } from '../recipe/settings';
import type { Gradient, Method, Recipe, Setting } from '../recipe/types';
import type { FitChoices } from './plan-types';

/** Raised whenever a figure is defined or counted in another way: what was kept before is then not found any more. */
const FIGURES_VERSION = 1;

/**
 * What the figures of every merged tensor depend on, as text: equal keys, equal figures (merging.md section 5). Checkpoints enter
 * by their ids, which tell files of one path, size, time and header from any others; lambda, normalisation, the output dtype and
 * the tokenizer do not enter, nor what a method does not read. `overflow`, which depends on lambda and the output dtype, is not
 * among the figures meant here. Ways of writing one setting (0.2, [0.2], {filter: '*', value: 0.2}) give one key.
 */
export function figuresKey(recipe: Recipe, { leaveOut, extraRows, rows }: FitChoices): string {
  const { method, base, models, rescale, slack, drop, rules } = recipe;
  const scope = scopeOf(recipe);
  const trims = readsDensity(method);
  const { weights } = traitsOf(method);
  const reserves = traitsOf(method).slack && canonical(slack.s) !== 0;
  return JSON.stringify([
    FIGURES_VERSION,
    countedAs(method),
    base,
    models.map(({ model, weight, density }) => [model, weights === 'each' ? canonical(weight) : null, trims ? canonical(density) : null]),
    trims && rescale,
    ...(drops(method) ? [drop?.seed ?? 0, rescalesByDensity(method) && rescale && drop?.rescaleBy === 'density'] : []),
    ...(readsGamma(method) ? models.map(({ gamma }) => canonical(gamma ?? DEFAULT_GAMMA)) : []),
    ...(readsEpsilon(method) ? models.map(({ epsilon }) => canonical(epsilon ?? DEFAULT_EPSILON)) : []),
    ...(readsTopk(method) ? [canonical(recipe.topk ?? DEFAULT_TOPK)] : []),
    reserves ? [canonical(slack.s), slack.of, slack.prefer] : null,
    rules.map(({ filter, action, from }) => [filter, action, from ?? null]),
    Object.entries(leaveOut)
      .map(([tensor, left]) => [tensor, [...left].sort()] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
    extraRows === 'cut' ? null : extraRows.from,
    ...(scope.trim === 'model' ? ['trim over the model'] : []),
    ...(scope.slack === 'model' && reserves ? ['slack over the model'] : []),
    ...(rows === 'id' ? [rows] : []),
  ]);
}

/** TIES is TIES-SV without slack. */
function countedAs(method: Method): Method {
  return method === 'ties' ? 'ties_sv' : method;
}

/** A setting in the plainest form that gives every tensor the same number. */
function canonical(setting: Setting<number>): unknown {
  if (!isFilterList(setting)) return plain(setting);
  const last = setting.findIndex(({ filter }) => matchesAll(filter));
  const read = last < 0 ? setting : setting.slice(0, last + 1);
  if (last === 0) return plain(read[0]!.value);
  return read.map(({ filter, value }) => [matchesAll(filter) ? '*' : filter, plain(value)]);
}

/** A gradient of one point is a number; one of equal points is not quite: interpolating may round. */
function plain(gradient: Gradient<number>): unknown {
  return Array.isArray(gradient) && gradient.length === 1 ? (gradient[0] as number) : gradient;
}
