/** placeOf: the names of the common families, one line a tensor. */
import { describe, expect, it } from 'vitest';
import { isVocabulary, layerCount, placeOf } from '../../../src/checkpoint/places';

describe('placeOf', () => {
  it.each([
    // Llama, Mistral, Qwen, Gemma
    ['model.embed_tokens.weight', null, 'embed'],
    ['model.layers.11.self_attn.q_proj.weight', 11, 'q'],
    ['model.layers.11.self_attn.k_proj.bias', 11, 'k'],
    ['model.layers.0.self_attn.v_proj.weight', 0, 'v'],
    ['model.layers.0.self_attn.o_proj.weight', 0, 'o'],
    ['model.layers.0.mlp.gate_proj.weight', 0, 'gate'],
    ['model.layers.0.mlp.up_proj.weight', 0, 'up'],
    ['model.layers.0.mlp.down_proj.weight', 0, 'down'],
    ['model.layers.0.input_layernorm.weight', 0, 'norm'],
    ['model.layers.0.post_attention_layernorm.weight', 0, 'norm'],
    ['model.layers.0.pre_feedforward_layernorm.weight', 0, 'norm'],
    ['model.layers.0.self_attn.q_norm.weight', 0, 'norm'],
    ['model.layers.0.self_attn.rotary_emb.inv_freq', 0, 'other'],
    ['model.norm.weight', null, 'norm'],
    ['lm_head.weight', null, 'lm_head'],
    // GPT-2
    ['wte.weight', null, 'embed'],
    ['transformer.wpe.weight', null, 'embed'],
    ['transformer.h.3.ln_1.bias', 3, 'norm'],
    ['h.3.attn.c_attn.weight', 3, 'other'],
    ['h.3.attn.bias', 3, 'other'],
    ['h.3.attn.c_proj.weight', 3, 'o'],
    ['h.3.mlp.c_fc.weight', 3, 'up'],
    ['h.3.mlp.c_proj.weight', 3, 'down'],
    ['ln_f.weight', null, 'norm'],
    // GPT-NeoX, Falcon, BLOOM
    ['gpt_neox.embed_in.weight', null, 'embed'],
    ['gpt_neox.layers.5.attention.query_key_value.weight', 5, 'other'],
    ['gpt_neox.layers.5.attention.dense.weight', 5, 'o'],
    ['gpt_neox.layers.5.mlp.dense_h_to_4h.bias', 5, 'up'],
    ['gpt_neox.layers.5.mlp.dense_4h_to_h.weight', 5, 'down'],
    ['gpt_neox.final_layer_norm.weight', null, 'norm'],
    ['embed_out.weight', null, 'lm_head'],
    ['transformer.h.2.self_attention.dense.weight', 2, 'o'],
    ['transformer.h.2.ln_attn.weight', 2, 'norm'],
    ['word_embeddings.weight', null, 'embed'],
    ['word_embeddings_layernorm.weight', null, 'norm'],
    // BERT, RoBERTa
    ['bert.embeddings.word_embeddings.weight', null, 'embed'],
    ['bert.embeddings.LayerNorm.gamma', null, 'norm'],
    ['bert.encoder.layer.4.attention.self.query.weight', 4, 'q'],
    ['bert.encoder.layer.4.attention.self.key.bias', 4, 'k'],
    ['bert.encoder.layer.4.attention.self.value.weight', 4, 'v'],
    ['bert.encoder.layer.4.attention.output.dense.weight', 4, 'o'],
    ['bert.encoder.layer.4.attention.output.LayerNorm.weight', 4, 'norm'],
    ['bert.encoder.layer.4.intermediate.dense.weight', 4, 'up'],
    ['bert.encoder.layer.4.output.dense.weight', 4, 'down'],
    ['bert.pooler.dense.weight', null, 'other'],
    ['cls.predictions.decoder.weight', null, 'lm_head'],
    ['cls.predictions.bias', null, 'lm_head'],
    ['cls.predictions.transform.dense.weight', null, 'other'],
    ['lm_head.dense.weight', null, 'other'],
    // OPT, Phi
    ['model.decoder.layers.7.self_attn.out_proj.weight', 7, 'o'],
    ['model.decoder.layers.7.fc1.weight', 7, 'up'],
    ['model.decoder.layers.7.fc2.bias', 7, 'down'],
    ['model.decoder.layers.7.self_attn_layer_norm.weight', 7, 'norm'],
    ['model.decoder.embed_positions.weight', null, 'embed'],
    ['model.layers.1.self_attn.dense.weight', 1, 'o'],
    ['model.layers.1.mlp.fc1.weight', 1, 'up'],
    ['model.layers.1.self_attn.qkv_proj.weight', 1, 'other'],
    ['model.layers.1.mlp.gate_up_proj.weight', 1, 'other'],
    // T5, Mixtral, InternLM2, Meta
    ['encoder.block.2.layer.0.SelfAttention.q.weight', 2, 'q'],
    ['decoder.block.2.layer.1.EncDecAttention.o.weight', 2, 'o'],
    ['decoder.block.2.layer.2.DenseReluDense.wi_0.weight', 2, 'gate'],
    ['decoder.block.2.layer.2.DenseReluDense.wo.weight', 2, 'down'],
    ['shared.weight', null, 'embed'],
    ['model.layers.3.block_sparse_moe.experts.7.w1.weight', 3, 'gate'],
    ['model.layers.3.block_sparse_moe.experts.7.w2.weight', 3, 'down'],
    ['model.layers.3.block_sparse_moe.gate.weight', 3, 'other'],
    ['model.layers.3.mlp.experts.12.up_proj.weight', 3, 'up'],
    ['model.layers.3.mlp.shared_expert_gate.weight', 3, 'other'],
    ['model.layers.3.feed_forward.w3.weight', 3, 'up'],
    ['layers.3.attention.wo.weight', 3, 'o'],
    ['output.weight', null, 'lm_head'],
    // Quantised companions, other modalities, names that say nothing
    ['model.layers.0.self_attn.q_proj.qweight', 0, 'q'],
    ['model.layers.0.mlp.down_proj.weight_scale_inv', 0, 'down'],
    ['model.visual.blocks.3.mlp.fc1.weight', null, 'other'],
    ['vision_tower.vision_model.encoder.layers.3.self_attn.q_proj.weight', null, 'other'],
    ['model.layers.99999.mlp.up_proj.weight', null, 'other'],
    ['__proto__', null, 'other'],
    ['model.layers.0.constructor', 0, 'other'],
    ['', null, 'other'],
  ])('%s', (name, layer, module) => expect(placeOf(name)).toEqual({ layer, module }));

  it('counts layers from the highest, 0 without any', () => {
    expect(layerCount(['model.layers.0.mlp.up_proj.weight', 'model.layers.31.mlp.up_proj.weight', 'lm_head.weight'])).toBe(32);
    expect(layerCount(['vision_tower.encoder.layers.40.fc1.weight', 'lm_head.weight'])).toBe(0);
  });

  it('knows which tensors have the vocabulary as rows', () => {
    expect(['model.embed_tokens.weight', 'lm_head.weight', 'lm_head.bias', 'wte.weight'].map(isVocabulary)).toEqual([true, true, true, true]);
    expect(['wpe.weight', 'bert.embeddings.position_embeddings.weight', 'bert.embeddings.token_type_embeddings.weight', 'model.norm.weight'].map(isVocabulary)).toEqual([false, false, false, false]);
  });
});
