/**
 * Synthetic checkpoint families with the shapes of real ones: base, sft and ct, as folders of safetensors shards that the studio
 * opens like any other. Made once into a cache folder; the same bytes on every machine.
 */
import { createWriteStream, existsSync, mkdirSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Of llama-like models: hidden and intermediate size, layers, rows of the key and value projections, vocabulary. */
export const FAMILIES = {
  '160m': { hidden: 768, intermediate: 3072, layers: 12, keyRows: 768, vocabulary: 32_000 },
  '1.1b': { hidden: 2048, intermediate: 5632, layers: 22, keyRows: 256, vocabulary: 32_000 },
  '7b': { hidden: 4096, intermediate: 11_008, layers: 32, keyRows: 4096, vocabulary: 32_000 },
  '8b': { hidden: 4096, intermediate: 14_336, layers: 32, keyRows: 1024, vocabulary: 128_256 },
};
export const MODELS = ['base', 'sft', 'ct'];

const MIB = 2 ** 20;
/** Real values, repeated over the payload: long enough that no cache of the processor holds them. */
const BLOCK_BYTES = 64 * MIB;
/** Payload bytes of a shard, as the hub's uploads have them. */
const SHARD_BYTES = 5e9;
/**
 * Deviations of a trained 7B: weights 0.02, a fine-tuning 0.0004, a continual pre-training 0.0008, so that a share of the
 * differences rounds to zero and thousands tie at the threshold.
 */
const DEVIATIONS = { base: 0, sft: 0.0004, ct: 0.0008 };

/** [name, shape] of every tensor, in UTF-8 byte order of names. */
export function tensorsOf({ hidden, intermediate, layers, keyRows, vocabulary }) {
  const tensors = [
    ['lm_head.weight', [vocabulary, hidden]],
    ['model.embed_tokens.weight', [vocabulary, hidden]],
    ['model.norm.weight', [hidden]],
  ];
  for (let layer = 0; layer < layers; layer++) {
    const of = (module, shape) => tensors.push([`model.layers.${layer}.${module}.weight`, shape]);
    of('input_layernorm', [hidden]);
    of('mlp.down_proj', [hidden, intermediate]);
    of('mlp.gate_proj', [intermediate, hidden]);
    of('mlp.up_proj', [intermediate, hidden]);
    of('post_attention_layernorm', [hidden]);
    of('self_attn.k_proj', [keyRows, hidden]);
    of('self_attn.o_proj', [hidden, hidden]);
    of('self_attn.q_proj', [hidden, hidden]);
    of('self_attn.v_proj', [keyRows, hidden]);
  }
  return tensors.sort(([a], [b]) => (a < b ? -1 : 1));
}

const elementsOf = (shape) => shape.reduce((product, n) => product * n, 1);

export function parametersOf(family) {
  return tensorsOf(FAMILIES[family]).reduce((sum, [, shape]) => sum + elementsOf(shape), 0);
}

/** Of one value in private storage, and what the browser keeps beside it. */
const OUTPUT_BYTES = 2.2;

/** Bytes of disk that merging a family takes: three inputs, and one output at a time, since a raw copy's is removed before a merge begins. */
export function diskBytesOf(family) {
  return (2 * MODELS.length + OUTPUT_BYTES) * parametersOf(family);
}

/** Tensors shard by shard. */
function shardsOf(tensors) {
  const shards = [[]];
  let bytes = 0;
  for (const [name, shape] of tensors) {
    const own = 2 * elementsOf(shape);
    if (bytes > 0 && bytes + own > SHARD_BYTES) {
      shards.push([]);
      bytes = 0;
    }
    shards.at(-1).push({ name, shape, begin: bytes, end: bytes + own });
    bytes += own;
  }
  return shards;
}

function headerOf(tensors) {
  const entries = tensors.map(({ name, shape, begin, end }) => [name, { dtype: 'BF16', shape, data_offsets: [begin, end] }]);
  const text = JSON.stringify({ __metadata__: { format: 'pt' }, ...Object.fromEntries(entries) });
  const padded = text.padEnd(Math.ceil(text.length / 8) * 8);
  const header = Buffer.alloc(8 + padded.length);
  header.writeBigUInt64LE(BigInt(padded.length));
  header.write(padded, 8);
  return header;
}

/** Counter-based 32-bit generator (the finaliser of MurmurHash3). */
function mixed(seed, counter) {
  let h = (seed ^ Math.imul(counter + 1, 0x9e3779b1)) >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** About normal with deviation 1: the sum of the four bytes of one draw, centred and scaled. */
function aboutNormal(seed, counter) {
  const h = mixed(seed, counter);
  return ((h & 255) + ((h >>> 8) & 255) + ((h >>> 16) & 255) + (h >>> 24) - 510) / 147.8;
}

/** BF16 values of one model; all models have the same base under them, at the same places. */
function blockOf(model) {
  const words = new Uint16Array(BLOCK_BYTES / 2);
  const value = new Float32Array(1);
  const bits = new Uint32Array(value.buffer);
  for (let i = 0; i < words.length; i++) {
    value[0] = 0.02 * aboutNormal(1, i) + DEVIATIONS[model] * aboutNormal(1 + MODELS.indexOf(model), i);
    // To nearest even.
    words[i] = (bits[0] + 0x7fff + ((bits[0] >>> 16) & 1)) >>> 16;
  }
  return new Uint8Array(words.buffer);
}

const written = (stream, bytes) => new Promise((resolve, reject) => stream.write(bytes, (error) => (error ? reject(error) : resolve())));

async function writeShard(path, tensors, block) {
  const stream = createWriteStream(path);
  await written(stream, headerOf(tensors));
  const end = tensors.at(-1).end;
  for (let at = 0; at < end; at += block.length) await written(stream, block.subarray(0, Math.min(block.length, end - at)));
  await new Promise((resolve, reject) => stream.end((error) => (error ? reject(error) : resolve())));
}

/** Throws when the disk has no room for `bytes`. */
function checkRoom(folder, bytes) {
  const { bavail, bsize } = statfsSync(folder);
  if (bavail * bsize >= bytes) return;
  const gigabytes = (n) => `${(n / 1e9).toFixed(1)} GB`;
  throw new Error(`${folder}: ${gigabytes(bytes)} are needed and ${gigabytes(bavail * bsize)} are free. Give another folder with --cache.`);
}

/**
 * Folder of a family in `cache`, made when it is not there. Resolves to the paths of every model's files; rejects before anything
 * is written where the disk is too small for it and an output.
 */
export async function makeFamily(family, cache) {
  const shape = FAMILIES[family];
  const shards = shardsOf(tensorsOf(shape));
  const fileOf = (i) => (shards.length === 1 ? 'model.safetensors' : `model-${String(i + 1).padStart(5, '0')}-of-${String(shards.length).padStart(5, '0')}.safetensors`);
  const names = ['config.json', 'tokenizer.json', ...(shards.length === 1 ? [] : ['model.safetensors.index.json']), ...shards.map((_, i) => fileOf(i))];
  const paths = Object.fromEntries(MODELS.map((model) => [model, names.map((name) => join(cache, family, model, name))]));
  const missing = MODELS.filter((model) => !existsSync(join(cache, family, model, 'complete')));
  mkdirSync(cache, { recursive: true });
  checkRoom(cache, diskBytesOf(family) - (MODELS.length - missing.length) * 2 * parametersOf(family));
  for (const model of missing) {
    const folder = join(cache, family, model);
    mkdirSync(folder, { recursive: true });
    const block = blockOf(model);
    for (const [i, tensors] of shards.entries()) await writeShard(join(folder, fileOf(i)), tensors, block);
    const config = {
      architectures: ['LlamaForCausalLM'],
      model_type: 'llama',
      hidden_size: shape.hidden,
      intermediate_size: shape.intermediate,
      num_hidden_layers: shape.layers,
      vocab_size: shape.vocabulary,
      torch_dtype: 'bfloat16',
    };
    writeFileSync(join(folder, 'config.json'), JSON.stringify(config, null, 2));
    writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify({ version: '1.0', model: { type: 'BPE', vocab: {}, merges: [] } }));
    if (shards.length > 1) {
      const weight_map = Object.fromEntries(shards.flatMap((tensors, i) => tensors.map(({ name }) => [name, fileOf(i)])));
      const index = { metadata: { total_size: 2 * parametersOf(family) }, weight_map };
      writeFileSync(join(folder, 'model.safetensors.index.json'), JSON.stringify(index));
    }
    writeFileSync(join(folder, 'complete'), '');
  }
  return paths;
}
