/** What reads hostile bytes, each with files that are right and the rule that holds whatever the bytes are. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type fc from 'fast-check';
import { expect } from 'vitest';
import { dtypeBits } from '../../src/bytes/dtypes';
import { InvalidRecipeError, MalformedFileError, StudioError } from '../../src/bytes/errors';
import { MemorySource, type ByteSource } from '../../src/bytes/source';
import { parseConfig } from '../../src/checkpoint/config';
import { openCheckpoints } from '../../src/checkpoint/open';
import { adaptConfig } from '../../src/export/config';
import { readHeader, type SafetensorsHeader } from '../../src/format/safetensors/header';
import { parseIndex } from '../../src/format/safetensors/index-file';
import { readTorchHeader } from '../../src/format/torch-bin/header';
import { fromMergeKit } from '../../src/recipe/mergekit-read';
import { readProvenance, RECIPE_KEY, SOURCES_KEY } from '../../src/recipe/provenance';
import { defaultRecipe } from '../../src/recipe/presets';
import { decodeRecipe, encodeRecipe } from '../../src/recipe/serialise';
import { FAMILY_TARGETS } from './family-targets';
import { FOLDER_TARGETS } from './folder-targets';
import { mendPrefix, mutated } from './mutation';

export interface FuzzTarget {
  readonly name: string;
  readonly inputs: fc.Arbitrary<Uint8Array<ArrayBuffer>>;
  /** True: taken; false: refused as it should be. Fails the test for anything else. */
  readonly read: (bytes: Uint8Array<ArrayBuffer>) => Promise<boolean> | boolean;
}

const FIXTURES = join(import.meta.dirname, '..', 'fixtures');
const utf8 = (text: string) => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const filesOf = (folder: string, keep: (name: string) => boolean) =>
  readdirSync(join(FIXTURES, folder)).filter(keep).map((name) => new Uint8Array(readFileSync(join(FIXTURES, folder, name))));

/** Fails on reads outside the file, and on more bytes than a reader of headers needs: an allocation sized by a lie. */
class Metered implements ByteSource {
  readonly name = 'fuzz';
  private asked = 0;
  private readonly inner: MemorySource;
  constructor(private readonly bytes: Uint8Array<ArrayBuffer>) {
    this.inner = new MemorySource('fuzz', bytes);
  }
  get size() {
    return this.bytes.length;
  }
  async read(begin: number, end: number) {
    this.asked += end - begin;
    expect(this.asked).toBeLessThanOrEqual(8 * this.size + 1_000_000);
    return this.inner.read(begin, end);
  }
}

/** Refused by name and place: a typed error that says which file. */
function expectLocated(error: unknown): false {
  expect(error).toBeInstanceOf(MalformedFileError);
  const { reason, where } = error as MalformedFileError;
  expect(reason).toMatch(/^[a-z0-9-]+$/);
  expect(where.file).toBe('fuzz');
  return false;
}

async function readsTensors(read: (source: ByteSource) => Promise<SafetensorsHeader>, bytes: Uint8Array<ArrayBuffer>): Promise<boolean> {
  let header: SafetensorsHeader;
  try {
    header = await read(new Metered(bytes));
  } catch (error) {
    return expectLocated(error);
  }
  for (const { begin, end, elements, dtype, shape } of header.tensors) {
    expect(begin >= 0 && begin <= end && end <= bytes.length).toBe(true);
    expect((end - begin) * 8).toBe(elements * dtypeBits(dtype));
    expect(shape.reduce((product, size) => product * size, 1)).toBe(elements);
  }
  return true;
}

const small = (bytes: Uint8Array) => bytes.length < 100_000;
const SHARDS = filesOf('malformed', (name) => name.endsWith('.safetensors')).filter(small);
const INDEX = utf8(JSON.stringify({ metadata: { total_size: 12 }, weight_map: { a: 'model-00001-of-00002.safetensors', 'b.weight': 'model-00002-of-00002.safetensors' } }, null, 2));
const CONFIG = new Uint8Array(readFileSync(join(FIXTURES, 'checkpoints', 'base', 'config.json')));
const MULTIMODAL = utf8('{"model_type":"x","text_config":{"hidden_size":8,"num_hidden_layers":2,"vocab_size":10,"torch_dtype":"float16"},"vision_config":{"hidden_size":4}}');
const YAML = [
  'models:\n  - model: sft\n    parameters:\n      weight: 1.0\n      density: [0.1, 0.2]\n  - model: ct\n    parameters:\n      density:\n        - filter: mlp\n          value: 0.5\n        - value: 1\nmerge_method: ties\nbase_model: base\nparameters:\n  normalize: true\ndtype: float32\nout_dtype: bfloat16\n',
  'slices:\n  - sources:\n      - model: sft\n        layer_range: [0, 4]\n      - model: ct\n        layer_range: [0, 4]\nmerge_method: linear\nparameters: &p {weight: 0.5}\nx: *p\n',
  '# kept\nmodels:\n  - model: a+lora\n    parameters: {weight: [{filter: "*.q_proj", value: [0.1, 0.9]}, {value: 1}], density: 0.5}\n  - model: b\nmerge_method: dare_ties\nbase_model: base\ntokenizer:\n  source: model:b\n  tokens: {"<s>": {source: a, force: true}}\n  pad_to_multiple_of: 8\ntokenizer_source: union\nchat_template: auto\nx_merging_studio:\n  version: 1\n  drop: {seed: 7, rescale_by: density}\n  scope: {trim: model, slack: tensor}\n  rules: [{filter: norm, action: take, from: b}]\n',
].map(utf8);
const LINK = utf8(encodeRecipe({ ...defaultRecipe('base', 'sft', ['ct']), rules: [{ filter: 'norm', action: 'keep-base' }] }));
const SOURCES = utf8('[{"id":"a","name":"base","fingerprint":"00","bytes":12}]');

/** Names and paths of a dropped folder that must stay data. */
const FOLDER_FILES = ['m/model-00001-of-00002.safetensors', 'm/model-00002-of-00002.safetensors', 'm/model.safetensors.index.json', 'm/config.json', 'secret/model.safetensors'];

/** A dropped folder whose index is `bytes`: nothing but what was dropped beside it may be opened. */
async function openFolder(bytes: Uint8Array<ArrayBuffer>): Promise<boolean> {
  const files = FOLDER_FILES.map((path) => ({ id: path, path, size: path.endsWith('.index.json') ? bytes.length : 8, modified: 0 }));
  const { checkpoints, problems } = await openCheckpoints(files, async ({ path }) => {
    expect(FOLDER_FILES).toContain(path);
    return path.endsWith('.index.json') ? new MemorySource(path, bytes) : new MemorySource(path, new Uint8Array(8));
  });
  // Shards of eight zero bytes are no shards: whatever the index says, nothing opens, and why is said of each.
  expect(checkpoints).toEqual([]);
  for (const { file, error } of problems) {
    expect(FOLDER_FILES).toContain(file);
    expect(error).toBeInstanceOf(StudioError);
    expect(error.code).not.toBe('internal');
  }
  expect(problems.length).toBeGreaterThan(0);
  return problems.some(({ error }) => error.where.file?.includes('-of-') ?? false);
}

function refusesByRecipe(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidRecipeError);
    return false;
  }
}

export const TARGETS: readonly FuzzTarget[] = [
  { name: 'safetensors header', inputs: mutated(SHARDS, mendPrefix), read: (bytes) => readsTensors(readHeader, bytes) },
  { name: 'PyTorch archive and pickle', inputs: mutated(filesOf('torch', (name) => /\.(bin|pt)$/.test(name)).filter(small)), read: (bytes) => readsTensors(readTorchHeader, bytes) },
  {
    name: 'safetensors index',
    inputs: mutated([INDEX]),
    read: (bytes) => {
      try {
        for (const file of parseIndex(bytes, 'fuzz').weightMap.values()) expect(file).toMatch(/^[^/\\:]+\.safetensors$/);
        return true;
      } catch (error) {
        return expectLocated(error);
      }
    },
  },
  { name: 'dropped folder with an index', inputs: mutated([INDEX]), read: openFolder },
  {
    name: 'config.json',
    inputs: mutated([CONFIG, MULTIMODAL]),
    read: (bytes) => {
      const config = parseConfig(bytes);
      for (const value of Object.values(config ?? {})) expect(['string', 'number', 'boolean']).toContain(typeof value);
      return config !== null;
    },
  },
  {
    name: 'config.json of the export',
    inputs: mutated([CONFIG, MULTIMODAL]),
    read: (bytes) => {
      const adapted = adaptConfig(bytes, { dtype: 'BF16', vocabulary: 77, tied: true });
      if (adapted !== null) expect((JSON.parse(adapted.text) as { vocab_size?: unknown }).vocab_size).toBeOneOf([77, undefined]);
      return adapted !== null;
    },
  },
  {
    name: 'MergeKit YAML',
    inputs: mutated(YAML),
    read: (bytes) => {
      const { recipe, problems } = fromMergeKit(textOf(bytes), (path) => path);
      expect(recipe === null).toBe(problems.some(({ severity }) => severity === 'error'));
      for (const { error } of problems) expect(error.where.line).toBeGreaterThan(0);
      return recipe !== null;
    },
  },
  { name: 'recipe in a link', inputs: mutated([LINK]), read: (bytes) => refusesByRecipe(() => decodeRecipe(textOf(bytes))) },
  {
    name: 'recipe in a checkpoint',
    inputs: mutated([LINK, SOURCES]),
    read: (bytes) => refusesByRecipe(() => readProvenance({ [RECIPE_KEY]: textOf(LINK), [SOURCES_KEY]: textOf(bytes) })),
  },
  ...FAMILY_TARGETS,
  ...FOLDER_TARGETS,
];
