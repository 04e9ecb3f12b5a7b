/** Exact figures kept in IndexedDB, and in memory where there is none: one body, both kept to the same rules. */
import { describe, expect, it } from 'vitest';
import { memoryFiguresStore, MOST_KEPT, openFiguresStore } from '../../../src/files/figures-store';
import { emptyFigures } from '../../../src/merge/figures';
import type { TensorFigures } from '../../../src/worker/protocol';

const answer = (conflict: number): TensorFigures[] => [
  { tensor: 'a', elements: 10, exact: true, thresholds: [0.5, null], spread: null, figures: { ...emptyFigures(2), numel: 10, conflict } },
];

describe.each([
  ['IndexedDB', () => openFiguresStore()],
  ['memory', memoryFiguresStore],
  ['a browser whose database does not open', () => openFiguresStore({ open: () => { throw new Error('refused'); } } as unknown as IDBFactory)],
])('%s', (_name, open) => {
  it('keeps the latest answers, the oldest goes first, and a key put again is new again', async () => {
    const store = open();
    const name = (i: number) => `key ${i}`;
    for (let i = 0; i < MOST_KEPT; i++) await store.put(name(i), answer(i));
    expect(await store.get(name(0))).toEqual(answer(0));
    await store.put(name(0), answer(1000));
    await store.put('another', answer(1));
    expect((await store.keys()).length).toBe(MOST_KEPT);
    expect(await store.get(name(0))).toEqual(answer(1000));
    expect(await store.get(name(1))).toBeNull();
    expect(await store.get(name(2))).toEqual(answer(2));
  });
});

it('IndexedDB gives them to the next page', async () => {
  await openFiguresStore().put('over a reload', answer(7));
  const next = openFiguresStore();
  expect(await next.keys()).toContain('over a reload');
  expect(await next.get('over a reload')).toEqual(answer(7));
  expect(await next.get('never counted')).toBeNull();
});
