import { readdir, readFile, stat } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { expect, it } from 'vitest';

const SAMPLE = join(process.cwd(), 'public', 'sample');

interface Manifest {
  readonly checkpoints: readonly { readonly name: string; readonly files: readonly { readonly path: string; readonly bytes: number }[] }[];
}
const manifest = JSON.parse(await readFile(join(SAMPLE, 'manifest.json'), 'utf8')) as Manifest;

it('lists the family of the paper: a base, a task model, one CT run at two ages, another language', () => {
  expect(manifest.checkpoints.map(({ name }) => name)).toEqual(['base', 'sft', 'ct-x-256k', 'ct-x-4M', 'ct-y-1M']);
});

it('lists every file of every folder with its size, and nothing else', async () => {
  for (const { name, files } of manifest.checkpoints) {
    const names = await readdir(join(SAMPLE, name));
    expect(files.map(({ path }) => path).sort()).toEqual(names.map((file) => posix.join(name, file)).sort());
    for (const { path, bytes } of files) expect((await stat(join(SAMPLE, path))).size, path).toBe(bytes);
  }
});

it('ships no folder that the manifest does not name, and no held-out text', async () => {
  const entries = await readdir(SAMPLE, { withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  expect(folders.sort()).toEqual(manifest.checkpoints.map(({ name }) => name).sort());
  const files = entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
  expect(files.sort()).toEqual(['LICENSES.md', 'SOURCES.md', 'manifest.json']);
});

it('has what transformers needs beside the weights', () => {
  for (const { name, files } of manifest.checkpoints) {
    expect(files.map(({ path }) => posix.relative(name, path)).sort()).toEqual([
      'config.json',
      'generation_config.json',
      'model.safetensors',
      'special_tokens_map.json',
      'tokenizer.json',
      'tokenizer_config.json',
    ]);
  }
});
