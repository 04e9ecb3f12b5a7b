/** PyTorch weight files, made by PyTorch itself (tests/fixtures/torch/make.py), and what hostile ones end as. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dtypeBits } from '../../../src/bytes/dtypes';
import { MalformedFileError } from '../../../src/bytes/errors';
import { MemorySource, type ByteSource } from '../../../src/bytes/source';
import { openCheckpoints } from '../../../src/checkpoint/open';
import { readTorchHeader } from '../../../src/format/torch-bin/header';
import type { TorchReason } from '../../../src/format/torch-bin/reasons';
import { unpickle } from '../../../src/format/torch-bin/unpickle';

const folder = new URL('../../fixtures/torch/', import.meta.url);
const bytesOf = (file: string) => new Uint8Array(readFileSync(new URL(file, folder)));
const source = (file: string) => new MemorySource(file, bytesOf(file));
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
type Expected = Record<string, Record<string, { dtype: string; shape: number[]; hex: string }>>;
const expected = JSON.parse(readFileSync(new URL('expected.json', folder), 'utf8')) as Expected;

/** `bytes` with the first occurrence of `from` (latin1) replaced by `to`, of the same length. */
function patched(bytes: Uint8Array<ArrayBuffer>, from: string, to: string): Uint8Array<ArrayBuffer> {
  const at = Buffer.from(bytes).indexOf(from, 0, 'latin1');
  expect(at).toBeGreaterThanOrEqual(0);
  expect(to.length).toBe(from.length);
  const copy = bytes.slice();
  copy.set(Buffer.from(to, 'latin1'), at);
  return copy;
}
async function reasonOf(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const error: unknown = await readTorchHeader(new MemorySource('x.bin', bytes)).catch((cause: unknown) => cause);
  expect(error).toBeInstanceOf(MalformedFileError);
  const { reason, where } = error as MalformedFileError;
  expect(where.file).toBe('x.bin');
  return reason;
}

describe('files of PyTorch', () => {
  it.each(Object.keys(expected))('%s: names, dtypes, shapes and bytes are those torch wrote', async (file) => {
    const bytes = bytesOf(file);
    const { tensors } = await readTorchHeader(source(file));
    const found = Object.fromEntries(tensors.map(({ name, dtype, shape, begin, end }) => [name, { dtype, shape, hex: hex(bytes.subarray(begin, end)) }]));
    expect(found).toEqual(expected[file]);
  });

  it('reads directory, pickle and the header of each storage once, and no tensor', async () => {
    const inner = source('plain.bin');
    const reads: [number, number][] = [];
    const counted: ByteSource = { name: inner.name, size: inner.size, read: (begin, end) => (reads.push([begin, end]), inner.read(begin, end)) };
    const { tensors } = await readTorchHeader(counted);
    // Magic, tail, byteorder and data.pkl (two each: header, content), and one for each of the 6 storages of 7 tensors.
    expect(reads).toHaveLength(1 + 1 + 4 + 6);
    const [first] = tensors;
    expect(reads.slice(1).filter(([begin]) => begin > 0 && begin === first!.begin)).toEqual([]);
  });

  it('opens as a checkpoint, by one file or by shards and index', async () => {
    const files = new Map<string, Uint8Array<ArrayBuffer>>([
      ['one/pytorch_model.bin', bytesOf('plain.bin')],
      ['one/training_args.bin', bytesOf('evil.bin')],
      ['two/pytorch_model-00001-of-00002.bin', bytesOf('module.bin')],
      ['two/pytorch_model-00002-of-00002.bin', bytesOf('view.bin')],
      ['two/pytorch_model.bin.index.json', new TextEncoder().encode(JSON.stringify({
        metadata: {},
        weight_map: { weight: 'pytorch_model-00001-of-00002.bin', bias: 'pytorch_model-00001-of-00002.bin', rows: 'pytorch_model-00002-of-00002.bin', whole: 'pytorch_model-00002-of-00002.bin' },
      }))],
    ]);
    const entries = [...files].map(([path, bytes]) => ({ id: path, path, size: bytes.length, modified: 0 }));
    const { checkpoints, problems } = await openCheckpoints(entries, async ({ path }) => new MemorySource(path, files.get(path)!));
    expect(problems).toEqual([]);
    expect(checkpoints.map(({ name, shards, tensors }) => [name, shards.length, tensors.map((tensor) => tensor.name)])).toEqual([
      ['one', 1, Object.keys(expected['plain.bin']!).sort()],
      ['two', 2, ['bias', 'rows', 'weight', 'whole']],
    ]);
  });

  it('is left aside where safetensors are beside it, as transformers does', async () => {
    const safetensors = new Uint8Array(readFileSync(new URL('../../fixtures/checkpoints/base/model.safetensors', import.meta.url)));
    const files = new Map([['m/model.safetensors', safetensors], ['m/pytorch_model.bin', bytesOf('plain.bin')]]);
    const entries = [...files].map(([path, bytes]) => ({ id: path, path, size: bytes.length, modified: 0 }));
    const opened = await openCheckpoints(entries, async ({ path }) => new MemorySource(path, files.get(path)!));
    expect(opened.ignored).toEqual(['m/pytorch_model.bin']);
    expect(opened.checkpoints.map(({ shards }) => shards.map(({ file }) => file.path))).toEqual([['m/model.safetensors']]);
  });
});

describe('refusals', () => {
  const cases: readonly [string, () => Uint8Array<ArrayBuffer>, TorchReason][] = [
    ['code instead of tensors is named, not run', () => bytesOf('evil.bin'), 'pickle-global'],
    ['a transposed tensor', () => bytesOf('transposed.bin'), 'not-contiguous'],
    ['the format before 1.6', () => bytesOf('legacy.bin'), 'torch-legacy'],
    ['a truncated download', () => bytesOf('plain.bin').slice(0, 2000), 'zip-no-directory'],
    ['an empty file', () => new Uint8Array(0), 'zip-no-directory'],
    ['big endian', () => patched(bytesOf('plain.bin'), 'little', 'bigger'), 'big-endian'],
    ['a storage of an unknown type', () => patched(bytesOf('plain.bin'), 'HalfStorage', 'EvilStorage'), 'storage-type'],
    ['another function of torch', () => patched(bytesOf('plain.bin'), '_rebuild_tensor_v2', '_rebuild_tensor_v9'), 'pickle-global'],
    ['a pickle that takes from an empty stack', () => patched(bytesOf('module.bin'), 'ccollections\n', '0collections\n'), 'pickle-malformed'],
    ['an instruction that builds objects', () => patched(bytesOf('module.bin'), 'ccollections\n', 'icollections\n'), 'pickle-opcode'],
    ['a tensor larger than its storage', () => patched(bytesOf('module.bin'), 'K\x02K\x03\x86', 'K\x02K\x04\x86'), 'storage-size'],
  ];
  it.each(cases)('%s', async (_, bytes, reason) => {
    expect(await reasonOf(bytes())).toBe(reason);
  });

  it('names what it refuses and where', async () => {
    await expect(readTorchHeader(source('evil.bin'))).rejects.toMatchObject({ where: { file: 'evil.bin', actual: 'posix.system' } });
    await expect(readTorchHeader(source('transposed.bin'))).rejects.toMatchObject({ where: { tensor: 'w' } });
  });

  it('a compressed archive: torch writes none', async () => {
    const bytes = bytesOf('view.bin');
    const directory = Buffer.from(bytes).indexOf('PK\x01\x02', 0, 'latin1');
    const copy = bytes.slice();
    copy[directory + 10] = 8;
    expect(await reasonOf(copy)).toBe('zip-compressed');
  });
});

describe('fuzz', () => {
  const files = ['plain.bin', 'protocol4.bin', 'module.bin', 'view.bin', 'wrapped.pt', 'evil.bin'].map(bytesOf);
  const damage = fc.record({ file: fc.constantFrom(...files), edits: fc.array(fc.record({ at: fc.nat(3000), byte: fc.nat(255) }), { minLength: 1, maxLength: 6 }), cut: fc.option(fc.nat(3000)) });

  it('damaged files are refused with a typed error, or every tensor lies inside the file', async () => {
    await fc.assert(
      fc.asyncProperty(damage, async ({ file, edits, cut }) => {
        const bytes = file.slice(0, cut ?? file.length);
        for (const { at, byte } of edits) if (at < bytes.length) bytes[at] = byte;
        try {
          const { tensors } = await readTorchHeader(new MemorySource('x', bytes));
          for (const { begin, end, elements, dtype } of tensors) {
            expect(begin >= 0 && end <= bytes.length).toBe(true);
            expect((end - begin) * 8).toBe(elements * dtypeBits(dtype));
          }
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedFileError);
        }
      }),
      { numRuns: 4000 },
    );
  });

  it('any bytes as a pickle end in a value or a typed error', () => {
    const opcodes = fc.constantFrom(0x80, 0x28, 0x30, 0x4e, 0x88, 0x4b, 0x58, 0x7d, 0x5d, 0x29, 0x74, 0x85, 0x86, 0x87, 0x61, 0x65, 0x73, 0x75, 0x71, 0x68, 0x63, 0x93, 0x51, 0x52, 0x62, 0x94, 0x2e, 0x0a);
    fc.assert(
      fc.property(fc.array(fc.oneof(opcodes, fc.nat(255)), { maxLength: 60 }), (program) => {
        try {
          unpickle(Uint8Array.from(program), 'x');
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedFileError);
        }
      }),
      { numRuns: 4000 },
    );
  });
});
