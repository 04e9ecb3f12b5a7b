import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromMergeKit } from '../../../src/recipe/mergekit';
import { MAX_YAML_TEXT } from '../../../src/recipe/yaml-parse';
import { METHODS, type Recipe } from '../../../src/recipe/types';

const OPEN = new Set(['base', 'm1', 'm2', 'm3']);
const read = (text: string) => fromMergeKit(text, (path) => (OPEN.has(path) ? path : null));
const lines = (text: string) => read(text).problems.map(({ severity, error }) => `${severity} ${error.reason} ${error.where.line}`);
const model = (name: string, weight: Recipe['lambda'], density: Recipe['lambda'] = 1) => ({ model: name, weight, density });

const TWO = (first: string, second: string) => `models:\n  - model: m1\n    parameters:\n${first}  - model: m2\n    parameters:\n${second}`;
const weights = (weight: number, density?: number) => `      weight: ${weight}\n${density === undefined ? '' : `      density: ${density}\n`}`;

describe('the golden cases in MergeKit’s YAML give their parameters', () => {
  const HEAD = 'merge_method: ties\nbase_model: base\n';
  it.each<[string, string, Partial<Recipe>]>([
    [
      'linear_01_f32_05_05',
      `merge_method: linear\n${TWO(weights(0.5), weights(0.5))}dtype: float32\n`,
      { method: 'linear', base: null, models: [model('m1', 0.5), model('m2', 0.5)], normalize: true },
    ],
    [
      'linear_03_bf16_nonorm_03_07',
      `merge_method: linear\n${TWO(weights(0.3), weights(0.7))}parameters:\n  normalize: false\ndtype: float32\n`,
      { method: 'linear', models: [model('m1', 0.3), model('m2', 0.7)], normalize: false },
    ],
    [
      'ta_02_bf16_w05_l15',
      `merge_method: task_arithmetic\nbase_model: base\n${TWO(weights(0.5), weights(0.5))}parameters:\n  lambda: 1.5\ndtype: float32\n`,
      { method: 'task_arithmetic', base: 'base', models: [model('m1', 0.5), model('m2', 0.5)], lambda: 1.5, normalize: false },
    ],
    [
      'ta_03_f32_norm',
      `merge_method: task_arithmetic\nbase_model: base\n${TWO(weights(0.7), weights(0.3))}parameters:\n  normalize: true\ndtype: float32\n`,
      { method: 'task_arithmetic', models: [model('m1', 0.7), model('m2', 0.3)], lambda: 1, normalize: true },
    ],
    [
      'ties_01_f32_d020_d100',
      `${HEAD}${TWO(weights(1, 0.2), weights(1, 1))}dtype: float32\n`,
      { method: 'ties', models: [model('m1', 1, 0.2), model('m2', 1, 1)], lambda: 1, normalize: true, rescale: false },
    ],
    [
      'ties_12_f32_nonorm_w05_l15',
      `${HEAD}${TWO(weights(0.5, 0.2), weights(0.5, 1))}parameters:\n  normalize: false\n  lambda: 1.5\ndtype: float32\n`,
      { models: [model('m1', 0.5, 0.2), model('m2', 0.5, 1)], lambda: 1.5, normalize: false },
    ],
    ['ties_18_f32_int8_mask', `${HEAD}${TWO(weights(1, 0.2), weights(1, 1))}parameters:\n  int8_mask: true\ndtype: float32\n`, { rescale: false, normalize: true }],
    ['ties_19_f32_rescale_l1', `${HEAD}${TWO(weights(1, 0.4), weights(1, 0.6))}parameters:\n  rescale: true\ndtype: float32\n`, { rescale: true }],
    ['ties_32_f32_kround_gt1', `${HEAD}${TWO(weights(1, 1.7), weights(1, 0.999))}dtype: float32\n`, { models: [model('m1', 1, 1.7), model('m2', 1, 0.999)] }],
    [
      'ties_42_f32_gradient_filter',
      `${HEAD}models:
  - model: m1
    parameters:
      weight: 1.0
      density: [0.2, 0.5, 1.0]
  - model: m2
    parameters:
      weight: [{"filter": "mlp", "value": [0.5, 1.0]}, {"filter": "self_attn", "value": 0.25}, {"value": 0.75}]
      density: 0.8
parameters:
  lambda: [1.0, 1.5]
  normalize: true
dtype: float32
`,
      {
        models: [
          model('m1', 1, [0.2, 0.5, 1]),
          model('m2', [{ filter: 'mlp', value: [0.5, 1] }, { filter: 'self_attn', value: 0.25 }, { value: 0.75 }], 0.8),
        ],
        lambda: [1, 1.5],
      },
    ],
  ])('%s', (_id, text, expected) => {
    const { recipe, problems } = read(text);
    expect(problems).toEqual([]);
    expect(recipe).toMatchObject({ ...expected, outDtype: 'F32' });
  });
});

const ties = (body: string) => `merge_method: ties\nbase_model: base\nmodels:\n  - model: m1\n${body}`;

describe('what MergeKit allows', () => {
  it('falls back from a model to the whole, and below the last filter', () => {
    const { recipe, problems } = read(`merge_method: ties
base_model: base
models:
  - model: m1
  - model: m2
    parameters:
      weight:
        - filter: mlp
          value: 0.5
  - model: m3
    parameters:
      weight:
        - value: 0.25
parameters:
  weight: [{filter: norm, value: 2}, {value: [0, 1]}]
  density: 0.3
`);
    expect(problems).toEqual([]);
    const whole = [{ filter: 'norm', value: 2 }, { value: [0, 1] }];
    expect(recipe?.models).toEqual([model('m1', whole, 0.3), model('m2', [{ filter: 'mlp', value: 0.5 }, ...whole], 0.3), model('m3', [{ value: 0.25 }], 0.3)]);
  });

  it('leaves out the base among the models of a task-vector method, and keeps it in a linear one', () => {
    const text = (method: string) => `merge_method: ${method}\nbase_model: base\nmodels:\n  - model: base\n  - model: m1\n`;
    expect(lines(text('ties'))).toEqual(['warning base-listed 4']);
    expect(read(text('ties')).recipe?.models).toEqual([model('m1', 1)]);
    expect(lines(text('linear'))).toEqual([]);
    expect(read(text('linear')).recipe?.models).toEqual([model('base', 1), model('m1', 1)]);
  });

  it.each([
    ['', 'base', []],
    ['dtype: bfloat16\n', 'BF16', ['warning dtype-computed-in-f32 5']],
    ['dtype: float32\nout_dtype: float16\n', 'F16', []],
    ['out_dtype: bfloat16\n', 'BF16', []],
    ['dtype: int8\n', undefined, ['error value-unknown 5']],
  ])('reads dtypes %j as %s', (text, outDtype, problems) => {
    expect(read(ties(text)).recipe?.outDtype).toBe(outDtype);
    expect(lines(ties(text))).toEqual(problems);
  });

  it.each([
    ['true', true],
    ['no', false],
    ['On', true],
    ['0', false],
    ['[0, 1]', [0, 1]],
    ['[{filter: mlp, value: off}, {value: 1}]', [{ filter: 'mlp', value: false }, { value: true }]],
    ['{filter: "*", value: yes}', [{ filter: '*', value: true }]],
  ])('reads normalize: %s as %j', (text, expected) => {
    expect(read(ties(`parameters:\n  normalize: ${text}\n`)).recipe?.normalize).toEqual(expected);
  });

  it('keeps the files of tokenizer_source and says that embeddings are not rebuilt', () => {
    expect(read(ties('tokenizer_source: m2\n')).recipe?.tokenizerFrom).toBe('m2');
    expect(read(ties('tokenizer_source: model:m2\n')).recipe?.tokenizerFrom).toBe('m2');
    expect(read(ties('tokenizer_source: base\n')).recipe?.tokenizerFrom).toBeNull();
    expect(lines(ties('tokenizer_source: union\n'))).toEqual(['warning tokenizer-not-rebuilt 5', 'warning tokenizer-union 5']);
  });

  it('reads the longer tokenizer settings, and says at its line what it does not do', () => {
    const { recipe, problems } = read(ties('tokenizer:\n  source: m2\n  pad_to_multiple_of: 64\n  tokens:\n    <|im_end|>:\n      source: m1\nchat_template: auto\ntokenizer_source: base\n'));
    expect(recipe?.tokenizerFrom).toBe('m2');
    expect(problems.map(({ severity, error }) => `${severity} ${error.reason} ${error.where.line}`)).toEqual([
      'warning tokenizer-not-edited 8',
      'warning tokenizer-not-edited 7',
      'warning chat-template-kept 11',
      'warning tokenizer-twice 12',
      'warning tokenizer-not-rebuilt 6',
    ]);
    expect(lines(ties('tokenizer: {source: nowhere}\n'))).toEqual(['warning tokenizer-not-rebuilt 5', 'warning tokenizer-unsupported 5']);
  });

  it('reads the longer form of a model', () => {
    const seen: string[] = [];
    fromMergeKit('merge_method: linear\nmodels:\n  - model: {model: {path: org/m, revision: abc}, lora: org/l}\n  - model: {path: p}\n  - model: {revision: x}\n', (path) => {
      seen.push(path);
      return path;
    });
    expect(seen).toEqual(['org/m@abc+org/l', 'p']);
    expect(lines('merge_method: linear\nmodels:\n  - model: {revision: x}\n')).toEqual(['error wrong-type 3']);
  });
});

describe('problems carry the line', () => {
  it.each([
    ['a syntax error', ties('parameters: [\n'), ['error yaml-syntax 6']],
    ['a key given twice', ties('base_model: base\n'), ['error yaml-syntax 5']],
    ['unknown keys', ties('    revision: x\nparameters:\n  alpha: 0.5\nallow: 1\n'), ['warning unknown-key 8', 'warning unknown-key 7', 'warning unknown-key 5']],
    ['an unknown method', 'models: []\nmerge_method: passthrough\n', ['error method-unsupported 2']],
    ['no method', '# nothing\nmodels: []\n', ['error method-missing 2']],
    ['a model that is not open', ties('  - model: org/other\n'), ['error model-not-open 5']],
    ['an entry without model', ties('  - parameters: {weight: 1}\n'), ['error model-missing 5']],
    ['the modules form', ties('modules:\n  text: {}\n'), ['error form-unsupported 5']],
    ['models beside slices', ties('slices:\n  - sources:\n      - {model: m1, layer_range: [0, 2]}\n'), ['error forms-both 5']],
    ['a number that is text', ties('    parameters:\n      density: "a"\n'), ['error wrong-type 6']],
    ['a point that is text', ties('    parameters:\n      density:\n        - 0.5\n        - a\n'), ['error wrong-type 8']],
    ['a rule without value', ties('    parameters:\n      density:\n        - filter: mlp\n'), ['error wrong-type 7']],
    ['an unknown key in a rule', ties('    parameters:\n      density:\n        - filter: mlp\n          valeu: 1\n          value: 1\n'), ['warning unknown-key 8']],
    ['models that are no list', 'merge_method: ties\nmodels: m1\n', ['error wrong-type 2']],
    ['a list at the top', '- merge_method: ties\n', ['error wrong-type 1', 'error method-missing 1']],
    ['density 0', ties('    parameters:\n      weight: 1\n      density: 0\n'), ['error density-out-of-range 7']],
    ['density 0 of the whole', ties('parameters:\n  density: 0\n'), ['error density-out-of-range 6']],
    ['lambda that is infinite', ties('parameters:\n  lambda: .inf\n'), ['error lambda-not-finite 6']],
    ['an empty gradient', ties('parameters:\n  lambda: []\n'), ['error gradient-empty 6']],
    ['weights that sum to 0', 'merge_method: linear\nmodels:\n  - model: m1\n    parameters: {weight: 0.0}\n', ['error weights-sum-zero 4']],
    ['no base', 'merge_method: ties\nmodels:\n  - model: m1\n', ['error base-missing 1']],
    ['no model', 'merge_method: ties\nbase_model: base\nmodels: []\n', ['error models-empty 3']],
    ['choices of a model that is not open', ties('x_merging_studio:\n  choices:\n    extra_rows: m9\n'), ['error model-not-open 7']],
    ['a choice without a tensor', ties('x_merging_studio:\n  choices:\n    leave_out:\n      - {model: m1}\n'), ['error wrong-type 8']],
    ['a choice that is unknown', ties('x_merging_studio:\n  choices: {rows: 1}\n'), ['warning unknown-key 6']],
    ['two documents', ties('---\na: 1\n'), ['error yaml-syntax 5']],
    ['a later version of our key', ties('x_merging_studio:\n  version: 2\n'), ['error own-version 6']],
    ['a preferred model that is not a model', ties('x_merging_studio:\n  method: ties_sv\n  slack:\n    s: 0.1\n    prefer: m2\n'), ['error prefer-not-a-model 7']],
    ['a rule with an unknown action', ties('x_merging_studio:\n  rules:\n    - {filter: a, action: drop}\n'), ['error value-unknown 7']],
    ['a seed that is none', ties('x_merging_studio:\n  drop: {seed: -1}\n').replace('merge_method: ties', 'merge_method: dare_linear'), ['error seed-out-of-range 6']],
    ['a rule without source', ties('x_merging_studio:\n  rules:\n    - {filter: a, action: take}\n'), ['error rule-from-missing 7']],
  ])('%s', (_name, text, expected) => {
    expect(lines(text).sort()).toEqual([...expected].sort());
    expect(read(text).recipe === null).toBe(expected.some((line) => line.startsWith('error')));
  });

  it('reads how DARE drops under the key of the studio, and takes what it leaves out as MergeKit does', () => {
    const dare = (own: string) => read(`merge_method: dare_ties\nbase_model: base\nmodels:\n  - model: m1\n    parameters: {weight: 0.6, density: 0.5}\n${own}`).recipe;
    expect(dare('')).toMatchObject({ method: 'dare_ties', rescale: true, normalize: false });
    expect(dare('')).not.toHaveProperty('drop');
    expect(dare('parameters: {rescale: false}\n')?.rescale).toBe(false);
    expect(dare('x_merging_studio: {version: 1, drop: {seed: 42, rescale_by: density}}\n')?.drop).toEqual({ seed: 42, rescaleBy: 'density' });
  });

  it('names the method, what it could be, and the model that is missing', () => {
    const [problem] = read('merge_method: passthrough\n').problems;
    expect(problem?.error.where).toEqual({ names: ['merge_method'], expected: METHODS.join(', '), actual: 'passthrough', line: 1 });
    expect(read(ties('  - model: org/other\n')).problems[0]?.error.where).toEqual({ model: 'org/other', names: ['model'], line: 5 });
  });
});

describe('hostile YAML', () => {
  it('does not follow aliases, so a bomb of them stays small', () => {
    const bomb = Array.from({ length: 30 }, (_, level) => `a${level}: &a${level} [${level === 0 ? '1' : `*a${level - 1}, *a${level - 1}`}]`).join('\n');
    const { problems } = read(`${ties('')}${bomb}\n`);
    expect(problems).toHaveLength(30);
    expect(new Set(problems.map(({ error }) => error.reason))).toEqual(new Set(['unknown-key']));
    expect(lines(ties('parameters:\n  lambda: &l 0.5\n  normalize: *l\n'))).toEqual(['error yaml-alias 7']);
  });

  it.each([
    ['too long', ' '.repeat(MAX_YAML_TEXT + 1), 'error yaml-too-long 1'],
    ['brackets', `\n${'['.repeat(100_000)}`, 'error yaml-too-deep 2'],
    ['brackets that quotes seem to close', `a:\n${'["]",'.repeat(30_000)}`, 'error yaml-too-deep 2'],
    ['anchors', `- ${'&a '.repeat(60_000)}`, 'error yaml-too-deep 1'],
    ['tags', `a: ${'!t '.repeat(60_000)}`, 'error yaml-too-deep 1'],
    ['indentation', Array.from({ length: 500 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n'), 'error yaml-too-deep 34'],
    ['list dashes', '- '.repeat(90_000), 'error yaml-too-deep 1'],
    ['question marks', '? '.repeat(90_000), 'error yaml-too-deep 1'],
  ])('is refused: %s', (_name, text, expected) => {
    expect(lines(text)).toEqual([expected]);
    // What is exponential in these texts never ends: the limit of the test is far from both.
  });

  it('never throws, and gives a recipe or an error', () => {
    const pieces = fc.constantFrom('merge_method', 'models', 'model', 'parameters', 'weight', 'x_merging_studio', 'ties', 'm1', ': ', ':\n  ', '\n', '- ', '[', ']', '{', '}', ', ', '&a ', '*a', '!!binary ', '|\n', '"', "'", '# ', '---\n', '%YAML 1.1\n', '<<', '\t', '? ', '1', '.nan');
    fc.assert(
      fc.property(fc.array(fc.oneof(pieces, fc.string({ maxLength: 3 })), { maxLength: 40 }), (parts) => {
        const { recipe, problems } = read(parts.join(''));
        expect(recipe === null).toBe(problems.some(({ severity }) => severity === 'error'));
        for (const { error } of problems) expect(error.where.line).toBeGreaterThan(0);
      }),
      { numRuns: 1000 },
    );
  });

  it('keeps names as data', () => {
    const text = 'merge_method: linear\nmodels:\n  - model: __proto__\n__proto__: 1\nconstructor: 2\n';
    expect(lines(text)).toEqual(['warning unknown-key 4', 'warning unknown-key 5', 'error model-not-open 3']);
  });
});
