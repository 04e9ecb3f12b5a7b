/** Handles kept in IndexedDB: folders of private storage, whose handles are those of a disk. */
import { describe, expect, it } from 'vitest';
import { MOST_ROOTS, openKeptHandles } from '../../../src/files/kept-handles';

const folderOf = async (name: string) => {
  const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle(name, { create: true });
  await (await folder.getFileHandle('model.safetensors', { create: true })).createWritable().then((sink) => sink.close());
  return folder;
};
const one = (name: string) => [{ id: `id:${name}`, name }];

describe('handles kept', () => {
  it('are there for the next page, opened again with their files, forgotten with their last checkpoint', async () => {
    const base = await folderOf('kept-base');
    const first = openKeptHandles(1);
    await first.keep(base, [...one('base'), ...one('other')]);
    await first.keep(await folderOf('kept-sft'), one('sft'));
    const next = openKeptHandles(2);
    const [sft, kept] = await next.list();
    expect([sft, kept]).toMatchObject([{ name: 'kept-sft', session: 1, checkpoints: one('sft') }, { name: 'kept-base', session: 1, checkpoints: [...one('base'), ...one('other')] }]);
    const files = await next.pick(kept!.key);
    expect(files.map(({ path }) => path)).toEqual(['kept-base/model.safetensors']);
    expect(await (files[0]!.root as FileSystemHandle).isSameEntry(base)).toBe(true);
    // The same folder again takes its own place.
    expect((await next.keep(base, one('base'))).map(({ name, session }) => [name, session])).toEqual([['kept-base', 2], ['kept-sft', 1]]);
    await next.forget('id:sft');
    expect((await openKeptHandles(3).list()).map(({ name }) => name)).toEqual(['kept-base']);
    const [last] = await next.list();
    expect(await next.forgetRoot(last!.key)).toEqual([]);
    expect(await next.pick(last!.key)).toEqual([]);
  });

  it('are bounded, and one whose folder is gone or may not be read says so', async () => {
    const kept = openKeptHandles(1);
    for (let i = 0; i <= MOST_ROOTS; i++) await kept.keep(await folderOf(`many-${i}`), one(`m${i}`));
    const list = await kept.list();
    expect([list.length, list[0]!.name, list.at(-1)!.name]).toEqual([MOST_ROOTS, `many-${MOST_ROOTS}`, 'many-1']);
    await (await navigator.storage.getDirectory()).removeEntry('many-1', { recursive: true });
    await expect(kept.pick(list.at(-1)!.key)).rejects.toMatchObject({ code: 'source-changed', reason: 'vanished' });
    for (const { key } of list) await kept.forgetRoot(key);
  });

  it('are none where the database does not open or does not take them, and nobody is stopped', async () => {
    const refusing = openKeptHandles(1, { open: () => { throw new Error('refused'); } } as unknown as IDBFactory);
    expect(await refusing.keep({ name: 'x' }, one('x'))).toEqual([]);
    // What is no handle, as in a browser that cannot store one.
    expect(await openKeptHandles(1).keep({ name: 'x', isSameEntry: () => false }, one('x'))).toEqual([]);
  });
});
