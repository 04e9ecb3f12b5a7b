/** What a finished folder holds besides weights and their index. */
import { NO_CONTENTS } from '../checkpoint/contents';
import type { Checkpoint } from '../checkpoint/types';
import type { FitChoices } from '../merge/plan-types';
import { provenanceMetadata } from '../recipe/provenance';
import { traitsOf } from '../recipe/methods';
import type { Recipe } from '../recipe/types';
import { mergeKitText, modelCard } from './card';
import { CHART_FILE, layerChart } from './chart';
import { adaptConfig } from './config';
import { RECIPE_FILE } from './reproduce';
import { fileSource, shapeSource, sidecarsByName } from './sources';
import type { ExportFile, ExportInput, ExportNote } from './types';

/** Any one of these makes a tokenizer. */
const TOKENIZER = /^(?:tokenizer\.(?:json|model)|vocab\.(?:json|txt)|spiece\.model|sentencepiece\.(?:bpe\.)?model|.+\.tiktoken)$/;
/** What goes with them, and what else transformers looks for beside the weights. */
const CARRIED =
  /^(?:generation_config\.json|tokenizer.*\.(?:json|jinja)|special_tokens_map\.json|added_tokens\.json|merges\.txt|chat_template\.(?:json|jinja)|(?:pre|video_pre)?processor_config\.json)$/;
const CODE = /^(?:configuration|modeling|tokenization|processing|image_processing)_\w+\.py$/;

/** Whether a file of this name is one that an export carries beside its weights, of whatever model. */
export function isExportFile(name: string): boolean {
  return isCarried(name) || ['config.json', RECIPE_FILE, CHART_FILE, 'README.md'].includes(name);
}

/**
 * The files, in the order to write them: `config.json`, what is copied from the chosen model, `mergekit_config.yml`,
 * the chart of a method that elects, `README.md`. Nothing else of the model is carried: its card, its licence and its training logs are not true of a merge.
 */
export function exportFiles(input: ExportInput): ExportFile[] {
  const source = fileSource(input.recipe, input.checkpoints);
  const sidecars = source === null ? new Map<string, never>() : sidecarsByName(source);
  const copies = [...sidecars].filter(([name]) => isCarried(name)).map(([name, copyFrom]) => ({ name, copyFrom }));
  return [
    ...configEntry(input),
    ...copies,
    { name: RECIPE_FILE, bytes: utf8(mergeKitText(input)) },
    ...chartEntry(input),
    { name: 'README.md', bytes: utf8(modelCard(input)) },
  ];
}

/** Listed before the figures are there, as everything that will be written is. */
function chartEntry({ recipe, checkpoints, figures }: ExportInput): ExportFile[] {
  if (!traitsOf(recipe.method).elects) return [];
  const models = recipe.models.map(({ model }) => checkpoints.find(({ id }) => id === model)?.name ?? model);
  const preferred = Math.max(0, recipe.models.findIndex(({ model }) => model === recipe.slack.prefer));
  return [{ name: CHART_FILE, bytes: utf8(layerChart({ models, preferred, layers: figures?.layers ?? [] })) }];
}

function isCarried(name: string): boolean {
  return TOKENIZER.test(name) || CARRIED.test(name) || CODE.test(name);
}

function configEntry(input: ExportInput): ExportFile[] {
  if (input.config === null) return [];
  const adapted = adapt(input, input.config);
  return [{ name: 'config.json', bytes: adapted === null ? input.config.slice() : utf8(adapted.text) }];
}

function adapt({ recipe, checkpoints, output }: ExportInput, config: Uint8Array): ReturnType<typeof adaptConfig> {
  const shapes = shapeSource(recipe, checkpoints);
  // Another model's config may claim a head of its own, or none, where the tensors that are written say otherwise.
  const isForeign = shapes?.id !== fileSource(recipe, checkpoints)?.id;
  return adaptConfig(config, { ...output, tied: isForeign ? shapes?.config.tieWordEmbeddings : undefined });
}

/** What the user must know of these files: missing, changed, or code. */
export function exportNotes(input: ExportInput): ExportNote[] {
  const source = fileSource(input.recipe, input.checkpoints);
  if (source === null) return [];
  const model = source.name;
  const names = [...sidecarsByName(source).keys()];
  const code = names.filter((name) => CODE.test(name));
  return [
    ...configNotes(input, model),
    ...vocabularyNotes(input, source),
    ...(names.some((name) => TOKENIZER.test(name)) ? [] : [{ kind: 'tokenizer-missing', model } as const]),
    ...(code.length === 0 ? [] : [{ kind: 'custom-code', model, names: code } as const]),
  ];
}

function vocabularyNotes({ output }: ExportInput, { name, config }: Checkpoint): ExportNote[] {
  const { vocabulary: rows } = output;
  const tokens = config.vocabulary ?? 0;
  return rows === null || tokens <= rows ? [] : [{ kind: 'tokenizer-larger', model: name, tokens, rows }];
}

function configNotes(input: ExportInput, model: string): ExportNote[] {
  if (input.config === null) return [{ kind: 'config-missing', model }];
  const adapted = adapt(input, input.config);
  if (adapted === null) return [{ kind: 'config-unreadable', model }];
  return adapted.changes.map((change) => ({ kind: 'config-changed', model, change }));
}

/**
 * Metadata for every output shard: the recipe, its sources and what was decided about them. The writer adds `format: pt`. `contents` by
 * checkpoint id; a plan that is only shown has none, and the same number of bytes.
 */
export function exportMetadata(recipe: Recipe, checkpoints: readonly Checkpoint[], choices: FitChoices, contents: ReadonlyMap<string, string>): Record<string, string> {
  const sources = checkpoints.map((checkpoint) => ({ ...checkpoint, contents: contents.get(checkpoint.id) ?? NO_CONTENTS }));
  return provenanceMetadata({ recipe, sources, choices });
}

function utf8(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}
