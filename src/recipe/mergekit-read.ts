/** MergeKit's YAML as a recipe, tolerant of what MergeKit allows and exact about what it leaves out. */
import type { OutputDtype } from '../bytes/dtypes';
import { readChoices, type RecipeChoices } from './mergekit-choices';
import { readForms, type ModelSlice } from './mergekit-forms';
import { readReference } from './mergekit-names';
import { readTokenizer, TOKENIZER_KEYS } from './mergekit-tokenizer';
import { DTYPE_NAMES, OWN_KEY, OWN_VERSION } from './mergekit-write';
import { DEFAULT_DROP, needsBase, traitsOf } from './methods';
import { asFilterList, isFilterList, matchesAll } from './settings';
import { METHODS, RANKING_SCOPES, VECTORS } from './types';
import type { Drop, Method, Recipe, RecipeModel, Scope, Setting, TensorRule, Vectors } from './types';
import { validateRecipe } from './validate';
import { YamlReader } from './yaml-read';
import type { Entry, MergeKitProblem } from './yaml-read';

export type { MergeKitProblem } from './yaml-read';

export interface MergeKitReading {
  /** Null when some problem is an error. */
  readonly recipe: Recipe | null;
  /** In the order found. */
  readonly problems: readonly MergeKitProblem[];
  /** What was decided where the checkpoints differ; absent where the text does not say. */
  readonly choices?: RecipeChoices;
}

const DTYPES_BY_NAME = new Map((Object.keys(DTYPE_NAMES) as OutputDtype[]).map((dtype) => [DTYPE_NAMES[dtype], dtype]));
const TOP_KEYS = ['merge_method', 'base_model', 'models', 'slices', 'parameters', 'dtype', 'out_dtype', OWN_KEY];
/** Assembles the parts of a multimodal model, each by a recipe of its own. */
const MODULES = 'modules';
const MODEL_PARAMETERS = ['weight', 'density', 'gamma', 'epsilon'];
const WHOLE_PARAMETERS = [...MODEL_PARAMETERS, 'lambda', 'normalize', 'rescale', 'int8_mask', 't', 'select_topk', 'nuslerp_flatten', 'nuslerp_row_wise', 'filter_wise'];
const OWN_KEYS = [
  'version', 'method', 'base_model', 'lambda', 'normalize', 'rescale', 'weight', 'density', 'gamma', 'epsilon', 't', 'topk', 'vectors', 'slack', 'scope', 'drop',
  'rules', 'tokenizer_from', 'out_dtype', 'choices',
];

/**
 * Reads MergeKit's YAML. `idOf` gives the checkpoint id of a model path, null when none is open; `layersOf` the number of layers
 * of a checkpoint, null when it is not known, and then slices are taken at their word. Never throws: what is wrong, unknown or
 * read differently from MergeKit is listed with its line.
 *
 * Decisions: parameters fall back from the model to its slice to the whole, also below the last filter; slices are read where they
 * say the same as whole models; the base among the models of a task-vector method is left out (MergeKit gives it no part);
 * `int8_mask` is read and changes nothing; `dtype` is the output dtype when `out_dtype` is absent, since the arithmetic is f32
 * here (merging.md section 8).
 */
export function fromMergeKit(text: string, idOf: (path: string) => string | null, layersOf: (id: string) => number | null = () => null): MergeKitReading {
  const reader = new Reading(text, idOf, layersOf);
  const recipe = reader.recipe();
  const { problems } = reader.yaml;
  const isWrong = problems.some(({ severity }) => severity === 'error');
  return { recipe: isWrong ? null : recipe, problems, ...(isWrong || reader.choices === null ? {} : { choices: reader.choices }) };
}

class Reading {
  readonly yaml: YamlReader;
  choices: RecipeChoices | null = null;
  /** Where a parameter was written, for what only the whole recipe shows to be wrong. */
  private readonly lines = new Map<string, number>();

  constructor(
    text: string,
    private readonly idOf: (path: string) => string | null,
    private readonly layersOf: (id: string) => number | null,
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
    const decided = own.get('choices');
    if (decided !== undefined) this.choices = readChoices(yaml, decided, (entry, what) => this.model(entry, what));

    const method = this.method(top.get('merge_method'), own.get('method'), top.has('base_model'));
    const named = this.model(top.get('base_model'), 'base_model');
    // SLERP's base_model is the model that t = 0 stands for.
    const base = own.has('base_model') ? this.model(own.get('base_model'), 'base_model') : method === 'slerp' ? undefined : named;
    const global = yaml.map(top.get('parameters'), 'parameters');
    yaml.unknownKeys(global, WHOLE_PARAMETERS, 'parameters.');
    const slices = readForms(yaml, top);
    const { models: listed, lambda, normalize, rescale, t, topk, vectors } = this.whole(slices, global, base ?? null, method);
    const models = method === 'slerp' ? this.fromBase(listed, named, top.get('base_model')) : listed;
    const kept = (name: string) => yaml.list(own.get(name), name).map((entry) => yaml.numberSetting(entry, name));
    const [weights, densities, gammas, epsilons] = [kept('weight'), kept('density'), kept('gamma'), kept('epsilon')];

    const slack = yaml.map(own.get('slack'), 'slack');
    yaml.unknownKeys(slack, ['s', 'of', 'prefer'], 'slack.');
    const parameterOf = (name: string) => own.get(name) ?? slices[0]?.parameters.get(name) ?? global.get(name);
    const written = { lambda: parameterOf('lambda'), normalize: parameterOf('normalize'), t: parameterOf('t'), topk: parameterOf('select_topk'), slack: own.get('slack') };
    this.mark({ base: top.get('base_model') ?? top.get('merge_method'), models: top.get('models') ?? top.get('slices'), ...written });
    const recipe: Recipe = {
      method,
      base: base ?? null,
      models: models.map((model, index) => ({
        ...model,
        weight: weights[index] ?? model.weight,
        density: densities[index] ?? model.density,
        ...optional('gamma', gammas[index] ?? model.gamma),
        ...optional('epsilon', epsilons[index] ?? model.epsilon),
      })),
      lambda: yaml.numberSetting(own.get('lambda'), 'lambda') ?? lambda ?? 1,
      normalize: yaml.booleanSetting(own.get('normalize'), 'normalize') ?? normalize ?? traitsOf(method).normalize,
      rescale: yaml.boolean(own.get('rescale'), 'rescale') ?? rescale ?? traitsOf(method).rescale,
      slack: {
        s: yaml.numberSetting(slack.get('s'), 'slack.s') ?? 0,
        of: yaml.oneOf(slack.get('of'), ['retained', 'discarded'], 'slack.of') ?? 'retained',
        prefer: this.model(slack.get('prefer'), 'slack.prefer') ?? models[0]?.model ?? '',
      },
      ...optional('t', yaml.numberSetting(own.get('t'), 't') ?? t),
      ...optional('topk', yaml.numberSetting(own.get('topk'), 'topk') ?? topk),
      ...optional('vectors', yaml.oneOf(own.get('vectors'), VECTORS, 'vectors') ?? vectors),
      ...(own.has('scope') ? { scope: this.scope(own.get('scope')!) } : {}),
      ...(own.has('drop') ? { drop: this.drop(own.get('drop')!) } : {}),
      outDtype: this.outDtype(top, own),
      rules: yaml.list(own.get('rules'), 'rules').flatMap((entry) => this.rule(entry)),
      tokenizerFrom: this.model(own.get('tokenizer_from'), 'tokenizer_from') ?? readTokenizer(yaml, top, this.idOf),
    };
    if (!yaml.problems.some(({ severity }) => severity === 'error')) this.judge(recipe);
    return recipe;
  }

  private mark(entries: Readonly<Record<string, Entry | undefined>>): void {
    for (const [name, entry] of Object.entries(entries)) if (entry !== undefined) this.lines.set(name, entry.line);
  }

  private unreadKeys(top: ReadonlyMap<string, Entry>): void {
    const modules = top.get(MODULES);
    if (modules !== undefined) this.yaml.error('form-unsupported', `${MODULES} is not read; list whole models`, modules.line, { names: [MODULES] });
    this.yaml.unknownKeys(top, [...TOP_KEYS, ...TOKENIZER_KEYS, MODULES], '');
  }

  private ownVersion(own: ReadonlyMap<string, Entry>): void {
    this.yaml.unknownKeys(own, OWN_KEYS, `${OWN_KEY}.`);
    const version = own.get('version');
    if (version === undefined) return;
    const actual = this.yaml.numberSetting(version, 'version');
    if (actual === OWN_VERSION) return;
    this.yaml.error('own-version', `${OWN_KEY} is of another version`, version.line, { expected: OWN_VERSION, actual: String(actual) });
  }

  private method(entry: Entry | undefined, own: Entry | undefined, hasBase: boolean): Method {
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
    // MergeKit's NuSLERP is of task vectors where there is a base, of whole values where there is none.
    if (method === 'nuslerp' && !hasBase) return 'nuslerp_values';
    return method === 'ties' && this.yaml.oneOf(own, ['ties', 'ties_sv'], 'method') === 'ties_sv' ? 'ties_sv' : method;
  }

  /** What all slices say alike; where they do not, the first one's, and an error at the line of the other. */
  private whole(slices: readonly ModelSlice[], global: ReadonlyMap<string, Entry>, base: string | null, method: Method): SliceSettings {
    const [first = NOTHING, ...others] = slices.map((slice) => this.slice(slice, global, base, method));
    others.forEach((other, i) => {
      const { line } = slices[i + 1]!;
      const names = (settings: SliceSettings) => settings.models.map(({ model }) => model).join(', ');
      if (names(first) !== names(other)) this.yaml.error('slice-models-differ', 'a slice of other models', line, { names: ['sources'], expected: names(first), actual: names(other) });
      else if (JSON.stringify(first) !== JSON.stringify(other)) this.yaml.error('slice-parameters-differ', 'a slice with parameters of its own', line, { names: ['slices'] });
      else if (hasGradient(first)) this.yaml.error('slice-gradient', 'gradients of several slices run over each alone', line, { names: ['slices'] });
    });
    this.layersOfAll(slices, first);
    return first;
  }

  /** The last slice must end where the models do. */
  private layersOfAll(slices: readonly ModelSlice[], { models }: SliceSettings): void {
    const last = slices.at(-1);
    if (!last?.layers) return;
    const { end } = last.layers;
    const other = models.map(({ model }) => ({ model, layers: this.layersOf(model) })).find(({ layers }) => layers !== null && layers !== end);
    if (other === undefined) return;
    const where = { model: other.model, names: ['layer_range'], expected: other.layers!, actual: end };
    this.yaml.error('layers-not-all', `slices end at layer ${end} of ${other.layers}`, last.line, where);
  }

  private slice(slice: ModelSlice, global: ReadonlyMap<string, Entry>, base: string | null, method: Method): SliceSettings {
    const { yaml } = this;
    const shared = [slice.parameters, global];
    yaml.unknownKeys(slice.parameters, WHOLE_PARAMETERS, 'slices.parameters.');
    const numbers = (chain: readonly ReadonlyMap<string, Entry>[], name: string) => fallback(chain.map((map) => yaml.numberSetting(map.get(name), name)));
    const models = slice.models.flatMap((entry): RecipeModel[] => {
      const { line, parameters } = entry;
      const model = this.model(entry.model, 'model');
      yaml.unknownKeys(parameters, MODEL_PARAMETERS, 'models.parameters.');
      const chain = [parameters, ...shared];
      const read = (name: string) => {
        // The first of a model listed twice keeps its line: validation reports by model, and in order.
        const written = chain.find((map) => map.has(name))?.get(name)?.line ?? line;
        for (const key of [`${model ?? ''}/${name}`, name]) if (!this.lines.has(key)) this.lines.set(key, written);
        return numbers(chain, name);
      };
      const settings = { weight: read('weight') ?? 1, density: read('density') ?? 1, ...optional('gamma', read('gamma')), ...optional('epsilon', read('epsilon')) };
      if (model === undefined) return [];
      if (model === base && needsBase(method)) {
        yaml.warn('base-listed', 'the base among the models has no task vector and is left out', line, { model });
        return [];
      }
      return [{ model, ...settings }];
    });
    const rescale = slice.parameters.get('rescale') ?? global.get('rescale');
    return {
      models,
      lambda: numbers(shared, 'lambda'),
      normalize: fallback(shared.map((map) => yaml.booleanSetting(map.get('normalize'), 'normalize'))),
      rescale: yaml.boolean(rescale, 'rescale'),
      t: numbers(shared, 't'),
      topk: numbers(shared, 'select_topk'),
      vectors: this.vectors(shared, method),
    };
  }

  /** The checkpoint id of a model path. */
  private model(entry: Entry | undefined, what: string): string | undefined {
    const path = readReference(this.yaml, entry, what);
    if (path === undefined) return undefined;
    const id = this.idOf(path);
    if (id !== null) return id;
    this.yaml.error('model-not-open', `no open checkpoint is ${path}`, entry!.line, { model: path, names: [what] });
    return undefined;
  }

  /** SLERP's two models, the one of t = 0 first. */
  private fromBase(models: readonly RecipeModel[], base: string | undefined, entry: Entry | undefined): readonly RecipeModel[] {
    if (base === undefined) return models;
    const first = models.find(({ model }) => model === base);
    if (first === undefined) {
      this.yaml.error('slerp-base', 'base_model is none of the two models', entry!.line, { model: base, names: ['base_model'] });
      return models;
    }
    return [first, ...models.filter((model) => model !== first)];
  }

  /** MergeKit's `row_wise` is of vectors along the first dimension: the columns of a tensor as it is stored. */
  private vectors(shared: readonly ReadonlyMap<string, Entry>[], method: Method): Vectors | undefined {
    const read = (name: string) => this.yaml.boolean(shared.find((map) => map.has(name))?.get(name), name);
    const [flatten, rowWise, filterWise] = [read('nuslerp_flatten'), read('nuslerp_row_wise'), read('filter_wise')];
    if (method === 'nuslerp_values' && flatten === false) {
      const { line } = shared.find((map) => map.has('nuslerp_flatten'))!.get('nuslerp_flatten')!;
      this.yaml.error('vectors-need-base', 'rows and columns are of task vectors', line, { names: ['nuslerp_flatten'] });
    }
    if (method === 'nuslerp' && flatten === false) return rowWise === true ? 'columns' : 'rows';
    return method === 'model_stock' && filterWise === true ? 'rows' : undefined;
  }

  private scope(entry: Entry): Scope {
    const fields = this.yaml.map(entry, 'scope');
    this.yaml.unknownKeys(fields, ['trim', 'slack'], 'scope.');
    return {
      trim: this.yaml.oneOf(fields.get('trim'), RANKING_SCOPES, 'scope.trim') ?? 'tensor',
      slack: this.yaml.oneOf(fields.get('slack'), RANKING_SCOPES, 'scope.slack') ?? 'tensor',
    };
  }

  private drop(entry: Entry): Drop {
    const fields = this.yaml.map(entry, 'drop');
    this.yaml.unknownKeys(fields, ['seed', 'rescale_by'], 'drop.');
    this.lines.set('seed', entry.line);
    return {
      seed: this.yaml.number(fields.get('seed'), 'drop.seed') ?? DEFAULT_DROP.seed,
      rescaleBy: this.yaml.oneOf(fields.get('rescale_by'), ['magnitude', 'density'], 'drop.rescale_by') ?? DEFAULT_DROP.rescaleBy,
    };
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

/** What one slice says, of the settings that slices and the whole may have. */
interface SliceSettings {
  readonly models: readonly RecipeModel[];
  readonly lambda: Setting<number> | undefined;
  readonly normalize: Setting<boolean> | undefined;
  readonly rescale: boolean | undefined;
  readonly t: Setting<number> | undefined;
  readonly topk: Setting<number> | undefined;
  readonly vectors: Vectors | undefined;
}
const NOTHING: SliceSettings = { models: [], lambda: undefined, normalize: undefined, rescale: undefined, t: undefined, topk: undefined, vectors: undefined };

const optional = <K extends string, V>(key: K, value: V | undefined) => (value === undefined ? {} : ({ [key]: value } as Record<K, V>));

function hasGradient({ models, lambda, normalize, t, topk }: SliceSettings): boolean {
  const own = models.flatMap(({ weight, density, gamma, epsilon }) => [weight, density, gamma, epsilon]);
  const settings: (Setting<number> | Setting<boolean> | undefined)[] = [...own, lambda, normalize, t, topk];
  return settings.some((setting) => setting !== undefined && asFilterList<number | boolean>(setting).some(({ value }) => Array.isArray(value)));
}

/** MergeKit looks in the model's parameters first, then further out where they say nothing about a tensor. */
function fallback<T extends number | boolean>(settings: readonly (Setting<T> | undefined)[]): Setting<T> | undefined {
  return settings.reduceRight((whole, setting) => {
    if (setting === undefined || whole === undefined) return setting ?? whole;
    if (!isFilterList(setting) || setting.some(({ filter }) => matchesAll(filter))) return setting;
    return [...setting, ...asFilterList(whole)];
  }, undefined);
}
