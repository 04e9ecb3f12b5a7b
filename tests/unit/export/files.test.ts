import { describe, expect, it } from 'vitest';
import { InvalidRecipeError } from '../../../src/bytes/errors';
import type { Checkpoint, FileEntry } from '../../../src/checkpoint/types';
import { exportFiles, exportMetadata, exportNotes } from '../../../src/export/files';
import { configFile } from '../../../src/export/sources';
import type { ExportInput } from '../../../src/export/types';
import { DEFAULT_CHOICES } from '../../../src/merge/plan-types';
import { fromMergeKit } from '../../../src/recipe/mergekit';
import { CHOICES_KEY, matchSources, readProvenance, RECIPE_KEY, SOURCES_KEY } from '../../../src/recipe/provenance';
import type { Recipe } from '../../../src/recipe/types';
import { TIES } from '../recipe/recipes';

const file = (path: string): FileEntry => ({ id: path, path, size: 1, modified: 0 });

function checkpoint(id: string, names: readonly string[], change: Partial<Checkpoint> = {}): Checkpoint {
  const path = `models/${id}`;
  return {
    id,
    name: id,
    path,
    shards: [],
    tensors: [],
    sidecars: names.map((name) => file(`${path}/${name}`)),
    config: {},
    parameters: 1000,
    bytes: 2000,
    fingerprint: 'ab'.repeat(32),
    ...change,
  };
}

const FILES = ['config.json', 'generation_config.json', 'tokenizer.json', 'tokenizer_config.json', 'special_tokens_map.json', 'chat_template.jinja'];
/** Made here, in this order. */
const OWN = ['mergekit_config.yml', 'merge_by_layer.svg', 'README.md'];
const OTHERS = ['training_args.json', 'README.txt', 'config_sentence_transformers.json', 'train.py', 'adapter_config.json', 'all_results.json', 'sub/tokenizer.json'];
const BASE = checkpoint('base', [...FILES, ...OTHERS]);
const SFT = checkpoint('sft', ['config.json', 'tokenizer.model', 'modeling_own.py']);
const CT = checkpoint('ct', []);

/** Golden case ties_06_bf16_d020_d100, whole model. */
const COUNTS = { numel: 1724, kept: [343, 1724], conflict: 153, won: [104, 49], discarded: [49, 104], reserved: 0 };
const INPUT: ExportInput = {
  name: 'merged',
  application: 'Model Merging Studio 0.1.0',
  recipe: TIES,
  checkpoints: [BASE, SFT, CT],
  config: new TextEncoder().encode('{"torch_dtype":"float32","vocab_size":32000}'),
  output: { dtype: 'BF16', dominant: 'BF16', vocabulary: 32000, tensors: 4, parameters: 1724, bytes: 3448 },
  figures: null,
};

const read = (input: ExportInput, name: string): string => {
  const found = exportFiles(input).find((entry) => entry.name === name);
  if (found === undefined || !('bytes' in found)) throw new Error(`${name} is not written`);
  return new TextDecoder().decode(found.bytes);
};
const kinds = (input: ExportInput) => exportNotes(input).map(({ kind }) => kind);

describe('the files beside the weights', () => {
  it('are what transformers needs, from the base, and nothing else of it', () => {
    const files = exportFiles(INPUT);
    expect(files.map(({ name }) => name)).toEqual([...FILES, ...OWN]);
    expect(files[1]).toEqual({ name: 'generation_config.json', copyFrom: file('models/base/generation_config.json') });
    expect(read(INPUT, 'config.json')).toBe('{"torch_dtype":"bfloat16","vocab_size":32000}');
    expect(exportNotes(INPUT)).toEqual([{ kind: 'config-changed', model: 'base', change: { field: 'torch_dtype', from: 'float32', to: 'bfloat16' } }]);
  });

  it.each([
    ['vocab.json', 'merges.txt', 'added_tokens.json'],
    ['vocab.txt', 'preprocessor_config.json'],
    ['spiece.model', 'processor_config.json', 'chat_template.json'],
    ['qwen.tiktoken', 'tokenization_qwen.py'],
  ])('carry the tokenizers of other families: %s', (...names) => {
    const input: ExportInput = { ...INPUT, config: null, checkpoints: [checkpoint('base', names), SFT, CT] };
    expect(exportFiles(input).map(({ name }) => name)).toEqual([...names, ...OWN]);
    expect(kinds(input)).not.toContain('tokenizer-missing');
  });

  it('are those of the chosen model', () => {
    const recipe: Recipe = { ...TIES, tokenizerFrom: 'sft' };
    const input: ExportInput = { ...INPUT, recipe };
    expect(configFile(recipe, INPUT.checkpoints)).toEqual(file('models/sft/config.json'));
    expect(exportFiles(input).map(({ name }) => name)).toEqual(['config.json', 'tokenizer.model', 'modeling_own.py', ...OWN]);
    expect(exportNotes(input).slice(1)).toEqual([{ kind: 'custom-code', model: 'sft', names: ['modeling_own.py'] }]);
  });

  it('take tied embeddings from the base when config.json comes from another model', () => {
    const checkpoints = [checkpoint('base', FILES, { config: { tieWordEmbeddings: true } }), SFT, CT];
    const config = new TextEncoder().encode('{"dtype":"bfloat16","vocab_size":32000,"tie_word_embeddings":false}');
    const input: ExportInput = { ...INPUT, checkpoints, config, recipe: { ...TIES, tokenizerFrom: 'sft' } };
    expect(read(input, 'config.json')).toBe('{"dtype":"bfloat16","vocab_size":32000,"tie_word_embeddings":true}');
    expect(read({ ...input, recipe: TIES }, 'config.json')).toBe(new TextDecoder().decode(config));
  });

  it('are those of the first model when there is no base', () => {
    const recipe: Recipe = { ...TIES, method: 'linear', base: null };
    expect(configFile(recipe, [SFT, CT])).toEqual(file('models/sft/config.json'));
    expect(configFile({ ...recipe, models: [] }, [])).toBeNull();
  });

  it('say what is missing', () => {
    const input: ExportInput = { ...INPUT, config: null, checkpoints: [checkpoint('base', []), SFT, CT] };
    expect(configFile(TIES, input.checkpoints)).toBeNull();
    expect(exportNotes(input)).toEqual([
      { kind: 'config-missing', model: 'base' },
      { kind: 'tokenizer-missing', model: 'base' },
    ]);
    expect(exportFiles(input).map(({ name }) => name)).toEqual([...OWN]);
  });

  it('say when the chosen vocabulary is larger than the embedding that is written', () => {
    const larger = { ...BASE, config: { vocabulary: 32_004 } };
    const note = { kind: 'tokenizer-larger', model: 'base', tokens: 32_004, rows: 32_000 };
    expect(exportNotes({ ...INPUT, checkpoints: [larger, SFT, CT] })).toContainEqual(note);
    expect(kinds({ ...INPUT, checkpoints: [{ ...larger, config: { vocabulary: 32_000 } }, SFT, CT] })).not.toContain('tokenizer-larger');
  });

  it('keep a config.json that cannot be read as it is, and say so', () => {
    const input: ExportInput = { ...INPUT, config: new Uint8Array([0xff, 0x00]) };
    expect(exportFiles(input)[0]).toEqual({ name: 'config.json', bytes: new Uint8Array([0xff, 0x00]) });
    expect(kinds(input)).toEqual(['config-unreadable']);
  });
});

describe('mergekit_config.yml', () => {
  it('names the folders that were dropped and reads back as the recipe', () => {
    const text = read(INPUT, 'mergekit_config.yml');
    expect(text).toContain('base_model: models/base\n');
    expect(text).toContain('out_dtype: bfloat16\n');
    expect(fromMergeKit(text, (path) => path.replace('models/', ''))).toEqual({ recipe: TIES, problems: [] });
  });

  it('keeps the names and comments of the text the recipe was read from, and names the rest by folder', () => {
    const text = 'merge_method: ties\nbase_model: hub/base\nmodels:\n  - model: sft # epoch 2\n';
    const written = read({ ...INPUT, text: { text, paths: { base: 'hub/base' } } }, 'mergekit_config.yml');
    expect(written).toContain('base_model: hub/base\nmodels:  # epoch 2\n  - model: models/sft\n    parameters:\n');
    const named = { text, paths: { base: 'hub/base', sft: 'sft' } };
    expect(read({ ...INPUT, text: named }, 'mergekit_config.yml')).toContain('  - model: sft  # epoch 2\n');
  });

  it('names loose files by the checkpoint', () => {
    const checkpoints = [checkpoint('base', [], { path: '', name: 'loose base' }), SFT, CT];
    expect(read({ ...INPUT, checkpoints }, 'mergekit_config.yml')).toContain('base_model: "loose base"\n');
  });
});

describe('README.md', () => {
  const recipe: Recipe = { ...TIES, method: 'ties_sv', rules: [{ filter: 'embed', action: 'take', from: 'ct' }] };
  const counts = { ...COUNTS, reserved: 13 };
  const layer = { numel: 100, kept: [20, 100], conflict: 10, won: [8, 2], discarded: [2, 8], reserved: 0 };
  const layers = [
    { label: 'Layer 0', counts: layer },
    { label: 'Layer 1', counts: { ...layer, discarded: [1, 9] } },
  ];
  const card = read({ ...INPUT, recipe, contents: new Map([['sft', 'cd'.repeat(32)]]), figures: { exact: true, whole: counts, layers } }, 'README.md');

  it('begins with fixed front matter, title and sizes', () => {
    expect(card).toMatch(/^---\nlibrary_name: transformers\ntags:\n- merge\n- model-merging\n---\n\n# merged\n/);
    expect(card).toContain('Merged from 2 models with Model Merging Studio 0.1.0: 4 tensors, 1,724 parameters, 3,448 bytes of weights.');
  });

  it('holds the recipe as tables and as YAML', () => {
    expect(card).toContain('| Method | TIES-SV (TIES with slack) |');
    expect(card).toContain('| Slack | 0.04 of the retained values of sft |');
    expect(card).toContain('| Tensors matching embed | take from ct |');
    expect(card).toContain('| Model | Weight w | Density k |\n| --- | ---: | ---: |\n| sft | 1.0 | 0.2 |\n| ct | 1.0 | 1.0 |');
    expect(card).toContain(`\`\`\`yaml\n${read({ ...INPUT, recipe }, 'mergekit_config.yml')}\`\`\``);
  });

  it('holds the sources with size and fingerprint', () => {
    expect(card).toContain(`| base | base | 1,000 | 2,000 | \`${'ab'.repeat(32)}\` |  |`);
    expect(card).toContain(`| sft | model | 1,000 | 2,000 | \`${'ab'.repeat(32)}\` | \`${'cd'.repeat(32)}\` |`);
  });

  it('holds every share with its counts (merging.md section 5), discarded before and after slack (section 6)', () => {
    expect(card).toContain('Counted over every value that was merged.');
    expect(card).toContain('| Kept / all | 19.90 % (343 / 1,724) | 100.00 % (1,724 / 1,724) |');
    expect(card).toContain('| Conflicts won / conflicts | 67.97 % (104 / 153) | 32.03 % (49 / 153) |');
    expect(card).toContain('| Discarded / kept | 14.29 % (49 / 343) | 6.03 % (104 / 1,724) |');
    expect(card).toContain('| Reserved by slack / kept | 3.79 % (13 / 343) |  |');
    expect(card).toContain('| Discarded after slack / kept | 10.50 % (36 / 343) |  |');
    expect(card).toContain('Conflict: 8.87 % (153 / 1,724) of all positions.');
  });

  it('holds a row and a bar for each layer', () => {
    expect(card).toContain(`| Layer 0 | 10.00 % (2 / 20) | 8.00 % (8 / 100) | ${'█'.repeat(20)} |`);
    expect(card).toContain(`| Layer 1 | 5.00 % (1 / 20) | 9.00 % (9 / 100) | ${'█'.repeat(10)} |`);
  });

  it('says that a sample is a sample, and leaves figures out where nothing is elected', () => {
    const figures = { exact: false, whole: counts, layers };
    expect(read({ ...INPUT, figures }, 'README.md')).toContain('Estimated from a sample.');
    expect(read({ ...INPUT, figures }, 'README.md')).not.toContain('Reserved by slack');
    expect(read({ ...INPUT, figures, recipe: { ...TIES, method: 'linear' } }, 'README.md')).not.toContain('Discarded');
  });

  it('shows the chart, whose file goes with it, of the same figures', () => {
    const input = { ...INPUT, figures: { exact: true, whole: counts, layers: [{ label: '0', counts: layer }] } };
    expect(read(input, 'README.md')).toContain('![Conflicts and losses by layer](merge_by_layer.svg)');
    // 2 of 20: the end of the axis for what is lost.
    expect(read(input, 'merge_by_layer.svg')).toContain('text-anchor="start">10 %</text>');
    expect(exportFiles({ ...INPUT, recipe: { ...TIES, method: 'linear' } }).map(({ name }) => name)).not.toContain('merge_by_layer.svg');
  });

  it('says how to make it again: with the names of the recipe, quoted for a shell, and what was decided', () => {
    const choices = { ...DEFAULT_CHOICES, extraRows: { from: 'ct' }, leaveOut: { head: ['sft'] }, integerFrom: { ids: 'ct' }, allowNonfinite: true, rows: 'id' } as const;
    const again = read({ ...INPUT, choices, text: { text: '', paths: { ct: "it's ct" } } }, 'README.md');
    expect(again).toContain(`npx merging-studio merge mergekit_config.yml --out again \\
  --model models/base=FOLDER \\
  --model models/sft=FOLDER \\
  --model 'it'\\''s ct=FOLDER'
`);
    // The options are in the recipe, which is in the card.
    expect(again).toContain(`choices: {extra_rows: "it's ct", rows_by_id: true, leave_out: [{tensor: head, model: models/sft}], integer_from: [{tensor: ids, model: "it's ct"}], allow_nonfinite: true}`);
    expect(again).toContain('mergekit-yaml mergekit_config.yml again-mergekit');
    expect(again).toContain("| Vocabulary rows beyond the base | kept from ct |\n| Vocabulary rows of other tokens | matched by id |\n| head | without sft |\n| ids | whole numbers of ct |\n| NaN and infinite values | merged all the same |");
  });

  it('cites the paper', () => {
    expect(card).toContain('eprint = {2407.03994}');
  });

  it('shows hostile names as text', () => {
    const name = '---\ntags: [x]\n---\n| <img src=x onerror=y> | ```\n# [a](b)';
    const checkpoints = [BASE, checkpoint('sft', [], { name, path: name, fingerprint: '`<b>' }), CT];
    const hostile = read({ ...INPUT, name, checkpoints, figures: { exact: true, whole: COUNTS, layers } }, 'README.md');
    expect(hostile.split('\n').filter((line) => line === '---')).toHaveLength(2);
    expect(hostile).toMatch(/^````yaml$/m);
    const outside = hostile.replace(/^(`{3,})[^\n]*\n[^]*?\n\1$/gm, '').replace('![Conflicts and losses by layer](merge_by_layer.svg)', '');
    expect(outside).not.toMatch(/<|[^\\]\[|[^\\]`{2}/);
    expect(outside).toContain('| ---\ufffdtags\\: \\[x\\]\ufffd---\ufffd\\| &lt;img src=x onerror=y&gt; \\| \\`\\`\\`\ufffd\\# \\[a\\]\\(b\\) | model |');
    expect(outside).toContain('| 1,000 | 2,000 | `b` |');
  });
});

describe('metadata of the weights', () => {
  it('holds the recipe and its sources, and gives them back', () => {
    const metadata = exportMetadata(TIES, [BASE, SFT], DEFAULT_CHOICES, new Map([['sft', 'cd'.repeat(32)]]));
    expect(Object.keys(metadata)).toEqual([RECIPE_KEY, SOURCES_KEY, CHOICES_KEY]);
    const source = (id: string, contents: string) => ({ id, name: id, fingerprint: 'ab'.repeat(32), bytes: 2000, contents: contents.repeat(32) });
    expect(readProvenance(metadata)).toEqual({ recipe: TIES, sources: [source('base', '00'), source('sft', 'cd')], choices: DEFAULT_CHOICES });
    expect(readProvenance({ format: 'pt' })).toBeNull();
    expect(readProvenance({ [RECIPE_KEY]: metadata[RECIPE_KEY]! })).toEqual({ recipe: TIES, sources: [], choices: null });
    expect(readProvenance({ ...metadata, [CHOICES_KEY]: '{' })?.choices).toBeNull();
  });

  it('finds its sources again by id, by fingerprint and name, or by a fingerprint that is the only one', () => {
    const source = (id: string, name: string, fingerprint: string) => ({ id, name, fingerprint, bytes: 1 });
    const sources = [source('1', 'base', 'a'), source('2', 'sft', 'b'), source('3', 'ct-4B', 'c'), source('4', 'ct-8B', 'c'), source('5', 'gone', 'd')];
    const open = [
      { id: '1', name: 'renamed', fingerprint: 'x' },
      { id: '12', name: 'sft-moved', fingerprint: 'b' },
      { id: '13', name: 'ct-8B', fingerprint: 'c' },
      { id: '14', name: 'ct-16B', fingerprint: 'c' },
      { id: '15', name: 'gone', fingerprint: 'y' },
    ];
    // ct-4B could be either of the run's open checkpoints; `gone` has the name of another file.
    expect([...matchSources(sources, open)]).toEqual([['1', '1'], ['2', '12'], ['4', '13']]);
  });

  it.each(['', '{}', '[1]', '[{"id":"a"}]', '[{"id":"a","name":"b","fingerprint":"c","bytes":-1}]', '[null]'])('refuses sources %j', (sources) => {
    const metadata = { ...exportMetadata(TIES, [], DEFAULT_CHOICES, new Map()), [SOURCES_KEY]: sources };
    expect(() => readProvenance(metadata)).toThrowError(expect.objectContaining({ reason: 'sources-malformed' }) as Error);
    expect(() => readProvenance({ ...metadata, [RECIPE_KEY]: 'x' })).toThrow(InvalidRecipeError);
  });
});
