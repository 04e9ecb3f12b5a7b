/** A session that ends in the middle of a merge, and the next one that carries on (faults.md B 39, 45). */
import { describe, expect, it } from 'vitest';
import { JOURNAL_FILE } from '../../../src/bytes/source';
import type { AdapterConfig, Checkpoint } from '../../../src/checkpoint/types';
import { checkpointsOf } from '../../../src/compose/export-input';
import { undertakingOf } from '../../../src/compose/undertaking';
import { DEFAULT_CHOICES, type FitChoices } from '../../../src/merge/plan-types';
import type { PickedFile } from '../../../src/worker/protocol';
import { fault } from '../files/fakes';
import type { FakeFolder } from '../files/fakes';
import { familyFiles, openFamily, picked } from './family';

const FILES = familyFiles();
/** A payload of 16 bytes holds no two of the tensors: three shards. */
const SHARD_BYTES = 16;
const SHARDS = [1, 2, 3].map((n) => `model-0000${n}-of-00003.safetensors`);
const bytesIn = (folder: FakeFolder) => Object.fromEntries([...folder.files].map(([name, { bytes }]) => [name, Buffer.from(bytes).toString('hex')] as const).sort(([a], [b]) => (a < b ? -1 : 1)));

type Session = Awaited<ReturnType<typeof openFamily>>;
const request = ({ request: ask, recipe }: Session, more: object = {}) => ask('merge', { recipe, choices: DEFAULT_CHOICES, shardBytes: SHARD_BYTES, destination: null, replace: false, ...more });

/** A session whose disk is full at the third shard. */
async function interrupted(files: PickedFile[] = FILES): Promise<Session> {
  const session = await openFamily({}, files);
  session.out.before = (operation, name) => {
    if (operation === 'createWritable' && name === SHARDS[2]) throw fault('QuotaExceededError');
  };
  await expect(request(session)).rejects.toMatchObject({ code: 'disk-full' });
  session.out.before = () => {};
  return session;
}
/** A later session over the same folder. */
async function next(folder: FakeFolder, files: PickedFile[] = FILES): Promise<Session> {
  const session = await openFamily({}, files);
  for (const [name, file] of folder.files) session.out.files.set(name, file);
  return session;
}
const moved = (files: readonly PickedFile[], rename: (path: string) => string, modified?: number): PickedFile[] =>
  files.map(({ path, handle }) => ({ path: rename(path), handle: modified === undefined ? handle : new File([handle as File], (handle as File).name, { lastModified: modified }) }));

describe('an interrupted merge', () => {
  it('tells how many shards it leaves; in one file it leaves none', async () => {
    const keptIn = ({ events }: Session) => events.filter(({ event }) => event === 'kept');
    expect(keptIn(await interrupted())).toEqual([{ event: 'kept', shards: 2 }]);
    const single = await openFamily({}, FILES);
    single.out.before = (operation, name) => {
      if (operation === 'createWritable' && name === 'config.json') throw fault('QuotaExceededError');
    };
    await expect(request(single, { shardBytes: 2 ** 30 })).rejects.toMatchObject({ code: 'disk-full' });
    expect(keptIn(single)).toEqual([{ event: 'kept', shards: 0 }]);
  });

  it('is described by its journal', async () => {
    const session = await interrupted();
    const { request: ask, recipe } = session;
    const found = (await ask('unfinished', { destination: null }))!;
    expect([found.folder, found.problem, found.files]).toEqual(['out', null, [SHARDS[0], SHARDS[1], JOURNAL_FILE]]);
    expect(found.merge).toMatchObject({ recipe, choices: DEFAULT_CHOICES, text: null, shardBytes: SHARD_BYTES, shards: 3, done: 2, keepsOld: false });
    expect(found.merge!.sources.map(({ name }) => name)).toEqual(['base', 'sft', 'ct']);
  });

  it('is carried on by another session to the same bytes, and leaves no journal', async () => {
    const whole = await openFamily({}, FILES);
    await request(whole);
    const session = await next((await interrupted()).out);
    const summary = await request(session, { resume: true });
    expect(summary.shards.map(({ isKept }) => isKept)).toEqual([true, true, false]);
    expect(bytesIn(session.out)).toEqual(bytesIn(whole.out));
    expect(await session.request('unfinished', { destination: null })).toBe(null);
  });

  it('is carried on with files that were dropped from elsewhere: the shards have one provenance', async () => {
    const first = await interrupted();
    const before = bytesIn(first.out);
    const session = await next(first.out, moved(FILES, (path) => `elsewhere/${path}`));
    expect(session.recipe.base).not.toBe(first.recipe.base);
    const { shards } = await request(session, { resume: true });
    expect(shards.map(({ isKept }) => isKept)).toEqual([true, true, false]);
    const after = bytesIn(session.out);
    expect(after[SHARDS[0]!]).toBe(before[SHARDS[0]!]);
    const recipeOf = (name: string) => /merging_studio\.recipe":"(.*?)[^\\]"/.exec(Buffer.from(after[name]!, 'hex').toString('latin1'))![1];
    expect(recipeOf(SHARDS[2]!)).toBe(recipeOf(SHARDS[0]!));
  });

  it('makes shards again whose sources were written since, although their sizes and samples are the same', async () => {
    const session = await next((await interrupted()).out, moved(FILES, (path) => path, 1_800_000_000_000));
    const { shards } = await request(session, { resume: true });
    expect(shards.map(({ isKept }) => isKept)).toEqual([false, false, false]);
  });

  it('is not carried on with another recipe or other values, and the folder stays as it is', async () => {
    const first = await interrupted();
    const before = bytesIn(first.out);
    const recipe = await next(first.out);
    await expect(request(recipe, { resume: true, recipe: { ...recipe.recipe, lambda: 0.5 } })).rejects.toMatchObject({ reason: 'journal-of-another', where: { names: ['recipe'] } });
    const values = await next(first.out, familyFiles([3, 4]));
    await expect(request(values, { resume: true })).rejects.toMatchObject({ reason: 'journal-of-another', where: { names: ['sources'] } });
    await expect(request(recipe, { resume: true, shardBytes: 2 ** 30 })).rejects.toMatchObject({ reason: 'journal-of-another', where: { names: ['shard-size'] } });
    for (const { out } of [recipe, values]) expect(bytesIn(out)).toEqual(before);
  });

  it('is not carried on where rows would be matched otherwise, or an adapter is of another scale', async () => {
    const tokens = (...order: string[]) => JSON.stringify({ model: { vocab: Object.fromEntries(order.map((token, id) => [token, id])) } });
    const withTokens = (sft: string) => [...FILES.filter(({ path }) => !path.endsWith('tokenizer.json')), picked('base/tokenizer.json', tokens('a', 'b')), picked('sft/tokenizer.json', sft)];
    const first = await interrupted(withTokens(tokens('b', 'a')));
    const before = bytesIn(first.out);
    for (const other of [withTokens(tokens('a', 'b')), withTokens(tokens('b', 'a', 'c')), FILES]) {
      const session = await next(first.out, other);
      await expect(request(session, { resume: true })).rejects.toMatchObject({ reason: 'journal-of-another', where: { names: ['sources'] } });
      expect(bytesIn(session.out)).toEqual(before);
    }
    // By their numbers they are matched alike, whatever the tokens are.
    const rows = { choices: { ...DEFAULT_CHOICES, rows: 'id' as const } };
    const besideOf = (checkpoints: readonly Checkpoint[], { choices } = { choices: DEFAULT_CHOICES as FitChoices }) =>
      undertakingOf({ application: 'a', recipe: first.recipe, choices, text: null, shardBytes: 1, checkpoints, contents: new Map() }, null).journal.subject.sources.map(({ beside }) => beside);
    const [base, sft, ct] = checkpointsOf(first.recipe, first.checkpoints);
    const vocabulary = (...order: string[]) => ({ tokens: order, rows: new Map(order.map((token, id) => [token, id] as const)) });
    const named = [{ ...base!, vocabulary: vocabulary('a', 'b') }, { ...sft!, vocabulary: vocabulary('b', 'a') }, ct!];
    expect(besideOf(named)).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/), expect.stringMatching(/^[0-9a-f]{64}$/), null]);
    expect(besideOf(named, rows)).toEqual([null, null, null]);
    const adapter = { rank: 8, alpha: 16, rankStabilised: false, fanInFanOut: false, rankPattern: [], alphaPattern: [], baseModel: 'x' };
    const of = (more: Partial<AdapterConfig>) => besideOf([base!, sft!, { ...ct!, adapter: { ...adapter, ...more } }])[2];
    expect(of({ baseModel: 'y' })).toBe(of({}));
    expect(of({ alpha: 32 })).not.toBe(of({}));
  });

  it('refuses a new merge until it is removed or replaced', async () => {
    const session = await interrupted();
    await expect(request(session)).rejects.toMatchObject({ code: 'destination', reason: 'unfinished' });
    expect(await session.request('removeUnfinished', { destination: null })).toEqual({ left: [] });
    expect([...session.out.files.keys()]).toEqual([]);
    await request(session);
    const replaced = await interrupted();
    await request(replaced, { replace: true });
    expect(replaced.out.files.has(JOURNAL_FILE)).toBe(false);
  });

  it('with a broken journal it is said to be one, and removing it leaves the user\'s own files', async () => {
    const session = await interrupted();
    session.out.files.get(JOURNAL_FILE)!.bytes = new TextEncoder().encode('{"format":');
    for (const name of ['notes.txt', 'tokenizer.json']) session.out.files.set(name, { bytes: new Uint8Array(3), modified: 1 });
    const found = (await session.request('unfinished', { destination: null }))!;
    expect([found.merge, found.problem?.reason]).toEqual([null, 'journal-broken']);
    await expect(request(session, { resume: true })).rejects.toMatchObject({ reason: 'journal-broken' });
    await session.request('removeUnfinished', { destination: null });
    expect([...session.out.files.keys()].sort()).toEqual(['notes.txt', 'tokenizer.json']);
  });

  it('in whose place a merge would come is told by its files, the user\'s own left out', async () => {
    const { merge, request: ask, out } = await openFamily({}, FILES);
    out.files.set('tokenizer.model', { bytes: new Uint8Array(3), modified: 1 });
    expect(await ask('older', { destination: null })).toEqual({ names: [] });
    await merge();
    await new Promise(setImmediate);
    out.files.set('notes.txt', { bytes: new Uint8Array(3), modified: 1 });
    const { names } = await ask('older', { destination: null });
    expect(names).toContain('tokenizer.model');
    expect([...out.files.keys()].filter((name) => !names.includes(name))).toEqual(['notes.txt']);
  });

  it('that was to replace an older export leaves it whole when it is removed', async () => {
    const { merge, ...session } = await openFamily({}, FILES);
    await merge();
    await new Promise(setImmediate);
    const old = bytesIn(session.out);
    session.out.before = (operation, name) => {
      if (operation === 'close' && name !== JOURNAL_FILE) throw fault('AbortError');
      if (operation === 'removeEntry') throw fault('NotAllowedError');
    };
    await expect(request({ merge, ...session }, { replace: true })).rejects.toMatchObject({ code: 'destination' });
    session.out.before = () => {};
    const names = new Set(session.events.flatMap((event) => (event.event === 'left' ? event.names : [])));
    expect(names).toEqual(new Set([JOURNAL_FILE]));
    expect((await session.request('unfinished', { destination: null }))!.merge).toMatchObject({ done: 0 });
    await session.request('removeUnfinished', { destination: null });
    expect(bytesIn(session.out)).toEqual(old);
  });
});
