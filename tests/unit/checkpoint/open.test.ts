/** openCheckpoints: what belongs together, what is refused and what is read (faults.md A 2, 16, 17; studio.md region 1). */
import { describe, expect, it } from 'vitest';
import { openCheckpoints } from '../../../src/checkpoint/open';
import type { OpenedCheckpoints } from '../../../src/checkpoint/open';
import { someOf } from '../../../src/checkpoint/reasons';
import { encodeIndex } from '../../../src/format/safetensors/index-file';
import { FIRST_READ_BYTES } from '../../../src/format/safetensors/limits';
import { folderOf, shard, text } from './folder';

const openAll = (contents: Parameters<typeof folderOf>[0]) => {
  const { files, open } = folderOf(contents);
  return openCheckpoints(files, open);
};
const summary = ({ checkpoints }: OpenedCheckpoints) => checkpoints.map(({ name, path, shards, tensors }) => [name, path, shards.length, tensors.length]);
const faults = ({ problems }: OpenedCheckpoints) => problems.map(({ file, error }) => [file, error.reason]);
/** The index of shards given as file to tensor names. */
const indexOf = (shards: Record<string, string[]>) => text(encodeIndex(Object.entries(shards).map(([file, names]) => ({ file, tensors: names.map((name) => ({ name })), payloadBytes: 16 * names.length }))));

const S1 = 'model-00001-of-00002.safetensors';
const S2 = 'model-00002-of-00002.safetensors';
const INDEX = 'model.safetensors.index.json';

describe('what belongs together', () => {
  it('opens a folder with one file, its tensors in UTF-8 order with file offsets, its config and sidecars', async () => {
    const weights = shard('b', { name: 'a', dtype: 'F32', shape: [3] });
    const { checkpoints, problems, ignored } = await openAll({
      'base/model.safetensors': weights,
      'base/config.json': text('{"model_type":"llama","architectures":["LlamaForCausalLM"],"hidden_size":8,"num_hidden_layers":2,"vocab_size":384,"tie_word_embeddings":true}'),
      'base/tokenizer.json': text('{}'),
      'base/tokenizer.model': text('x'),
      'base/merges.txt': text('x'),
      'base/chat_template.jinja': text('x'),
      'base/trainer_state.json': text('{}'),
      'base/README.md': text('x'),
    });
    expect(problems).toEqual([]);
    expect(ignored).toEqual(['base/README.md', 'base/trainer_state.json']);
    const [checkpoint] = checkpoints;
    const header = weights.length - 16 - 12;
    expect(checkpoint).toMatchObject({ name: 'base', path: 'base', parameters: 11, bytes: weights.length });
    expect(checkpoint!.tensors).toEqual([
      { name: 'a', dtype: 'F32', shape: [3], elements: 3, shard: 0, begin: header, end: header + 12 },
      { name: 'b', dtype: 'BF16', shape: [2, 4], elements: 8, shard: 0, begin: header + 12, end: header + 28 },
    ]);
    expect(checkpoint!.shards).toMatchObject([{ file: { path: 'base/model.safetensors' }, headerBytes: header, metadata: { format: 'pt' } }]);
    expect(checkpoint!.config).toEqual({ modelType: 'llama', architecture: 'LlamaForCausalLM', hiddenSize: 8, layers: 2, vocabulary: 384, tieWordEmbeddings: true });
    expect(checkpoint!.sidecars.map(({ path }) => path)).toEqual(['chat_template.jinja', 'config.json', 'merges.txt', 'tokenizer.json', 'tokenizer.model'].map((name) => `base/${name}`));
  });

  it('opens shards with an index, shards without, loose files and nested folders together, in any order of the files', async () => {
    const { files, open } = folderOf({
      [`runs/indexed/${S2}`]: shard('b'),
      'loose.safetensors': shard('x'),
      [`runs/numbered/${S1}`]: shard('a'),
      [`runs/indexed/${INDEX}`]: indexOf({ [S1]: ['a'], [S2]: ['b'] }),
      [`runs/indexed/${S1}`]: shard('a'),
      'runs/deep/er/model.safetensors': shard('x'),
      [`runs/numbered/${S2}`]: shard('b', 'c'),
      'runs/merges/one.safetensors': shard('x'),
      'runs/merges/two.safetensors': shard('x'),
    });
    const forwards = await openCheckpoints(files, open);
    expect(summary(forwards)).toEqual([
      ['loose', '', 1, 1],
      ['er', 'runs/deep/er', 1, 1],
      ['indexed', 'runs/indexed', 2, 2],
      ['one', 'runs/merges', 1, 1],
      ['two', 'runs/merges', 1, 1],
      ['numbered', 'runs/numbered', 2, 3],
    ]);
    expect(forwards.checkpoints[2]!.tensors.map(({ name, shard: index }) => [name, index])).toEqual([['a', 0], ['b', 1]]);
    expect(forwards.problems).toEqual([]);
    expect(forwards.ignored).toEqual([]);
    expect(await openCheckpoints([...files].reverse(), open)).toEqual(forwards);
  });

  it('prefers model.safetensors to an index, as transformers does, and lists what it ignores', async () => {
    const opened = await openAll({
      'm/model.safetensors': shard('x'),
      [`m/${S1}`]: shard('a'),
      [`m/${INDEX}`]: indexOf({ [S1]: ['a'] }),
      'm/consolidated.safetensors': shard('x'),
    });
    expect(summary(opened)).toEqual([['m', 'm', 1, 1]]);
    expect(opened.ignored).toEqual(['m/consolidated.safetensors', `m/${S1}`, `m/${INDEX}`]);
  });

  it('takes loose files one by one, also beside a loose model.safetensors', async () => {
    expect(summary(await openAll({ 'model.safetensors': shard('x'), 'sft.safetensors': shard('x'), [S1]: shard('y') }))).toEqual([['model', '', 1, 1], ['sft', '', 1, 1]]);
  });

  it('lets the index decide which of several sets of shards counts', async () => {
    const opened = await openAll({
      [`m/${S1}`]: shard('a'),
      [`m/${S2}`]: shard('b'),
      'm/model-00001-of-00005.safetensors': shard('old'),
      [`m/${INDEX}`]: indexOf({ [S1]: ['a'], [S2]: ['b'] }),
    });
    expect(summary(opened)).toEqual([['m', 'm', 2, 2]]);
    expect(opened.ignored).toEqual(['m/model-00001-of-00005.safetensors']);
  });

  it('leaves hidden files out, and counts a path given twice once', async () => {
    const { files, open } = folderOf({ 'm/model.safetensors': shard('x'), 'm/._model.safetensors': text('mac'), 'm/.cache/a.safetensors': text('x') });
    const opened = await openCheckpoints([...files, { ...files[0]!, id: 'again' }], open);
    expect(summary(opened)).toEqual([['m', 'm', 1, 1]]);
    expect(opened.checkpoints[0]!.shards[0]!.file.id).toBe('again');
    expect([opened.problems, opened.ignored]).toEqual([[], []]);
  });
});

describe('refusals name what is wrong and stop nothing else', () => {
  const good = { 'good/model.safetensors': shard('x') };
  const one = async (contents: Parameters<typeof folderOf>[0]) => {
    const opened = await openAll({ ...contents, ...good });
    expect(summary(opened)).toEqual([['good', 'good', 1, 1]]);
    expect(opened.problems.length).toBe(1);
    const { file, error } = opened.problems[0]!;
    return { file, code: error.code, reason: error.reason, ...error.where };
  };

  it('a malformed file', async () => {
    expect(await one({ 'bad/model.safetensors': text('version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 99\n') })).toMatchObject({ file: 'bad/model.safetensors', reason: 'is-lfs-pointer', expected: 99 });
  });

  it('every malformed shard of a checkpoint at once', async () => {
    const opened = await openAll({ [`bad/${S1}`]: text('x'), [`bad/${S2}`]: new Uint8Array(0), ...good });
    expect(summary(opened)).toEqual([['good', 'good', 1, 1]]);
    expect(faults(opened)).toEqual([[`bad/${S1}`, 'too-short'], [`bad/${S2}`, 'is-empty']]);
  });

  it('shards missing by their numbers', async () => {
    expect(await one({ 'bad/model-00002-of-00004.safetensors': shard('a') })).toEqual({
      file: 'bad', code: 'malformed-file', reason: 'missing-shards', expected: 4, actual: 1,
      names: ['model-00001-of-00004.safetensors', 'model-00003-of-00004.safetensors', 'model-00004-of-00004.safetensors'],
    });
  });

  it('shards missing: the first of them are in the message', () => {
    expect([someOf(['a']), someOf(['a', 'b', 'c', 'd', 'e'])]).toEqual(['a', 'a, b, c and 2 more']);
    expect(someOf(['x'.repeat(1e6)]).length).toBe(100);
  });

  it('shards missing by the index', async () => {
    expect(await one({ [`bad/${S1}`]: shard('a'), [`bad/${INDEX}`]: indexOf({ [S1]: ['a'], [S2]: ['b'] }) })).toEqual({
      file: `bad/${INDEX}`, code: 'malformed-file', reason: 'missing-shards', expected: 2, actual: 1, names: [S2],
    });
  });

  it('more shards than the cap, without listing them', async () => {
    expect(await one({ 'bad/model-00001-of-10001.safetensors': shard('a') })).toMatchObject({ reason: 'too-many-shards', expected: 10_000, actual: 10_001 });
  });

  it('a tensor in two shards', async () => {
    expect(await one({ [`bad/${S1}`]: shard('a', 'b'), [`bad/${S2}`]: shard('b', 'c') })).toEqual({
      file: `bad/${S2}`, code: 'malformed-file', reason: 'tensor-in-two-shards', names: ['b'], expected: S1, actual: S2,
    });
  });

  it('an index that names tensors the shard lacks, or another shard', async () => {
    expect(await one({ [`bad/${S1}`]: shard('a'), [`bad/${S2}`]: shard('b'), [`bad/${INDEX}`]: indexOf({ [S1]: ['a', 'gone'], [S2]: ['b'] }) })).toMatchObject({ file: `bad/${INDEX}`, reason: 'index-tensors-absent', names: ['gone'] });
    expect(await one({ [`bad/${S1}`]: shard('a'), [`bad/${S2}`]: shard('b'), [`bad/${INDEX}`]: indexOf({ [S1]: ['b'], [S2]: ['a'] }) })).toMatchObject({ reason: 'index-tensors-absent', names: ['a', 'b'] });
  });

  it('an index that lacks tensors of the shards', async () => {
    expect(await one({ [`bad/${S1}`]: shard('a', '__proto__'), [`bad/${INDEX}`]: indexOf({ [S1]: ['a'] }) })).toMatchObject({ file: `bad/${INDEX}`, reason: 'index-lacks-tensors', names: ['__proto__'] });
  });

  it('an index that is malformed or leaves its folder', async () => {
    expect(await one({ [`bad/${S1}`]: shard('a'), [`bad/${INDEX}`]: text('{"weight_map":{"a":"../good/model.safetensors"}}') })).toMatchObject({ reason: 'index-file-not-plain', tensor: 'a', actual: '../good/model.safetensors' });
  });

  it('a folder with other weights only', async () => {
    for (const [name, reason] of [['model-Q4_K_M.gguf', 'weights-gguf'], ['tf_model.h5', 'weights-tensorflow'], ['flax_model.msgpack', 'weights-flax'], ['model.onnx', 'weights-onnx'], ['params.npz', 'weights-not-safetensors']]) {
      expect(await one({ [`bad/${name}`]: text('x'), 'bad/config.json': text('{}') })).toMatchObject({ file: `bad/${name}`, reason, names: [name] });
    }
  });

  it('a file whose size has changed since it was given, and a source that cannot be opened', async () => {
    const { files, open } = folderOf({ 'a/model.safetensors': shard('x'), 'b/model.safetensors': shard('x'), ...good });
    const grown = files.map((file, i) => (i === 0 ? { ...file, size: file.size + 1 } : file));
    const opened = await openCheckpoints(grown, (file) => (file.path.startsWith('b/') ? Promise.reject(new Error('gone')) : open(file)));
    expect(summary(opened)).toEqual([['good', 'good', 1, 1]]);
    expect(opened.problems.map(({ file, error }) => [file, error.code, error.reason])).toEqual([['a/model.safetensors', 'source-changed', 'size-changed'], ['b/model.safetensors', 'internal', 'unexpected']]);
  });

  it('reports an unreadable config.json once, and opens the checkpoints beside it without it', async () => {
    for (const config of ['{"a":NaN}', '[]', '']) {
      const opened = await openAll({ 'm/one.safetensors': shard('x'), 'm/two.safetensors': shard('x'), 'm/config.json': text(config) });
      expect(opened.checkpoints.map((checkpoint) => checkpoint.config)).toEqual([{}, {}]);
      expect(faults(opened)).toEqual([['m/config.json', 'config-unreadable']]);
    }
  });
});

describe('reading', () => {
  it('reads each shard once, twice when its header is longer than the first read, and never its payload beyond that', async () => {
    const large = { name: 'w', dtype: 'BF16' as const, shape: [1000, 1000] };
    const long = shard(large, ...Array.from({ length: 2000 }, (_, i) => `model.layers.${i}.weight`));
    const { files, open, reads } = folderOf({ [`m/${S1}`]: shard({ ...large, name: 'v' }), [`m/${S2}`]: long });
    const { checkpoints } = await openCheckpoints(files, open);
    const header = checkpoints[0]!.shards[1]!.headerBytes;
    expect(header).toBeGreaterThan(FIRST_READ_BYTES);
    expect(reads.get(`m/${S1}`)).toEqual([[0, FIRST_READ_BYTES]]);
    expect(reads.get(`m/${S2}`)).toEqual([[0, FIRST_READ_BYTES], [FIRST_READ_BYTES, header]]);
  });

  it('reads no sidecar but config.json', async () => {
    const { files, open, reads } = folderOf({ 'm/model.safetensors': shard('x'), 'm/config.json': text('{}'), 'm/tokenizer.json': text('{}') });
    await openCheckpoints(files, open);
    expect([...reads.keys()].sort()).toEqual(['m/config.json', 'm/model.safetensors']);
  });
});

describe('identity and names', () => {
  it('gives siblings with equal headers and sizes one fingerprint and two ids', async () => {
    const { files, open } = folderOf({ 'ct-1/model.safetensors': shard('x'), 'ct-2/model.safetensors': shard('x') });
    const { checkpoints } = await openCheckpoints(files.map((file) => ({ ...file, modified: 7 })), open);
    const [a, b] = checkpoints;
    expect(a!.fingerprint).toMatch(/^[0-9a-f]{64}$/);
    expect(a!.id).toMatch(/^[0-9a-f]{16}$/);
    expect(b!.fingerprint).toBe(a!.fingerprint);
    expect(b!.id).not.toBe(a!.id);
  });

  it('changes the id with the time, and the fingerprint with a header or a size', async () => {
    const open = async (bytes: Uint8Array<ArrayBuffer>, modified: number) => {
      const { files, open: source } = folderOf({ 'm/model.safetensors': bytes });
      return (await openCheckpoints([{ ...files[0]!, modified }], source)).checkpoints[0]!;
    };
    const first = await open(shard('x'), 1);
    expect(await open(shard('x'), 1)).toEqual(first);
    const touched = await open(shard('x'), 2);
    expect([touched.fingerprint === first.fingerprint, touched.id === first.id]).toEqual([true, false]);
    const renamed = await open(shard('y'), 1);
    expect([renamed.fingerprint === first.fingerprint, renamed.id === first.id]).toEqual([false, false]);
  });

  it.each([
    [['a/sft', 'b/sft', 'base'], ['a/sft', 'b/sft', 'base']],
    [['x/a/m', 'y/a/m'], ['x/a/m', 'y/a/m']],
    [['hub/models--org--name--x/snapshots/0123456789abcdef'], ['org/name--x']],
    [['hub/models--gpt2/snapshots/0123'], ['gpt2']],
    [['models--o--n/snapshots/0123456789', 'models--o--n/snapshots/abcdefghij'], ['o/n@0123456', 'o/n@abcdefg']],
    [['m', 'a/m'], ['m', 'a/m']],
  ])('names the folders %s', async (folders, names) => {
    const { checkpoints } = await openAll(Object.fromEntries(folders.map((folder) => [`${folder}/model.safetensors`, shard('x')])));
    expect(checkpoints.map(({ name }) => name).sort()).toEqual(names.sort());
  });
});
