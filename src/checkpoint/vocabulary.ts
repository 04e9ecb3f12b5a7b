/** Which token each row of an embedding stands for, from tokenizer.json, and rows of two checkpoints matched by token. */
import { sha256Hex } from '../bytes/sha256';
import type { ByteSource } from '../bytes/source';
import { invalidUtf8At } from '../bytes/utf8';
import type { Checkpoint, FileEntry, RowRun, TokenCounts, Vocabulary } from './types';

/** Bytes; the largest vocabularies take 35 MB. */
export const MAX_TOKENIZER_BYTES = 128 * 2 ** 20;
/** Ids: sixteen times the largest vocabulary there is. */
const MAX_ID = 2 ** 22;

/**
 * The tokens of a `tokenizer.json` of the tokenizers library: `model.vocab` (an object of BPE, WordPiece and WordLevel, a list of
 * Unigram) and `added_tokens`. Null when it is anything else, or gives one id to two tokens or one token two ids.
 */
export function readVocabulary(bytes: Uint8Array): Vocabulary | null {
  if (bytes.length > MAX_TOKENIZER_BYTES || invalidUtf8At(bytes) >= 0) return null;
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return null;
  }
  const vocab = own(own(parsed, 'model'), 'vocab');
  const added = own(parsed, 'added_tokens') ?? [];
  if (typeof vocab !== 'object' || vocab === null || !Array.isArray(added)) return null;
  const pairs: (readonly [token: unknown, id: unknown])[] = Array.isArray(vocab) ? vocab.map((item: unknown, id) => [own(item, '0'), id]) : Object.entries(vocab);
  for (const token of added as unknown[]) pairs.push([own(token, 'content'), own(token, 'id')]);
  const rows = new Map<string, number>();
  const tokens: string[] = [];
  for (const [token, id] of pairs) {
    if (typeof token !== 'string' || !Number.isSafeInteger(id) || (id as number) < 0 || (id as number) >= MAX_ID) return null;
    const known = rows.get(token);
    // An added token may repeat one of the vocabulary, under the same id.
    if (known === id) continue;
    if (known !== undefined || tokens[id as number] !== undefined) return null;
    rows.set(token, id as number);
    tokens[id as number] = token;
  }
  return rows.size === 0 ? null : { rows, tokens };
}

function own(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
}

const compared = new WeakMap<Vocabulary, WeakMap<Vocabulary, TokenCounts>>();

/** How the tokens of a model lie to those of the base. Counted once of each pair. */
export function compareVocabularies(base: Vocabulary, model: Vocabulary): TokenCounts {
  const ofBase = compared.get(base) ?? new WeakMap<Vocabulary, TokenCounts>();
  compared.set(base, ofBase);
  const counts = ofBase.get(model) ?? countTokens(base, model);
  ofBase.set(model, counts);
  return counts;
}

/** Whether rows of a model's vocabulary are matched with the base's by their tokens, unless the user decides otherwise. */
export function areMatchedByToken(base: Checkpoint, model: Checkpoint): boolean {
  return base.vocabulary !== undefined && model.vocabulary !== undefined && !model.adapter && compareVocabularies(base.vocabulary, model.vocabulary).moved > 0;
}

function countTokens(base: Vocabulary, model: Vocabulary): TokenCounts {
  let shared = 0;
  let moved = 0;
  for (const [token, id] of model.rows) {
    const inBase = base.rows.get(token);
    if (inBase === undefined) continue;
    shared++;
    if (inBase !== id) moved++;
  }
  return { shared, moved, onlyInModel: model.rows.size - shared, onlyInBase: base.rows.size - shared };
}

/**
 * The base's rows [0, baseRows) that the model has, and where, as runs in the base's order. A row without a token (padding) is
 * matched by its number, with another row without one.
 */
export function matchRows(base: Vocabulary, model: Vocabulary, baseRows: number, modelRows: number): RowRun[] {
  const runs: { first: number; row: number; count: number }[] = [];
  for (let first = 0; first < baseRows; first++) {
    const token = base.tokens[first];
    const row = token === undefined ? (model.tokens[first] === undefined ? first : undefined) : model.rows.get(token);
    if (row === undefined || row >= modelRows) continue;
    const last = runs.at(-1);
    if (last && last.first + last.count === first && last.row + last.count === row) last.count++;
    else runs.push({ first, row, count: 1 });
  }
  return runs;
}

/** Reads tokenizers as checkpoints are opened; those with equal bytes are read once and are one object. */
export class VocabularyReader {
  private readonly known = new Map<string, Vocabulary | null>();

  /** The checkpoint with its vocabulary, where its tokenizer.json can be read; as it is otherwise. Never rejects. */
  async with(checkpoint: Checkpoint, open: (file: FileEntry) => Promise<ByteSource>): Promise<Checkpoint> {
    const file = checkpoint.sidecars.find(({ path }) => path.split('/').at(-1) === 'tokenizer.json');
    if (!file || file.size > MAX_TOKENIZER_BYTES) return checkpoint;
    try {
      const bytes = await (await open(file)).read(0, file.size);
      const digest = sha256Hex(bytes);
      const known = this.known.get(digest);
      const vocabulary = known === undefined ? readVocabulary(bytes) : known;
      this.known.set(digest, vocabulary);
      return vocabulary ? { ...checkpoint, vocabulary } : checkpoint;
    } catch {
      // Its absence costs a row of the preflight, not the checkpoint; an export that needs the file says what is wrong with it.
      return checkpoint;
    }
  }
}
