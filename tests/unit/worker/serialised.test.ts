/** One operation at a time on a device, in the order of the calls. */
import { describe, expect, it } from 'vitest';
import type { Backend, Group, GroupResult } from '../../../src/merge/backend';
import { serialised } from '../../../src/worker/serialised';
import { Watchdog } from '../../../src/bytes/watchdog';
import { FAST } from '../test-time';

const GROUP: Group = { method: 'ties', slots: [], chunks: [[]] };
const RESULT: GroupResult = { slots: [], segments: [] };
const settle = () => new Promise((resolve) => setTimeout(resolve, 0));
const unused = () => Promise.reject(new Error('unused'));

function setUp(concurrency?: number) {
  const log: string[] = [];
  let endMerge: (error?: Error) => void = () => {};
  const ends: (() => void)[] = [];
  const backend: Backend = {
    info: { kind: 'cpu', label: 'fake', software: false, arithmetic: 'native' },
    chunkBytes: 8,
    ...(concurrency === undefined ? {} : { concurrency }),
    merge: () => {
      log.push('merge');
      return new Promise((resolve, reject) => {
        endMerge = (error) => (error ? reject(error) : resolve(RESULT));
        ends.push(() => resolve(RESULT));
      });
    },
    tally: unused,
    hold: async (group) => {
      log.push('hold');
      return { group, evaluate: async () => (log.push('evaluate'), RESULT), surface: unused, slackCurve: unused, effect: unused, distribution: unused, tally: unused, release: () => void log.push('release') };
    },
    adapt: async () => (log.push('adapt'), new Uint8Array(4)),
    dispose: () => void log.push('dispose'),
  };
  return { log, backend: serialised(backend, new Watchdog(FAST)), endMerge: (error?: Error) => endMerge(error), ends };
}

describe('serialised', () => {
  it('lets exploring and the end of the backend wait for a merge, even one that fails', async () => {
    const { log, backend, endMerge } = setUp();
    const held = await backend.hold(GROUP, unused);
    const merge = backend.merge(GROUP, [], unused, unused);
    const figures = held.evaluate([]);
    backend.dispose();
    await settle();
    expect(log).toEqual(['hold', 'merge']);
    endMerge(new Error('failed'));
    await expect(merge).rejects.toThrow('failed');
    expect(await figures).toBe(RESULT);
    await settle();
    expect(log).toEqual(['hold', 'merge', 'evaluate', 'dispose']);
  });

  it('forms adapted values while the merge that asks for them is under way', async () => {
    const { log, backend, endMerge } = setUp();
    const merge = backend.merge(GROUP, [], unused, unused);
    await settle();
    const empty = new Float32Array(1);
    await backend.adapt({ base: new Uint8Array(4), dtype: 'F32', first: 0, columns: 1, rank: 1, scale: 1, left: empty, right: empty });
    expect(log).toEqual(['merge', 'adapt']);
    endMerge();
    await merge;
  });

  it('does not evaluate what was superseded while it waited', async () => {
    const { log, backend, endMerge } = setUp();
    const held = await backend.hold(GROUP, unused);
    const merge = backend.merge(GROUP, [], unused, unused);
    const controller = new AbortController();
    const figures = held.evaluate([], controller.signal);
    controller.abort();
    await settle();
    endMerge();
    await merge;
    await expect(figures).rejects.toMatchObject({ code: 'cancelled' });
    expect(log).toEqual(['hold', 'merge']);
  });

  it('lets as many groups run beside each other as the backend takes, and exploring beside none', async () => {
    const { log, backend, ends } = setUp(2);
    const held = await backend.hold(GROUP, unused);
    const merge = () => backend.merge(GROUP, [], unused, unused);
    const merges = [merge(), merge(), merge()];
    const figures = held.evaluate([]);
    const last = merge();
    await settle();
    expect(log).toEqual(['hold', 'merge', 'merge']);
    ends[0]!();
    await settle();
    expect(log).toEqual(['hold', 'merge', 'merge', 'merge']);
    ends[1]!();
    await settle();
    expect(log.length).toBe(4);
    ends[2]!();
    await Promise.all([...merges, figures]);
    await settle();
    expect(log).toEqual(['hold', 'merge', 'merge', 'merge', 'evaluate', 'merge']);
    ends[3]!();
    await last;
  });

  it('waits for no group that was aborted, nor does the next one', async () => {
    const { log, backend, ends } = setUp();
    const controller = new AbortController();
    const merge = (signal?: AbortSignal) => backend.merge(GROUP, [], unused, unused, signal ? { signal } : {});
    const [never, next] = [merge(controller.signal), merge()];
    await settle();
    controller.abort();
    await expect(never).rejects.toMatchObject({ code: 'cancelled' });
    await settle();
    expect(log).toEqual(['merge', 'merge']);
    ends[1]!();
    expect(await next).toBe(RESULT);
  });

  it('ends a group that is aborted while it waits, without beginning it or letting another pass by what it waited for', async () => {
    const { log, backend, ends } = setUp();
    const controller = new AbortController();
    const merge = (signal?: AbortSignal) => backend.merge(GROUP, [], unused, unused, signal ? { signal } : {});
    const [first, waiting, last] = [merge(), merge(controller.signal), merge()];
    controller.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'cancelled' });
    await settle();
    expect(log).toEqual(['merge']);
    ends[0]!();
    await first;
    await settle();
    expect(log).toEqual(['merge', 'merge']);
    ends[1]!();
    expect(await last).toBe(RESULT);
  });
});
