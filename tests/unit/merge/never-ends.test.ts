/** Operations of the destination that never end, or end when nobody waits for them any more (faults.md B 36). */
import { describe, expect, it } from 'vitest';
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
