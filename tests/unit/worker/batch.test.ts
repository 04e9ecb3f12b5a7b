/** "Export several" as the page asks for it: folders in the destination, each what a merge of its own gives, and their table. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { openExportFolder } from '../../../src/files/export-folder';
import { DEFAULT_CHOICES } from '../../../src/merge/plan-types';
import { gridEntries, PAPER_GRID, readDensities } from '../../../src/state/batch';
import { readResults } from '../../../src/recipe/results';
import { scopeOf } from '../../../src/recipe/resolve';
import type { Recipe } from '../../../src/recipe/types';
import { fault, FakeFolder } from '../files/fakes';
import { familyFiles, openFamily } from './family';

const NOTE = '# agreed on in May\nmerge_method: ties\n';

async function grid() {
  const session = await openFamily();
  const { recipe, idOf, request } = session;
  const names: Readonly<Record<string, string>> = { [idOf('sft')]: 'sft', [idOf('ct')]: 'ct' };
  const entries = gridEntries({ recipe, text: { text: NOTE, paths: { [idOf('sft')]: './runs/sft' } }, choices: DEFAULT_CHOICES }, [idOf('sft'), idOf('ct')], [0.3, 1], (id) => names[id]!);
  const start = () => request('batch', { entries, shardBytes: 2 ** 30, destination: null });
  return { ...session, entries, start };
}

describe('a batch', () => {
  it('leaves a complete folder for each recipe, with the weights of its own merge, and a table that reads back', async () => {
    const { start, out, merge, entries, events } = await grid();
    const summary = await start();
    expect(summary).toMatchObject({ destination: 'out', privateStorage: true, missing: [], stopped: null, table: 'results.csv' });
    expect(summary.folders.map(({ folder, verified }) => [folder, verified])).toEqual(entries.map(({ folder }) => [folder, 3]));
    expect([...out.folders.keys()]).toEqual(['sft-0.3_ct-0.3', 'sft-0.3_ct-1', 'sft-1_ct-0.3', 'sft-1_ct-1']);
    expect(events.findLast((event) => event.event === 'progress')).toMatchObject({ progress: { foldersDone: 4, folders: 4, tensorsDone: 12, tensors: 12 } });

    const scored = new TextDecoder().decode(out.files.get('results.csv')!.bytes).replaceAll(',\r\n', ',7\r\n');
    expect(readResults(scored, 'results.csv').rows.map(({ folder, densities }) => [folder, densities])).toEqual([
      ['sft-0.3_ct-0.3', { sft: 0.3, ct: 0.3 }],
      ['sft-0.3_ct-1', { sft: 0.3, ct: 1 }],
      ['sft-1_ct-0.3', { sft: 1, ct: 0.3 }],
      ['sft-1_ct-1', { sft: 1, ct: 1 }],
    ]);

    const yaml = new TextDecoder().decode(out.folders.get('sft-1_ct-0.3')!.files.get('mergekit_config.yml')!.bytes);
    expect(yaml).toContain('# agreed on in May\nmerge_method: ties\n');
    expect(yaml).toContain('- model: ./runs/sft\n    parameters:\n      weight: 1.0\n      density: 1.0\n');

    for (const { folder, recipe } of entries) {
      // The next job may begin once the reply to the last is out.
      await new Promise((resolve) => setTimeout(resolve));
      await merge(true, recipe);
      const own = out.folders.get(folder)!.files;
      expect([...own.keys()].sort()).toEqual(['README.md', 'config.json', 'merge_by_layer.svg', 'mergekit_config.yml', 'model.safetensors', 'tokenizer.json']);
      for (const name of ['model.safetensors', 'config.json', 'tokenizer.json']) expect(own.get(name)!.bytes, `${folder}/${name}`).toEqual(out.files.get(name)!.bytes);
    }
  });

  it('computes all of it again where that is asked for, and says so of each', async () => {
    const { request, entries } = await grid();
    const summary = await request('batch', { entries, shardBytes: 2 ** 30, destination: null, recheck: true });
    expect(summary.folders.map(({ rechecked }) => rechecked)).toEqual(entries.map(() => ({ values: 12, differing: 0, by: 'CPU, one thread, SIMD' })));
  });

  it('plans what it then does: one round, every input once', async () => {
    const { request, entries, recipe } = await grid();
    const alone = await request('plan', { recipe, choices: DEFAULT_CHOICES, shardBytes: 2 ** 30 });
    const plan = await request('planBatch', { entries, shardBytes: 2 ** 30 });
    expect(plan).toMatchObject({ folders: 4, waves: [4], bytesRead: alone.bytesRead, bytesTooLarge: 0 });
  });

  it('counts every recipe for the charts', async () => {
    const { start, request, entries } = await grid();
    await start();
    for (const { recipe } of entries) {
      const { tensors } = await request('explore', { recipe, choices: DEFAULT_CHOICES });
      expect(tensors.every(({ exact }) => exact)).toBe(true);
    }
  });

  it('is refused where a folder of that name is, and then changes nothing', async () => {
    const { start, out } = await grid();
    await out.getDirectoryHandle('sft-0.3_ct-1', { create: true });
    await expect(start()).rejects.toMatchObject({ code: 'destination', reason: 'folders-exist', where: { names: ['sft-0.3_ct-1'] } });
    expect([[...out.files.keys()], [...out.folders.keys()]]).toEqual([[], ['sft-0.3_ct-1']]);
  });
});

describe('a batch in private storage whose second round failed', () => {
  afterEach(() => vi.unstubAllGlobals());

  async function half() {
    const root = new FakeFolder('root');
    vi.stubGlobal('navigator', { storage: { getDirectory: async () => root.handle } });
    const session = await openFamily({}, familyFiles(), { openExportFolder });
    const { recipe, request } = session;
    const entry = (folder: string, more: Partial<Recipe>) => ({ folder, recipe: { ...recipe, ...more }, text: null, choices: DEFAULT_CHOICES });
    // What is ranked over the whole model goes by itself: two rounds.
    const entries = [entry('first', {}), entry('second', { scope: { ...scopeOf(recipe), trim: 'model' } })];
    expect((await request('planBatch', { entries, shardBytes: 2 ** 30 })).waves).toEqual([1, 1]);
    const ask = async (more: object = {}, of: typeof entries = entries) => {
      // The next job may begin once the reply to the last is out.
      await new Promise((resolve) => setTimeout(resolve));
      return request('batch', { entries: of, shardBytes: 2 ** 30, destination: null, ...more });
    };
    let isFull = true;
    root.made = (folder) => {
      if (folder.name === 'second') folder.before = (operation) => {
        if (isFull && operation === 'write') throw fault('QuotaExceededError');
      };
    };
    const { missing, stopped } = await ask();
    expect([missing, stopped?.code]).toEqual([['second'], 'disk-full']);
    isFull = false;
    const out = () => root.folders.get('exports')!.folders.get('merged-model')!;
    const text = (name: string) => new TextDecoder().decode(out().files.get(name)!.bytes);
    return { ...session, entries, ask, out, text };
  }

  it('keeps what is complete until it is carried on, with the scores that were filled in', async () => {
    const { ask, out, text } = await half();
    const first = out().folders.get('first')!.files.get('model.safetensors')!;
    out().files.get('results.csv')!.bytes = new TextEncoder().encode(text('results.csv').replace(/,score\r\n/, ',score,bleu\r\n').replace(/,\r\n$/, ',7,21.5\r\n'));
    await expect(ask()).rejects.toMatchObject({ code: 'destination', reason: 'folders-exist', where: { names: ['results.csv', 'first'] } });
    expect(out().folders.get('first')!.files.get('model.safetensors')).toBe(first);
    expect(await ask({ resume: true })).toMatchObject({ missing: [], stopped: null });
    expect(out().folders.get('first')!.files.get('model.safetensors')).toBe(first);
    expect([...out().folders.keys()]).toEqual(['first', 'second']);
    const lines = text('results.csv').split('\r\n');
    expect([lines[0]!.endsWith(',score,bleu'), lines[1]!.endsWith(',7,21.5'), lines[2]!.startsWith('second,') && lines[2]!.endsWith(',,')]).toEqual([true, true, true]);
  });

  it('is made anew on request, and gives way to one of other names', async () => {
    const { ask, out, text, entries } = await half();
    expect((await ask({ anew: true })).folders.map(({ folder, tensors }) => [folder, tensors])).toEqual([['first', 3], ['second', 3]]);
    await ask({}, [{ ...entries[0]!, folder: 'third' }]);
    expect([[...out().folders.keys()], text('results.csv').split('\r\n').length]).toEqual([['third'], 3]);
  });

  it('with a table of something else beside it is not carried on, and nothing changes', async () => {
    const { ask, out } = await half();
    const bytes = new TextEncoder().encode('folder,method,score\r\nmine,ties,3\r\n');
    out().files.get('results.csv')!.bytes = bytes;
    await expect(ask({ resume: true })).rejects.toMatchObject({ code: 'destination', reason: 'table-of-another', where: { file: 'merged-model/results.csv' } });
    expect([out().files.get('results.csv')!.bytes, [...out().folders.keys()]]).toEqual([bytes, ['first']]);
  });
});

describe('densities as typed', () => {
  it.each([
    [PAPER_GRID.join(', '), [0.01, 0.2, 0.4, 0.6, 0.8, 1]],
    ['1; 0.5 0.5', [0.5, 1]],
    ['', null],
    ['0, 1', null],
    ['0.2, 1.1', null],
    ['0.2, x', null],
    [Array.from({ length: 13 }, (_, i) => (i + 1) / 13).join(), null],
  ])('%s', (text, expected) => expect(readDensities(text)).toEqual(expected));
});
