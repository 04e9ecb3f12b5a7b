/**
 * Where a tensor sits in the network, read from its name as Llama, Mistral, Qwen, Gemma, Phi, GPT-2, GPT-NeoX, Falcon,
 * BLOOM, MPT, OPT, BERT, RoBERTa, T5, Mixtral, InternLM2 and Meta's own files name it. Fused projections (`c_attn`, `query_key_value`,
 * `qkv_proj`, `Wqkv`, `gate_up_proj`) hold several modules in one tensor and count as `other`, as do routers, buffers and
 * the encoders of images and sound.
 */
import type { ModuleKind, TensorPlace } from './types';

/** Last parts that name a parameter of a module, not a module; quantised companions included. */
const PARAMETER = /^(?:weight|bias|gamma|beta|qweight|qzeros|scales|g_idx|weight_\w+)$/;
const OTHER_MODALITY = /^(?:vision|visual|audio|image|speech|multi_modal_projector|mm_projector)/;
const LAYER_LIST = new Set(['layers', 'layer', 'h', 'blocks', 'block']);
const NORM = /norm|^ln(?:_|\d|$)/i;
const EMBEDDING = /^(?:embed_tokens|embed_in|embed_positions|wte|wpe|word_embeddings|position_embeddings|token_type_embeddings|tok_embeddings|shared|embeddings?)$/;
const ATTENTION = /att/i;
const FEED_FORWARD = /^(?:mlp|ffn|feed_forward|fc|\w*experts?|\d+|denserelu\w*|densegated\w*)$/i;

/** Modules inside a layer by the last part of the name alone. */
const BY_LEAF: Readonly<Record<string, ModuleKind>> = {
  q_proj: 'q', query: 'q', wq: 'q', q_lin: 'q',
  k_proj: 'k', key: 'k', wk: 'k', k_lin: 'k',
  v_proj: 'v', value: 'v', wv: 'v', v_lin: 'v',
  o_proj: 'o', out_proj: 'o', out_lin: 'o',
  gate_proj: 'gate', wi_0: 'gate',
  up_proj: 'up', fc1: 'up', c_fc: 'up', dense_h_to_4h: 'up', wi: 'up', wi_1: 'up', lin1: 'up',
  down_proj: 'down', fc2: 'down', dense_4h_to_h: 'down', lin2: 'down',
};
/** By the last part, where the part before it is attention. */
const IN_ATTENTION: Readonly<Record<string, ModuleKind>> = { q: 'q', k: 'k', v: 'v', o: 'o', wo: 'o', c_proj: 'o', dense: 'o' };
/** By the last part, where the part before it is a feed-forward block or an expert of one. */
const IN_FEED_FORWARD: Readonly<Record<string, ModuleKind>> = { w1: 'gate', w2: 'down', w3: 'up', wo: 'down', c_proj: 'down' };

/** Layer and module of a tensor; `other` and null for names that say nothing. */
export function placeOf(name: string): TensorPlace {
  const parts = name.split('.');
  if (parts.some((part) => OTHER_MODALITY.test(part))) return { layer: null, module: 'other' };
  const layer = layerOf(parts);
  if (parts.length > 1 && PARAMETER.test(parts.at(-1)!)) parts.pop();
  return { layer, module: moduleOf(parts, layer !== null) };
}

/** Number of layers: one more than the highest; 0 when no name has any. */
export function layerCount(names: Iterable<string>): number {
  let count = 0;
  for (const name of names) {
    const { layer } = placeOf(name);
    if (layer !== null && layer >= count) count = layer + 1;
  }
  return count;
}

/** Whether a tensor's rows (or values, for a bias) are the vocabulary: its number may differ between checkpoints (merging.md section 10). */
export function isVocabulary(name: string): boolean {
  const { module } = placeOf(name);
  return module === 'lm_head' || (module === 'embed' && !/wpe|position|token_type/.test(name));
}

function layerOf(parts: readonly string[]): number | null {
  const at = parts.findIndex((part, i) => LAYER_LIST.has(part) && /^\d{1,4}$/.test(parts[i + 1] ?? ''));
  return at < 0 ? null : Number(parts[at + 1]);
}

function moduleOf(parts: readonly string[], inLayer: boolean): ModuleKind {
  const leaf = parts.at(-1) ?? '';
  const parent = parts.at(-2) ?? '';
  if (NORM.test(leaf)) return 'norm';
  if (inLayer) return moduleInLayer(leaf, parent, parts.at(-3) ?? '');
  if (EMBEDDING.test(leaf)) return 'embed';
  if (leaf === 'lm_head' || leaf === 'embed_out' || (leaf === 'output' && parts.length === 1)) return 'lm_head';
  // BERT's and RoBERTa's heads: the decoder and its bias, not the dense layer before it.
  if (leaf === 'decoder' && (parent === 'predictions' || parent === 'lm_head')) return 'lm_head';
  return leaf === 'predictions' ? 'lm_head' : 'other';
}

function moduleInLayer(leaf: string, parent: string, grandparent: string): ModuleKind {
  if (Object.hasOwn(BY_LEAF, leaf)) return BY_LEAF[leaf]!;
  if (ATTENTION.test(parent) && Object.hasOwn(IN_ATTENTION, leaf)) return IN_ATTENTION[leaf]!;
  if (FEED_FORWARD.test(parent) && Object.hasOwn(IN_FEED_FORWARD, leaf)) return IN_FEED_FORWARD[leaf]!;
  // BERT: attention.output.dense, intermediate.dense, output.dense.
  if (leaf === 'dense' && parent === 'output') return ATTENTION.test(grandparent) ? 'o' : 'down';
  return leaf === 'dense' && parent === 'intermediate' ? 'up' : 'other';
}
