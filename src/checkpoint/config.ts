/** config.json, read leniently: what is there in the form we know, and nothing where it is not. */
import { invalidUtf8At } from '../bytes/utf8';
import type { ModelConfig } from './types';

/** Bytes. Real ones have 1 to 5 KB, classifiers with thousands of label names some hundred. */
export const MAX_CONFIG_BYTES = 4_000_000;

/**
 * The fields the studio reads, under the names the families give them, those of `text_config` where a multimodal model
 * nests them. Null when the bytes are not a JSON object; a field of the wrong type is left out.
 */
export function parseConfig(bytes: Uint8Array): ModelConfig | null {
  if (bytes.length > MAX_CONFIG_BYTES || invalidUtf8At(bytes) >= 0) return null;
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return null;
  }
  if (!isObject(parsed)) return null;
  const objects = [parsed, parsed['text_config']].filter(isObject);
  const first = <T>(names: readonly string[], accepts: (value: unknown) => value is T): T | undefined =>
    objects.flatMap((object) => names.map((name) => (Object.hasOwn(object, name) ? object[name] : undefined))).find(accepts);

  const modelType = first(['model_type'], isString);
  const architecture = first(['architectures'], isStrings)?.[0];
  const hiddenSize = first(['hidden_size', 'n_embd', 'd_model'], isCount);
  const layers = first(['num_hidden_layers', 'n_layer', 'n_layers', 'num_layers'], isCount);
  const vocabulary = first(['vocab_size'], isCount);
  const tieWordEmbeddings = first(['tie_word_embeddings'], isBoolean);
  return {
    ...(modelType === undefined ? {} : { modelType }),
    ...(architecture === undefined ? {} : { architecture }),
    ...(hiddenSize === undefined ? {} : { hiddenSize }),
    ...(layers === undefined ? {} : { layers }),
    ...(vocabulary === undefined ? {} : { vocabulary }),
    ...(tieWordEmbeddings === undefined ? {} : { tieWordEmbeddings }),
  };
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
const isString = (value: unknown): value is string => typeof value === 'string';
const isStrings = (value: unknown): value is string[] => Array.isArray(value) && value.every(isString);
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isBoolean = (value: unknown): value is boolean => typeof value === 'boolean';
