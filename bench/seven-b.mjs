/**
 * Three checkpoints with the 291 tensors and shapes of Llama-2-7B in BF16, 13.5 GB each, as sparse files: they take no room until
 * something is written into them. Headers are real. Content is a seeded pattern of half a million values that repeats over every
 * tensor, written only around the places that `fill` is told of; everything else reads as zero.
 */
import { closeSync, ftruncateSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const LAYERS = 32;
const HIDDEN = 4096;
const INTERMEDIATE = 11008;
const VOCABULARY = 32000;
/** Elements after which the content of a tensor repeats. */
const PATTERN = 2 ** 19;

/** Number of shards, and how far the model is from the base: |tau| of some permille of |theta|, as after training. */
export const FAMILY = [
  { name: 'base-7b', shards: 2, distance: 0 },
  { name: 'sft-7b', shards: 3, distance: 0.0004 },
  { name: 'ct-7b', shards: 2, distance: 0.001 },
];

function tensors() {
  const layer = (n) => {
    const own = `model.layers.${n}.`;
    return [
      ...['q', 'k', 'v', 'o'].map((which) => [`${own}self_attn.${which}_proj.weight`, [HIDDEN, HIDDEN]]),
      [`${own}mlp.gate_proj.weight`, [INTERMEDIATE, HIDDEN]],
      [`${own}mlp.up_proj.weight`, [INTERMEDIATE, HIDDEN]],
      [`${own}mlp.down_proj.weight`, [HIDDEN, INTERMEDIATE]],
      [`${own}input_layernorm.weight`, [HIDDEN]],
      [`${own}post_attention_layernorm.weight`, [HIDDEN]],
    ];
  };
  return [
    ['model.embed_tokens.weight', [VOCABULARY, HIDDEN]],
    ...Array.from({ length: LAYERS }, (_, n) => layer(n)).flat(),
    ['model.norm.weight', [HIDDEN]],
    ['lm_head.weight', [VOCABULARY, HIDDEN]],
  ].map(([name, shape]) => ({ name, shape, bytes: 2 * shape.reduce((product, dimension) => product * dimension, 1) }));
}

/** Files of one checkpoint: `{file, header, tensors: [{name, begin, end}]}`, offsets from the start of the file. */
function layOut(shards) {
  const all = tensors();
  const total = all.reduce((sum, { bytes }) => sum + bytes, 0);
  const groups = Array.from({ length: shards }, () => []);
  let before = 0;
  for (const tensor of all) {
    groups[Math.min(shards - 1, Math.floor((before * shards) / total))].push(tensor);
    before += tensor.bytes;
  }
  return groups.map((group, i) => {
    let at = 0;
    const entries = group.map(({ name, shape, bytes }) => {
      const entry = { name, shape, begin: at, end: at + bytes };
      at += bytes;
      return entry;
    });
    const json = JSON.stringify({
      __metadata__: { format: 'pt' },
      ...Object.fromEntries(entries.map(({ name, shape, begin, end }) => [name, { dtype: 'BF16', shape, data_offsets: [begin, end] }])),
    });
    const padded = Buffer.from(json.padEnd(Math.ceil(json.length / 8) * 8));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(padded.length));
    const header = Buffer.concat([length, padded]);
    const file = `model-${String(i + 1).padStart(5, '0')}-of-${String(shards).padStart(5, '0')}.safetensors`;
    return { file, header, size: header.length + at, tensors: entries.map(({ name, begin, end }) => ({ name, begin: header.length + begin, end: header.length + end })) };
  });
}

/** Makes the family under `root`; `files` tells `fill` what lies where. */
export function createFamily(root) {
  const files = [];
  for (const [index, { name, shards }] of FAMILY.entries()) {
    const folder = join(root, name);
    mkdirSync(folder, { recursive: true });
    const layout = layOut(shards);
    for (const shard of layout) {
      const path = join(folder, shard.file);
      const descriptor = openSync(path, 'w');
      writeSync(descriptor, shard.header);
      ftruncateSync(descriptor, shard.size);
      closeSync(descriptor);
      files.push({ path, model: index, relative: `${name}/${shard.file}`, ...shard });
    }
    const map = Object.fromEntries(layout.flatMap(({ file, tensors: own }) => own.map((tensor) => [tensor.name, file])));
    writeFileSync(join(folder, 'model.safetensors.index.json'), JSON.stringify({ metadata: {}, weight_map: map }));
    const config = { architectures: ['LlamaForCausalLM'], model_type: 'llama', hidden_size: HIDDEN, num_hidden_layers: LAYERS, vocab_size: VOCABULARY, torch_dtype: 'bfloat16' };
    writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  }
  return { files, bytes: files.reduce((sum, { size }) => sum + size, 0) };
}

/**
 * Writes content where `reads` ({file, size, begin, end} of any checkpoint's shards) fell and `margin` bytes around, at the same
 * places of the same tensors in every checkpoint. Returns the bytes written.
 */
export function fill(files, reads, margin) {
  const wanted = new Map();
  for (const { file, size, begin, end } of reads) {
    // Configuration and index files are read as well.
    const read = files.find((one) => one.file === file && one.size === size);
    for (const tensor of read?.tensors ?? []) {
      const from = Math.max(tensor.begin, begin - margin) - tensor.begin;
      const to = Math.min(tensor.end, end + margin) - tensor.begin;
      if (from < to) wanted.set(tensor.name, [...(wanted.get(tensor.name) ?? []), [from, to]]);
    }
  }
  const patterns = FAMILY.map(({ distance }, model) => pattern(model, distance));
  let written = 0;
  for (const { path, model, tensors: own } of files) {
    const descriptor = openSync(path, 'r+');
    for (const { name, begin } of own) {
      for (const [from, to] of joined(wanted.get(name) ?? [])) written += put(descriptor, patterns[model], begin + from, begin + to, from);
    }
    closeSync(descriptor);
  }
  return written;
}

/** Overlapping ranges as one. */
function joined(ranges) {
  const result = [];
  for (const [from, to] of ranges.toSorted((a, b) => a[0] - b[0])) {
    const last = result.at(-1);
    if (last && from <= last[1]) last[1] = Math.max(last[1], to);
    else result.push([from, to]);
  }
  return result;
}

function put(descriptor, content, from, to, offset) {
  for (let at = from; at < to; ) {
    const start = (offset + at - from) % content.length;
    const length = Math.min(to - at, content.length - start);
    writeSync(descriptor, content, start, length, at);
    at += length;
  }
  return to - from;
}

/** BF16 values of one model: those of the base, and a change of its own. */
function pattern(model, distance) {
  const base = normals(1);
  const change = normals(2 + model);
  const bits = new Uint32Array(new Float32Array(PATTERN).map((_, i) => base[i] * 0.02 + change[i] * distance).buffer);
  return Buffer.from(Uint16Array.from(bits, (word) => (word + 0x7fff + ((word >>> 16) & 1)) >>> 16).buffer);
}

/** Seeded standard normals: sums of twelve uniform numbers, less six. */
function normals(seed) {
  let state = (seed * 0x9e3779b9) >>> 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return Float32Array.from({ length: PATTERN }, () => {
    let sum = -6;
    for (let i = 0; i < 12; i++) sum += uniform();
    return sum;
  });
}
