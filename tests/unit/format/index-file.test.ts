/** The shard index, read and written (faults.md A 16 to 18). */
import { describe, expect, it } from 'vitest';
import { MalformedFileError } from '../../../src/bytes/errors';
import { encodeIndex, parseIndex } from '../../../src/format/safetensors/index-file';
import { layOutShard } from '../../../src/format/safetensors/writer';

const parse = (text: string) => parseIndex(new TextEncoder().encode(text), 'dir/model.safetensors.index.json');
function refusal(text: string): [string, unknown, string | undefined] {
  try {
    parse(text);
  } catch (error) {
    if (!(error instanceof MalformedFileError)) throw error;
    expect(error.where.file).toBe('dir/model.safetensors.index.json');
    return [error.reason, error.where.actual, error.where.tensor];
  }
  throw new Error('accepted');
}

describe('parseIndex', () => {
  it('reads the map, whatever the metadata, also without it', () => {
    const map = '"weight_map": {"__proto__": "a.safetensors", "\\u0062": "model-00001-of-00002.safetensors"}';
    for (const text of [`{${map}}`, `{"metadata": {"total_size": 1.5e10, "x": [null, {"y": false}]}, ${map}}`, `{${map}, "metadata": null, "extra": true}`]) {
      expect([...parse(text).weightMap]).toEqual([['__proto__', 'a.safetensors'], ['b', 'model-00001-of-00002.safetensors']]);
    }
  });

  it.each(['../a.safetensors', '/x.safetensors', 'C:x.safetensors', '\\\\\\\\s\\\\x.safetensors', 'a/b.safetensors', 'model.bin', 'https://h/a.safetensors', '.safetensors', '', 'a\\u0000.safetensors', `${'a'.repeat(250)}.safetensors`])(
    'refuses the file %s',
    (file) => {
      expect(refusal(`{"weight_map":{"t":"${file}"}}`)).toEqual(['index-file-not-plain', JSON.parse(`"${file}"`), 't']);
    },
  );

  it.each([
    ['{}', 'index-no-weight-map', undefined],
    ['[]', 'json-not-object', 'array'],
    ['{"weight_map":[]}', 'index-weight-map-not-object', 'array'],
    ['{"weight_map":{"t":1}}', 'index-file-not-string', 'number'],
    ['{"weight_map":{},"weight_map":{}}', 'duplicate-field', 'weight_map'],
    ['{"metadata":01,"weight_map":{}}', 'json-syntax', '01'],
    ['{"metadata":NaN,"weight_map":{}}', 'json-syntax', '`N` at byte 12'],
    ['{"weight_map":{}} x', 'json-trailing', '`x` at byte 18'],
    ['', 'is-empty', undefined],
  ])('refuses %s', (text, reason, actual) => {
    expect(refusal(text).slice(0, 2)).toEqual([reason, actual]);
  });

  it('refuses a tensor listed twice, by name', () => {
    expect(refusal('{"weight_map":{"t":"a.safetensors","\\u0074":"b.safetensors"}}')).toEqual(['duplicate-tensor', undefined, 't']);
  });

  it('skips 32 levels and refuses the 33rd; 100,000 do not overflow the stack', () => {
    const nested = (depth: number) => `{"metadata":${'['.repeat(depth)}1${']'.repeat(depth)},"weight_map":{}}`;
    expect(parse(nested(32)).weightMap.size).toBe(0);
    expect(refusal(nested(33))[0]).toBe('json-too-deep');
    expect(refusal(nested(100_000))[0]).toBe('json-too-deep');
  });

  it('has caps: 10,000 shards, 200,000 tensors, 25,000,000 bytes', () => {
    const map = (count: number, file: (i: number) => string) => `{"weight_map":{${Array.from({ length: count }, (_, i) => `"${i}":"${file(i)}.safetensors"`).join(',')}}}`;
    expect(parse(map(10_000, (i) => `${i}`)).weightMap.size).toBe(10_000);
    expect(refusal(map(10_001, (i) => `${i}`))[0]).toBe('index-too-many-shards');
    expect(parse(map(200_000, () => 'a')).weightMap.size).toBe(200_000);
    expect(refusal(map(200_001, () => 'a'))[0]).toBe('too-many-entries');
    expect(parse('{"weight_map":{}}'.padEnd(25_000_000)).weightMap.size).toBe(0);
    expect(refusal('{"weight_map":{}}'.padEnd(25_000_001))).toEqual(['index-too-large', 25_000_001, undefined]);
  });
});

describe('encodeIndex', () => {
  it('writes total_size without headers and the map in UTF-8 order, and reads back', () => {
    const shards = [
      layOutShard('model-00001-of-00002.safetensors', [{ name: '__proto__', dtype: 'F32', shape: [3] }, { name: '10', dtype: 'BF16', shape: [1] }], {}),
      layOutShard('model-00002-of-00002.safetensors', [{ name: '9"', dtype: 'F32', shape: [2, 2] }], {}),
    ];
    const text = encodeIndex(shards);
    expect(text).toBe(
      '{\n  "metadata": {\n    "total_size": 30\n  },\n  "weight_map": {\n' +
        '    "10": "model-00001-of-00002.safetensors",\n' +
        '    "9\\"": "model-00002-of-00002.safetensors",\n' +
        '    "__proto__": "model-00001-of-00002.safetensors"\n  }\n}\n',
    );
    expect(parse(text).weightMap).toEqual(
      new Map([['10', 'model-00001-of-00002.safetensors'], ['9"', 'model-00002-of-00002.safetensors'], ['__proto__', 'model-00001-of-00002.safetensors']]),
    );
    expect(JSON.parse(encodeIndex([]))).toEqual({ metadata: { total_size: 0 }, weight_map: {} });
  });
});
