/** Parts that are joined where something lies already: never mixed with it, and carried on with when it is their own. */
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { abortedOnce, commanded, filesOf, makeModel } from './small';

const RECIPE = `merge_method: linear
models:
  - {model: one, parameters: {weight: 0.5}}
  - {model: two, parameters: {weight: 0.5}}
dtype: float32
`;
const INDEX = 'model.safetensors.index.json';
const SHARDS = [1, 2, 3].map((i) => `model-0000${i}-of-00003.safetensors`);
/** A shard for each tensor. */
const SHARDED = ['--shard-size', '256'];
let folder = '';
const at = (...path: string[]) => join(folder, ...path);
const merge = (out: string, args: readonly string[], signal?: AbortSignal) => commanded(['merge', at('recipe.yml'), '--out', out, ...args], signal);

/** An output folder with both parts done, whose name is the card's title. */
async function withParts(of: string, args: readonly string[], replace: readonly string[] = []): Promise<string> {
  const out = at(of, 'merged');
  for (const part of ['1/2', '2/2']) await merge(out, [...args, '--part', part, ...replace]);
  return out;
}
async function lay(out: string, files: Readonly<Record<string, string>>): Promise<void> {
  await mkdir(out, { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(join(out, name), text, 'latin1');
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'studio-joining-'));
  await writeFile(at('recipe.yml'), RECIPE);
  await makeModel(at('one'), 1);
  await makeModel(at('two'), 2);
  await merge(at('whole', 'merged'), SHARDED);
  await merge(at('single', 'merged'), []);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it('an older single file, which a loader prefers to the index: refused by parts and by their join, replaced on request', async () => {
  const older = { 'model.safetensors': 'older', 'config.json': 'older', 'tokenizer.model': 'older', 'notes.txt': 'mine' };
  const out = await withParts('shadowed', SHARDED);
  await lay(out, older);
  const parts = await readdir(join(out, 'parts'));
  await expect(merge(out, [...SHARDED, '--finish', '2'])).rejects.toMatchObject({ reason: 'not-empty', where: { names: ['config.json', 'model.safetensors', 'tokenizer.model'] } });
  await expect(merge(out, [...SHARDED, '--part', '1/2'])).rejects.toMatchObject({ reason: 'not-empty', where: { names: ['model.safetensors'] } });
  expect([await filesOf(out), await readdir(join(out, 'parts'))]).toEqual([older, parts]);
  expect(await merge(out, [...SHARDED, '--part', '1/2', '--replace'])).toContain('read again and equal');
  expect(await filesOf(out)).toEqual(older);
  expect(await merge(out, [...SHARDED, '--finish', '2', '--replace'])).toContain('2 parts joined');
  expect(await filesOf(out)).toEqual({ ...(await filesOf(at('whole', 'merged'))), 'notes.txt': 'mine' });
});

it('an older export of the same names, interrupted between two shards: nothing loads, and the same command ends it', async () => {
  const whole = await filesOf(at('whole', 'merged'));
  const older = { ...Object.fromEntries(SHARDS.map((name) => [name, 'older'])), [INDEX]: whole[INDEX]!, 'config.json': whole['config.json']! };
  const out = await withParts('mixed', SHARDED);
  await lay(out, older);
  await expect(merge(out, [...SHARDED, '--finish', '2'])).rejects.toMatchObject({ reason: 'not-empty', where: { names: [...SHARDS, INDEX] } });
  expect(await filesOf(out)).toEqual(older);
  const isMoved = () => !existsSync(join(out, 'parts', 'part-1-of-2', SHARDS[0]!));
  await expect(merge(out, [...SHARDED, '--finish', '2', '--replace'], abortedOnce(isMoved))).rejects.toMatchObject({ code: 'cancelled' });
  // Its config.json is the new one's to the byte.
  expect(await filesOf(out)).toEqual({ [SHARDS[0]!]: whole[SHARDS[0]!], 'config.json': whole['config.json'] });
  await merge(out, [...SHARDED, '--finish', '2']);
  expect([await filesOf(out), await readdir(out)]).toEqual([whole, Object.keys(whole)]);
});

it('an older single file, interrupted beside it: no config.json stands with weights of another, and the same command ends it', async () => {
  const out = await withParts('beside', []);
  await lay(out, { 'model.safetensors': 'older', 'config.json': 'older' });
  const isWritten = () => existsSync(join(out, 'config.json')) && readFileSync(join(out, 'config.json'), 'utf8') !== 'older';
  await expect(merge(out, ['--finish', '2', '--replace'], abortedOnce(isWritten))).rejects.toMatchObject({ code: 'cancelled' });
  const { 'config.json': config } = await filesOf(at('single', 'merged'));
  expect(await filesOf(out)).toEqual({ 'config.json': config });
  await merge(out, ['--finish', '2']);
  expect(await filesOf(out)).toEqual(await filesOf(at('single', 'merged')));
});

it('what was joined before is told as that, not as parts to be run, and stays as it is', async () => {
  const out = await withParts('twice', SHARDED);
  await merge(out, [...SHARDED, '--finish', '2']);
  await expect(merge(out, [...SHARDED, '--finish', '2'])).rejects.toMatchObject({ reason: 'part-missing', message: expect.stringContaining('joined before') });
  expect(await filesOf(out)).toEqual(await filesOf(at('whole', 'merged')));
});

it('an unfinished merge: refused, replaced on request with its journal', async () => {
  const out = await withParts('unfinished', SHARDED);
  await lay(out, { [SHARDS[0]!]: 'unfinished', 'studio-journal.json': 'of another' });
  await expect(merge(out, [...SHARDED, '--finish', '2'])).rejects.toMatchObject({ reason: 'unfinished' });
  expect(Object.keys(await filesOf(out))).toEqual([SHARDS[0], 'studio-journal.json']);
  await merge(out, [...SHARDED, '--finish', '2', '--replace']);
  expect(await filesOf(out)).toEqual(await filesOf(at('whole', 'merged')));
});

it('a folder of sources is refused by a part, whose own folder is another', async () => {
  await expect(merge(at('one'), ['--part', '1/2'])).rejects.toMatchObject({ reason: 'is-source' });
  expect(Object.keys(await filesOf(at('one')))).toEqual(['config.json', 'model.safetensors']);
});

it('a folder of sources that holds links to their files, as a Hugging Face snapshot, is refused with and without --replace', async () => {
  const [snapshot, blobs] = [at('cache', 'snapshots', 'main'), at('cache', 'blobs')];
  await makeModel(blobs, 1);
  await mkdir(snapshot, { recursive: true });
  const names = ['config.json', 'model.safetensors'];
  for (const name of names) await symlink(join(blobs, name), join(snapshot, name));
  await symlink(snapshot, at('linked'));
  const model = ['--model', `one=${snapshot}`];
  for (const out of [snapshot, at('linked'), blobs]) {
    for (const args of [model, [...model, '--replace']]) await expect(merge(out, args)).rejects.toMatchObject({ reason: 'is-source' });
  }
  expect((await readdir(snapshot, { withFileTypes: true })).map((entry) => [entry.name, entry.isSymbolicLink()])).toEqual(names.map((name) => [name, true]));
  expect(await filesOf(blobs)).toEqual(await filesOf(at('one')));
});
