/** readHeader beyond the reference corpus: faults.md A 1 to 15, one rule a test, with the numbers of each refusal. */
import { describe, expect, it } from 'vitest';
import { MalformedFileError } from '../../../src/bytes/errors';
import { DTYPES, dtypeBits } from '../../../src/bytes/dtypes';
import { readHeader } from '../../../src/format/safetensors/header';
import type { SafetensorsHeader } from '../../../src/format/safetensors/header';
import { FIRST_READ_BYTES, MAX_ENTRIES, MAX_HEADER_BYTES } from '../../../src/format/safetensors/limits';
import { CountingSource, entry, fileOf } from './files';

const open = (bytes: Uint8Array<ArrayBuffer>): Promise<SafetensorsHeader> => readHeader(new CountingSource('f.safetensors', bytes));

async function refusal(bytes: Uint8Array<ArrayBuffer>, claimed?: number): Promise<[string, unknown, unknown, string | undefined]> {
  const error: unknown = await readHeader(new CountingSource('f.safetensors', bytes, claimed)).catch((caught: unknown) => caught);
  if (!(error instanceof MalformedFileError)) throw new Error(`not refused: ${String(error)}`);
  return [error.reason, error.where.expected, error.where.actual, error.where.tensor];
}

const text = (content: string) => new TextEncoder().encode(content);

describe('reading', () => {
  it('returns payload order, file offsets, shapes and the header bytes', async () => {
    const bytes = fileOf(`{"b":${entry('F16', '[2,3]', 4, 16).slice(4)},"a":${entry('F32', '[]', 0, 4).slice(4)},"__metadata__":{"k":"v"}}`, 16);
    const header = await open(bytes);
    const start = bytes.length - 16;
    expect(header.tensors).toEqual([
      { name: 'a', dtype: 'F32', shape: [], elements: 1, begin: start, end: start + 4 },
      { name: 'b', dtype: 'F16', shape: [2, 3], elements: 6, begin: start + 4, end: start + 16 },
    ]);
    expect(header.headerBytes).toBe(start);
    expect(header.raw).toEqual(bytes.slice(0, start));
    expect({ ...header.metadata }).toEqual({ k: 'v' });
  });

  it('reads a header within the first 64 KiB once, a longer one twice, without a gap or an overlap', async () => {
    const short = new CountingSource('s', fileOf(`{${entry('U8', '[9]', 0, 9)}}`, 9));
    await readHeader(short);
    expect(short.reads).toEqual([[0, short.size]]);

    const padded = `{${entry('U8', '[9]', 0, 9)}}`.padEnd(FIRST_READ_BYTES, ' ');
    const long = new CountingSource('l', fileOf(padded, 9));
    const header = await readHeader(long);
    expect(long.reads).toEqual([[0, FIRST_READ_BYTES], [FIRST_READ_BYTES, FIRST_READ_BYTES + 8]]);
    expect(header.raw).toEqual(fileOf(padded));
  });

  it('never reads what the length prefix claims before checking it against cap and file (faults.md A 1)', async () => {
    for (const [length, claimed] of [[2n ** 63n, 1e12], [25_000_001n, 1e12], [70n, 70]] as const) {
      const source = new CountingSource('f', fileOf('{}', 60, length), claimed);
      // The claimed file is longer than what is there, so only the first read can be served.
      Object.defineProperty(source, 'read', {
        value: (begin: number, end: number) => {
          source.reads.push([begin, end]);
          return Promise.resolve(fileOf('{}', 60, length).slice(begin, end));
        },
      });
      await expect(readHeader(source)).rejects.toBeInstanceOf(MalformedFileError);
      expect(source.reads).toEqual([[0, Math.min(claimed, FIRST_READ_BYTES)]]);
    }
  });

  it('keeps hostile names and metadata keys as data (faults.md A 12)', async () => {
    const names = ['__proto__', 'constructor', '', '\u0000', '../x', '<img onerror>', 'toString', '\u{1f600}', 'x'.repeat(1_000_000)];
    const entries = names.map((name) => `${JSON.stringify(name)}:{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`);
    const metadata = names.map((name) => `${JSON.stringify(name)}:"v"`);
    const header = await open(fileOf(`{"__metadata__":{${metadata.join(',')}},${entries.join(',')}}`));
    expect(header.tensors.map(({ name }) => name)).toEqual(names);
    expect(Object.keys(header.metadata)).toEqual(names);
    expect(Object.getPrototypeOf(header.metadata)).toBe(null);
  });

  it('unescapes every escape JSON has', async () => {
    const header = await open(fileOf('{"\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\u20AC\\ud83d\\ude00é":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}'));
    expect(header.tensors[0]!.name).toBe('"\\/\b\f\n\r\té€😀é');
  });

  it('accepts each of the 22 dtypes at its size and no other size', async () => {
    for (const dtype of DTYPES) {
      const size = dtypeBits(dtype); // 8 values
      const header = await open(fileOf(`{${entry(dtype, '[8]', 0, size)}}`, size));
      expect(header.tensors[0]).toMatchObject({ dtype, elements: 8 });
      expect(await refusal(fileOf(`{${entry(dtype, '[8]', 0, size + 1)}}`, size + 1))).toEqual(['size-mismatch', size, size + 1, 't']);
    }
  });

  it('sorts an empty tensor before the one that begins where it lies, however they are written', async () => {
    const header = await open(fileOf(`{${entry('U8', '[4]', 0, 4, 'full')},${entry('U8', '[0]', 0, 0, 'empty')}}`, 4));
    expect(header.tensors.map(({ name }) => name)).toEqual(['empty', 'full']);
  });

  it('accepts `__metadata__: null`, zero-size tensors that share an offset, and white space in every place', async () => {
    const spaced = ' \n{ "__metadata__" : null ,\t"a" : { "dtype" : "F32" , "shape" : [ 0 , 3 ] , "data_offsets" : [ 0 , 0 ] } , "b":{"shape":[0],"data_offsets":[0,0],"dtype":"I64"} }\r\n ';
    const header = await open(fileOf(spaced));
    expect(header.tensors.map(({ name, elements }) => [name, elements])).toEqual([['a', 0], ['b', 0]]);
    expect(header.metadata).toEqual(Object.create(null));
  });
});

describe('impostors are named (faults.md A 2)', () => {
  const pointer = 'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 13476839424\n';
  it.each([
    ['is-empty', new Uint8Array(0)],
    ['is-lfs-pointer', text(pointer)],
    ['is-html', text('<!DOCTYPE html><html><head><title>Sign in</title>')],
    ['is-html', text('\n  <html lang="en">and so on')],
    ['is-pickle', Uint8Array.of(0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20)],
    ['is-zip', Uint8Array.of(0x50, 0x4b, 3, 4, 0, 0, 8, 8, 0, 0, 0, 0)],
    ['is-gguf', Uint8Array.of(0x47, 0x47, 0x55, 0x46, 3, 0, 0, 0, 1, 0, 0, 0)],
    ['is-pdf', text('%PDF-1.7\n%and so on')],
  ] as const)('%s', async (reason, bytes) => {
    expect((await refusal(new Uint8Array(bytes)))[0]).toBe(reason);
  });

  it('says what an LFS pointer promises and what is there', async () => {
    expect(await refusal(text(pointer))).toEqual(['is-lfs-pointer', 13476839424, pointer.length, undefined]);
  });

  it('does not look for impostors in a file with a true length prefix', async () => {
    // N = 0x0280 begins as a pickle does: PROTO, version 2.
    const header = await open(fileOf('{}'.padEnd(0x0280)));
    expect(header.raw.slice(0, 2)).toEqual(Uint8Array.of(0x80, 2));
  });
});

describe('both numbers of each refusal', () => {
  it.each([
    ['too-short', new Uint8Array(7), [8, 7]],
    ['header-empty', fileOf('', 2), [undefined, 0]],
    ['header-too-large', fileOf('{}', 0, 25_000_001n), [MAX_HEADER_BYTES, 25_000_001]],
    ['header-too-large', fileOf('{}', 0, 2n ** 63n), [MAX_HEADER_BYTES, '9223372036854775808']],
    ['header-exceeds-file', fileOf('{}', 0, 3n), [11, 10]],
    ['not-utf8', fileOf(Uint8Array.of(0x7b, 0x22, 0xc0, 0x80)), [undefined, 10]],
    ['json-bom', fileOf('\ufeff{}'), [undefined, undefined]],
    ['json-trailing', fileOf('{}\u0000\u0000'), ['the end', '0x00 at byte 10']],
    ['json-syntax', fileOf('{"a":{"dtype":"F32",}}'), ['a name in double quotes', '`}` at byte 28', 'a']],
    ['json-syntax', fileOf('{,}'), ['a name in double quotes', '`,` at byte 9']],
    ['json-syntax', fileOf('{"a" {}}'), ['`:`', '`{` at byte 13']],
    ['json-syntax', fileOf('{"a":{"shape":[1 2]}}'), ['`,` or `]`', '`2` at byte 25', 'a']],
    ['json-escape', fileOf('{"\\udc00":{}}'), [undefined, 'byte 10']],
    ['json-escape', fileOf('{"\\ud800\\u0041":{}}'), [undefined, 'byte 10']],
    ['json-escape', fileOf('{"\\ud800\\ue000":{}}'), [undefined, 'byte 10']],
    ['json-escape', fileOf('{"\\udc00\\udc00":{}}'), [undefined, 'byte 10']],
    ['json-escape', fileOf('{"\\u00g0":{}}'), [undefined, 'byte 10']],
    ['json-truncated', fileOf('{"\\'), [undefined, 'byte 11']],
    ['json-control-character', fileOf('{"\\n\u0001":{}}'), [undefined, '0x01 at byte 12']],
    ['duplicate-metadata', fileOf('{"__metadata__":{},"__metadata__":{}}'), [undefined, '__metadata__']],
    ['duplicate-metadata', fileOf('{"__metadata__":null,"__metadata__":null}'), [undefined, '__metadata__']],
    ['duplicate-metadata', fileOf('{"__metadata__":{"__proto__":"a","__proto__":"b"}}'), [undefined, '__proto__']],
    ['dtype-unknown', fileOf(`{${entry('F8_E3M4', '[1]', 0, 1)}}`, 1), [undefined, 'F8_E3M4', 't']],
    ['offsets-not-two-integers', fileOf(`{"t":{"dtype":"U8","shape":[1],"data_offsets":[0,1,2]}}`, 1), [2, 3, 't']],
    ['integer-too-large', fileOf(`{${entry('U8', '[9007199254740992]', 0, 8)}}`, 8), [2 ** 53 - 1, '9007199254740992', 't']],
    ['size-mismatch', fileOf(`{${entry('U8', '[9007199254740991]', 0, 8)}}`, 8), [2 ** 53 - 1, 8, 't']],
    // 2^40 * 2^40 is over 64 bits although the factor 0 follows; 2^40 * 2^20 is not, and then the tensor is empty.
    ['size-overflow', fileOf(`{${entry('U8', '[1099511627776,1099511627776,0]', 0, 0)}}`), [undefined, '[1099511627776, 1099511627776, 0]', 't']],
    ['size-overflow', fileOf(`{${entry('F64', '[4294967296,67108864]', 0, 8)}}`, 8), [undefined, '[4294967296, 67108864]', 't']],
    ['bits-not-bytes', fileOf(`{${entry('F4', '[3]', 0, 2)}}`, 2), [undefined, '12', 't']],
    ['bits-not-bytes', fileOf(`{${entry('F6_E2M3', '[2]', 0, 2)}}`, 2), [undefined, '12', 't']],
    ['offsets-reversed', fileOf(`{${entry('U8', '[8]', 8, 0)}}`, 8), [8, 0, 't']],
    ['offsets-hole', fileOf(`{${entry('U8', '[4]', 0, 4)},${entry('U8', '[4]', 5, 9, 'u')}}`, 9), [4, 5, 'u']],
    ['offsets-overlap', fileOf(`{${entry('U8', '[4]', 0, 4)},${entry('U8', '[4]', 3, 7, 'u')}}`, 7), [4, 3, 'u']],
    ['file-truncated', fileOf(`{${entry('U8', '[8]', 0, 8)}}`, 7), [69, 68]],
    ['file-has-extra-bytes', fileOf(`{${entry('U8', '[8]', 0, 8)}}`, 9), [69, 70]],
  ] as const)('%s', async (reason, bytes, numbers) => {
    const [expected, actual, tensor] = numbers as readonly unknown[];
    expect(await refusal(bytes)).toEqual([reason, expected, actual, tensor]);
  });

  it('accepts 2^40 x 2^20 x 0, which is empty and fits 64 bits, as the reference does', async () => {
    const header = await open(fileOf(`{${entry('U8', '[1099511627776,1048576,0]', 0, 0)}}`));
    expect(header.tensors[0]).toMatchObject({ elements: 0, shape: [2 ** 40, 2 ** 20, 0] });
  });
});

describe('caps (faults.md A 11)', () => {
  const many = (count: number) =>
    `{${Array.from({ length: count }, (_, i) => `"${i}":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`).join(',')},"__metadata__":{}}`;

  it('accepts 200,000 entries and refuses 200,001', async () => {
    expect((await open(fileOf(many(MAX_ENTRIES)))).tensors.length).toBe(200_000);
    expect(await refusal(fileOf(many(MAX_ENTRIES + 1)))).toEqual(['too-many-entries', 200_000, 'more than 200000', undefined]);
  });

  it('accepts a header of exactly 25,000,000 bytes and refuses one more', async () => {
    const header = new Uint8Array(25_000_000).fill(0x20);
    header.set(text('{}'));
    expect((await open(fileOf(header))).headerBytes).toBe(25_000_008);
    expect((await refusal(fileOf(header, 1, 25_000_001n)))[0]).toBe('header-too-large');
  });

  it('refuses depth 100,000 without going down (faults.md A 4)', async () => {
    for (const [prefix, reason] of [['', 'json-not-object'], ['{"a":', 'entry-not-object'], ['{"__metadata__":', 'metadata-not-object']] as const) {
      const bytes = fileOf(prefix + '['.repeat(100_000));
      expect((await refusal(bytes))[0]).toBe(reason);
    }
  });

  it.each([
    ['millions of dimensions', `{"t":{"dtype":"U8","shape":[${'1,'.repeat(6_000_000)}1],"data_offsets":[0,2]}}`, 'size-mismatch'],
    ['one name of escapes', `{"${'\\u0041'.repeat(2_000_000)}":1}`, 'entry-not-object'],
    ['one number', `{"t":{"dtype":"U8","shape":[${'9'.repeat(12_000_000)}]}}`, 'integer-too-large'],
    ['open strings', `{"${'a'.repeat(12_000_000)}`, 'json-truncated'],
  ])('does not hang on %s in 12 MB, and keeps its message short', async (_, header, reason) => {
    const error: unknown = await open(fileOf(header, 2)).catch((caught: unknown) => caught);
    expect((error as MalformedFileError).reason).toBe(reason);
    expect((error as MalformedFileError).message.length).toBeLessThan(400);
    // What is quadratic in 12 MB takes hours: the limit of the test is far from both.
  });
});
