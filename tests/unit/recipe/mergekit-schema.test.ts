/**
 * What is written is what MergeKit's documentation says it takes (docs/merge_methods.md and the configuration section of its README
 * at 0.1.x; the parameters shared by all task-vector methods as its own code declares them): keys, types and numbers of models.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { OWN_KEY, toMergeKit } from '../../../src/recipe/mergekit-write';
import { traitsOf } from '../../../src/recipe/methods';
import { METHODS } from '../../../src/recipe/types';
import { anyRecipe } from './recipes';

interface Documented {
  /** Of each model, and of the whole. A parameter of a model may be given for the whole too. */
  readonly each: readonly string[];
  readonly whole: readonly string[];
  readonly base: 'required' | 'optional' | 'none';
  readonly models: readonly [number, number];
}
const TASK_VECTORS = ['normalize', 'rescale', 'lambda', 'int8_mask'];
const sparse = (...more: string[]): Documented => ({ each: ['weight', 'density', ...more], whole: TASK_VECTORS, base: 'required', models: [1, Infinity] });
const DOCUMENTED: Readonly<Record<string, Documented>> = {
  linear: { each: ['weight'], whole: ['normalize'], base: 'none', models: [1, Infinity] },
  slerp: { each: [], whole: ['t'], base: 'required', models: [2, 2] },
  nuslerp: { each: ['weight'], whole: ['nuslerp_flatten', 'nuslerp_row_wise'], base: 'optional', models: [2, 2] },
  task_arithmetic: { each: ['weight'], whole: TASK_VECTORS, base: 'required', models: [1, Infinity] },
  ties: sparse(),
  dare_linear: sparse(),
  dare_ties: sparse(),
  della: sparse('epsilon'),
  della_linear: sparse('epsilon'),
  breadcrumbs: sparse('gamma'),
  breadcrumbs_ties: sparse('gamma'),
  sce: { each: [], whole: ['select_topk', 'int8_mask'], base: 'required', models: [1, Infinity] },
  model_stock: { each: [], whole: ['filter_wise'], base: 'required', models: [1, Infinity] },
};
const TOP = ['merge_method', 'base_model', 'models', 'parameters', 'dtype', 'out_dtype', OWN_KEY];
const DTYPES = ['float32', 'float16', 'bfloat16'];

type Fields = Readonly<Record<string, unknown>>;
/** A number (booleans count), a list of them, or a list of filters with such values. */
const isGradient = (value: unknown): boolean => (Array.isArray(value) ? value.length > 0 && value.every((point) => isScalar(point)) : isScalar(value));
const isScalar = (value: unknown): boolean => typeof value === 'number' || typeof value === 'boolean';
const isParameter = (value: unknown): boolean =>
  isGradient(value) || (Array.isArray(value) && value.every((rule: Fields) => Object.keys(rule).every((key) => key === 'filter' || key === 'value') && isGradient(rule['value']) && ['string', 'undefined'].includes(typeof rule['filter'])));

/** What is not as documented, in words. */
function faultsOf(text: string): string[] {
  const config = parse(text) as Fields;
  const faults = Object.keys(config).filter((key) => !TOP.includes(key)).map((key) => `${key}: no key of MergeKit's`);
  const rule = DOCUMENTED[String(config['merge_method'])];
  if (!rule) return [...faults, `merge_method ${String(config['merge_method'])}: not documented`];
  const models = config['models'] as readonly Fields[];
  const check = (parameters: unknown, known: readonly string[], where: string) => {
    for (const [key, value] of Object.entries((parameters ?? {}) as Fields)) {
      if (!known.includes(key)) faults.push(`${where}.${key}: no parameter of ${String(config['merge_method'])}`);
      if (!isParameter(value)) faults.push(`${where}.${key}: ${JSON.stringify(value)}`);
    }
  };
  for (const model of models) {
    if (typeof model['model'] !== 'string') faults.push('a model without a path');
    faults.push(...Object.keys(model).filter((key) => key !== 'model' && key !== 'parameters').map((key) => `models.${key}`));
    check(model['parameters'], rule.each, 'models.parameters');
  }
  check(config['parameters'], [...rule.whole, ...rule.each], 'parameters');
  if (models.length < rule.models[0] || models.length > rule.models[1]) faults.push(`${models.length} models`);
  if (rule.base === 'required' && typeof config['base_model'] !== 'string') faults.push('base_model is missing');
  if (rule.base === 'none' && 'base_model' in config) faults.push('base_model, which would be merged too');
  if (config['dtype'] !== 'float32') faults.push(`dtype ${String(config['dtype'])}`);
  if (!['string', 'undefined'].includes(typeof config['out_dtype']) || ('out_dtype' in config && !DTYPES.includes(String(config['out_dtype'])))) faults.push(`out_dtype ${String(config['out_dtype'])}`);
  return faults;
}

describe('what is written for MergeKit', () => {
  it('has a documented method for each of ours', () => {
    expect(METHODS.map((method) => traitsOf(method).mergekit).filter((name) => DOCUMENTED[name] === undefined)).toEqual([]);
  });

  it('holds documented keys with documented types, whatever the recipe', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(anyRecipe, fc.constantFrom('F32' as const, 'BF16' as const, 'F16' as const), (recipe, dominant) => {
        seen.add(recipe.method);
        expect(faultsOf(toMergeKit(recipe, (id) => id, dominant))).toEqual([]);
      }),
      { numRuns: 400 },
    );
    expect([...seen].sort()).toEqual([...METHODS].sort());
  });

  it('is judged by a check that finds what is wrong', () => {
    const models = 'models:\n  - {model: a, parameters: {weight: 1, density: 0.5}}\n';
    expect(faultsOf(`merge_method: linear\nbase_model: b\n${models}dtype: float32\n`)).toEqual(['models.parameters.density: no parameter of linear', 'base_model, which would be merged too']);
    expect(faultsOf(`merge_method: ties\n${models}parameters: {lambda: "1", k: 2}\ndtype: bfloat16\nout: x\n`)).toEqual([
      "out: no key of MergeKit's",
      'parameters.lambda: "1"',
      'parameters.k: no parameter of ties',
      'base_model is missing',
      'dtype bfloat16',
    ]);
    expect(faultsOf(`merge_method: slerp\nbase_model: a\nmodels: [{model: a}]\nparameters: {t: [{filter: x, value: [0, 1]}, {values: 1}]}\ndtype: float32\n`)).toEqual(['parameters.t: [{"filter":"x","value":[0,1]},{"values":1}]', '1 models']);
  });
});
