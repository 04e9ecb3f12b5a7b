/** Caches of Hugging Face without their links: what is in a blob gives it back its name. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blobKind } from '../../../src/checkpoint/blob-names';
import { openCheckpoints } from '../../../src/checkpoint/open';
import { encodeIndex } from '../../../src/format/safetensors/index-file';
import { folderOf, shard, text } from './folder';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const FIXTURES = join(ROOT, 'tests', 'fixtures');
const CACHE = 'hub/models--acme--tiny';
const COMMIT = '0123456789abcdef0123456789abcdef01234567';

type Contents = Record<string, Uint8Array<ArrayBuffer>>;
const read = (...path: string[]): Uint8Array<ArrayBuffer> => new Uint8Array(readFileSync(join(...path)));
/** Of a folder of fixtures; a merged.st beside an adapter is what PEFT makes of it. */
const filesIn = (folder: string): Contents => Object.fromEntries(readdirSync(folder).filter((name) => name !== 'merged.st').map((name) => [name, read(folder, name)]));
const hashOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
/** The blobs and references of a cache, as a browser gives them: files by their hashes. */
const cacheOf = (...files: Uint8Array<ArrayBuffer>[]): Contents => ({
  [`${CACHE}/refs/main`]: text(COMMIT),
  ...Object.fromEntries(files.map((bytes) => [`${CACHE}/blobs/${hashOf(bytes)}`, bytes])),
});
const openAll = async (contents: Contents) => {
  const { files, open } = folderOf(contents);
  const opened = await openCheckpoints(files, open);
  return { ...opened, faults: opened.problems.map(({ file, error }) => [file, error.reason, error.where.names]) };
};
const named = (bytes: Uint8Array<ArrayBuffer>, size = bytes.length) => {
  const kind = blobKind(bytes.subarray(0, 65_536), size);
  return kind?.kind === 'named' ? kind.name : (kind?.kind ?? null);
};
const json = (value: unknown) => text(JSON.stringify(value));

describe('a cache without links', () => {
  const sharded = join(FIXTURES, 'checkpoints', 'variants', 'base-sharded');

  it('opens as the folder its links would have made: shards by the index, config and tokenizer by what they hold', async () => {
    const folder = filesIn(sharded);
    const { checkpoints, problems, ignored } = await openAll({ ...cacheOf(...Object.values(folder)), [`${CACHE}/blobs/${'a'.repeat(64)}.incomplete`]: text('half') });
    const [checkpoint] = checkpoints;
    const plain = (await openAll(Object.fromEntries(Object.entries(folder).map(([name, bytes]) => [`tiny/${name}`, bytes])))).checkpoints[0]!;
    expect([problems, ignored]).toEqual([[], [`${CACHE}/blobs/${'a'.repeat(64)}.incomplete`]]);
    expect([checkpoint!.name, checkpoint!.path]).toEqual(['acme/tiny', `${CACHE}/snapshots/${COMMIT}`]);
    expect(checkpoint!.fingerprint).toBe(plain.fingerprint);
    expect(checkpoint!.tensors).toEqual(plain.tensors);
    expect(checkpoint!.config).toEqual(plain.config);
    const names = (paths: readonly { readonly path: string }[]) => paths.map(({ path }) => path.split('/').at(-1));
    expect(names(checkpoint!.sidecars)).toEqual(['config.json', 'generation_config.json', 'special_tokens_map.json', 'tokenizer.json', 'tokenizer_config.json']);
    expect(names(checkpoint!.shards.map(({ file }) => file))).toEqual(names(plain.shards.map(({ file }) => file)));
  });

  it('names a missing shard as the index does', async () => {
    const { 'model-00002-of-00003.safetensors': _, ...rest } = filesIn(sharded);
    const { checkpoints, faults } = await openAll(cacheOf(...Object.values(rest)));
    expect(checkpoints).toEqual([]);
    expect(faults).toEqual([[`${CACHE}/snapshots/${COMMIT}/model.safetensors.index.json`, 'missing-shards', ['model-00002-of-00003.safetensors']]]);
  });

  it('refuses shards of two revisions, by name', async () => {
    const folder = filesIn(sharded);
    const other = folder['model-00001-of-00003.safetensors']!.slice();
    other[other.length - 1]! ^= 1;
    const { checkpoints, faults } = await openAll(cacheOf(...Object.values(folder), other));
    expect([checkpoints, faults]).toEqual([[], [[CACHE, 'cache-revisions-mixed', ['model-00001-of-00003.safetensors']]]]);
  });

  it('takes the config that was fetched last, and says so', async () => {
    const [old, fresh] = [json({ model_type: 'llama', vocab_size: 1 }), json({ model_type: 'llama', vocab_size: 2 })];
    const contents = cacheOf(old, shard('x'), fresh);
    for (const reversed of [false, true]) {
      const { files, open } = folderOf(contents);
      const { checkpoints, problems } = await openCheckpoints(reversed ? [...files].reverse() : files, open);
      expect(checkpoints[0]!.config).toEqual({ modelType: 'llama', vocabulary: 2 });
      expect(problems.map(({ error }) => [error.reason, error.where.names])).toEqual([['cache-newest-taken', ['config.json']]]);
    }
  });

  it('opens two single files as two models, since nothing says which revision is meant', async () => {
    const [a, b] = [shard('x'), shard({ name: 'x', dtype: 'F32', shape: [2, 4] })];
    const { checkpoints } = await openAll(cacheOf(a, b));
    expect(checkpoints.map(({ name }) => name).sort()).toEqual([hashOf(a), hashOf(b)].map((hash) => hash.slice(0, 12)).sort());
  });

  it('opens an adapter, and PyTorch weights where there are no others', async () => {
    const adapter = await openAll(cacheOf(...Object.values(filesIn(join(FIXTURES, 'lora', 'plain')))));
    expect([adapter.faults, adapter.checkpoints.map(({ name, adapter: its }) => [name, its?.rank !== undefined])]).toEqual([[], [['acme/tiny', true]]]);
    const old = read(FIXTURES, 'torch', 'plain.bin');
    const bin = await openAll(cacheOf(old, json({ architectures: ['X'] })));
    expect(bin.checkpoints.map(({ shards, config }) => [shards[0]!.file.path, config.architecture])).toEqual([[`${CACHE}/snapshots/${COMMIT}/pytorch_model.bin`, 'X']]);
    const both = await openAll(cacheOf(old, shard('x')));
    expect(both.checkpoints.map(({ shards }) => shards[0]!.file.path)).toEqual([`${CACHE}/snapshots/${COMMIT}/model.safetensors`]);
    expect(both.ignored).toEqual([`${CACHE}/blobs/${hashOf(old)}`]);
  });

  it('takes the index that is whole of two that are there', async () => {
    const index = (names: Record<string, string[]>) => text(encodeIndex(Object.entries(names).map(([file, tensors]) => ({ file, tensors: tensors.map((name) => ({ name })), payloadBytes: 0 }))));
    const [one, two] = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'];
    const { checkpoints } = await openAll(cacheOf(index({ [one]: ['a'], [two]: ['b'] }), shard('a'), shard('b'), index({ [one]: ['a', 'c'], [two]: ['b'] })));
    expect(checkpoints.map(({ tensors }) => tensors.map(({ name }) => name))).toEqual([['a', 'b']]);
  });

  it('says that there are no weights, that a header is malformed, and that GGUF is not read', async () => {
    expect((await openAll(cacheOf(json({ model_type: 'llama' })))).faults).toEqual([[CACHE, 'cache-links-absent', undefined]]);
    const broken = shard('x').slice(0, -1);
    expect((await openAll(cacheOf(broken))).faults).toEqual([[`${CACHE}/blobs/${hashOf(broken)}`, 'file-truncated', undefined]]);
    expect((await openAll(cacheOf(text('GGUF\u0003')))).faults).toEqual([[`${CACHE}/snapshots/${COMMIT}/model.gguf`, 'weights-gguf', ['model.gguf']]]);
  });

  it('leaves a cache alone that came with its snapshot, and reads no more than the beginning of a blob', async () => {
    const blobs = cacheOf(shard('x'), text('{"model_type": "x"}'));
    const { files, open, reads } = folderOf({ ...blobs, [`${CACHE}/snapshots/abc/model.safetensors`]: shard('x') });
    const whole = await openCheckpoints(files, open);
    expect([whole.checkpoints.map(({ name }) => name), whole.problems, [...reads.keys()]]).toEqual([['acme/tiny'], [], [`${CACHE}/snapshots/abc/model.safetensors`]]);
    const vocabulary = text(`{"version":"1.0","truncation":null,"model":{"vocab":{${'"x":1,'.repeat(30_000)}"y":2}}}`);
    const large = folderOf(cacheOf(shard('x'), vocabulary));
    await openCheckpoints(large.files, large.open);
    expect(large.reads.get(`${CACHE}/blobs/${hashOf(vocabulary)}`)).toEqual([[0, 65_536]]);
  });
});

describe('what a blob is, by how it begins', () => {
  it.each<[string | null, Uint8Array<ArrayBuffer>]>([
    ['config.json', json({ architectures: ['LlamaForCausalLM'], transformers_version: '4', tokenizer_class: 'X', model_type: 'llama' })],
    ['generation_config.json', json({ _from_model_config: true, bos_token_id: 1, transformers_version: '4' })],
    ['generation_config.json', json({ do_sample: true, temperature: 0.6 })],
    ['tokenizer_config.json', json({ add_bos_token: true, added_tokens_decoder: { 0: { content: 'model_type' } }, chat_template: '{% if "weight_map": %}' })],
    ['special_tokens_map.json', json({ bos_token: { content: '<s>' }, additional_special_tokens: [] })],
    ['added_tokens.json', json({ '<|im_start|>': 151_644, '<|im_end|>': 151_645 })],
    ['vocab.json', json({ '!': 0, model_type_: 1 })],
    ['adapter_config.json', json({ peft_type: 'LORA', model_type: 'x' })],
    ['preprocessor_config.json', json({ image_mean: [1], image_processor_type: 'X' })],
    ['chat_template.json', json({ chat_template: '{{ messages }}' })],
    ['index', json({ metadata: {}, weight_map: {} })],
    ['merges.txt', text('#version: 0.2\nĠ t\n')],
    ['chat_template.jinja', text("{%- for m in messages %}{{ m['content'] }}{% endfor %}")],
    ['tokenizer.model', new Uint8Array([0x0a, 0x0e, 0x0a, 0x05, 0x3c, 0x75, 0x6e, 0x6b, 0x3e, 0x15, 0, 0, 0, 0, 0x18, 2])],
    ['tf_model.h5', new Uint8Array([0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a])],
    [null, json({ dim: 4096, n_layers: 32, norm_eps: 1e-5 })],
    [null, text('# A model card\n{% messages %}')],
    [null, text('import torch\n')],
    [null, new Uint8Array(0)],
  ])('%s', (name, bytes) => {
    expect(named(bytes)).toBe(name);
  });

  it('the tokenizers of the tokenizers library, of every kind', () => {
    for (const name of ['bpe', 'unigram', 'wordpiece']) expect(named(read(FIXTURES, 'tokenizers', `${name}.json`))).toBe('tokenizer.json');
  });

  it('is told, or not, of any bytes at all', () => {
    const piece = fc.oneof(fc.uint8Array({ maxLength: 12 }), fc.constantFrom('{"', '":', 'weight_map', 'model_type', '{% ', 'messages', '"', '\\', '}', '[', 'PK\u0003\u0004', '\n', '0').map(text));
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), fc.nat({ max: 1e12 }), (pieces, more) => {
        const head = new Uint8Array(pieces.flatMap((one) => [...one]));
        const kind = blobKind(head, head.length + more);
        expect(kind === null || ['safetensors', 'torch', 'index'].includes(kind.kind) || (kind.kind === 'named' && /^[a-z_]+\.(?:json|txt|jinja|model|gguf|h5)$/.test(kind.name))).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it('however it was cut, and in no more than linear time', () => {
    expect(named(text(`{"architectures": ["X"], "model_type": "${'x'.repeat(70_000)}`))).toBe('config.json');
    for (const piece of ['"\\"', '\\', '{"', '["', '":']) named(text(`{"${piece.repeat(30_000)}`));
    expect(named(text(`{"added_tokens": "\\`))).toBe(null);
  });
});
