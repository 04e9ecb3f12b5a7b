/**
 * A recipe as compact JSON: in the safetensors metadata of an export and in the address of the page. Defaults are left
 * out, keys stand in one order, so equal recipes give equal text. Reading takes nothing on trust.
 */
import { OUTPUT_DTYPES } from '../bytes/dtypes';
import { InvalidRecipeError } from '../bytes/errors';
import { traitsOf } from './methods';
import { METHODS, RANKING_SCOPES, VECTORS } from './types';
import type { Drop, FilterRule, Gradient, Recipe, RecipeModel, Scope, Setting, Slack, TensorRule } from './types';
import { validateRecipe } from './validate';

/** Raised when a reader of this version would misread what a later one writes. */
export const RECIPE_VERSION = 1;
/** UTF-16 units. A recipe of eight models with a gradient of 80 layers each has some 10,000. */
export const MAX_RECIPE_TEXT = 200_000;

export function encodeRecipe(recipe: Recipe): string {
  const { method, base, models, slack, scope, drop, rules } = recipe;
  return JSON.stringify({
    v: RECIPE_VERSION,
    method,
    base,
    models: models.map(({ model, weight, density, gamma, epsilon }) => ({ model, weight: unless(1, weight), density: unless(1, density), gamma, epsilon })),
    lambda: unless(1, recipe.lambda),
    normalize: unless(traitsOf(method).normalize, recipe.normalize),
    rescale: unless(traitsOf(method).rescale, recipe.rescale),
    slack: { s: slack.s, of: slack.of, prefer: slack.prefer },
    t: recipe.t,
    topk: recipe.topk,
    vectors: unless('tensor', recipe.vectors),
    scope: scope?.trim === 'model' || scope?.slack === 'model' ? { trim: scope.trim, slack: scope.slack } : undefined,
    drop: drop && { seed: drop.seed, rescaleBy: drop.rescaleBy },
    outDtype: unless('base', recipe.outDtype),
    rules: rules.length === 0 ? undefined : rules.map(({ filter, action, from }) => ({ filter, action, from })),
    tokenizerFrom: recipe.tokenizerFrom ?? undefined,
  });
}

/** `undefined`, which JSON leaves out, when the value is the default. */
function unless<T>(otherwise: T, value: T): T | undefined {
  return value === otherwise ? undefined : value;
}

/**
 * The recipe that `encodeRecipe` wrote. Throws InvalidRecipeError, with the place in `where.names`: `recipe-too-long`,
 * `recipe-not-json`, `recipe-version`, `recipe-malformed` (a missing, unknown or mistyped field), or the first finding
 * of `validateRecipe`.
 */
export function decodeRecipe(text: string): Recipe {
  if (text.length > MAX_RECIPE_TEXT) {
    const where = { expected: MAX_RECIPE_TEXT, actual: text.length };
    throw new InvalidRecipeError('recipe-too-long', `${text.length} characters, at most ${MAX_RECIPE_TEXT}`, where);
  }
  const fields = new Fields(parse(text), 'recipe');
  const version = fields.take('v');
  if (version !== RECIPE_VERSION) {
    const where = { expected: RECIPE_VERSION, actual: typeof version === 'number' ? version : typeof version };
    throw new InvalidRecipeError('recipe-version', `version ${String(where.actual)} of a recipe, this reads ${RECIPE_VERSION}`, where);
  }
  const method = oneOf(METHODS, fields.take('method'), 'method');
  const drop = fields.take('drop', undefined);
  const t = fields.take('t', undefined);
  const topk = fields.take('topk', undefined);
  const vectors = fields.take('vectors', undefined);
  const scope = fields.take('scope', undefined);
  const recipe: Recipe = {
    method,
    base: nullable(fields.take('base'), 'base'),
    models: list(fields.take('models'), 'models').map(readModel),
    lambda: readSetting(fields.take('lambda', 1), isNumber, 'lambda'),
    normalize: readSetting(fields.take('normalize', traitsOf(method).normalize), isBoolean, 'normalize'),
    rescale: expect(fields.take('rescale', traitsOf(method).rescale), isBoolean, 'rescale'),
    slack: readSlack(fields.take('slack')),
    ...(t === undefined ? {} : { t: readSetting(t, isNumber, 't') }),
    ...(topk === undefined ? {} : { topk: readSetting(topk, isNumber, 'topk') }),
    ...(vectors === undefined ? {} : { vectors: oneOf(VECTORS, vectors, 'vectors') }),
    ...(scope === undefined ? {} : { scope: readScope(scope) }),
    ...(drop === undefined ? {} : { drop: readDrop(drop) }),
    outDtype: oneOf([...OUTPUT_DTYPES, 'base'] as const, fields.take('outDtype', 'base'), 'outDtype'),
    rules: list(fields.take('rules', []), 'rules').map(readRule),
    tokenizerFrom: nullable(fields.take('tokenizerFrom', null), 'tokenizerFrom'),
  };
  fields.end();
  const [problem] = validateRecipe(recipe);
  if (problem !== undefined) throw problem;
  return recipe;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new InvalidRecipeError('recipe-not-json', 'the recipe is not JSON');
  }
}

function readModel(value: unknown, index: number): RecipeModel {
  const at = `models[${index}]`;
  const fields = new Fields(value, at);
  const model = expect(fields.take('model'), isString, `${at}.model`);
  const weight = readSetting(fields.take('weight', 1), isNumber, `${at}.weight`);
  const density = readSetting(fields.take('density', 1), isNumber, `${at}.density`);
  const gamma = fields.take('gamma', undefined);
  const epsilon = fields.take('epsilon', undefined);
  fields.end();
  return {
    model,
    weight,
    density,
    ...(gamma === undefined ? {} : { gamma: readSetting(gamma, isNumber, `${at}.gamma`) }),
    ...(epsilon === undefined ? {} : { epsilon: readSetting(epsilon, isNumber, `${at}.epsilon`) }),
  };
}

function readSlack(value: unknown): Slack {
  const fields = new Fields(value, 'slack');
  const s = readSetting(fields.take('s'), isNumber, 'slack.s');
  const of = oneOf(['retained', 'discarded'] as const, fields.take('of'), 'slack.of');
  const prefer = expect(fields.take('prefer'), isString, 'slack.prefer');
  fields.end();
  return { s, of, prefer };
}

function readScope(value: unknown): Scope {
  const fields = new Fields(value, 'scope');
  const trim = oneOf(RANKING_SCOPES, fields.take('trim'), 'scope.trim');
  const slack = oneOf(RANKING_SCOPES, fields.take('slack'), 'scope.slack');
  fields.end();
  return { trim, slack };
}

function readDrop(value: unknown): Drop {
  const fields = new Fields(value, 'drop');
  const seed = expect(fields.take('seed'), isNumber, 'drop.seed');
  const rescaleBy = oneOf(['magnitude', 'density'] as const, fields.take('rescaleBy'), 'drop.rescaleBy');
  fields.end();
  return { seed, rescaleBy };
}

function readRule(value: unknown, index: number): TensorRule {
  const at = `rules[${index}]`;
  const fields = new Fields(value, at);
  const filter = expect(fields.take('filter'), isString, `${at}.filter`);
  const action = oneOf(['merge', 'keep-base', 'take'] as const, fields.take('action'), `${at}.action`);
  const from = fields.take('from', undefined);
  fields.end();
  return from === undefined ? { filter, action } : { filter, action, from: expect(from, isString, `${at}.from`) };
}

type Test<T> = (value: unknown) => value is T;

function readSetting<T extends number | boolean>(value: unknown, isScalar: Test<T>, at: string): Setting<T> {
  if (!Array.isArray(value) || value.length === 0 || typeof value[0] !== 'object') return readGradient(value, isScalar, at);
  return value.map((item: unknown, index): FilterRule<T> => {
    const place = `${at}[${index}]`;
    const fields = new Fields(item, place);
    const filter = fields.take('filter', undefined);
    const gradient = readGradient(fields.take('value'), isScalar, `${place}.value`);
    fields.end();
    return filter === undefined ? { value: gradient } : { filter: expect(filter, isString, `${place}.filter`), value: gradient };
  });
}

function readGradient<T extends number | boolean>(value: unknown, isScalar: Test<T>, at: string): Gradient<T> {
  if (!Array.isArray(value)) return expect(value, isScalar, at);
  return value.map((point: unknown, index) => expect(point, isNumber, `${at}[${index}]`));
}

/** The fields of one object, each taken once; what is left over at the end is unknown, and refused. */
class Fields {
  private readonly left: Map<string, unknown>;
  constructor(
    value: unknown,
    private readonly at: string,
  ) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed(at);
    this.left = new Map(Object.entries(value));
  }

  /** Required when no default is given. */
  take(name: string, ...otherwise: [unknown?]): unknown {
    if (!this.left.has(name)) {
      if (otherwise.length === 0) throw malformed(`${this.at}.${name}`);
      return otherwise[0];
    }
    const value = this.left.get(name);
    this.left.delete(name);
    return value;
  }

  end(): void {
    const [unknown] = this.left.keys();
    if (unknown !== undefined) throw malformed(`${this.at}.${unknown}`);
  }
}

const isString = (value: unknown): value is string => typeof value === 'string';
const isBoolean = (value: unknown): value is boolean => typeof value === 'boolean';
/** Finite: JSON reads 1e400 as infinity. */
const isNumber = (value: unknown): value is number => Number.isFinite(value);

function expect<T>(value: unknown, test: Test<T>, at: string): T {
  if (!test(value)) throw malformed(at);
  return value;
}

function nullable(value: unknown, at: string): string | null {
  return value === null ? null : expect(value, isString, at);
}

function list(value: unknown, at: string): readonly unknown[] {
  if (!Array.isArray(value)) throw malformed(at);
  return value;
}

function oneOf<T extends string>(allowed: readonly T[], value: unknown, at: string): T {
  const found = allowed.find((item) => item === value);
  if (found === undefined) throw malformed(at, allowed.join(', '));
  return found;
}

function malformed(at: string, expected?: string): InvalidRecipeError {
  return new InvalidRecipeError('recipe-malformed', `${at} is missing, unknown or of the wrong type`, {
    names: [at],
    ...(expected === undefined ? {} : { expected }),
  });
}
