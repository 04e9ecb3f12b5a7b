/** config.json of the merged model: the chosen model's, true of the weights that are written beside it. */
import type { OutputDtype } from '../bytes/dtypes';
import { setMember } from './json-edit';
import type { JsonScalar } from './json-edit';

export interface ConfigFacts {
  /** dtype of every floating tensor written; null when they differ, which leaves the config's as it is. */
  readonly dtype: OutputDtype | null;
  /** Rows of the embedding that is written; null when there is none. */
  readonly vocabulary: number | null;
  /** `tie_word_embeddings` of the model whose tensor names are written; undefined when it does not say. */
  readonly tied: boolean | undefined;
}
export interface ConfigChange {
  /** `text_config.vocab_size`. */
  readonly field: string;
  /** As in the source; undefined when it was absent. */
  readonly from: unknown;
  readonly to: JsonScalar;
}

const TORCH_NAMES: Readonly<Record<OutputDtype, string>> = { F32: 'float32', F16: 'float16', BF16: 'bfloat16' };
/** transformers wrote the first until 4.55, the second since; both are read by either. */
const DTYPE_FIELDS = ['torch_dtype', 'dtype'];

/**
 * The text with what differs from `facts` changed and every other byte kept; null when the bytes are not a JSON object
 * in UTF-8. The dtype is written where the source has it, under the older name where it has none; in the nested
 * `*_config` objects of multimodal models likewise, but only where it stands.
 */
export function adaptConfig(bytes: Uint8Array, facts: ConfigFacts): { readonly text: string; readonly changes: readonly ConfigChange[] } | null {
  let text: string;
  let root: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    root = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isObject(root)) return null;

  const changes: ConfigChange[] = [];
  const set = (path: readonly string[], from: unknown, to: JsonScalar) => {
    if (from === to) return;
    text = setMember(text, path, to);
    changes.push({ field: path.join('.'), from, to });
  };
  const nested = Object.entries(root).filter((entry): entry is [string, Record<string, unknown>] => entry[0].endsWith('_config') && isObject(entry[1]));
  const objects = [{ path: [] as string[], object: root }, ...nested.map(([name, object]) => ({ path: [name], object }))];

  if (facts.dtype !== null) {
    for (const { path, object } of objects) {
      const present = DTYPE_FIELDS.filter((field) => Object.hasOwn(object, field));
      const fields = present.length === 0 && path.length === 0 ? [DTYPE_FIELDS[0]!] : present;
      for (const field of fields) set([...path, field], object[field], TORCH_NAMES[facts.dtype]);
    }
  }
  const languageModel = objects.filter(({ path }) => path.length === 0 || path[0] === 'text_config');
  const carry = (field: string, to: JsonScalar) => {
    const holders = languageModel.filter(({ object }) => Object.hasOwn(object, field));
    for (const { path, object } of holders.length > 0 ? holders : languageModel.slice(-1)) set([...path, field], object[field], to);
  };
  if (facts.vocabulary !== null) carry('vocab_size', facts.vocabulary);
  if (facts.tied !== undefined) carry('tie_word_embeddings', facts.tied);
  return { text, changes };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
