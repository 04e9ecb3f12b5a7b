/** A recipe as the YAML that MergeKit runs. */
import type { OutputDtype } from '../bytes/dtypes';
import {
  DEFAULT_EPSILON, DEFAULT_GAMMA, DEFAULT_T, DEFAULT_TOPK, drops, needsBase, readsDensity, readsEpsilon, readsGamma, readsLambda, readsNormalize, readsTopk,
  rescalesByDensity, traitsOf,
} from './methods';
import { writeChoices, type RecipeChoices } from './mergekit-choices';
import { scopeOf, vectorsOf } from './resolve';
import { asFilterList, matchesAll } from './settings';
import type { Recipe, Setting } from './types';
import { flow, yamlString } from './yaml-text';

/** The key of what MergeKit cannot express; MergeKit ignores keys it does not know (its issue 101 shows one ignored). */
export const OWN_KEY = 'x_merging_studio';
export const OWN_VERSION = 1;

export const DTYPE_NAMES: Readonly<Record<OutputDtype, string>> = { F32: 'float32', F16: 'float16', BF16: 'bfloat16' };

/**
 * MergeKit's YAML for the recipe. `nameOf` gives the path MergeKit is to load for a checkpoint id. `dominant` is the
 * dtype of most of the base's values: MergeKit has one output dtype, so it stands in for `outDtype: 'base'`; without it
 * MergeKit would write float32.
 *
 * `choices`: what was decided where the checkpoints differ. What MergeKit cannot express stands under `x_merging_studio`, and comments at the top say what its result will lack.
 * `fromMergeKit` of the text is the recipe again, when ids can be had back from names.
 */
export function toMergeKit(recipe: Recipe, nameOf: (id: string) => string, dominant?: OutputDtype, choices?: RecipeChoices): string {
  const { method, base, models } = recipe;
  const hasDensity = readsDensity(method);
  const name = (id: string) => yamlString(nameOf(id));
  const decided = choices === undefined ? null : writeChoices(choices, name);
  const lines = [...comments(recipe, nameOf, dominant, decided !== null), `merge_method: ${traitsOf(method).mergekit}`];
  // MergeKit adds a base it finds here to the models of a linear merge, where ours takes part only if listed. For SLERP it says
  // which of the two models t = 0 stands for.
  const written = method === 'slerp' ? (models[0]?.model ?? null) : needsBase(method) ? base : null;
  if (written !== null) lines.push(`base_model: ${name(written)}`);
  lines.push(models.length === 0 ? 'models: []' : 'models:');
  for (const { model, weight, density, gamma, epsilon } of models) {
    lines.push(`  - model: ${name(model)}`);
    if (traitsOf(method).weights === 'each') lines.push('    parameters:', `      weight: ${flow(weight)}`);
    if (hasDensity) lines.push(`      density: ${flow(density)}`);
    if (readsGamma(method)) lines.push(`      gamma: ${flow(gamma ?? DEFAULT_GAMMA)}`);
    if (readsEpsilon(method)) lines.push(`      epsilon: ${flow(epsilon ?? DEFAULT_EPSILON)}`);
  }
  const whole = wholeParameters(recipe);
  if (whole.length > 0) lines.push('parameters:', ...whole.map(([key, value]) => `  ${key}: ${value}`));
  lines.push('dtype: float32');
  const outDtype = recipe.outDtype === 'base' ? dominant : recipe.outDtype;
  if (outDtype !== undefined) lines.push(`out_dtype: ${DTYPE_NAMES[outDtype]}`);

  const own = [...ownEntries(recipe, name), ...(decided === null ? [] : [['choices', decided] as const])];
  if (own.length > 0) lines.push(`${OWN_KEY}:`, `  version: ${OWN_VERSION}`, ...own.map(([key, value]) => `  ${key}: ${value}`));
  return `${lines.join('\n')}\n`;
}

/** Parameters of all models, as YAML values by key. */
function wholeParameters(recipe: Recipe): (readonly [string, string])[] {
  const { method, rescale } = recipe;
  const vectors = vectorsOf(recipe);
  return [
    ...(traitsOf(method).weights === 't' ? [['t', flow(recipe.t ?? DEFAULT_T)] as const] : []),
    ...(readsTopk(method) ? [['select_topk', flow(recipe.topk ?? DEFAULT_TOPK)] as const] : []),
    ...(readsLambda(method) ? [['lambda', flow(recipe.lambda)] as const] : []),
    ...(readsNormalize(method) ? [['normalize', flow(recipe.normalize)] as const] : []),
    // On by default where values are dropped, off where they are trimmed: said where it is not MergeKit's own.
    ...(readsDensity(method) && (rescale || traitsOf(method).rescale) ? [['rescale', String(rescale)] as const] : []),
    ...(vectors === 'tensor' ? [] : VECTOR_KEYS[method === 'nuslerp' ? vectors : 'filters']),
  ];
}

/** MergeKit takes the vectors along a tensor's first dimension for `row_wise`: its columns, as they are stored. */
const VECTOR_KEYS = {
  rows: [['nuslerp_flatten', 'false']],
  columns: [['nuslerp_flatten', 'false'], ['nuslerp_row_wise', 'true']],
  filters: [['filter_wise', 'true']],
} as const;

/** What the recipe holds and MergeKit's keys do not, as YAML values by key. */
function ownEntries(recipe: Recipe, name: (id: string) => string): (readonly [string, string])[] {
  const { method, base, models, slack, scope, drop, rules, tokenizerFrom } = recipe;
  const entries: (readonly [string, string])[] = [];
  if (method === 'ties_sv') entries.push(['method', 'ties_sv']);
  if (!needsBase(method) && base !== null) entries.push(['base_model', name(base)]);
  if (!readsLambda(method) && recipe.lambda !== 1) entries.push(['lambda', flow(recipe.lambda)]);
  if (!readsNormalize(method) && recipe.normalize !== traitsOf(method).normalize) entries.push(['normalize', flow(recipe.normalize)]);
  if (!readsDensity(method) && recipe.rescale) entries.push(['rescale', 'true']);
  if (drop !== undefined) entries.push(['drop', `{seed: ${drop.seed}, rescale_by: ${drop.rescaleBy}}`]);
  if (!readsDensity(method) && models.some(({ density }) => density !== 1)) {
    entries.push(['density', flow(models.map(({ density }) => density))]);
  }
  if (traitsOf(method).weights !== 'each' && models.some(({ weight }) => weight !== 1)) {
    entries.push(['weight', flow(models.map(({ weight }) => weight))]);
  }
  if (recipe.t !== undefined && traitsOf(method).weights !== 't') entries.push(['t', flow(recipe.t)]);
  if (recipe.topk !== undefined && !readsTopk(method)) entries.push(['topk', flow(recipe.topk)]);
  if (recipe.vectors !== undefined && recipe.vectors !== vectorsOf(recipe)) entries.push(['vectors', recipe.vectors]);
  // Of models that have none the default: what another method reads stays as good as it was.
  if (!readsGamma(method) && models.some(({ gamma }) => gamma !== undefined)) entries.push(['gamma', flow(models.map(({ gamma }) => gamma ?? DEFAULT_GAMMA))]);
  if (!readsEpsilon(method) && models.some(({ epsilon }) => epsilon !== undefined)) entries.push(['epsilon', flow(models.map(({ epsilon }) => epsilon ?? DEFAULT_EPSILON))]);
  // Slack set aside by another method is kept while the model it prefers is listed; after that it says nothing.
  const isListed = models.some(({ model }) => model === slack.prefer);
  const isDefault = slack.s === 0 && slack.of === 'retained' && slack.prefer === models[0]?.model;
  if (method === 'ties_sv' || (isListed && !isDefault)) {
    entries.push(['slack', `{s: ${flow(slack.s)}, of: ${slack.of}, prefer: ${name(slack.prefer)}}`]);
  }
  if (scope?.trim === 'model' || scope?.slack === 'model') entries.push(['scope', `{trim: ${scope.trim}, slack: ${scope.slack}}`]);
  if (rules.length > 0) {
    const texts = rules.map(({ filter, action, from }) => {
      const source = from === undefined ? '' : `, from: ${name(from)}`;
      return `{filter: ${flow(filter)}, action: ${action}${source}}`;
    });
    entries.push(['rules', `[${texts.join(', ')}]`]);
  }
  if (tokenizerFrom !== null) entries.push(['tokenizer_from', name(tokenizerFrom)]);
  if (recipe.outDtype === 'base') entries.push(['out_dtype', 'base']);
  return entries;
}

/** The comment lines that `toMergeKit` writes itself: these, and the points below the second. */
export const HEADER = /^# (?:Runs in MergeKit: |What MergeKit cannot express, )/;
export const HEADER_POINT = /^# {3}- /;

/** For the reader: in which points MergeKit's result will differ. Fixed sentences only; a name could end a comment. */
function comments(recipe: Recipe, nameOf: (id: string) => string, dominant: OutputDtype | undefined, isDecided: boolean): string[] {
  const { method, models, drop, rules, outDtype, tokenizerFrom } = recipe;
  const ids = models.map(({ model }) => model);
  const points = [
    method === 'ties_sv' && 'The slack variable (TIES-SV): MergeKit runs plain TIES and reserves nothing.',
    scopeOf(recipe).trim === 'model' && 'Trimming over the whole model: MergeKit keeps the same share of every tensor.',
    drops(method) && 'Which values are dropped: MergeKit draws them with a generator of its own, seeded by mergekit-yaml --random-seed.',
    readsGamma(method) && 'Tensors so small that gamma is less than one value: MergeKit merges nothing of them.',
    readsEpsilon(method) && 'Where density - epsilon is not above 0 or density + epsilon not below 1: MergeKit stops there.',
    rescalesByDensity(method) && recipe.rescale && drop?.rescaleBy === 'density' && 'Rescaling by 1 / density: MergeKit rescales to the sum of magnitudes.',
    rules.length > 0 && 'Tensors kept from the base or taken from one model: MergeKit merges them like the rest.',
    isDecided && 'What was decided where the checkpoints differ: MergeKit decides by itself.',
    tokenizerFrom !== null && 'Whose tokenizer and config to keep: copy those files yourself.',
    outDtype === 'base' && dominant !== undefined && `Each tensor in the dtype of the base: MergeKit writes all in ${DTYPE_NAMES[dominant]}.`,
    outDtype === 'base' && dominant === undefined && 'Each tensor in the dtype of the base: MergeKit writes all in float32.',
    traitsOf(method).weights === 'each' && models.some(({ weight }) => mayNotMatch(weight)) && 'Tensors that no weight filter matches have weight 1: MergeKit stops there.',
    new Set(ids).size < ids.length && 'A model listed twice counts twice: MergeKit may count it once.',
    ids.some((id) => nameOf(id).includes('+')) && 'A model path with a plus sign: MergeKit reads what follows it as a LoRA.',
  ].filter((point) => point !== false);
  return [
    '# Runs in MergeKit: mergekit-yaml mergekit_config.yml OUTPUT_FOLDER',
    ...(points.length === 0 ? [] : [`# What MergeKit cannot express, and ignores under ${OWN_KEY}:`]),
    ...points.map((point) => `#   - ${point}`),
  ];
}

function mayNotMatch(setting: Setting<number>): boolean {
  return !asFilterList(setting).some(({ filter }) => matchesAll(filter));
}
