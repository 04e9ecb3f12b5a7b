/** What an export says of where its sources lay. */
import { existsSync } from 'node:fs';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { abortedOnce, commanded, filesOf, makeModel } from './small';

let folder = '';
const at = (...path: string[]) => join(folder, ...path);
const SHARDED = ['--shard-size', '256'];
const recipe = (base: string, one: string, two: string) => `merge_method: ties
base_model: ${base}
models:
  - {model: ${one}, parameters: {weight: 1, density: 0.5}}
  - {model: ${two}, parameters: {weight: 1, density: 0.5}}
dtype: float32
`;
const holding = (files: Readonly<Record<string, string>>, text: string) => Object.keys(files).filter((name) => files[name]!.includes(text));

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'studio-names-'));
  for (const [i, name] of ['base', 'a/tuned', 'b/tuned'].entries()) await makeModel(at('client', name), i);
  const paths = ['base', 'a/tuned', 'b/tuned'].map((name) => at('client', name)) as [string, string, string];
  await writeFile(at('paths.yml'), recipe(...paths));
  await writeFile(at('names.yml'), recipe('base', 'first', 'second'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it('of paths in a recipe: the recipe keeps them, everything else has the last part, and what tells two apart', async () => {
  await commanded(['merge', at('paths.yml'), '--out', at('merged'), ...SHARDED]);
  const files = await filesOf(at('merged'));
  expect([holding(files, folder), holding(files, 'client')]).toEqual([['README.md', 'mergekit_config.yml'], ['README.md', 'mergekit_config.yml']]);
  for (const name of ['base', 'a/tuned', 'b/tuned']) expect(files['model-00001-of-00003.safetensors']).toContain(`\\"name\\":\\"${name}\\"`);
  expect(files['README.md']!.split('## Recipe')[1]!.split('```')[0]).not.toContain('client');
  // The exported recipe is the whole recipe still, and gives the same.
  expect(await commanded(['verify', join(at('merged'), 'mergekit_config.yml'), '--out', at('merged')])).toContain('3 of 3 tensors are the same to the bit');
});

it('of names in a recipe whose folders the options say: nothing, also while it is unfinished', async () => {
  const models = ['base=client/base', 'first=client/a/tuned', 'second=client/b/tuned'].flatMap((pair) => ['--model', pair.replace('=', `=${folder}/`)]);
  const out = at('unfinished');
  const isSecond = () => existsSync(join(out, 'model-00002-of-00003.safetensors'));
  await expect(commanded(['merge', at('names.yml'), '--out', out, ...SHARDED, ...models], abortedOnce(isSecond))).rejects.toMatchObject({ code: 'cancelled' });
  const files = await filesOf(out);
  expect(Object.keys(files)).toContain('studio-journal.json');
  expect(files['studio-journal.json']).toContain('first');
  expect(holding(files, 'client')).toEqual([]);
  await commanded(['merge', at('names.yml'), '--out', out, ...SHARDED, ...models, '--resume']);
  expect(holding(await filesOf(out), 'client')).toEqual([]);
});

it('of a grid, that the options give by the recipe\'s names: folders and columns have the last part', async () => {
  await cp(at('client', 'a', 'tuned'), at('client', 'other'), { recursive: true });
  await writeFile(at('grid.yml'), recipe(at('client', 'base'), at('client', 'other'), at('client', 'b', 'tuned')));
  await commanded(['batch', at('grid.yml'), '--out', at('grid'), '--grid', `${at('client', 'other')}=0.5`, '--grid', `${at('client', 'b', 'tuned')}=1`]);
  const { 'results.csv': table } = await filesOf(at('grid'));
  expect(table!.split(/\r?\n/).slice(0, 2)).toEqual(['folder,method,density of other,density of tuned,lambda,slack,score', 'other-0.5_tuned-1,ties,0.5,1,1,,']);
  await expect(commanded(['batch', at('grid.yml'), '--out', at('none'), '--grid', 'other=0.5', '--grid', 'x=1'])).rejects.toThrow(`those are ${at('client', 'other')}, ${at('client', 'b', 'tuned')}`);
});
