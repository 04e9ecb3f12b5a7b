/** What a file without a name is, by how it begins: the blobs of a Hugging Face cache whose links did not come along. */

/** Bytes that tell; a config or a vocabulary shows its first keys well within them. */
export const HEAD_BYTES = 64 * 2 ** 10;
/** A `vocab.json` smaller than this is looked through for id 0, which `added_tokens.json` does not give. */
const SMALL_VOCABULARY = 32 * 2 ** 10;

export type BlobKind =
  /** Weights and indexes get their names from each other. */
  | { readonly kind: 'safetensors' | 'torch' | 'index' }
  | { readonly kind: 'named'; readonly name: string };

const SPECIAL_TOKENS = /^(?:(?:bos|eos|unk|sep|pad|cls|mask|image|boi|eoi)_token|additional_special_tokens)$/;
/** JSON objects by a key of theirs, the first that fits. A config may have keys of what follows it here, not the other way round. */
const BY_KEY: readonly (readonly [key: RegExp, name: string])[] = [
  [/^peft_type$/, 'adapter_config.json'],
  [/^(?:model_type|architectures)$/, 'config.json'],
  [/^(?:truncation|pre_tokenizer)$/, 'tokenizer.json'],
  [/^(?:tokenizer_class|added_tokens_decoder|model_max_length)$/, 'tokenizer_config.json'],
  [/^(?:image_processor_type|feature_extractor_type|image_mean)$/, 'preprocessor_config.json'],
  [/^processor_class$/, 'processor_config.json'],
  [/^chat_template$/, 'chat_template.json'],
  [/^(?:_from_model_config|transformers_version|do_sample|temperature|top_p|max_new_tokens)$/, 'generation_config.json'],
];

/** `head` is the first HEAD_BYTES at most of `size` bytes. Null for what a checkpoint's folder does not need, or nothing tells. */
export function blobKind(head: Uint8Array<ArrayBuffer>, size: number): BlobKind | null {
  const starts = (...bytes: number[]) => bytes.every((byte, i) => head[i] === byte);
  const named = (name: string): BlobKind => ({ kind: 'named', name });
  if (starts(0x50, 0x4b, 0x03, 0x04)) return { kind: 'torch' };
  // Named so that the refusals of these formats speak of them.
  if (starts(0x47, 0x47, 0x55, 0x46)) return named('model.gguf');
  if (starts(0x89, 0x48, 0x44, 0x46)) return named('tf_model.h5');
  if (isSafetensors(head, size)) return { kind: 'safetensors' };
  if (isSentencePiece(head)) return named('tokenizer.model');
  const text = new TextDecoder().decode(head);
  if (/^\s*\{\s*"/.test(text)) return jsonKind(membersOf(text), size);
  if (text.startsWith('#version:')) return named('merges.txt');
  return /^\s*\{[{%#]/.test(text) && /\bmessages\b/.test(text) ? named('chat_template.jinja') : null;
}

/** A length that the file has room for, then a JSON object. */
function isSafetensors(head: Uint8Array<ArrayBuffer>, size: number): boolean {
  if (head.length < 10 || head[8] !== 0x7b) return false;
  const length = new DataView(head.buffer, head.byteOffset, 8).getBigUint64(0, true);
  return length >= 2n && length <= BigInt(size - 8);
}

/** Field 1 of a message (the pieces), holding a message of which field 1 is text. */
const isSentencePiece = (head: Uint8Array) => head[0] === 0x0a && head[1]! >= 3 && head[1]! < 0x80 && head[2] === 0x0a && head[3]! < head[1]!;

function jsonKind(members: readonly (readonly [key: string, value: string])[], size: number): BlobKind | null {
  if (members.some(([key]) => key === 'weight_map')) return { kind: 'index' };
  const found = BY_KEY.find(([pattern]) => members.some(([key]) => pattern.test(key)))?.[1];
  if (found !== undefined) return { kind: 'named', name: found };
  if (members.every(([key]) => SPECIAL_TOKENS.test(key))) return { kind: 'named', name: 'special_tokens_map.json' };
  if (!members.every(([, value]) => /^\d+$/.test(value))) return null;
  const isWhole = size > SMALL_VOCABULARY || members.some(([, value]) => Number(value) === 0);
  return { kind: 'named', name: isWhole ? 'vocab.json' : 'added_tokens.json' };
}

/** A string, if need be to the end of a text that was cut; a bracket, a comma or a colon; any other word. */
const TOKEN = /"(?:[^"\\]|\\[^])*(?:"|\\?$)|[{}[\],:]|[^\s"{}[\],:]+/g;

/** The members of a JSON object as far as `text` goes, each with the first token of its value. Says nothing of its syntax. */
function membersOf(text: string): (readonly [key: string, value: string])[] {
  const members: (readonly [string, string])[] = [];
  let depth = 0;
  let key: string | null = null;
  let isValue = false;
  for (const [token] of text.matchAll(TOKEN)) {
    if (depth === 1 && isValue && key !== null) members.push([key, token]);
    isValue = depth === 1 && token === ':';
    if (depth === 1 && token.startsWith('"') && key === null) key = token.slice(1, -1);
    else if (depth === 1 && token === ',') key = null;
    if (token === '{' || token === '[') depth++;
    else if (token === '}' || token === ']') depth--;
  }
  return members;
}
