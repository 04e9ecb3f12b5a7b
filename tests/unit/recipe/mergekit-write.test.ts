import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromMergeKit, toMergeKit } from '../../../src/recipe/mergekit';
import type { Recipe } from '../../../src/recipe/types';
import { yamlNumber, yamlString } from '../../../src/recipe/yaml-text';
import { anyRecipe, TIES } from './recipes';

const same = (id: string) => id;

describe('toMergeKit', () => {
  it('writes what MergeKit reads, key for key', () => {
    const names: Readonly<Record<string, string>> = { base: 'Llama-2-7b', sft: './runs/sft v2', ct: '/data/ct-10B' };
    expect(toMergeKit({ ...TIES, outDtype: 'BF16', slack: { s: 0, of: 'retained', prefer: 'sft' } }, (id) => names[id]!)).toBe(`# Runs in MergeKit: mergekit-yaml mergekit_config.yml OUTPUT_FOLDER
merge_method: ties
base_model: Llama-2-7b
models:
  - model: "./runs/sft v2"
    parameters:
      weight: 1.0
      density: 0.2
  - model: /data/ct-10B
    parameters:
      weight: 1.0
      density: 1.0
parameters:
  lambda: 1.0
  normalize: true
dtype: float32
out_dtype: bfloat16
`);
  });

  it('puts what MergeKit cannot express under one key of our own and says so at the top', () => {
    const recipe: Recipe = {
      ...TIES,
      method: 'ties_sv',
      models: [TIES.models[0]!, { model: 'ct', weight: [{ filter: 'mlp', value: [0.5, 1] }], density: [0.5, 1e-7] }],
      rescale: true,
      rules: [{ filter: 'embed', action: 'take', from: 'ct' }, { filter: 'norm', action: 'keep-base' }],
      tokenizerFrom: 'ct',
    };
    expect(toMergeKit(recipe, same, 'F16')).toBe(`# Runs in MergeKit: mergekit-yaml mergekit_config.yml OUTPUT_FOLDER
# What MergeKit cannot express, and ignores under x_merging_studio:
#   - The slack variable (TIES-SV): MergeKit runs plain TIES and reserves nothing.
#   - Tensors kept from the base or taken from one model: MergeKit merges them like the rest.
#   - Whose tokenizer and config to keep: copy those files yourself.
#   - Each tensor in the dtype of the base: MergeKit writes all in float16.
#   - Tensors that no weight filter matches have weight 1: MergeKit stops there.
merge_method: ties
base_model: base
models:
  - model: sft
    parameters:
      weight: 1.0
      density: 0.2
  - model: ct
    parameters:
      weight: [{filter: mlp, value: [0.5, 1.0]}]
      density: [0.5, 1.0e-7]
parameters:
  lambda: 1.0
  normalize: true
  rescale: true
dtype: float32
out_dtype: float16
x_merging_studio:
  version: 1
  method: ties_sv
  slack: {s: 0.04, of: retained, prefer: sft}
  rules: [{filter: embed, action: take, from: ct}, {filter: norm, action: keep-base}]
  tokenizer_from: ct
  out_dtype: base
`);
  });

  it('keeps the base of a linear merge from MergeKit, which would add it to the models', () => {
    const text = toMergeKit({ ...TIES, method: 'linear', outDtype: 'F32', lambda: 0.5, rescale: true }, same);
    expect(text).toBe(`# Runs in MergeKit: mergekit-yaml mergekit_config.yml OUTPUT_FOLDER
merge_method: linear
models:
  - model: sft
    parameters:
      weight: 1.0
  - model: ct
    parameters:
      weight: 1.0
parameters:
  normalize: true
dtype: float32
out_dtype: float32
x_merging_studio:
  version: 1
  base_model: base
  lambda: 0.5
  rescale: true
  density: [0.2, 1.0]
  slack: {s: 0.04, of: retained, prefer: sft}
`);
  });

  it('says when a model is listed twice and when a path would be read as a LoRA', () => {
    const twice = { ...TIES, models: [TIES.models[1]!, TIES.models[1]!] };
    expect(toMergeKit(twice, (id) => `${id}+x`)).toContain(
      '#   - A model listed twice counts twice: MergeKit may count it once.\n#   - A model path with a plus sign: MergeKit reads what follows it as a LoRA.\n',
    );
  });

  it('holds what was decided where checkpoints differ, and gives it back', () => {
    const choices = {
      extraRows: { from: 'ct' },
      leaveOut: { 'a: b': ['sft', 'ct'], __proto: ['ct'] },
      integerFrom: { ids: 'sft' },
      allowNonfinite: true,
      rows: 'id' as const,
    };
    const text = toMergeKit(TIES, same, 'BF16', choices);
    expect(text).toContain('#   - What was decided where the checkpoints differ: MergeKit decides by itself.\n');
    expect(fromMergeKit(text, same)).toEqual({ recipe: TIES, problems: [], choices });
    const nothing = { extraRows: 'cut' as const, leaveOut: {}, integerFrom: {}, allowNonfinite: false };
    expect(toMergeKit(TIES, same, 'BF16', nothing)).toBe(toMergeKit(TIES, same, 'BF16'));
    expect(fromMergeKit(toMergeKit(TIES, same, 'BF16'), same).choices).toBeUndefined();
  });

  it('comes back as it was', () => {
    fc.assert(
      fc.property(anyRecipe, fc.constantFrom('F32' as const, 'BF16' as const, undefined), (recipe, dominant) => {
        expect(fromMergeKit(toMergeKit(recipe, same, dominant), same)).toEqual({ recipe, problems: [] });
      }),
      { numRuns: 300 },
    );
  });
});

describe('text that YAML 1.1 and 1.2 read alike', () => {
  it.each([
    [1, '1.0'],
    [0.2, '0.2'],
    [-0.25, '-0.25'],
    [1e-7, '1.0e-7'],
    [1.5e-9, '1.5e-9'],
    [1e21, '1.0e+21'],
    [1e20, '100000000000000000000.0'],
    [Number.NaN, '.nan'],
    [Number.NEGATIVE_INFINITY, '-.inf'],
  ])('number %d is %s', (value, text) => {
    expect(yamlNumber(value)).toBe(text);
  });

  it.each([
    ['meta-llama/Llama-2-7b', 'meta-llama/Llama-2-7b'],
    ['../ct', '../ct'],
    ['yes', '"yes"'],
    ['Null', '"Null"'],
    ['7b', '"7b"'],
    ['1e5', '"1e5"'],
    ['a b', '"a b"'],
    ['C:\\ct', '"C:\\\\ct"'],
    ['a\nb: c', '"a\\nb: c"'],
    ['a\u202eb\u2066\u200bc', '"a\\u202eb\\u2066\\u200bc"'],
    ['x\u0085\u2028\u007f\ufeff', '"x\\u0085\\u2028\\u007f\\ufeff"'],
    ['বাংলা', '"বাংলা"'],
    ['', '""'],
  ])('name %j is %s', (value, text) => {
    expect(yamlString(value)).toBe(text);
  });
});

describe('methods that choose by ranks in YAML', () => {
  const two = (own: Partial<Recipe>): Recipe => ({ ...TIES, slack: { s: 0, of: 'retained', prefer: 'sft' }, outDtype: 'F32', normalize: false, ...own });
  const lines = (recipe: Recipe) => toMergeKit(recipe, (id) => id, 'BF16').split('\n');
  const body = (recipe: Recipe) => lines(recipe).filter((line) => line !== '' && !line.startsWith('#'));

  it('Breadcrumbs has gamma, DELLA epsilon, a model each', () => {
    const [sft, ct] = TIES.models;
    expect(body(two({ method: 'breadcrumbs_ties', models: [{ ...sft!, gamma: 0.02 }, ct!] }))).toEqual([
      'merge_method: breadcrumbs_ties', 'base_model: base', 'models:',
      '  - model: sft', '    parameters:', '      weight: 1.0', '      density: 0.2', '      gamma: 0.02',
      '  - model: ct', '    parameters:', '      weight: 1.0', '      density: 1.0', '      gamma: 0.01',
      'parameters:', '  lambda: 1.0', '  normalize: false', 'dtype: float32', 'out_dtype: float32',
    ]);
    const della = two({ method: 'della', rescale: true, models: [sft!, { ...ct!, epsilon: [0.1, 0.2] }] });
    expect(body(della).filter((line) => /epsilon|rescale/.test(line))).toEqual(['      epsilon: 0.15', '      epsilon: [0.1, 0.2]', '  rescale: true']);
    expect(lines(della).filter((line) => line.startsWith('#   - '))).toEqual([
      '#   - Which values are dropped: MergeKit draws them with a generator of its own, seeded by mergekit-yaml --random-seed.',
      '#   - Where density - epsilon is not above 0 or density + epsilon not below 1: MergeKit stops there.',
    ]);
  });

  it('SCE has select_topk alone', () => {
    expect(body(two({ method: 'sce', topk: 0.1, normalize: true, models: TIES.models.map(({ model }) => ({ model, weight: 1, density: 1 })) }))).toEqual([
      'merge_method: sce', 'base_model: base', 'models:', '  - model: sft', '  - model: ct', 'parameters:', '  select_topk: 0.1', 'dtype: float32', 'out_dtype: float32',
    ]);
  });

  it('reads what people write, and says at which line a share is none', () => {
    const read = (text: string) => fromMergeKit(text, (id) => id);
    const text = 'merge_method: della_linear\nbase_model: base\nmodels:\n  - model: a\n    parameters: {weight: 0.4, density: 0.6, epsilon: 0.1}\n  - {model: b}\nparameters:\n  density: 0.5\n  epsilon: 0.3\n';
    expect(read(text).problems).toEqual([]);
    expect(read(text).recipe).toMatchObject({ method: 'della_linear', normalize: false, rescale: true, models: [{ density: 0.6, epsilon: 0.1 }, { weight: 1, density: 0.5, epsilon: 0.3 }] });
    expect(read(text.replace('epsilon: 0.3', 'epsilon: 1.5')).problems.map(({ error }) => [error.reason, error.where.line])).toEqual([['epsilon-out-of-range', 9]]);
    const sce = read('merge_method: sce\nbase_model: base\nmodels: [{model: a}, {model: b}]\nparameters: {select_topk: 0.1}\n');
    expect(sce.recipe).toMatchObject({ method: 'sce', topk: 0.1 });
    const alone = read('merge_method: sce\nbase_model: base\nmodels: [{model: a}]\n');
    expect(alone.problems.map(({ error }) => error.reason)).toEqual(['models-too-few']);
  });
});

describe('methods by angles in YAML', () => {
  const TWO: Recipe = { ...TIES, method: 'slerp', base: null, t: [0, 0.5, 1], slack: { s: 0, of: 'retained', prefer: 'sft' }, models: TIES.models.map(({ model }) => ({ model, weight: 1, density: 1 })) };
  const body = (recipe: Recipe) => toMergeKit(recipe, (id) => id, 'BF16').split('\n').filter((line) => !line.startsWith('#'));

  it('SLERP names its first model as the base and has t alone', () => {
    expect(body({ ...TWO, outDtype: 'F32' })).toEqual(['merge_method: slerp', 'base_model: sft', 'models:', '  - model: sft', '  - model: ct', 'parameters:', '  t: [0.0, 0.5, 1.0]', 'dtype: float32', 'out_dtype: float32', '']);
  });

  it('reads SLERP from either order, the base first', () => {
    const read = fromMergeKit('merge_method: slerp\nbase_model: ct\nmodels:\n  - model: sft\n  - model: ct\nparameters:\n  t:\n    - filter: self_attn\n      value: [0, 1]\n    - value: 0.5\n', (id) => id);
    expect(read.problems).toEqual([]);
    expect(read.recipe).toMatchObject({ method: 'slerp', base: null, models: [{ model: 'ct' }, { model: 'sft' }], t: [{ filter: 'self_attn', value: [0, 1] }, { value: 0.5 }] });
  });

  it('reads and writes angles between rows and columns: row_wise is along the first dimension', () => {
    const models = 'models:\n  - {model: a, parameters: {weight: 0.3}}\n  - {model: b, parameters: {weight: 0.7}}\n';
    const vectors = (text: string) => fromMergeKit(`base_model: base\n${models}${text}\n`, (id) => id).recipe?.vectors;
    expect(vectors('merge_method: nuslerp\nparameters: {nuslerp_flatten: false}')).toBe('rows');
    expect(vectors('merge_method: nuslerp\nparameters: {nuslerp_flatten: false, nuslerp_row_wise: true}')).toBe('columns');
    expect(vectors('merge_method: nuslerp\nparameters: {nuslerp_row_wise: true}')).toBeUndefined();
    expect(vectors('merge_method: model_stock\nparameters: {filter_wise: true}')).toBe('rows');
    const parameters = (recipe: Recipe) => body(recipe).filter((line) => line.includes('_wise') || line.includes('flatten') || line.includes('vectors'));
    const two: Recipe = { ...TWO, base: 'base', outDtype: 'F32' };
    expect(parameters({ ...two, method: 'nuslerp', vectors: 'columns' })).toEqual(['  nuslerp_flatten: false', '  nuslerp_row_wise: true']);
    expect(parameters({ ...two, method: 'nuslerp', vectors: 'rows' })).toEqual(['  nuslerp_flatten: false']);
    expect(parameters({ ...two, method: 'model_stock', vectors: 'rows' })).toEqual(['  filter_wise: true']);
    // Model stock has no columns: it merges whole tensors, and the choice is kept for NuSLERP.
    expect(parameters({ ...two, method: 'model_stock', vectors: 'columns' })).toEqual(['  vectors: columns']);
  });

  it('reads NuSLERP without a base as that of whole values, and writes it so', () => {
    const models = 'models:\n  - {model: sft, parameters: {weight: 0.3}}\n  - {model: ct, parameters: {weight: 0.7}}\n';
    const read = (text: string) => fromMergeKit(`merge_method: nuslerp\n${models}${text}`, (id) => id);
    expect([read('').recipe?.method, read('').recipe?.base, read('base_model: base\n').recipe?.method]).toEqual(['nuslerp_values', null, 'nuslerp']);
    expect(read('').problems).toEqual([]);
    expect(read('parameters: {nuslerp_flatten: false}\n').problems.map(({ error }) => `${error.reason} ${error.where.line}`)).toEqual(['vectors-need-base 5']);
    expect(body({ ...TWO, method: 'nuslerp_values', base: null, outDtype: 'F32' }).slice(0, 2)).toEqual(['merge_method: nuslerp', 'models:']);
  });

  it('refuses a base that is neither model', () => {
    const problems = (text: string) => fromMergeKit(text, (id) => id).problems.map(({ severity, error }) => `${severity} ${error.reason} ${error.where.line}`);
    const models = 'models:\n  - {model: a, parameters: {weight: 0.3}}\n  - {model: b, parameters: {weight: 0.7}}\n';
    expect(problems(`merge_method: nuslerp\nbase_model: base\n${models}parameters: {nuslerp_flatten: true}\n`)).toEqual([]);
    expect(problems(`merge_method: slerp\nbase_model: base\n${models}parameters: {t: 0.5}\n`)).toEqual(['error slerp-base 2']);
  });

  it('model stock has neither weights nor parameters', () => {
    expect(body({ ...TWO, method: 'model_stock', base: 'base', outDtype: 'F32' }).slice(0, 6)).toEqual(['merge_method: model_stock', 'base_model: base', 'models:', '  - model: sft', '  - model: ct', 'dtype: float32']);
  });
});
