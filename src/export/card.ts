/** README.md of the merged model: what it was made of, how, and what the merge threw away. */
import type { Checkpoint } from '../checkpoint/types';
import { rewriteMergeKit } from '../recipe/mergekit';
import {
  DEFAULT_DROP, DEFAULT_EPSILON, DEFAULT_GAMMA, DEFAULT_T, DEFAULT_TOPK, drops, readsDensity, readsEpsilon, readsGamma, readsLambda, readsNormalize, readsTopk,
  rescalesByDensity, traitsOf,
} from '../recipe/methods';
import { scopeOf, vectorsOf } from '../recipe/resolve';
import type { Recipe, RecipeModel, Setting } from '../recipe/types';
import { flow } from '../recipe/yaml-text';
import { CHART_FILE } from './chart';
import { codeBlock, grouped, plain, share, table } from './markdown';
import { RECIPE_FILE, reproduceSections, written } from './reproduce';
import type { ExportCounts, ExportInput } from './types';

/** Characters of the longest bar in the table of layers. */
const BAR = 20;

const CITATION = `@misc{tao2024unlocking,
  title  = {Unlocking the Potential of Model Merging for Low-Resource Languages},
  author = {Mingxu Tao and Chen Zhang and Quzhe Huang and Tianyao Ma and Songfang Huang and Dongyan Zhao and Yansong Feng},
  year   = {2024},
  eprint = {2407.03994},
  archivePrefix = {arXiv}
}`;

/**
 * The model card. Front matter holds fixed values only: names of local folders are not names on a hub, and text from
 * files has no way into it.
 */
export function modelCard(input: ExportInput): string {
  const { figures, output } = input;
  const sections = [
    '---\nlibrary_name: transformers\ntags:\n- merge\n- model-merging\n---',
    `# ${plain(input.name)}`,
    `Merged from ${input.recipe.models.length} models with ${plain(input.application)}: ${grouped(output.tensors)} tensors, ${grouped(output.parameters)} parameters, ${grouped(output.bytes)} bytes of weights.`,
    '## Recipe',
    recipeTable(input),
    modelTable(input),
    `\`${RECIPE_FILE}\` is the same as text. Its comments say what MergeKit would do differently.`,
    codeBlock('yaml', mergeKitText(input)),
    '## Sources',
    sourceTable(input),
    'The fingerprint is the SHA-256 over the name, the size and the header of every shard, which checkpoints of one architecture may share; contents is that over 128 KiB of every shard, in 32 blocks.',
    ...(figures === null ? [] : figureSections(input, figures)),
    '## How to reproduce',
    ...reproduceSections(input),
    '## Citation',
    'Method and figures follow arXiv 2407.03994.',
    codeBlock('bibtex', CITATION),
  ];
  return `${sections.join('\n\n')}\n`;
}

/** MergeKit's YAML for this export, with folders as the recipe's text or the user's drop names them. */
export function mergeKitText(input: ExportInput): string {
  const { recipe, text = null, output, choices } = input;
  return rewriteMergeKit(recipe, (id) => written(id, input), output.dominant, text, choices);
}

function named(id: string, checkpoints: readonly Checkpoint[]): string {
  return plain(checkpoints.find((checkpoint) => checkpoint.id === id)?.name ?? id);
}

function recipeTable(input: ExportInput): string {
  const { recipe, checkpoints } = input;
  const { method, base, slack, drop = DEFAULT_DROP, rules } = recipe;
  const { weights } = traitsOf(method);
  const scope = scopeOf(recipe);
  const rows = [
    ['Method', traitsOf(method).label],
    ['Base', base === null ? 'none' : named(base, checkpoints)],
    ...(weights === 't' ? [['t', plain(flow(recipe.t ?? DEFAULT_T))]] : []),
    ...(readsTopk(method) ? [['Positions selected (select_topk)', plain(flow(recipe.topk ?? DEFAULT_TOPK))]] : []),
    ...(vectorsOf(recipe) === 'tensor' ? [] : [['Angles between', `${vectorsOf(recipe)} of a tensor as it is stored`]]),
    ...(readsLambda(method) ? [['λ', plain(flow(recipe.lambda))]] : []),
    ...(readsNormalize(method) ? [['Normalise', plain(flow(recipe.normalize))]] : []),
    ...(drops(method) ? [['Seed of the draw', String(drop.seed)], ['Rescaled by', rescalesByDensity(method) ? drop.rescaleBy : 'magnitude']] : []),
    ...(readsDensity(method) ? [['Rescale', String(recipe.rescale)]] : []),
    ...(traitsOf(method).slack ? [['Slack', `${plain(flow(slack.s))} of the ${slack.of} values of ${named(slack.prefer, checkpoints)}`]] : []),
    ...(scope.trim === 'model' ? [['Trimmed over', 'the whole model: one threshold for all tensors of one density']] : []),
    ...(scope.slack === 'model' ? [['Slack ranked over', 'the whole model']] : []),
    ['Arithmetic', 'float32, rounded once'],
    ['Output dtype', recipe.outDtype === 'base' ? 'each tensor as in the base' : recipe.outDtype],
    ...rules.map(({ filter, action, from }) => [`Tensors matching ${plain(filter)}`, from === undefined ? action : `${action} from ${named(from, checkpoints)}`]),
    ...choiceRows(input),
    ['Tokenizer and config', named(recipe.tokenizerFrom ?? base ?? recipe.models[0]?.model ?? '', checkpoints)],
  ];
  return table(['Setting', 'Value'], rows, 'text');
}

/** What the user decided where the checkpoints differ. */
function choiceRows({ choices, checkpoints }: ExportInput): string[][] {
  if (choices === undefined) return [];
  const { extraRows, leaveOut, integerFrom, allowNonfinite, rows } = choices;
  return [
    ...(extraRows === 'cut' ? [] : [['Vocabulary rows beyond the base', `kept from ${named(extraRows.from, checkpoints)}`]]),
    ...(rows === 'id' ? [['Vocabulary rows of other tokens', 'matched by id']] : []),
    ...Object.entries(leaveOut).map(([tensor, ids]) => [plain(tensor), `without ${ids.map((id) => named(id, checkpoints)).join(', ')}`]),
    ...Object.entries(integerFrom).map(([tensor, id]) => [plain(tensor), `whole numbers of ${named(id, checkpoints)}`]),
    ...(allowNonfinite ? [['NaN and infinite values', 'merged all the same']] : []),
  ];
}

function modelTable({ recipe, checkpoints }: ExportInput): string {
  const { method } = recipe;
  const columns: readonly { readonly label: string; readonly of: (model: RecipeModel) => Setting<number> }[] = [
    ...(traitsOf(method).weights === 'each' ? [{ label: 'Weight w', of: ({ weight }: RecipeModel) => weight }] : []),
    ...(readsDensity(method) ? [{ label: 'Density k', of: ({ density }: RecipeModel) => density }] : []),
    ...(readsGamma(method) ? [{ label: 'Outliers γ', of: ({ gamma }: RecipeModel) => gamma ?? DEFAULT_GAMMA }] : []),
    ...(readsEpsilon(method) ? [{ label: 'Lean ε', of: ({ epsilon }: RecipeModel) => epsilon ?? DEFAULT_EPSILON }] : []),
  ];
  const rows = recipe.models.map((model) => [named(model.model, checkpoints), ...columns.map(({ of }) => plain(flow(of(model))))]);
  return table(['Model', ...columns.map(({ label }) => label)], rows);
}

function sourceTable({ recipe, checkpoints, contents }: ExportInput): string {
  const roleOf = ({ id }: Checkpoint) => {
    const roles = [...(recipe.base === id ? ['base'] : []), ...(recipe.models.some(({ model }) => model === id) ? ['model'] : [])];
    return roles.length === 0 ? 'other' : roles.join(', ');
  };
  const rows = checkpoints.map((checkpoint) => {
    const { id, name, parameters, bytes, fingerprint } = checkpoint;
    return [plain(name), roleOf(checkpoint), grouped(parameters), grouped(bytes), hash(fingerprint), hash(contents?.get(id) ?? '')];
  });
  return table(['Checkpoint', 'Role', 'Parameters', 'Bytes', 'Fingerprint', 'Contents'], rows);
}

const hash = (hex: string) => (hex === '' ? '' : `\`${hex.replace(/[^0-9a-f]/g, '')}\``);

function figureSections(input: ExportInput, figures: NonNullable<ExportInput['figures']>): string[] {
  const { recipe, checkpoints } = input;
  const models = recipe.models.map(({ model }) => named(model, checkpoints));
  if (!traitsOf(recipe.method).elects) return [];
  const source = figures.exact ? 'Counted over every value that was merged.' : 'Estimated from a sample.';
  return [
    '## What the merge kept and dropped',
    `${source} Kept: values left after trimming. Discarded: kept values that are not 0 and lost the election of the sign. Conflict: positions where kept values have opposite signs.`,
    wholeTable(recipe, models, figures.whole),
    `Conflict: ${share(figures.whole.conflict, figures.whole.numel)} of all positions.`,
    `![Conflicts and losses by layer](${CHART_FILE})`,
    '### Discarded share by layer',
    layerTable(recipe, models, figures.layers),
  ];
}

function wholeTable({ models: settings, method, slack }: Recipe, models: readonly string[], counts: ExportCounts): string {
  const each = (cell: (index: number) => string) => models.map((_, index) => cell(index));
  const preferred = settings.findIndex(({ model }) => model === slack.prefer);
  const rows = [
    ['Kept / all', ...each((i) => share(counts.kept[i]!, counts.numel))],
    ['Conflicts won / conflicts', ...each((i) => share(counts.won[i]!, counts.conflict))],
    ['Discarded / kept', ...each((i) => share(counts.discarded[i]!, counts.kept[i]!))],
  ];
  if (traitsOf(method).slack) {
    const only = (part: number) => each((i) => (i === preferred ? share(part, counts.kept[i]!) : ''));
    rows.push(['Reserved by slack / kept', ...only(counts.reserved)]);
    rows.push(['Discarded after slack / kept', ...only((counts.discarded[preferred] ?? 0) - counts.reserved)]);
  }
  return table(['Figure', ...models], rows);
}

/** One bar a row, of the preferred model: the chart of Figure 4's ordinate, as text. */
function layerTable({ models: settings, slack }: Recipe, models: readonly string[], layers: readonly { readonly label: string; readonly counts: ExportCounts }[]): string {
  const charted = Math.max(0, settings.findIndex(({ model }) => model === slack.prefer));
  const part = ({ discarded, kept }: ExportCounts) => (kept[charted]! === 0 ? 0 : discarded[charted]! / kept[charted]!);
  const largest = Math.max(...layers.map(({ counts }) => part(counts)), 0);
  const rows = layers.map(({ label, counts }) => {
    const length = largest === 0 ? 0 : Math.round((BAR * part(counts)) / largest);
    return [plain(label), ...models.map((_, index) => share(counts.discarded[index]!, counts.kept[index]!)), '█'.repeat(length)];
  });
  return table(['Layer', ...models, `Bar: ${models[charted] ?? ''}`], rows);
}
