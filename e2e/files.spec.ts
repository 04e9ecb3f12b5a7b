import { copyFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { drop } from './support/drop';
import { expectPaperSlack, expectSameTensors, paperSlack } from './support/expected';
import { asCache, sampleTensors, writeConverted, writeSharded } from './support/family';
import { expect, photograph, test } from './support/fixtures';
import { pickPrivateFolder, privateFile, privateFiles, withoutPickers } from './support/private-storage';
import { readSafetensors, type Tensors } from './support/safetensors';
import { choosePreset, chooseWebGpu, download, expectOpen, merge, mergeButton, openPair, openSample, visit } from './support/studio';

const MALFORMED = join(process.cwd(), 'tests', 'fixtures', 'malformed');

/** Folders `base` and `sft` in three shards each, the latter in a cache of Hugging Face, and `ct-x-4M` in another format. */
async function writeFamily(folder: string, dtype: 'F16' | 'F32'): Promise<{ folders: string[]; ct: Tensors }> {
  const [base, sft, ct] = ['base', 'sft', 'ct-x-4M'].map((name) => join(folder, 'family', name)) as [string, string, string];
  await writeSharded('base', 3, base);
  await writeSharded('sft', 3, sft);
  return { folders: [base, await asCache(sft, 'sft', folder), ct], ct: await writeConverted('ct-x-4M', dtype, ct) };
}
const NAMES = ['base', 'acme/sft', 'ct-x-4M'];

async function expectMergeOf(file: Uint8Array, ct: Tensors): Promise<void> {
  const expected = paperSlack(await sampleTensors('base'), await sampleTensors('sft'), ct);
  expectSameTensors(readSafetensors(file).tensors, expected.tensors);
}

test('a folder with shards, a Hugging Face cache whose links the browser leaves out and an F16 model, dropped from the disk', async ({ page, folder, complaints }) => {
  const { folders, ct } = await writeFamily(folder, 'F16');
  await visit(page);
  await chooseWebGpu(page);
  await drop(page, folders);
  await expectOpen(page, NAMES);
  await expect(page.getByRole('article', { name: 'acme/sft', exact: true })).toContainText(/Shards\s*3/);
  await expect(page.getByRole('article', { name: 'ct-x-4M', exact: true })).toContainText(/Dtype\s*F16/);
  await choosePreset(page, 'Paper + slack 4 %');
  await expect(mergeButton(page)).toBeEnabled();
  const report = await merge(page);
  await expectMergeOf(await download(page, report, 'model.safetensors', folder), ct);
  expect(complaints).toEqual([]);
});

const IMPOSTORS: readonly [file: string, bytes: Buffer, said: string][] = [
  [
    'pointer.safetensors',
    Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3158072\n'),
    'is a Git LFS pointer, not the weights',
  ],
  ['page.safetensors', Buffer.from('<!DOCTYPE html><html><title>Sign in</title></html>'), 'is a web page'],
  ['pickle.safetensors', Buffer.from([0x80, 0x02, 0x7d, 0x71, 0x00, 0x2e, 0, 0, 0, 0, 0, 0]), 'is a Python pickle'],
];

// What follows is about files: the CPU says it sooner than a software adapter.
test.describe('on the CPU', () => {
  test.use({ webgpu: false });

  test('the same with an F32 model, chosen one by one in a browser without handles', async ({ page, folder }) => {
    const { folders, ct } = await writeFamily(folder, 'F32');
    await withoutPickers(page);
    await visit(page);
    for (const [i, path] of folders.entries()) {
      const [chooser] = await Promise.all([
        page.waitForEvent('filechooser'),
        page.getByRole('button', { name: 'Choose folder' }).click(),
      ]);
      await chooser.setFiles(path);
      await expectOpen(page, [NAMES[i]!]);
    }
    await choosePreset(page, 'Paper + slack 4 %');
    await expect(page.getByRole('radio', { name: /^Folder on disk/ })).toBeDisabled();
    await expect(mergeButton(page)).toBeEnabled();
    const report = await merge(page);
    await expectMergeOf(await download(page, report, 'model.safetensors', folder), ct);
  });

  test('a malformed file is refused with file, tensor and both numbers, and the page goes on', async ({ page, folder }) => {
    const file = join(folder, 'broken.safetensors');
    await copyFile(join(MALFORMED, 'off_hole.safetensors'), file);
    await visit(page);
    await drop(page, [file]);
    const problem = page.getByRole('list', { name: 'Problems' }).getByRole('alert');
    await expect(problem).toHaveCount(1);
    await expect(problem).toContainText('broken.safetensors');
    await expect(problem).toContainText(/previous tensor ends at \d+, this one begins at \d+/);
    await photograph(page, '07 malformed file');
    await openSample(page);
    await expect(problem).toBeVisible();
    await page.getByRole('button', { name: 'Dismiss the problem of broken.safetensors' }).click();
    await expect(problem).toHaveCount(0);
  });

  test('a missing shard is named', async ({ page, folder }) => {
    const sharded = join(folder, 'family', 'base');
    const shards = await writeSharded('base', 3, sharded);
    await rm(join(sharded, shards[1]!));
    await visit(page);
    await drop(page, [sharded]);
    const problem = page.getByRole('list', { name: 'Problems' }).getByRole('alert');
    await expect(problem).toContainText('shards are missing');
    await expect(problem).toContainText('model-00002-of-00003.safetensors');
    await photograph(page, '08 missing shard');
  });

  test('a Git LFS pointer, a web page and a pickle that are called .safetensors are refused as what they are', async ({ page, folder }) => {
    for (const [file, bytes] of IMPOSTORS) await writeFile(join(folder, file), bytes);
    await visit(page);
    await drop(
      page,
      IMPOSTORS.map(([file]) => join(folder, file)),
    );
    const problems = page.getByRole('list', { name: 'Problems' }).getByRole('alert');
    await expect(problems).toHaveCount(IMPOSTORS.length);
    for (const [file, , said] of IMPOSTORS) await expect(problems.filter({ hasText: file })).toContainText(said);
  });

  test('an export to a folder holds weights, config and tokenizer, and is not mixed with an older one', async ({ page }) => {
    await pickPrivateFolder(page, 'picked');
    await visit(page);
    await openPair(page);
    await choosePreset(page, 'Paper + slack 4 %');
    // The label is what a pointer meets; the radio under it is what has the name.
    await page.getByRole('group', { name: 'Destination' }).getByText(/^Folder on disk/).click();
    await expect(page.getByRole('radio', { name: 'Folder picked' })).toBeChecked();
    await expect(mergeButton(page)).toBeEnabled();
    const report = await merge(page);
    await expect(report).toContainText('in the folder picked');

    const sizes = await privateFiles(page, 'picked');
    expect(Object.keys(sizes).sort()).toEqual([
      'README.md',
      'config.json',
      'generation_config.json',
      'merge_by_layer.svg',
      'mergekit_config.yml',
      'model.safetensors',
      'special_tokens_map.json',
      'tokenizer.json',
      'tokenizer_config.json',
    ]);
    await expectPaperSlack(await privateFile(page, 'picked', 'model.safetensors'));
    expect(sizes['tokenizer.json']).toBe(6035);
    expect(sizes['generation_config.json']).toBe(138);
    const config = JSON.parse((await privateFile(page, 'picked', 'config.json')).toString()) as Record<string, unknown>;
    expect(config).toMatchObject({ model_type: 'llama', num_hidden_layers: 8, vocab_size: 384, tie_word_embeddings: false });

    // Row 42 of the faults: an older export is refused or replaced on request, never mixed.
    await page.getByRole('button', { name: 'Close the report' }).click();
    await mergeButton(page).click();
    await expect(page.getByRole('alert').filter({ hasText: 'picked' })).toBeVisible();
    await photograph(page, '09 destination not empty');
    await page.getByRole('checkbox', { name: 'Replace an older export' }).check();
    await merge(page);
    await expectPaperSlack(await privateFile(page, 'picked', 'model.safetensors'));
  });
});
