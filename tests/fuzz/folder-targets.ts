/** What a folder holds beside checkpoints: the journal of an unfinished export, and the nameless blobs of a Hugging Face cache. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { DestinationError, StudioError } from '../../src/bytes/errors';
import { MemorySource } from '../../src/bytes/source';
import { openCheckpoints } from '../../src/checkpoint/open';
import type { FileEntry } from '../../src/checkpoint/types';
import { encodeJournal, parseJournal } from '../../src/merge/journal';
import type { Journal } from '../../src/merge/journal-types';
import { emptyFigures } from '../../src/merge/figures';
import { mutated } from './mutation';
import type { FuzzTarget } from './targets';

type Bytes = Uint8Array<ArrayBuffer>;
const CHECKPOINTS = join(import.meta.dirname, '..', 'fixtures', 'lora');
const fixture = (...path: string[]): Bytes => new Uint8Array(readFileSync(join(CHECKPOINTS, ...path)));
const utf8 = (text: string) => new TextEncoder().encode(text);

const HEX = 'ab'.repeat(32);
const SHARD = 'model-00001-of-00002.safetensors';
const JOURNAL: Journal = {
  subject: { application: 'studio 1', recipe: '{}', choices: '{}', text: 'null', shardBytes: 1000, sources: [{ id: 'a', name: 'base', fingerprint: HEX, bytes: 12, contents: HEX, beside: null, files: [{ name: 'model.safetensors', size: 12, modified: 1.5 }] }] },
  started: 1,
  updated: 2,
  layout: HEX,
  shards: [{ file: SHARD, bytes: 500 }, { file: 'model-00002-of-00002.safetensors', bytes: 20 }],
  files: [SHARD, 'config.json'],
  replaces: ['config.json'],
  isReplaced: false,
  done: [
    {
      file: SHARD, bytes: 500, pieceBytes: 400, digests: [HEX, HEX], madeBy: [{ kind: 'cpu', label: 'CPU', software: false, arithmetic: 'native' }],
      figures: [['a.weight', { figures: emptyFigures(2), kept: [{ threshold: 1, cutoff: 2 }, null], reserved: null }]], overflow: 0, checked: { values: 16, tensors: 1 },
    },
  ],
};

/** The checksum of what the journal says now, so that what lies behind it is reached. */
function sign(bytes: Uint8Array): void {
  const text = new TextDecoder().decode(bytes);
  const at = text.indexOf('"sha256":"') + 10;
  try {
    const { journal } = JSON.parse(text) as { journal: unknown };
    const digest = createHash('sha256').update(JSON.stringify(journal)).digest('hex');
    if (at >= 10 && text.slice(at, at + 64).length === 64) bytes.set(utf8(digest), utf8(text.slice(0, at)).length);
  } catch {
    // No JSON: refused as that.
  }
}

function readJournal(bytes: Bytes): boolean {
  try {
    const { shards, done } = parseJournal(bytes, 'fuzz');
    for (const { file } of [...shards, ...done]) expect(file).toMatch(/^[^./\\:][^/\\:]*$/);
    for (const { bytes: size, pieceBytes, digests } of done) expect(digests.length).toBe(Math.ceil(size / pieceBytes));
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(DestinationError);
    expect((error as DestinationError).where.file).toBe('fuzz');
    expect((error as DestinationError).reason).toMatch(/^journal-(?:broken|version)$/);
    return false;
  }
}

const CACHE = 'models--o--m';
const WEIGHTS = fixture('base-llama', 'model.safetensors');
const CONFIG = fixture('base-llama', 'config.json');
const BLOBS = [CONFIG, WEIGHTS, utf8('{"metadata":{"total_size":1},"weight_map":{"a":"model-00001-of-00001.safetensors"}}'), utf8('{"version":"1.0","truncation":null,"added_tokens":[],"model":{"vocab":{"a":0}}}'), utf8('{"a":0,"b":1}'), utf8('refs')];

/** A cache without its links: a blob is damaged beside whole ones. Nothing but what was dropped is opened, and what cannot be is said. */
async function openCache(bytes: Bytes): Promise<boolean> {
  const contents = new Map<string, Bytes>([['refs/main', utf8('0123456789abcdef0123456789abcdef01234567')], [`blobs/${'1'.repeat(40)}`, CONFIG], [`blobs/${'2'.repeat(64)}`, WEIGHTS], [`blobs/${'3'.repeat(40)}`, bytes]].map(([path, content]) => [`${CACHE}/${path as string}`, content as Bytes]));
  const ids = new Map([...contents.keys()].map((path, i) => [`f${i}`, path]));
  const files = [...ids].map(([id, path], i): FileEntry => ({ id, path, size: contents.get(path)!.length, modified: i }));
  const { checkpoints, problems } = await openCheckpoints(files, async ({ id }) => new MemorySource(ids.get(id)!, contents.get(ids.get(id)!)!));
  for (const { file, error } of problems) {
    expect(file.startsWith(CACHE)).toBe(true);
    expect(error).toBeInstanceOf(StudioError);
    expect(error.code).not.toBe('internal');
  }
  for (const { shards, sidecars } of checkpoints) for (const { path } of [...shards.map(({ file }) => file), ...sidecars]) expect(path).toMatch(/^models--o--m\/(?!.*\.\.)/);
  if (checkpoints.length === 0) expect(problems.length).toBeGreaterThan(0);
  return checkpoints.length === 1 && problems.length === 0;
}

export const FOLDER_TARGETS: readonly FuzzTarget[] = [
  { name: 'journal of an unfinished export', inputs: mutated([encodeJournal(JOURNAL)], sign), read: readJournal },
  { name: 'cache of Hugging Face', inputs: mutated(BLOBS), read: openCache },
];
