import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { adaptConfig } from '../../../src/export/config';
import type { ConfigFacts } from '../../../src/export/config';
import { setMember } from '../../../src/export/json-edit';

const NOTHING: ConfigFacts = { dtype: null, vocabulary: null, tied: undefined };
const adapt = (text: string, facts: Partial<ConfigFacts>) => adaptConfig(new TextEncoder().encode(text), { ...NOTHING, ...facts });

/** As transformers writes it: floats that JSON.parse would turn into integers or other spellings. */
const LLAMA = `{
  "architectures": [
    "LlamaForCausalLM"
  ],
  "rms_norm_eps": 1e-05,
  "rope_theta": 10000.0,
  "torch_dtype": "float16",
  "vocab_size": 32000
}
`;

describe('config.json of the merged model', () => {
  it('changes dtype and vocabulary and keeps every other byte', () => {
    expect(adapt(LLAMA, { dtype: 'BF16', vocabulary: 32016 })).toEqual({
      text: LLAMA.replace('"float16"', '"bfloat16"').replace('32000', '32016'),
      changes: [
        { field: 'torch_dtype', from: 'float16', to: 'bfloat16' },
        { field: 'vocab_size', from: 32000, to: 32016 },
      ],
    });
  });

  it('is the same bytes when nothing differs', () => {
    expect(adapt(LLAMA, { dtype: 'F16', vocabulary: 32000 })).toEqual({ text: LLAMA, changes: [] });
    expect(adapt(LLAMA, {})).toEqual({ text: LLAMA, changes: [] });
  });

  it('writes the dtype under the name the source uses, both where it has both', () => {
    expect(adapt('{"dtype":"float32"}', { dtype: 'BF16' })?.text).toBe('{"dtype":"bfloat16"}');
    expect(adapt('{"dtype":"float32","torch_dtype":"float32"}', { dtype: 'F16' })?.text).toBe('{"dtype":"float16","torch_dtype":"float16"}');
    expect(adapt('{"dtype":"float32","torch_dtype":"float16"}', { dtype: 'F16' })?.changes).toEqual([{ field: 'dtype', from: 'float32', to: 'float16' }]);
  });

  it('adds the older name where there is none, indented like the rest', () => {
    expect(adapt('{\n    "a": 1\n}', { dtype: 'F32' })?.text).toBe('{\n    "a": 1,\n    "torch_dtype": "float32"\n}');
    expect(adapt('{}', { dtype: 'F32' })?.text).toBe('{"torch_dtype": "float32"}');
  });

  it('changes the nested configs of a multimodal model where they speak of it', () => {
    const text = '{"text_config":{"vocab_size":10,"torch_dtype":"float32"},"vision_config":{"dtype":"float32"},"audio_config":{}}';
    const result = adapt(text, { dtype: 'BF16', vocabulary: 12, tied: true });
    expect(JSON.parse(result!.text)).toEqual({
      text_config: { vocab_size: 12, torch_dtype: 'bfloat16', tie_word_embeddings: true },
      vision_config: { dtype: 'bfloat16' },
      audio_config: {},
      torch_dtype: 'bfloat16',
    });
  });

  it('adds a vocabulary size that only the class knew', () => {
    expect(adapt('{"model_type": "llama"}', { vocabulary: 32016 })).toEqual({
      text: '{"model_type": "llama","vocab_size": 32016}',
      changes: [{ field: 'vocab_size', from: undefined, to: 32016 }],
    });
  });

  it.each(['', '[]', 'null', '"x"', '{', '{"a":1}}'])('gives up on %j', (text) => {
    expect(adapt(text, { dtype: 'F32' })).toBeNull();
  });

  it('gives up on bytes that are not UTF-8', () => {
    expect(adaptConfig(new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), NOTHING)).toBeNull();
  });
});

describe('setMember', () => {
  it('is not misled by strings, escapes and nesting', () => {
    const text = '{"a":"}\\",\\"v\\": 1","b":[{"v":1},"]"],"v" : {"v":[1]} , "c":-1e5}';
    expect(setMember(text, ['v'], 2)).toBe('{"a":"}\\",\\"v\\": 1","b":[{"v":1},"]"],"v" : 2 , "c":-1e5}');
    expect(setMember(text, ['v', 'v'], 'x')).toBe(text.replace('{"v":[1]}', '{"v":"x"}'));
    expect(setMember('{"\\u0076":1}', ['v'], 2)).toBe('{"\\u0076":2}');
  });

  it('changes the last of members with one name, which readers take', () => {
    expect(setMember('{"v":1,"v":2}', ['v'], 3)).toBe('{"v":1,"v":3}');
  });

  it('agrees with parsing, setting and printing', () => {
    const object = fc.dictionary(fc.string(), fc.jsonValue());
    fc.assert(
      fc.property(object, fc.string(), fc.oneof(fc.string(), fc.boolean(), fc.integer()), fc.constantFrom(undefined, 2), (value, name, put, indent) => {
        const text = JSON.stringify(value, null, indent);
        const expected: unknown = JSON.parse(text);
        Object.defineProperty(expected, name, { value: put, enumerable: true, configurable: true, writable: true });
        expect(JSON.parse(setMember(text, [name], put))).toEqual(expected);
      }),
    );
  });
});
