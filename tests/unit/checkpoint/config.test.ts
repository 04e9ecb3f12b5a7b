/** parseConfig: lenient, and never more than the fields it knows. */
import { describe, expect, it } from 'vitest';
import { MAX_CONFIG_BYTES, parseConfig } from '../../../src/checkpoint/config';
import { text } from './folder';

describe('parseConfig', () => {
  it.each([
    ['{"model_type":"gpt2","n_embd":768,"n_layer":12,"vocab_size":50257}', { modelType: 'gpt2', hiddenSize: 768, layers: 12, vocabulary: 50257 }],
    ['{"model_type":"llava","text_config":{"model_type":"llama","hidden_size":4096,"num_hidden_layers":32}}', { modelType: 'llava', hiddenSize: 4096, layers: 32 }],
    ['{"model_type":7,"architectures":[],"hidden_size":"8","vocab_size":-1,"tie_word_embeddings":null}', {}],
    ['{"architectures":["A","B"],"tie_word_embeddings":false,"num_hidden_layers":1.5}', { architecture: 'A', tieWordEmbeddings: false }],
    ['{"__proto__":{"vocab_size":3}}', {}],
  ])('%s', (config, expected) => expect(parseConfig(text(config))).toEqual(expected));

  it('gives null for what is no JSON object, is not UTF-8, is nested beyond reason or too large', () => {
    for (const config of ['', '[]', 'null', '{"a":NaN}', '{']) expect(parseConfig(text(config))).toBe(null);
    expect(parseConfig(Uint8Array.of(0x7b, 0xff, 0x7d))).toBe(null);
    expect(parseConfig(text('['.repeat(100_000)))).toBe(null);
    expect(parseConfig(text('{}'.padEnd(MAX_CONFIG_BYTES)))).toEqual({});
    expect(parseConfig(text('{}'.padEnd(MAX_CONFIG_BYTES + 1)))).toBe(null);
  });
});
