/** MergeKit's YAML as a recipe, tolerant of what MergeKit allows and exact about what it leaves out. */
import type { OutputDtype } from '../bytes/dtypes';
import { DTYPE_NAMES, OWN_KEY, OWN_VERSION } from './mergekit-write';
import { normalizeByDefault } from './resolve';
import { asFilterList, isFilterList, matchesAll } from './settings';
import { METHODS } from './types';
import type { Method, Recipe, RecipeModel, Setting, TensorRule } from './types';
import { validateRecipe } from './validate';
import { YamlReader } from './yaml-read';
import type { Entry, MergeKitProblem } from './yaml-read';

export type { MergeKitProblem } from './yaml-read';

export interface MergeKitReading {
  /** Null when some problem is an error. */
  readonly recipe: Recipe | null;
  /** In the order found. */
  readonly problems: readonly MergeKitProblem[];
}

const DTYPES_BY_NAME = new Map((Object.keys(DTYPE_NAMES) as OutputDtype[]).map((dtype) => [DTYPE_NAMES[dtype], dtype]));
const TOP_KEYS = ['merge_method', 'base_model', 'models', 'parameters', 'dtype', 'out_dtype', OWN_KEY];
const TOKENIZER_KEYS = ['tokenizer_source', 'tokenizer', 'chat_template'];
const OTHER_FORMS = ['slices', 'modules'];
const OWN_KEYS = ['version', 'method', 'base_model', 'lambda', 'rescale', 'density', 'slack', 'rules', 'tokenizer_from', 'out_dtype'];

/**
 * Reads MergeKit's YAML in its `models` form. `idOf` gives the checkpoint id of a model path, null when none is open.
 * Never throws: what is wrong, unknown or read differently from MergeKit is listed with its line.
 *
 * Decisions: parameters fall back from the model to the whole, also below the last filter of a model; the base among the
 * models of a task-vector method is left out (MergeKit gives it no part); `int8_mask` is read and changes nothing;
 * `dtype` is the output dtype when `out_dtype` is absent, since the arithmetic is f32 here (merging.md section 8).
 */
export function fromMergeKit(text: string, idOf: (path: string) => string | null): MergeKitReading {
  const reader = new Reading(text, idOf);
  const recipe = reader.recipe();
  const { problems } = reader.yaml;
  return { recipe: problems.some(({ severity }) => severity === 'error') ? null : recipe, problems };
}

class Reading {
  readonly yaml: YamlReader;
  /** Where a parameter was written, for what only the whole recipe shows to be wrong. */
  private readonly lines = new Map<string, number>();

  constructor(
    text: string,
    private readonly idOf: (path: string) => string | null,
  ) {
    this.yaml = new YamlReader(text);
  }

  recipe(): Recipe | null {
    const { yaml } = this;
    if (yaml.problems.length > 0) return null;
    const top = yaml.map(yaml.root, 'the recipe');
    this.unreadKeys(top);
    const own = yaml.map(top.get(OWN_KEY), OWN_KEY);
    this.ownVersion(own);

    const method = this.method(top.get('merge_method'), own.get('method'));
    const base = this.model(own.get('base_model') ?? top.get('base_model'), 'base_model');
    const global = yaml.map(top.get('parameters'), 'parameters');
    yaml.unknownKeys(global, ['weight', 'density', 'lambda', 'normalize', 'rescale', 'int8_mask'], 'parameters.');
    const models = this.models(top.get('models'), global, base ?? null, method);
    const densities = yaml.list(own.get('density'), 'density').map((entry) => yaml.numberSetting(entry, 'density'));

    const slack = yaml.map(own.get('slack'), 'slack');
    yaml.unknownKeys(slack, ['s', 'of', 'prefer'], 'slack.');
    const lambda = own.get('lambda') ?? global.get('lambda');
    const normalize = global.get('normalize');
    const rescale = own.get('rescale') ?? global.get('rescale');
    this.mark({ base: top.get('base_model') ?? top.get('merge_method'), models: top.get('models'), lambda, normalize, slack: own.get('slack') });
    const recipe: Recipe = {
      method,
      base: base ?? null,
      models: models.map((model, index) => ({ ...model, density: densities[index] ?? model.density })),
      lambda: yaml.numberSetting(lambda, 'lambda') ?? 1,
      normalize: yaml.booleanSetting(normalize, 'normalize') ?? normalizeByDefault(method),
      rescale: yaml.boolean(rescale, 'rescale') ?? false,
      slack: {
        s: yaml.numberSetting(slack.get('s'), 'slack.s') ?? 0,
        of: yaml.oneOf(slack.get('of'), ['retained', 'discarded'], 'slack.of') ?? 'retained',
        prefer: this.model(slack.get('prefer'), 'slack.prefer') ?? models[0]?.model ?? '',
      },
      outDtype: this.outDtype(top, own),
      rules: yaml.list(own.get('rules'), 'rules').flatMap((entry) => this.rule(entry)),
      tokenizerFrom: this.model(own.get('tokenizer_from'), 'tokenizer_from') ?? this.tokenizerSource(top.get('tokenizer_source')),
    };
    if (!yaml.problems.some(({ severity }) => severity === 'error')) this.judge(recipe);
    return recipe;
  }

  private mark(entries: Readonly<Record<string, Entry | undefined>>): void {
    for (const [name, entry] of Object.entries(entries)) if (entry !== undefined) this.lines.set(name, entry.line);
  }

  private unreadKeys(top: ReadonlyMap<string, Entry>): void {
    for (const key of OTHER_FORMS) {
      const entry = top.get(key);
      if (entry !== undefined) this.yaml.error('form-unsupported', `${key} assembles layers, which is not read; list whole models`, entry.line, { names: [key] });
    }
    for (const key of TOKENIZER_KEYS) {
      const entry = top.get(key);
      // MergeKit then rebuilds the embeddings token by token; here rows are merged by number (merging.md section 10).
      if (entry !== undefined) this.yaml.warn('tokenizer-not-rebuilt', `${key}: tokenizer files are copied, embeddings not rebuilt`, entry.line, { names: [key] });
    }
    this.yaml.unknownKeys(top, [...TOP_KEYS, ...TOKENIZER_KEYS, ...OTHER_FORMS], '');
  }

  private ownVersion(own: ReadonlyMap<string, Entry>): void {
    this.yaml.unknownKeys(own, OWN_KEYS, `${OWN_KEY}.`);
    const version = own.get('version');
    if (version === undefined) return;
    const actual = this.yaml.numberSetting(version, 'version');
    if (actual === OWN_VERSION) return;
    this.yaml.error('own-version', `${OWN_KEY} is of another version`, version.line, { expected: OWN_VERSION, actual: String(actual) });
  }

  private method(entry: Entry | undefined, own: Entry | undefined): Method {
    if (entry === undefined) {
      this.yaml.error('method-missing', 'merge_method is missing', this.yaml.root.line, { names: ['merge_method'], expected: METHODS.join(', ') });
      return 'ties';
    }
    const text = this.yaml.string(entry, 'merge_method');
    const method = METHODS.find((known) => known === text);
    if (method === undefined) {
      if (text === undefined) return 'ties';
      const where = { names: ['merge_method'], expected: METHODS.join(', '), actual: text };
      this.yaml.error('method-unsupported', `merge_method ${text} is none of ${where.expected}`, entry.line, where);
      return 'ties';
    }
    return method === 'ties' && this.yaml.oneOf(own, ['ties', 'ties_sv'], 'method') === 'ties_sv' ? 'ties_sv' : method;
  }

  private models(entry: Entry | undefined, global: ReadonlyMap<string, Entry>, base: string | null, method: Method): RecipeModel[] {
    const { yaml } = this;
    const whole = (name: string) => yaml.numberSetting(global.get(name), name);
    const [weight, density] = [whole('weight'), whole('density')];
    return yaml.list(entry, 'models').flatMap((item): RecipeModel[] => {
      const fields = yaml.map(item, 'model');
      yaml.unknownKeys(fields, ['model', 'parameters'], 'models.');
      const path = fields.get('model');
      if (path === undefined) yaml.error('model-missing', 'an entry of models has no model', item.line, { names: ['model'] });
      const model = this.model(path, 'model');
      const parameters = yaml.map(fields.get('parameters'), 'parameters');
      yaml.unknownKeys(parameters, ['weight', 'density'], 'models.parameters.');
      const read = (name: string, otherwise: Setting<number> | undefined) => {
        const line = (parameters.get(name) ?? global.get(name))?.line ?? item.line;
        // The first of a model listed twice keeps its line: validation reports by model, and in order.
        for (const key of [`${model ?? ''}/${name}`, name]) if (!this.lines.has(key)) this.lines.set(key, line);
        return withFallback(yaml.numberSetting(parameters.get(name), name), otherwise) ?? 1;
      };
      const settings = { weight: read('weight', weight), density: read('density', density) };
      if (model === undefined) return [];
      if (model === base && method !== 'linear') {
        yaml.warn('base-listed', 'the base among the models has no task vector and is left out', item.line, { model });
        return [];
      }
      return [{ model, ...settings }];
    });
  }

  /** The checkpoint id of a model path. */
  private model(entry: Entry | undefined, what: string): string | undefined {
    const path = this.yaml.string(entry, what);
    if (path === undefined) return undefined;
    const id = this.idOf(path);
    if (id !== null) return id;
    this.yaml.error('model-not-open', `no open checkpoint is ${path}`, entry!.line, { model: path, names: [what] });
    return undefined;
  }

  private rule(entry: Entry): TensorRule[] {
    const fields = this.yaml.map(entry, 'rule');
    this.yaml.unknownKeys(fields, ['filter', 'action', 'from'], 'rules.');
    this.lines.set('rules', entry.line);
    const filter = this.yaml.string(fields.get('filter'), 'rules.filter') ?? '*';
    const action = this.yaml.oneOf(fields.get('action'), ['merge', 'keep-base', 'take'], 'rules.action');
    if (action === undefined) {
      if (!fields.has('action')) this.yaml.error('rule-action-missing', `the rule for ${filter} has no action`, entry.line, { names: ['rules'] });
      return [];
    }
    const from = this.model(fields.get('from'), 'rules.from');
    return [from === undefined ? { filter, action } : { filter, action, from }];
  }

  private tokenizerSource(entry: Entry | undefined): string | null {
    const text = entry === undefined ? undefined : this.yaml.string(entry, 'tokenizer_source');
    if (text === undefined || text === 'base') return null;
    const id = this.idOf(text.replace(/^model:/, ''));
    if (id === null) this.yaml.warn('tokenizer-unsupported', `tokenizer_source ${text}: the base's files are kept`, entry!.line, { actual: text });
    return id;
  }

  private outDtype(top: ReadonlyMap<string, Entry>, own: ReadonlyMap<string, Entry>): Recipe['outDtype'] {
    const computed = this.dtype(top.get('dtype'), 'dtype');
    const written = this.dtype(top.get('out_dtype'), 'out_dtype');
    if (computed !== undefined && computed !== 'F32') {
      const actual = DTYPE_NAMES[computed];
      this.yaml.warn('dtype-computed-in-f32', `dtype ${actual}: computed in float32 here, rounded once`, top.get('dtype')!.line, { expected: 'float32', actual });
    }
    if (this.yaml.oneOf(own.get('out_dtype'), ['base'], 'out_dtype') === 'base') return 'base';
    return written ?? computed ?? 'base';
  }

  private dtype(entry: Entry | undefined, what: string): OutputDtype | undefined {
    const name = this.yaml.oneOf(entry, Object.values(DTYPE_NAMES), what);
    return name === undefined ? undefined : DTYPES_BY_NAME.get(name);
  }

  private judge(recipe: Recipe): void {
    for (const { reason, message, where } of validateRecipe(recipe)) {
      const name = where.names?.[0] ?? '';
      const line = this.lines.get(`${where.model ?? ''}/${name}`) ?? this.lines.get(name) ?? this.yaml.root.line;
      this.yaml.error(reason, message, line, where);
    }
  }
}

/** MergeKit looks in the model's parameters first and in the whole's where they say nothing about a tensor. */
function withFallback(setting: Setting<number> | undefined, whole: Setting<number> | undefined): Setting<number> | undefined {
  if (setting === undefined || whole === undefined) return setting ?? whole;
  if (!isFilterList(setting) || setting.some(({ filter }) => matchesAll(filter))) return setting;
  return [...setting, ...asFilterList(whole)];
}
