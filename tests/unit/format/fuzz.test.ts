/** Whatever the bytes: a MalformedFileError, or a header that keeps every rule of the format. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DTYPES, dtypeBits } from '../../../src/bytes/dtypes';
import { MalformedFileError } from '../../../src/bytes/errors';
import { MemorySource } from '../../../src/bytes/source';
import { readHeader } from '../../../src/format/safetensors/header';
import type { SafetensorsHeader } from '../../../src/format/safetensors/header';
import { parseIndex } from '../../../src/format/safetensors/index-file';
import { layOutShard } from '../../../src/format/safetensors/writer';
import { fileOf } from './files';

/** Checks a header against the file by other means: JSON.parse, and the rules written out. */
function checkRules(header: SafetensorsHeader, bytes: Uint8Array): void {
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  expect(header.headerBytes).toBe(8 + length);
  const json = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes.subarray(8, 8 + length));
  const parsed = JSON.parse(json) as Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }>;
  const names = new Set(header.tensors.map(({ name }) => name));
  expect(names.size).toBe(header.tensors.length);
  // JSON.parse keeps `__proto__` as an own key.
  expect(new Set(Object.keys(parsed).filter((name) => name !== '__metadata__'))).toEqual(names);
  let end = header.headerBytes;
  for (const tensor of header.tensors) {
    const written = Object.getOwnPropertyDescriptor(parsed, tensor.name)!.value as (typeof parsed)[string];
    expect(Object.keys(written).sort()).toEqual(['data_offsets', 'dtype', 'shape']);
    expect([written.dtype, written.shape]).toEqual([tensor.dtype, tensor.shape]);
    expect(written.data_offsets.map((offset) => offset + header.headerBytes)).toEqual([tensor.begin, tensor.end]);
    expect(tensor.begin).toBe(end);
    expect((tensor.end - tensor.begin) * 8).toBe(tensor.elements * dtypeBits(tensor.dtype));
    end = tensor.end;
  }
  expect(end).toBe(bytes.length);
}

/** Whether the bytes were accepted. */
async function check(bytes: Uint8Array<ArrayBuffer>): Promise<boolean> {
  let header: SafetensorsHeader;
  try {
    header = await readHeader(new MemorySource('fuzz', bytes));
  } catch (error) {
    expect(error).toBeInstanceOf(MalformedFileError);
    return false;
  }
  checkRules(header, bytes);
  return true;
}

const name = fc.oneof(fc.constantFrom('a', 'b', '__proto__', '', '\u0000', '__metadata__', 'model.norm.weight'), fc.string({ unit: 'grapheme', maxLength: 6 }));
const value = fc.oneof(fc.nat(40), fc.constantFrom(-1, 2 ** 53, 1.5, null, true, 'F32', [], {}, [[1]]));
const dimensions = fc.array(fc.oneof({ weight: 8, arbitrary: fc.nat(5) }, { weight: 1, arbitrary: value }), { maxLength: 3 });
const anEntry = fc.record(
  { dtype: fc.constantFrom(...DTYPES, 'F12', 7), shape: dimensions, data_offsets: fc.array(fc.nat(40), { minLength: 1, maxLength: 3 }), x: value },
  { requiredKeys: ['dtype', 'shape', 'data_offsets'] },
);
const member = fc.tuple(name, fc.oneof({ weight: 9, arbitrary: anEntry }, { weight: 1, arbitrary: value }));

/** A shard that is right, to be damaged. */
const shard = fc
  .record({
    tensors: fc.uniqueArray(
      fc.record({ name: name.filter((text) => text !== '__metadata__'), dtype: fc.constantFrom('F32', 'BF16', 'U8', 'I64' as const), shape: fc.array(fc.nat(4), { maxLength: 3 }) }),
      { maxLength: 4, selector: (tensor) => tensor.name },
    ),
    metadata: fc.dictionary(fc.string({ maxLength: 4 }), fc.string({ maxLength: 4 }), { maxKeys: 2 }),
  })
  .map(({ tensors, metadata }) => {
    const { header, payloadBytes } = layOutShard('fuzz', tensors as Parameters<typeof layOutShard>[1], metadata);
    const bytes = new Uint8Array(header.length + payloadBytes);
    bytes.set(header);
    return bytes;
  });

describe('readHeader', () => {
  it('keeps every rule on structured headers, right and wrong', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(member, { maxLength: 3 }), fc.nat(60), async (members, payload) => {
        await check(fileOf(`{${members.map(([key, content]) => `${JSON.stringify(key)}:${JSON.stringify(content)}`).join(',')}}`, payload));
      }),
      { numRuns: 2000 },
    );
  });

  it('accepts undamaged shards, and keeps every rule when bytes are changed, inserted and cut', async () => {
    const damage = fc.array(fc.record({ kind: fc.constantFrom('set', 'insert', 'cut'), where: fc.double({ min: 0, max: 1, noNaN: true }), byte: fc.oneof(fc.nat(255), fc.constantFrom(...new TextEncoder().encode('{}[]",:\\0129e-. '))) }), { maxLength: 3 });
    let accepted = 0;
    await fc.assert(
      fc.asyncProperty(shard, damage, fc.boolean(), async (bytes, changes, keepLength) => {
        const damaged = [...bytes];
        for (const { kind, where, byte } of changes) {
          // Mostly in the header: the payload has no rules.
          const at = 8 + Math.floor(where * (damaged.length - 8));
          if (kind === 'set') damaged[at] = byte;
          else if (kind === 'insert') damaged.splice(at, 0, byte);
          else damaged.splice(at, 1);
        }
        const result = new Uint8Array(damaged);
        // Half of the time the prefix follows the damage, so that more than the extent is tested.
        if (!keepLength) {
          const delta = BigInt(result.length - bytes.length);
          const view = new DataView(result.buffer);
          view.setBigUint64(0, view.getBigUint64(0, true) + delta, true);
        }
        const ok = await check(result);
        if (changes.length === 0) expect(ok).toBe(true);
        if (ok) accepted++;
      }),
      { numRuns: 3000 },
    );
    // Both sides of the property have been exercised.
    expect(accepted).toBeGreaterThan(300);
    expect(accepted).toBeLessThan(2900);
  });

  it('survives bytes at random', async () => {
    await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 64 }), async (bytes) => void (await check(new Uint8Array(bytes)))), { numRuns: 1000 });
  });
});

describe('parseIndex', () => {
  it('gives plain names or a MalformedFileError for any JSON and any bytes', () => {
    const inputs = fc.oneof(
      fc.json().map((json) => new TextEncoder().encode(json)),
      fc.record({ metadata: fc.jsonValue(), weight_map: fc.dictionary(name, fc.oneof(fc.string(), fc.constant('model.safetensors'))) }).map((index) => new TextEncoder().encode(JSON.stringify(index))),
      fc.uint8Array({ maxLength: 40 }),
    );
    let accepted = 0;
    fc.assert(
      fc.property(inputs, (bytes) => {
        try {
          for (const file of parseIndex(bytes, 'i').weightMap.values()) expect(file).toMatch(/^[^/\\:]+\.safetensors$/);
          accepted++;
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedFileError);
        }
      }),
      { numRuns: 2000 },
    );
    expect(accepted).toBeGreaterThan(20);
  });
});
