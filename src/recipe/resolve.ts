/** From a recipe to the numbers of one tensor: gradients, filters and rules resolved (merging.md sections 9 and 10). */
import { InvalidRecipeError } from '../bytes/errors';
import {
  DEFAULT_DROP, DEFAULT_EPSILON, DEFAULT_GAMMA, DEFAULT_T, DEFAULT_TOPK, drops, readsDensity, readsEpsilon, readsGamma, readsLambda, readsNormalize,
  readsTopk, rescalesByDensity, traitsOf,
} from './methods';
import { isFilterList, matchesFilter } from './settings';
import type { Drop, Gradient, Recipe, Scope, Setting, TensorParameters, TensorRule, Vectors } from './types';

/**
 * Value of a setting for one tensor. `t` in [0, 1] is the tensor's place along the layers, see `placeInLayers`. Null
 * when a filter list has no rule for the tensor. A gradient of a boolean setting gives a number, true when not 0.
 */
export function evaluateSetting<T extends number | boolean>(setting: Setting<T>, tensorName: string, t: number): T | number | null {
  if (!isFilterList(setting)) return evaluateGradient<T>(setting, t);
  const rule = setting.find(({ filter }) => matchesFilter(filter, tensorName));
  return rule === undefined ? null : evaluateGradient<T>(rule.value, t);
}

function evaluateGradient<T extends number | boolean>(gradient: Gradient<T>, t: number): T | number {
  if (!Array.isArray(gradient)) return gradient as T;
  const points = gradient as readonly number[];
  const position = t * (points.length - 1);
  const below = Math.min(Math.trunc(position), points.length - 1);
  const above = Math.min(below + 1, points.length - 1);
  const share = position - below;
  return (1 - share) * points[below]! + share * points[above]!;
}

/** t = layer / (layers - 1); 0 outside the layers and where there is one layer. */
export function placeInLayers(layer: number | null, layers: number): number {
  return layer === null || layers < 2 ? 0 : layer / (layers - 1);
}

/**
 * The parameters of one tensor. `layer` is 0-based, null outside the `layers` layers. Where no filter matches: weight,
 * density and lambda 1, gamma, epsilon, topk and normalize the method's default, slack 0. What the method does not read is neutral: density is 1
 * without trimming, lambda 1 for methods without it, rescale false outside TIES.
 *
 * Throws InvalidRecipeError `weights-sum-zero` when `linear` would divide this tensor by 0 (merging.md section 7), and
 * `prefer-not-a-model` when slack prefers a model that is not in the recipe.
 */
export function resolveParameters(recipe: Recipe, tensorName: string, layer: number | null, layers: number): TensorParameters {
  const { method } = recipe;
  const traits = traitsOf(method);
  const t = placeInLayers(layer, layers);
  const number = (setting: Setting<number>, otherwise: number) => evaluateSetting(setting, tensorName, t) ?? otherwise;

  const weight = weightsOf(recipe, number);
  const density = recipe.models.map((model) => (readsDensity(method) ? number(model.density, 1) : 1));
  const lambda = !readsLambda(method) ? 1 : number(recipe.lambda, 1);
  const normalize = readsNormalize(method) && Boolean(evaluateSetting(recipe.normalize, tensorName, t) ?? traits.normalize);
  if (((method === 'linear' && normalize) || traits.mergekit === 'nuslerp') && sumsToZero(weight)) {
    throw new InvalidRecipeError('weights-sum-zero', `the weights of ${tensorName} sum to 0: ${weight.join(', ')}`, {
      tensor: tensorName,
      names: ['weight'],
      actual: weight.join(', '),
    });
  }
  const parameters = {
    weight,
    density,
    lambda,
    normalize,
    rescale: readsDensity(method) && recipe.rescale,
    ...(drops(method) ? { drop: dropOf(recipe) } : {}),
    ...(readsGamma(method) ? { gamma: recipe.models.map(({ gamma }) => number(gamma ?? DEFAULT_GAMMA, DEFAULT_GAMMA)) } : {}),
    ...(readsEpsilon(method) ? { epsilon: recipe.models.map(({ epsilon }) => number(epsilon ?? DEFAULT_EPSILON, DEFAULT_EPSILON)) } : {}),
    ...(readsTopk(method) ? { topk: number(recipe.topk ?? DEFAULT_TOPK, DEFAULT_TOPK) } : {}),
    ...inParts(vectorsOf(recipe)),
  };

  const s = traits.slack ? number(recipe.slack.s, 0) : 0;
  if (s === 0) return parameters;
  const prefer = recipe.models.findIndex(({ model }) => model === recipe.slack.prefer);
  if (prefer < 0) {
    throw new InvalidRecipeError('prefer-not-a-model', `slack prefers ${recipe.slack.prefer}, which is not in the recipe`, {
      model: recipe.slack.prefer,
      names: ['slack'],
    });
  }
  return { ...parameters, slack: { s, of: recipe.slack.of, prefer } };
}

/** Between which vectors the recipe's method takes angles. */
export function vectorsOf({ method, vectors }: Recipe): Vectors {
  return vectors !== undefined && traitsOf(method).vectors.includes(vectors) ? vectors : 'tensor';
}

const inParts = (vectors: Vectors) => (vectors === 'tensor' ? {} : { vectors });

function dropOf({ method, drop = DEFAULT_DROP }: Recipe): Drop {
  return rescalesByDensity(method) ? drop : { seed: drop.seed, rescaleBy: 'magnitude' };
}

/** Per model, as the method takes them: SLERP's t is (1 - t, t). */
function weightsOf({ method, models, t }: Recipe, number: (setting: Setting<number>, otherwise: number) => number): number[] {
  const { weights } = traitsOf(method);
  if (weights === 'none') return models.map(() => 1);
  if (weights === 'each') return models.map(({ weight }) => number(weight, 1));
  const place = number(t ?? DEFAULT_T, DEFAULT_T);
  return models.map((_, model) => (model === 0 ? 1 - place : place));
}

/** In float64, or in f32 and model order as a backend sums them: 0.1 + 0.2 - 0.3 is 0 in one of the two only. */
export function sumsToZero(weights: readonly number[]): boolean {
  return weights.reduce((sum, w) => sum + w, 0) === 0 || weights.reduce((sum, w) => Math.fround(sum + Math.fround(w)), 0) === 0;
}

/** First rule whose filter matches the tensor; null when it is merged as the recipe says (merging.md section 9). */
export function ruleFor(recipe: Recipe, tensorName: string): TensorRule | null {
  return recipe.rules.find(({ filter }) => matchesFilter(filter, tensorName)) ?? null;
}

const PER_TENSOR: Scope = { trim: 'tensor', slack: 'tensor' };

/** Over what the recipe ranks: each tensor for itself where it does not say, and where its method ranks nothing. */
export function scopeOf({ method, scope = PER_TENSOR }: Recipe): Scope {
  const { keeps, slack } = traitsOf(method);
  return { trim: keeps === 'largest' ? scope.trim : 'tensor', slack: slack ? scope.slack : 'tensor' };
}
