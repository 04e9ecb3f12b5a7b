/** MergeKit's tokenizer settings: whose files the export carries, and what of the rest is not done here. */
import type { Entry, YamlReader } from './yaml-read';

export const TOKENIZER_KEYS = ['tokenizer_source', 'tokenizer', 'chat_template'];

/**
 * The checkpoint id whose tokenizer files are kept, null for the base's. MergeKit rebuilds embeddings token by token for any of
 * these settings, and builds vocabularies and templates of its own; what is done instead is a warning at the line.
 */
export function readTokenizer(yaml: YamlReader, top: ReadonlyMap<string, Entry>, idOf: (path: string) => string | null): string | null {
  const settings = top.get('tokenizer');
  const fields = yaml.map(settings, 'tokenizer');
  yaml.unknownKeys(fields, ['source', 'tokens', 'pad_to_multiple_of'], 'tokenizer.');
  for (const key of ['tokens', 'pad_to_multiple_of']) {
    const entry = fields.get(key);
    if (entry !== undefined) yaml.warn('tokenizer-not-edited', `tokenizer.${key}: tokenizer files are copied as they are`, entry.line, { names: [`tokenizer.${key}`] });
  }
  const template = top.get('chat_template');
  if (template !== undefined) yaml.warn('chat-template-kept', "chat_template: the tokenizer's own is kept", template.line, { names: ['chat_template'] });

  const name = fields.has('source') ? 'tokenizer.source' : 'tokenizer_source';
  const source = fields.get('source') ?? top.get('tokenizer_source');
  const overruled = fields.has('source') ? top.get('tokenizer_source') : undefined;
  if (overruled !== undefined) yaml.warn('tokenizer-twice', 'tokenizer_source beside tokenizer.source', overruled.line, { names: ['tokenizer_source', 'tokenizer.source'] });
  if (source === undefined) return null;
  yaml.warn('tokenizer-not-rebuilt', `${name}: tokenizer files are copied, embeddings not rebuilt`, source.line, { names: [name] });
  return sourceOf(yaml, source, name, idOf);
}

function sourceOf(yaml: YamlReader, entry: Entry, name: string, idOf: (path: string) => string | null): string | null {
  const text = yaml.string(entry, name);
  if (text === undefined || text === 'base') return null;
  if (text === 'union') {
    yaml.warn('tokenizer-union', `${name} union: no vocabulary is built, the base's files are kept`, entry.line, { names: [name], actual: text });
    return null;
  }
  const id = idOf(text.replace(/^model:/, ''));
  if (id === null) yaml.warn('tokenizer-unsupported', `${name} ${text}: the base's files are kept`, entry.line, { names: [name], actual: text });
  return id;
}
