/** What stands beside the weights of a family and is read too: adapters, tokenizers, tables of scores, links. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { MalformedFileError, StudioError } from '../../src/bytes/errors';
import { MemorySource } from '../../src/bytes/source';
import { onBase } from '../../src/checkpoint/adapter';
import { openCheckpoints } from '../../src/checkpoint/open';
import type { FileEntry } from '../../src/checkpoint/types';
import { compareVocabularies, matchRows, readVocabulary } from '../../src/checkpoint/vocabulary';
import { DEFAULT_CHOICES } from '../../src/merge/plan-types';
import { readResults } from '../../src/recipe/results';
import { defaultRecipe } from '../../src/recipe/presets';
import { METHODS } from '../../src/recipe/types';
import { readAddress, writeAddress } from '../../src/state/address';
import { LEAST_SHARD_BYTES } from '../../src/state/decisions';
import { mendPrefix, mutated } from './mutation';
import type { FuzzTarget } from './targets';

type Bytes = Uint8Array<ArrayBuffer>;
const FIXTURES = join(import.meta.dirname, '..', 'fixtures');
const fixture = (...path: string[]): Bytes => new Uint8Array(readFileSync(join(FIXTURES, ...path)));
const utf8 = (text: string) => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

const ADAPTERS = ['plain', 'patterns', 'rslora-embedding'];
const BASE = { 'base/config.json': fixture('lora', 'base-llama', 'config.json'), 'base/model.safetensors': fixture('lora', 'base-llama', 'model.safetensors') };

/** An adapter of which one file is damaged beside its base, which opens whatever the adapter is. True where the two fit. */
async function openAdapter(config: Bytes, weights: Bytes): Promise<boolean> {
  const contents = new Map<string, Bytes>(Object.entries({ ...BASE, 'a/adapter_config.json': config, 'a/adapter_model.safetensors': weights }));
  const files = [...contents].map(([path, { length }]): FileEntry => ({ id: path, path, size: length, modified: 0 }));
  const { checkpoints, problems } = await openCheckpoints(files, async ({ path }) => new MemorySource(path, contents.get(path)!));
  for (const { file, error } of problems) {
    expect(contents.has(file) && file.startsWith('a/')).toBe(true);
    expect(error).toBeInstanceOf(StudioError);
    expect(error.code).not.toBe('internal');
    expect(error.where.file).toMatch(/^a\//);
  }
  const base = checkpoints.find(({ name }) => name === 'base')!;
  const adapter = checkpoints.find((one) => one.adapter !== undefined);
  if (!adapter) {
    expect(problems.length).toBeGreaterThan(0);
    return false;
  }
  try {
    const merged = onBase(adapter, base);
    for (const { adapted, shape } of merged.tensors) if (adapted) expect([shape.length, Number.isFinite(adapted.scale)]).toEqual([2, true]);
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(StudioError);
    expect((error as StudioError).code).toBe('incompatible-checkpoints');
    return false;
  }
}

const TOKENIZERS = readdirSync(join(FIXTURES, 'tokenizers')).filter((name) => /^(?:bpe|unigram|wordpiece).*\.json$/.test(name)).map((name) => fixture('tokenizers', name));
const KNOWN = readVocabulary(TOKENIZERS[0]!)!;
/** Rows of both tables, no multiple of anything. */
const ROWS = 1009;

function readTokens(bytes: Bytes): boolean {
  const vocabulary = readVocabulary(bytes);
  if (vocabulary === null) return false;
  for (const [token, id] of vocabulary.rows) expect(vocabulary.tokens[id]).toBe(token);
  const counts = compareVocabularies(KNOWN, vocabulary);
  expect(counts.shared + counts.onlyInModel).toBe(vocabulary.rows.size);
  let from = 0;
  for (const { first, row, count } of matchRows(KNOWN, vocabulary, ROWS, ROWS)) {
    expect(first >= from && count > 0 && first + count <= ROWS && row >= 0 && row + count <= ROWS).toBe(true);
    from = first + count;
  }
  return true;
}

const SCORES = [
  'folder,method,density of sft,density of ct-4B,lambda,slack,bleu,chrf\r\na,ties,0.2,1,1,,20.5,41\r\n"b ""c""",ties_sv,0.2,0.5,1,0.04,21,40.25\r\n',
  'k_sft;k_ct;score\n0,2;1;3\n0.2;1;3.5\n',
  '[{"k_sft": 0.2, "k_ct": 1, "scores": {"bleu": 20.5, "chrf": 41}}, {"k_sft": 1, "k_ct": 1, "scores": {"bleu": 19, "chrf": 40}}]',
  '{"results": [{"density of sft": "0.2", "accuracy": 0.5, "done": true, "note": null}]}',
].map(utf8);

function readScores(bytes: Bytes): boolean {
  try {
    const { metrics, rows } = readResults(textOf(bytes), 'fuzz');
    expect(metrics.length).toBeGreaterThan(0);
    for (const { line, densities, scores, lambda, slack } of rows) {
      expect(line).toBeGreaterThan(0);
      for (const number of [...Object.values(densities), ...Object.values(scores), lambda ?? 0, slack ?? 0]) expect(Number.isFinite(number)).toBe(true);
    }
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(MalformedFileError);
    expect((error as MalformedFileError).where.file).toBe('fuzz');
    return false;
  }
}

const OPEN = ['base', 'sft', 'ct'].map((name, i) => ({ id: name, name, fingerprint: `${i}a`.repeat(16) }));
const LINKS = [
  writeAddress({ recipe: defaultRecipe('base', 'sft', ['ct']), choices: DEFAULT_CHOICES, shardBytes: 2e9 }, OPEN, { tab: 'map', layer: 3, module: 'gate', tensor: 'model.norm.weight', shown: { map: 'conflict' } }),
  writeAddress(
    {
      recipe: { ...defaultRecipe('base', 'sft', ['ct']), rules: [{ filter: 'norm', action: 'take', from: 'ct' }], tokenizerFrom: 'sft' },
      choices: { leaveOut: { 'lm_head.weight': ['ct'] }, extraRows: { from: 'ct' }, integerFrom: { ids: 'sft' }, allowNonfinite: true, rows: 'id' },
    },
    OPEN,
    { tab: 'series', layer: null, module: null, tensor: null, shown: {} },
    { along: 'ct', members: { sft: false }, tokens: { ct: 4e6, 'ct-2': 1.5e9 } },
  ),
].map(utf8);

/** An address is never refused: what is malformed in it counts as absent. */
function openLink(bytes: Bytes): boolean {
  const { wanted, chart, series } = readAddress(`#${textOf(bytes)}`);
  if (chart.layer !== undefined) expect(Number.isSafeInteger(chart.layer) && chart.layer! >= 0).toBe(true);
  if (chart.tensor !== undefined) expect(chart.tensor!.length).toBeLessThanOrEqual(200);
  for (const value of Object.values(chart.shown ?? {})) expect(typeof value).toBe('string');
  for (const tokens of Object.values(series.tokens)) expect(Number.isFinite(tokens) && tokens > 0).toBe(true);
  for (const member of Object.values(series.members)) expect(typeof member).toBe('boolean');
  if (wanted === null) return false;
  expect(Number.isSafeInteger(wanted.shardBytes) && wanted.shardBytes! >= LEAST_SHARD_BYTES).toBe(true);
  for (const mark of Object.values(wanted.fingerprints)) expect(mark).toMatch(/^[0-9a-f]{12}$/);
  expect(METHODS).toContain(wanted.recipe.method);
  const { leaveOut, extraRows, integerFrom } = wanted.choices;
  const named = [...wanted.names, ...Object.values(leaveOut).flat(), ...Object.values(integerFrom), extraRows === 'cut' ? '' : extraRows.from];
  for (const name of named) expect(typeof name).toBe('string');
  return true;
}

const RECIPE = defaultRecipe('base', 'sft', ['ct']);
const CHOICES = [
  { leaveOut: { 'lm_head.weight': ['ct'], 'model.norm.weight': ['sft', 'ct'] }, extraRows: { from: 'ct' }, integerFrom: { ids: 'sft' }, allowNonfinite: true, rows: 'id' },
  { leaveOut: { ['__proto__']: ['ct'] }, integerFrom: { constructor: 'sft' } },
].map((choices) => utf8(JSON.stringify(choices)));

/** What was decided, as a link beside a sound recipe has it: names of text all of it, nothing of an object's own, and a link of it says the same. */
function openChoices(bytes: Bytes): boolean {
  const fields = new URLSearchParams(writeAddress({ recipe: RECIPE, choices: DEFAULT_CHOICES }, OPEN, { tab: 'layers', layer: null, module: null, tensor: null, shown: {} }));
  fields.set('c', textOf(bytes));
  const { wanted } = readAddress(`#${fields.toString()}`);
  if (wanted === null) return false;
  const { choices } = wanted;
  expect(Object.keys(choices).every((key) => ['leaveOut', 'extraRows', 'integerFrom', 'allowNonfinite', 'rows'].includes(key))).toBe(true);
  for (const one of [choices, choices.leaveOut, choices.integerFrom]) expect(Object.getPrototypeOf(one)).toBe(Object.prototype);
  for (const name of [...Object.values(choices.leaveOut).flat(), ...Object.values(choices.integerFrom)]) expect(typeof name).toBe('string');
  const again = writeAddress({ recipe: RECIPE, choices }, OPEN, { tab: 'layers', layer: null, module: null, tensor: null, shown: {} });
  // Longer ones are left out of a link.
  if (JSON.stringify(choices).length < 4000) expect(readAddress(`#${again}`).wanted!.choices).toEqual(choices);
  return true;
}

export const FAMILY_TARGETS: readonly FuzzTarget[] = [
  {
    name: 'adapter_config.json',
    inputs: mutated(ADAPTERS.map((name) => fixture('lora', name, 'adapter_config.json'))),
    read: (bytes) => openAdapter(bytes, fixture('lora', 'patterns', 'adapter_model.safetensors')),
  },
  {
    name: 'tensors of an adapter',
    inputs: mutated(ADAPTERS.map((name) => fixture('lora', name, 'adapter_model.safetensors')), mendPrefix),
    read: (bytes) => openAdapter(fixture('lora', 'plain', 'adapter_config.json'), bytes),
  },
  { name: 'tokenizer.json', inputs: mutated(TOKENIZERS), read: readTokens },
  { name: 'table of scores', inputs: mutated(SCORES), read: readScores },
  { name: 'address of the page', inputs: mutated(LINKS), read: openLink },
  { name: 'choices of a link', inputs: mutated(CHOICES), read: openChoices },
];
