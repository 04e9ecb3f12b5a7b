/** Operations of the destination that never end, or end when nobody waits for them any more (faults.md B 36). */
import { describe, expect, it } from 'vitest';
import { StudioError } from '../../../src/bytes/errors';
import { JOURNAL_FILE } from '../../../src/bytes/source';
import { Watchdog } from '../../../src/bytes/watchdog';
import { readJournal } from '../../../src/merge/journal';
import { FAST } from '../test-time';
import { again, CASES, cleanRun, expectNothingHalf, failure, run, sorted } from './interrupted-run';
import { MemoryFolder } from './memory-folder';

describe.each(CASES)('%s', (_, shardBytes, old) => {
  it.each(['never', 'late', 'never, cancelled', 'late, cancelled'] as const)('any operation that ends %s is not waited for: what is left is whole or can be resumed', async (kind) => {
    const { files, operations } = await cleanRun(shardBytes, old);
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    for (let n = 0; n < operations.length; n++) {
      const folder = new MemoryFolder(old);
      const controller = new AbortController();
      folder.holdAt(n);
      if (kind.endsWith('cancelled')) folder.before = (operation) => void (operation === n && controller.abort());
      const what = `${n}: ${operations[n]!}`;
      const left: string[] = [];
      const error = await failure(run(folder, { shardBytes, hooks: { replace: Object.keys(old).length > 0, signal: controller.signal, watchdog: new Watchdog(FAST), onLeftBehind: (names) => left.push(...names) } }));
      if (kind.endsWith('cancelled')) expect(error.code, what).toBe('cancelled');
      else {
        expect(error, what).toMatchObject({ code: 'destination', reason: 'stalled', where: { file: operations[n]!.split(' ')[1] ?? 'out' } });
        expect(error.where.actual, what).toBeGreaterThan(operations[n]!.startsWith('read') ? 60 : 180);
      }
      if (kind.startsWith('late')) {
        folder.release();
        for (let i = 0; i < 20; i++) await turn();
        // What came to pass after all is taken back.
        expect([...folder.unfinished], what).toEqual([]);
        // Nor was it read again.
        expect(['', 'old'], what).toContain(new TextDecoder().decode(folder.files.get('model.safetensors')));
      }
      folder.restart();
      expectNothingHalf(folder, files, old, what);
      const litter = [...folder.files.keys()].filter((one) => !(one in old) && one !== JOURNAL_FILE);
      expect(folder.files.has(JOURNAL_FILE) || litter.length === 0, what).toBe(true);
      const journal = await readJournal(folder).catch(() => null);
      if (kind.startsWith('never') && journal?.done.length === 0) expect(left, what).toEqual(expect.arrayContaining(litter));
      await again(folder, { shardBytes });
      expect(sorted(folder), what).toEqual(files);
    }
  });
});

describe.each(['is stalled', 'is cancelled'] as const)('closing the file that takes the place of another %s, and ends', (why) => {
  const old = { 'model.safetensors': 'old', 'config.json': 'old', 'tokenizer.json': 'old', 'notes.txt': 'mine' };
  const turns = async () => {
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
  };

  it.each([
    ['well while the run cleans up', 'cleaning', true],
    ['well when it is over', 'over', true],
    ['badly while the run cleans up', 'cleaning', false],
    ['badly when it is over', 'over', false],
  ] as const)('%s: the new weights are taken back, the older ones have their config', async (_, when, isWell) => {
    const folder = new MemoryFolder(old);
    const controller = new AbortController();
    const create = folder.create.bind(folder);
    let end = () => {};
    folder.create = async (name) => {
      const sink = await create(name);
      if (name !== 'model.safetensors') return sink;
      let closing = Promise.resolve();
      return {
        ...sink,
        close: () => {
          closing = new Promise<void>((resolve) => (end = resolve)).then(() => {
            if (!isWell) throw new StudioError('disk-full', 'disk-full', name);
            return sink.close();
          });
          if (why === 'is cancelled') controller.abort();
          return closing;
        },
        abort: async () => {
          // What waits for the close lets it come to its end.
          if (when === 'cleaning') end();
          await closing.catch(() => {});
          await sink.abort();
        },
      };
    };
    const error = await failure(run(folder, { shardBytes: 1e9, hooks: { replace: true, signal: controller.signal, watchdog: new Watchdog(FAST) } }));
    expect(error.reason).toBe(why === 'is cancelled' ? 'cancelled' : 'stalled');
    end();
    await turns();
    const text = Object.fromEntries([...folder.files].map(([name, bytes]) => [name, new TextDecoder().decode(bytes)]));
    if (isWell) expect([text['model.safetensors'], text['config.json'], text['notes.txt']]).toEqual([undefined, undefined, 'mine']);
    else expect(text).toMatchObject(old);
    folder.restart();
    folder.create = create;
    await again(folder, { shardBytes: 1e9 });
    expect(sorted(folder)).toEqual((await cleanRun(1e9, old)).files);
  });
});
