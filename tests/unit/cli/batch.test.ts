/** A batch on the disk: what it says, and what another command may do beside it. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, open, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { resumptionOf } from '../../../src/cli/advice';
import { readOptions } from '../../../src/cli/usage';
import { commanded, filesOf, makeModel, saying } from './small';

const RECIPE = `merge_method: ties
base_model: base
models:
  - {model: one, parameters: {weight: 1, density: 0.5}}
  - {model: two, parameters: {weight: 1, density: 0.5}}
dtype: float32
`;
const FOLDERS = ['one-0.5_two-0.5', 'one-0.5_two-1'];
/** A shard for each tensor. */
const SHARDED = ['--shard-size', '256'];
let folder = '';
const at = (...path: string[]) => join(folder, ...path);
const batch = (out: string, ...args: string[]) => ['batch', at('recipe.yml'), '--out', out, '--grid', 'one=0.5', '--grid', 'two=0.5,1', ...SHARDED, ...args];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'studio-batch-'));
  await writeFile(at('recipe.yml'), RECIPE);
  for (const [i, name] of ['base', 'one', 'two'].entries()) await makeModel(at(name), i);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it('has its folders for itself: a merge into one of them is refused while it runs, and what it writes stays as it is', async () => {
  const out = at('grid');
  const [first, second] = FOLDERS.map((name) => join(out, name)) as [string, string];
  const stuck = join(second, 'model-00002-of-00003.safetensors.part');
  await mkdir(second, { recursive: true });
  // Opening a pipe that nobody reads waits until somebody does.
  await promisify(execFile)('mkfifo', [stuck]);
  const said: string[] = [];
  const running = saying(said, batch(out, '--resume'));
  const failed = expect(running).rejects.toMatchObject({ code: 'destination' });
  while (!(await readdir(second)).includes('model-00001-of-00003.safetensors')) await new Promise((resolve) => setTimeout(resolve, 5));
  const before = await readdir(second);
  for (const args of [[], ['--replace'], ['--resume']]) await expect(commanded(['merge', at('recipe.yml'), '--out', second, ...SHARDED, ...args])).rejects.toMatchObject({ reason: 'locked', where: { file: second, actual: `process ${process.pid}` } });
  expect(await readdir(second)).toEqual(before);
  // Whose journal lies in a folder within.
  expect(await resumptionOf(readOptions(batch(out))!)).toBe('What is finished is kept: --resume carries on.');
  const pipe = await open(stuck, 'r+');
  // A pipe cannot be put on the disk: this one fails, and its wave with it.
  await failed;
  await pipe.close();
  for (const one of [first, second]) expect((await readdir(one)).filter((name) => name.startsWith('.'))).toEqual([]);
  await commanded(batch(out, '--resume'));
  await commanded(batch(at('undisturbed', 'grid')));
  for (const [i, one] of [first, second].entries()) expect(await filesOf(one)).toEqual(await filesOf(at('undisturbed', 'grid', FOLDERS[i]!)));
  expect((await readdir(out)).sort()).toEqual([...FOLDERS, 'results.csv']);
});

it('carried on says of what it made that it was read again, and of folders that were complete before only what was looked at', async () => {
  const out = at('carried');
  const words = (text: string) => text.split('\n').filter((line) => /merges in|before/.test(line)).map((line) => line.replace(/ in [\d.]+ s on .*?, read/, ' in … read'));
  const made = (count: number) => `${count} of 2 merges in … read again and equal: ${out}`;
  expect(words(await commanded(batch(out)))).toEqual([made(2)]);
  await rm(join(out, FOLDERS[1]!), { recursive: true });
  expect(words(await commanded(batch(out, '--resume')))).toEqual([made(1), `1 folder was complete before, is of these recipes and sources by its headers, and left as it is: ${out}`]);
  expect(words(await commanded(batch(out, '--resume', '--recheck')))).toEqual([`2 folders were complete before, are of these recipes and sources by their headers, and left as they are; they were not computed again: ${out}`]);
});
