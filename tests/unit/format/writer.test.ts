/** layOutShard: the reference's order and padding, and what is written reads back (faults.md "Writing", A 12 to 14). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DTYPES, dtypeBits, dtypeRank } from '../../../src/bytes/dtypes';
import { MalformedFileError } from '../../../src/bytes/errors';
import { MemorySource } from '../../../src/bytes/source';
import { compareUtf8 } from '../../../src/bytes/utf8';
import { readHeader } from '../../../src/format/safetensors/header';
import { layOutShard } from '../../../src/format/safetensors/writer';
import type { NewTensor } from '../../../src/format/safetensors/writer';
import type { OutputShard } from '../../../src/merge/plan-types';

const HOSTILE = ['__proto__', 'constructor', '', '\u0000', '"', '\\', "'", '../x', '<img onerror>', '\u2028', '\ud83d\ude00', '\uffff', 'n'.repeat(100_000)];

const whole = ({ header, payloadBytes }: OutputShard): Uint8Array<ArrayBuffer> => {
  const bytes = new Uint8Array(header.length + payloadBytes);
  bytes.set(header);
  return bytes;
};
const reason = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    if (error instanceof MalformedFileError) return error.reason;
    throw error;
  }
  return 'accepted';
};

describe('layOutShard', () => {
  it('writes metadata first, dtypes descending, then names in UTF-8 order, padded with spaces', () => {
    const shard: OutputShard = layOutShard(
      'model.safetensors',
      [
        { name: 'b', dtype: 'BF16', shape: [2] },
        { name: '\uffff', dtype: 'F32', shape: [] },
        { name: '\u{10000}', dtype: 'F32', shape: [] },
        { name: 'a', dtype: 'BF16', shape: [1, 3] },
        { name: 'i', dtype: 'I64', shape: [1] },
      ],
      { recipe: 'x', format: 'mlx' },
    );
    const json =
      '{"__metadata__":{"format":"pt","recipe":"x"},' +
      '"i":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},' +
      '"\uffff":{"dtype":"F32","shape":[],"data_offsets":[8,12]},' +
      '"\u{10000}":{"dtype":"F32","shape":[],"data_offsets":[12,16]},' +
      '"a":{"dtype":"BF16","shape":[1,3],"data_offsets":[16,22]},' +
      '"b":{"dtype":"BF16","shape":[2],"data_offsets":[22,26]}}';
    const encoded = new TextEncoder().encode(json);
    expect(new TextDecoder().decode(shard.header.subarray(8))).toBe(json + ' '.repeat((8 - (encoded.length % 8)) % 8));
    expect(shard.header.length % 8).toBe(0);
    expect(Number(new DataView(shard.header.buffer).getBigUint64(0, true))).toBe(shard.header.length - 8);
    expect(shard.payloadBytes).toBe(26);
    expect(shard.tensors.map(({ name, begin, end }) => [name, begin, end])).toEqual([['i', 0, 8], ['\uffff', 8, 12], ['\u{10000}', 12, 16], ['a', 16, 22], ['b', 22, 26]]);
  });

  it('round-trips any shard through readHeader', async () => {
    const tensor = fc.record({
      name: fc.oneof(fc.constantFrom(...HOSTILE), fc.string({ unit: 'binary', maxLength: 12 })).filter((name) => name !== '__metadata__'),
      dtype: fc.constantFrom(...DTYPES),
      shape: fc.array(fc.nat(5), { maxLength: 4 }),
    });
    const tensors = fc.uniqueArray(tensor, { selector: ({ name }) => name, maxLength: 12 }).map((list) => list.filter(({ dtype, shape }) => (shape.reduce((a, b) => a * b, 1) * dtypeBits(dtype)) % 8 === 0));
    const metadata = fc.array(fc.tuple(fc.oneof(fc.constantFrom(...HOSTILE), fc.string({ unit: 'binary' })), fc.string({ unit: 'binary' })), { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(tensors, metadata, async (list, pairs) => {
        const given = Object.assign(Object.create(null) as Record<string, string>, {});
        for (const [key, value] of pairs) given[key] = value;
        const shard = layOutShard('s', list, given);
        const header = await readHeader(new MemorySource('s', whole(shard)));
        const byOrder = (a: NewTensor, b: NewTensor) => dtypeRank(b.dtype) - dtypeRank(a.dtype) || compareUtf8(a.name, b.name);
        expect(shard.tensors.map(({ name, dtype, shape }) => ({ name, dtype, shape }))).toEqual([...list].sort(byOrder));
        const placed = shard.tensors.map(({ name, begin, end }) => [name, begin + shard.header.length, end + shard.header.length] as const);
        // Tensors without bytes share an offset with the next, so compare by name.
        expect(new Map(header.tensors.map(({ name, begin, end }) => [name, [begin, end]]))).toEqual(new Map(placed.map(([name, begin, end]) => [name, [begin, end]])));
        expect(header.tensors.map(({ name }) => name)).toEqual(placed.map(([name]) => name));
        expect(Object.entries(header.metadata).sort()).toEqual(Object.entries({ ...given, ['format']: 'pt' }).sort());
      }),
      { numRuns: 500 },
    );
  });

  it('refuses what it could not read back', () => {
    const one = (tensor: NewTensor, metadata: Record<string, string> = {}) => reason(() => layOutShard('s', [tensor], metadata));
    const fine: NewTensor = { name: 't', dtype: 'F32', shape: [2] };
    expect(one(fine)).toBe('accepted');
    expect(one({ ...fine, name: '__metadata__' })).toBe('reserved-name');
    expect(one({ ...fine, name: '\ud800' })).toBe('name-not-unicode');
    expect(one(fine, { a: '\udc00b' })).toBe('name-not-unicode');
    expect(one(fine, { a: 1 as unknown as string })).toBe('metadata-not-string');
    expect(one({ ...fine, shape: [1.5] })).toBe('shape-not-writable');
    expect(one({ ...fine, shape: [-1] })).toBe('shape-not-writable');
    expect(one({ ...fine, shape: [2 ** 52, 2 ** 10] })).toBe('size-overflow');
    expect(one({ ...fine, shape: [2 ** 52] })).toBe('size-overflow');
    expect(one({ ...fine, dtype: 'F4', shape: [3] })).toBe('bits-not-bytes');
    expect(one({ ...fine, name: 'n'.repeat(25_000_000) })).toBe('header-too-large');
    expect(reason(() => layOutShard('s', [fine, fine], {}))).toBe('duplicate-tensor');
    expect(reason(() => layOutShard('s', Array.from({ length: 200_001 }, (_, i) => ({ ...fine, name: `${i}` })), {}))).toBe('too-many-entries');
  });

  it('writes a shard without tensors', async () => {
    const shard = layOutShard('s', [], {});
    expect(new TextDecoder().decode(shard.header.subarray(8))).toBe('{"__metadata__":{"format":"pt"}}');
    expect((await readHeader(new MemorySource('s', whole(shard)))).tensors).toEqual([]);
  });
});
