/** Recipes for tests: one written out, and valid ones drawn at random. */
import fc from 'fast-check';
import { needsBase, readsEpsilon, readsGamma, readsTopk, traitsOf } from '../../../src/recipe/methods';
import { METHODS } from '../../../src/recipe/types';
import type { FilterRule, Recipe, Setting } from '../../../src/recipe/types';

export const TIES: Recipe = {
  method: 'ties',
  base: 'base',
  models: [
    { model: 'sft', weight: 1, density: 0.2 },
    { model: 'ct', weight: 1, density: 1 },
  ],
  lambda: 1,
  normalize: true,
  rescale: false,
  slack: { s: 0.04, of: 'retained', prefer: 'sft' },
  outDtype: 'base',
  rules: [],
  tokenizerFrom: null,
};

/** -0 is 0 in every text form. */
const plus = (value: number): number => value + 0;

function setting<T extends number | boolean>(scalar: fc.Arbitrary<T>, point: fc.Arbitrary<number>): fc.Arbitrary<Setting<T>> {
  const gradient = fc.array(point, { minLength: 1, maxLength: 5 });
  const value = fc.oneof(scalar, gradient);
  const rule: fc.Arbitrary<FilterRule<T>> = fc.oneof(
    fc.record({ value }),
    fc.record({ filter: fc.oneof(fc.constantFrom('*', 'mlp', ''), text), value }),
  );
  return fc.oneof(value, fc.array(rule, { minLength: 1, maxLength: 3 }));
}

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.constantFrom('yes', 'null', '1e5', '../up', '/abs/path', 'C:\\models\\ct', 'a: b', '# c', '- x', '[a]', "it's", '"q"', '\u0000', '\u2028', '\u0085', '__proto__'),
);
const number = (min: number, max: number) => fc.double({ min, max, noNaN: true }).map(plus);

/** Ids and names are the same text, and valid recipes only. */
export const anyRecipe: fc.Arbitrary<Recipe> = fc
  .record({
    method: fc.constantFrom(...METHODS),
    ids: fc.uniqueArray(text, { minLength: 2, maxLength: 6 }),
    weights: fc.array(setting(number(1e-12, 1e25), number(1e-12, 1e25)), { minLength: 5, maxLength: 5 }),
    densities: fc.array(setting(number(1e-9, 2), number(1e-9, 2)), { minLength: 5, maxLength: 5 }),
    lambda: setting(number(-5, 5), number(-5, 5)),
    normalize: setting(fc.boolean(), number(0, 1)),
    rescale: fc.boolean(),
    s: setting(number(0, 1), number(0, 1)),
    of: fc.constantFrom('retained' as const, 'discarded' as const),
    prefer: fc.nat(),
    outDtype: fc.constantFrom('F32' as const, 'F16' as const, 'BF16' as const, 'base' as const),
    rules: fc.array(fc.record({ filter: text, action: fc.constantFrom('merge' as const, 'keep-base' as const, 'take' as const) }), { maxLength: 3 }),
    tokenizer: fc.option(fc.nat()),
    linearBase: fc.boolean(),
    t: fc.option(setting(number(0, 1), number(0, 1))),
    topk: fc.option(setting(number(0, 1), number(0, 1))),
    vectors: fc.option(fc.constantFrom('rows' as const, 'columns' as const)),
    gammas: fc.option(fc.array(setting(number(0, 1), number(0, 1)), { minLength: 5, maxLength: 5 })),
    epsilons: fc.option(fc.array(setting(number(0, 1), number(0, 1)), { minLength: 5, maxLength: 5 })),
    scope: fc.option(fc.constantFrom({ trim: 'model', slack: 'model' } as const, { trim: 'model', slack: 'tensor' } as const, { trim: 'tensor', slack: 'model' } as const)),
    drop: fc.option(fc.record({ seed: fc.nat({ max: 2 ** 32 - 1 }), rescaleBy: fc.constantFrom('magnitude' as const, 'density' as const) })),
  })
  .map(({ method, ids, weights, densities, s, of, prefer, rules, tokenizer, linearBase, scope, drop, t, topk, vectors, gammas, epsilons, ...same }): Recipe => {
    const [base, ...all] = ids as [string, ...string[]];
    const [fewest, most] = traitsOf(method).models;
    const models = all.length < fewest ? [all[0]!, `${all[0]!} again`] : all.slice(0, most);
    return {
      ...same,
      method,
      base: !needsBase(method) && !linearBase ? null : base,
      models: models.map((model, index) => ({
        model,
        weight: weights[index]!,
        density: densities[index]!,
        // What a method reads is written out, and then it comes back.
        ...(gammas || readsGamma(method) ? { gamma: gammas?.[index] ?? 0.01 } : {}),
        ...(epsilons || readsEpsilon(method) ? { epsilon: epsilons?.[index] ?? 0.15 } : {}),
      })),
      ...(topk === null && !readsTopk(method) ? {} : { topk: topk ?? 1 }),
      ...(vectors === null ? {} : { vectors }),
      ...(scope === null ? {} : { scope }),
      ...(drop === null ? {} : { drop }),
      // MergeKit has no default of t: what is written out comes back.
      ...(t === null && method !== 'slerp' ? {} : { t: t ?? 0.5 }),
      slack: { s, of, prefer: models[prefer % models.length]! },
      rules: rules.map((rule) => (rule.action === 'take' ? { ...rule, from: models[0]! } : rule)),
      tokenizerFrom: tokenizer === null ? null : [base, ...models][tokenizer % (models.length + 1)]!,
    };
  });
