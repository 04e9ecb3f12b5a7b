/** A run that is interrupted anywhere is taken up again and gives the bytes of one that was not (faults.md B 37 to 42, 45). */
import { describe, expect, it } from 'vitest';
import { StudioError } from '../../../src/bytes/errors';
import { HASHING_DIED, HASHING_HERE } from '../../../src/bytes/hashing';
import { JOURNAL_FILE } from '../../../src/bytes/source';
import { Watchdog } from '../../../src/bytes/watchdog';
import type { Backend } from '../../../src/merge/backend';
import { debrisOf, keepsOld } from '../../../src/merge/folder';
import { encodeJournal, parseJournal } from '../../../src/merge/journal';
import type { Journal, JournalSubject } from '../../../src/merge/journal-types';
import { readJournal } from '../../../src/merge/journal';
import type { JournalHooks } from '../../../src/merge/journaling';
import { planMerge } from '../../../src/merge/plan';
import { DEFAULT_CHOICES } from '../../../src/merge/plan-types';
import type { ByteRange } from '../../../src/merge/plan-types';
import { runMerge } from '../../../src/merge/run';
import { createReferenceBackend } from '../../../src/reference/backend';
import { FAST } from '../test-time';
import { again, CASES, cleanRun, expectNothingHalf, failure, family, INDEX, isExportFile, OLD, run, SHARDS, sorted, SUBJECT, watched } from './interrupted-run';
import type { Options } from './interrupted-run';
import { recipeOf } from './family';
import { MemoryFolder } from './memory-folder';

describe.each(CASES)('%s', (_, shardBytes, old) => {
  const replace = Object.keys(old).length > 0;
  const clean = () => cleanRun(shardBytes, old);
  const sources = () => [...family.checkpoints].map(({ shards }) => shards.map(({ file }) => [...family.bytesOf(file.path)]));

  it('ends with no journal, and with nothing of what it replaces but the user\'s own', async () => {
    const { files } = await clean();
    const shards = shardBytes === 416 ? [...SHARDS, INDEX] : ['model.safetensors'];
    expect(Object.keys(files)).toEqual([...shards, 'config.json', 'README.md', ...(replace ? ['notes.txt'] : [])].sort());
  });

  it('the machine stops before any operation: nothing half is loaded, and the next run gives the same bytes', async () => {
    const { files, operations } = await clean();
    const before = sources();
    let resumed = 0;
    for (let n = 0; n < operations.length; n++) {
      const folder = new MemoryFolder(old);
      folder.stopAt(n);
      await failure(run(folder, { shardBytes, hooks: { replace } }));
      folder.restart();
      const what = `${n}: ${operations[n]!}`;
      expectNothingHalf(folder, files, old, what);
      resumed += (await again(folder, { shardBytes })).shards.filter(({ isKept }) => isKept).length;
      expect(sorted(folder), what).toEqual(files);
    }
    expect(resumed).toBeGreaterThan(0);
    expect(sources()).toEqual(before);
  });

  it.each(['failing', 'cancelled'] as const)('%s at any operation: what is left is whole or can be resumed', async (kind) => {
    const { files, operations } = await clean();
    for (let n = 0; n < operations.length; n++) {
      const folder = new MemoryFolder(old);
      const controller = new AbortController();
      if (kind === 'failing') folder.failAt(n);
      else folder.before = (operation) => void (operation === n && controller.abort());
      const what = `${n}: ${operations[n]!}`;
      let kept: readonly string[] = [];
      const error = await run(folder, { shardBytes, hooks: { replace, signal: controller.signal, onKept: (names) => (kept = names) } }).then(() => null, (thrown: StudioError) => thrown);
      // Cancelling while the very last file is read or the journal removed comes too late.
      if (error === null) expect(n, what).toBeGreaterThanOrEqual(operations.length - 2);
      else expect(error.code, what).toBe(kind === 'failing' ? 'disk-full' : 'cancelled');
      expect([...folder.unfinished], what).toEqual([]);
      folder.restart();
      expectNothingHalf(folder, files, old, what);
      expect(folder.files.has(JOURNAL_FILE) || error === null || ![...folder.files.keys()].some((name) => SHARDS.includes(name)), what).toBe(true);
      if (error !== null) expect(kept, what).toEqual(await finishedIn(folder));
      if (error !== null) await again(folder, { shardBytes });
      expect(sorted(folder), what).toEqual(files);
    }
  });
});

/** Shards that the next run can keep. */
async function finishedIn(folder: MemoryFolder): Promise<string[]> {
  const journal = await readJournal(folder);
  return journal === null || keepsOld(journal, [...folder.files.keys()]) ? [] : journal.done.map(({ file }) => file).filter((file) => folder.files.has(file));
}

/** Stops the run of three shards when the second is final. */
async function interrupted(options: Options = {}): Promise<MemoryFolder> {
  const folder = new MemoryFolder();
  folder.before = (_operation, what) => {
    if (what === `create ${SHARDS[2]!}`) throw new StudioError('disk-full', 'disk-full', what);
  };
  await failure(run(folder, options));
  folder.restart();
  return folder;
}
const journalOf = async (folder: MemoryFolder) => (await readJournal(folder))!;

describe('what is resumed', () => {
  it('keeps finished shards, reads them again and makes the others only; figures and sums are of the whole', async () => {
    const whole = await run(new MemoryFolder());
    const folder = await interrupted();
    expect([...folder.files.keys()].sort()).toEqual([SHARDS[0], SHARDS[1], JOURNAL_FILE].sort());
    const backend = watched();
    const told: string[] = [];
    const result = await again(folder, { backend, hooks: { onTensor: (name) => told.push(name) } });
    expect(backend.groups).toEqual(['c']);
    expect(folder.operations.filter((what) => what.startsWith('close model'))).toEqual([`close ${SHARDS[2]!}`, `close ${INDEX}`]);
    expect(told).toEqual(['a', 'b', 'c']);
    expect([...result.figures]).toEqual([...whole.figures]);
    expect([result.tensors, result.verified, result.checked, result.overflow]).toEqual([whole.tensors, whole.verified, whole.checked, whole.overflow]);
    expect(result.files).toEqual(whole.files);
    expect(result.shards.map(({ file, isKept }) => [file, isKept])).toEqual(SHARDS.map((file, i) => [file, i < 2]));
  });

  it('names the backends that made each shard', async () => {
    const folder = await interrupted({ backend: watched('card') });
    const { shards } = await again(folder, { backend: watched('processor') });
    expect(shards.map(({ madeBy }) => madeBy.map(({ label }) => label))).toEqual([['card'], ['card'], ['processor']]);
  });

  it('says how far it is in bytes of this run and of the whole', async () => {
    const folder = await interrupted();
    const phases = new Set<string>();
    let last: { bytesRead: number; bytesReadTotal: number; bytesWritten: number; bytesWrittenTotal: number; bytesVerified: number; tensorsDone: number } | null = null;
    await again(folder, { hooks: { onProgress: (progress) => (phases.add(progress.phase), (last = progress)) } });
    expect([...phases]).toEqual(['checking', 'reading', 'finalising', 'verifying']);
    const { bytesRead, bytesReadTotal, bytesWritten, bytesWrittenTotal, bytesVerified, tensorsDone } = last!;
    expect([bytesRead, bytesWritten, bytesVerified, tensorsDone]).toEqual([bytesReadTotal, bytesWrittenTotal, bytesWrittenTotal, 4]);
  });

  it('a shard whose bytes changed, one that is gone and one of a source that was written since are made again', async () => {
    const { files } = { files: sorted(await (async () => { const folder = new MemoryFolder(); await run(folder); return folder; })()) };
    const spoilt = await interrupted();
    spoilt.files.get(SHARDS[0]!)![200]! ^= 1;
    const gone = await interrupted();
    gone.files.delete(SHARDS[0]!);
    for (const folder of [spoilt, gone]) {
      const backend = watched();
      await again(folder, { backend });
      expect(backend.groups).toEqual(['a', 'c']);
      expect(sorted(folder)).toEqual(files);
    }
    const written = await interrupted();
    const backend = watched();
    const base = family.id('base');
    await again(written, { backend, journal: { isWritten: ({ checkpoint }) => checkpoint === base } });
    expect(backend.groups).toEqual(['a', 'b', 'c']);
    expect(sorted(written)).toEqual(files);
  });

  it('of a ranking over the whole model nothing is kept when any of what was ranked was written since', async () => {
    const plan = planMerge(family.checkpoints, recipeOf(family, 'ties', 'base', ['x'], { scope: { trim: 'model', slack: 'tensor' } }), DEFAULT_CHOICES, { chunkBytes: 700, shardBytes: 416 }, {});
    const ranked = (folder: MemoryFolder, backend: Backend, journal: Partial<JournalHooks>) => runMerge(plan, backend, family.openShard, folder, { isExportFile, journal: { subject: SUBJECT, date: () => 1000, ...journal } });
    const merged = async (isWritten: (range: ByteRange) => boolean) => {
      const folder = new MemoryFolder();
      folder.before = (_operation, what) => {
        if (what === `create ${SHARDS[2]!}`) throw new StudioError('disk-full', 'disk-full', what);
      };
      await failure(ranked(folder, watched(), {}));
      folder.restart();
      const backend = watched();
      await ranked(folder, backend, { resume: await journalOf(folder), isWritten });
      return backend.groups;
    };
    expect(await merged(() => false)).toEqual(['c']);
    // In a source of the last shard alone: the others' thresholds are of it as well.
    const { begin, end } = family.checkpoints.find(({ name }) => name === 'x')!.tensors.find(({ name }) => name === 'c')!;
    const isWritten = (range: ByteRange) => range.checkpoint === family.id('x') && range.begin < end && range.end > begin;
    expect(await merged(isWritten)).toEqual(['a', 'b', 'c']);
  });

  it('a shard whose bytes changed is made again, also where what hashes it dies', async () => {
    const folder = await interrupted();
    folder.files.get(SHARDS[0]!)![300]! ^= 1;
    const died = () => Promise.reject(new StudioError('internal', HASHING_DIED, 'gone'));
    const { shards } = await again(folder, { hooks: { hashing: { file: () => ({ update: died, hex: died }), piece: HASHING_HERE.piece } } });
    expect(shards.map(({ isKept }) => isKept)).toEqual([false, true, false]);
    expect(sorted(folder)).toEqual((await cleanRun(416, {})).files);
  });

  it('cancelled while what hashes never answers, it is not waited for, and all of it is left', async () => {
    const folder = await interrupted();
    const before = sorted(folder);
    const stopping = new AbortController();
    const never = () => {
      stopping.abort();
      return new Promise<never>(() => {});
    };
    const hooks = { signal: stopping.signal, watchdog: new Watchdog(FAST), hashing: { file: () => ({ update: never, hex: never }), piece: HASHING_HERE.piece } };
    expect((await failure(again(folder, { hooks }))).code).toBe('cancelled');
    expect(sorted(folder)).toEqual(before);
  });

  it('cancelled while it looks at what is there, it leaves all of it', async () => {
    const folder = await interrupted();
    const before = sorted(folder);
    const resume = await journalOf(folder);
    const controller = new AbortController();
    folder.before = (_operation, what) => void (what === `read ${SHARDS[1]!}` && controller.abort());
    expect((await failure(run(folder, { hooks: { signal: controller.signal }, journal: { resume } }))).code).toBe('cancelled');
    expect(sorted(folder)).toEqual(before);
  });

  it('shards of a backend that computed wrongly are not kept, nor any trace', async () => {
    const folder = new MemoryFolder();
    const reference = createReferenceBackend();
    let groups = 0;
    const wrong: Backend = { ...reference, merge: (...call) => (++groups === 3 ? Promise.reject(new StudioError('internal', 'computed-differs', 'wrong')) : reference.merge(...call)) };
    expect((await failure(run(folder, { backend: wrong }))).reason).toBe('computed-differs');
    expect([...folder.files.keys()]).toEqual([]);
  });

  it('a shard that is not what was written is named, removed, and made again', async () => {
    const folder = new MemoryFolder();
    folder.before = (_operation, what) => {
      if (what === `open ${SHARDS[1]!}`) folder.files.get(SHARDS[1]!)![200]! ^= 1;
    };
    expect(await failure(run(folder))).toMatchObject({ reason: 'verification-failed', where: { file: SHARDS[1] } });
    folder.restart();
    expect([...folder.files.keys()].sort()).toEqual([SHARDS[0], SHARDS[2], JOURNAL_FILE].sort());
    const backend = watched();
    await again(folder, { backend });
    expect(backend.groups).toEqual(['b']);
  });
});

describe('what is not resumed', () => {
  it('a folder with a journal is refused, unless it is to be replaced', async () => {
    const folder = await interrupted();
    expect(await failure(run(folder))).toMatchObject({ code: 'destination', reason: 'unfinished', where: { file: 'out', names: [SHARDS[0], SHARDS[1]] } });
    folder.files.set('notes.txt', new Uint8Array(1));
    const backend = watched();
    await run(folder, { backend, hooks: { replace: true } });
    expect(backend.groups).toEqual(['a', 'b', 'c']);
    expect([...folder.files.keys()].sort()).toEqual([...SHARDS, INDEX, 'config.json', 'README.md', 'notes.txt'].sort());
  });

  it('a journal of another recipe, other choices, sources, sizes or another version is refused by what differs, and nothing is touched', async () => {
    const folder = await interrupted();
    const resume = await journalOf(folder);
    const before = sorted(folder);
    const other: readonly (readonly [Partial<JournalSubject>, string])[] = [
      [{ application: 'Model Merging Studio 2' }, 'application'],
      [{ recipe: '{"v":1,"lambda":2}' }, 'recipe'],
      [{ choices: '{"allowNonfinite":true}' }, 'choices'],
      [{ shardBytes: 417 }, 'shard-size'],
      [{ sources: SUBJECT.sources.map((source) => ({ ...source, contents: 'other' })) }, 'sources'],
      [{ sources: SUBJECT.sources.map((source) => ({ ...source, beside: 'other' })) }, 'sources'],
    ];
    for (const [patch, name] of other) {
      expect(await failure(run(folder, { journal: { subject: { ...SUBJECT, ...patch }, resume } }))).toMatchObject({ code: 'destination', reason: 'journal-of-another', where: { names: [name] } });
    }
    expect(await failure(run(folder, { shardBytes: 1e9, journal: { resume } }))).toMatchObject({ reason: 'journal-of-another', where: { names: ['layout'] } });
    expect(sorted(folder)).toEqual(before);
  });

  it('a journal without anything finished stops nobody: what else is there of it is removed', async () => {
    const folder = new MemoryFolder({ 'notes.txt': 'mine', 'tokenizer.json': 'mine' });
    folder.before = (_operation, what) => {
      if (what === `write ${SHARDS[0]!}`) folder.stopAt(0);
    };
    await failure(run(folder));
    folder.restart();
    expect([...folder.files.keys()].sort()).toEqual([SHARDS[0], 'notes.txt', JOURNAL_FILE, 'tokenizer.json'].sort());
    await run(folder);
    expect([...folder.files.keys()].sort()).toEqual([...SHARDS, INDEX, 'config.json', 'README.md', 'notes.txt', 'tokenizer.json'].sort());
  });

  it('weights that came there meanwhile stop it: they would be loaded in its place', async () => {
    const folder = await interrupted();
    folder.files.set('model.safetensors', new Uint8Array(3));
    expect(await failure(again(folder))).toMatchObject({ reason: 'not-empty', where: { names: ['model.safetensors'] } });
  });

  it('what the storage left of unfinished files is removed, and nobody else\'s', async () => {
    const folder = await interrupted();
    for (const name of [`${SHARDS[2]!}.crswap`, `${JOURNAL_FILE}.crswap`, 'README.md.part', 'thesis.docx.crswap', 'thesis.part']) folder.files.set(name, new Uint8Array(3));
    await again(folder);
    expect([...folder.files.keys()].filter((name) => /crswap|part$/.test(name))).toEqual(['thesis.docx.crswap', 'thesis.part']);
  });
});

describe('the journal as a file', () => {
  const journal: Journal = { subject: SUBJECT, started: 1, updated: 2, layout: 'l', shards: [{ file: 'm', bytes: 3 }], files: ['m', 'c'], replaces: [], isReplaced: false, done: [] };
  const text = (of: Journal) => new TextDecoder().decode(encodeJournal(of));
  const parse = (of: string) => parseJournal(new TextEncoder().encode(of), 'out/journal');

  it('comes back as it was', async () => {
    expect(parse(text(journal))).toEqual(journal);
    const full = await journalOf(await interrupted());
    expect(parse(text(full))).toEqual(full);
    expect(full.done.map(({ file, figures }) => [file, figures.map(([name]) => name)])).toEqual([[SHARDS[0], ['a']], [SHARDS[1], ['b']]]);
  });

  it('cut off at any byte, or with any byte changed, it is broken and says so', async () => {
    const whole = encodeJournal(await journalOf(await interrupted()));
    const reasons = new Set<string>();
    for (let at = 0; at < whole.length - 2; at += at < 200 ? 1 : 37) {
      const changed = whole.slice();
      changed[at]! ^= 2;
      for (const bytes of [whole.slice(0, at), changed]) {
        let thrown: unknown = null;
        try {
          parseJournal(bytes, 'out/journal');
        } catch (error) {
          thrown = error;
        }
        expect(thrown, `byte ${at}`).toBeInstanceOf(StudioError);
        reasons.add((thrown as StudioError).reason);
      }
    }
    expect([...reasons].sort()).toEqual(['journal-broken', 'journal-version']);
  });

  it('of an earlier version, whose digests were made otherwise, is refused as such', () => {
    const older = text(journal).replace('"version":2', '"version":1');
    expect(() => parse(older)).toThrow(expect.objectContaining({ reason: 'journal-version', where: { file: 'out/journal', expected: 2, actual: 1 } }));
  });

  it('with a true checksum over what is no journal, it is broken too', () => {
    const made = (of: unknown) => text(of as Journal);
    const [shard] = [{ file: '../evil', bytes: 1 }];
    const bad: unknown[] = [null, [], 7, {}, { ...journal, started: -1 }, { ...journal, shards: [shard] }, { ...journal, done: [{ file: 'm' }] }, { ...journal, subject: { ...SUBJECT, sources: [{}] } }, { ...journal, replaces: [3] }, { ...journal, isReplaced: undefined }, { ...journal, subject: { ...SUBJECT, sources: [{ ...SUBJECT.sources[0], beside: undefined }] } }];
    for (const one of bad) expect(() => parse(made(one)), JSON.stringify(one)).toThrow(expect.objectContaining({ reason: 'journal-broken', where: { file: 'out/journal', actual: 'a field is missing or of the wrong type' } }));
    expect(() => parse('[]')).toThrow(expect.objectContaining({ reason: 'journal-broken' }));
    expect(() => parse('[['.repeat(100_000))).toThrow(expect.objectContaining({ reason: 'journal-broken' }));
  });
});

it('a single file that was replaced is not said to be the older one, and goes when the unfinished export is removed', async () => {
  const old = { 'model.safetensors': 'old', 'config.json': 'old', 'README.md': 'old', 'notes.txt': 'mine' };
  const folder = new MemoryFolder(old);
  folder.before = (operation, what) => {
    if (what === 'read model.safetensors') folder.stopAt(operation);
    if (what === 'read model.safetensors') throw new StudioError('destination', 'unusable', what);
  };
  await failure(run(folder, { shardBytes: 1e9, hooks: { replace: true } }));
  folder.restart();
  const journal = await journalOf(folder);
  expect([journal.replaces, journal.isReplaced]).toEqual([['model.safetensors', 'config.json', 'README.md'], true]);
  expect(keepsOld(journal, [...folder.files.keys()])).toBe(false);
  for (const name of await debrisOf(folder, journal, isExportFile)) await folder.remove(name);
  expect([...folder.files.keys()]).toEqual(['notes.txt']);
});

it('with nothing to keep beside an older export, a run still answers those it goes side by side with', async () => {
  const folder = new MemoryFolder(OLD);
  folder.before = (operation, what) => {
    if (what === `write ${SHARDS[0]!}`) folder.stopAt(operation + 1);
  };
  await failure(run(folder, { hooks: { replace: true } }));
  folder.restart();
  const resume = await journalOf(folder);
  expect(keepsOld(resume, [...folder.files.keys()])).toBe(true);
  const asked: (readonly string[])[] = [];
  await run(folder, { journal: { resume, agree: async (files) => (asked.push(files), files) } });
  expect(asked).toEqual([[]]);
});

it('a single file that cannot become final leaves the older export as it was, its tokenizer included', async () => {
  const old = { 'model.safetensors': 'old', 'config.json': 'old', 'tokenizer.json': 'old' };
  const folder = new MemoryFolder(old);
  folder.before = (_operation, what) => {
    if (what === 'close model.safetensors') throw new StudioError('disk-full', 'disk-full', what);
  };
  await failure(run(folder, { shardBytes: 1e9, hooks: { replace: true } }));
  expect(Object.fromEntries([...folder.files].map(([name, bytes]) => [name, new TextDecoder().decode(bytes)]))).toEqual(old);
});
