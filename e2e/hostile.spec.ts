import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { drop } from './support/drop';
import { expect, photograph, test } from './support/fixtures';
import { encode } from './support/numbers';
import { readSafetensors, writeSafetensors, type Tensors } from './support/safetensors';
import { choosePreset, download, expectOpen, merge, mergeButton, region, visit } from './support/studio';

/** Row 12 of the faults: data, kept exactly. */
const NAMES = ['__proto__', 'constructor', '', 'a\u0000b', '../../x', '<img src=x onerror=alert(1)>', '</script><script>alert(2)</script>', `long.${'x'.repeat(1_000_000)}`];
const VALUES = 64;

function hostile(scale: number): Tensors {
  const tensor = (seed: number) => ({ dtype: 'BF16' as const, shape: [8, 8], bytes: encode(Float32Array.from({ length: VALUES }, (_, i) => scale * Math.sin(seed * 97 + i * scale)), 'BF16') });
  return new Map(NAMES.map((name, i) => [name, tensor(i)]));
}

test.use({ webgpu: false });

/** A folder's name: markup of a page, of a chart and of Markdown, and what turns text around. */
const CHANGED = 'm<b>\u202edegrem';
const FOLDER = 'ct-4M](javascript:x)<img src=x onerror=alert(4)>\u202e';

test('hostile names of tensors and folders are shown as text and survive the export; a header of 65 MB is refused at once', async ({ page, folder, complaints }) => {
  const dialogs: string[] = [];
  page.on('dialog', (dialog) => {
    dialogs.push(dialog.message());
    void dialog.dismiss();
  });
  const folders: string[] = [];
  for (const [name, scale] of [['base', 1], ['sft', 1.25], [FOLDER, 0.75]] as const) {
    const path = join(folder, name);
    await mkdir(path);
    await writeFile(join(path, 'model.safetensors'), writeSafetensors(hostile(scale)));
    folders.push(path);
  }
  await visit(page);
  await drop(page, folders);
  await expectOpen(page, ['base', 'sft', FOLDER.replace('\u202e', '\\u202e')]);
  await choosePreset(page, 'Paper');
  for (const tab of ['Layers', 'Map', 'Figures']) await page.getByRole('tab', { name: tab }).click();
  await expect(region(page, 'Charts').getByText('<img src=x onerror=alert(1)>')).toBeVisible();
  expect(await page.locator('img').count()).toBe(0);
  await photograph(page, '61 hostile names');
  await expect(mergeButton(page)).toBeEnabled();
  const report = await merge(page);
  const { tensors } = readSafetensors(await download(page, report, 'model.safetensors', folder));
  expect([...tensors.keys()].sort()).toEqual([...NAMES].sort());
  const card = (await download(page, report, 'README.md', folder)).toString();
  expect(card).toContain('ct-4M\\]\\(javascript\\:x\\)&lt;img src=x onerror=alert\\(4\\)&gt;\ufffd');
  const chart = (await download(page, report, 'merge_by_layer.svg', folder)).toString();
  expect(chart).not.toMatch(/<img|<script|onerror=[^<]*>|\u202e/);
  await page.getByRole('button', { name: 'Close the report' }).click();
  await page.getByRole('button', { name: 'Export several…' }).click();
  await expect(page.getByRole('dialog', { name: 'Export several' })).toContainText('36 merges');
  expect(await page.locator('img').count()).toBe(0);
  await page.keyboard.press('Escape');

  // In the report of a verification: a value of every tensor is another.
  const merged = await readFile(join(folder, 'model.safetensors'));
  for (let i = 0; i < NAMES.length; i++) merged[merged.length - 2 - 2 * VALUES * i]! ^= 0x40;
  await mkdir(join(folder, CHANGED));
  await writeFile(join(folder, CHANGED, 'model.safetensors'), merged);
  await drop(page, [join(folder, CHANGED)]);
  await page.getByRole('button', { name: /^Verify m<b>/ }).click();
  const verdict = page.getByRole('status').filter({ hasText: 'is not what its recipe gives' });
  await expect(verdict.getByRole('row')).toHaveCount(1 + NAMES.length);
  for (const shown of ['<img src=x onerror=alert(1)>', 'a\\u0000b', '(empty name)', '__proto__']) await expect(verdict.getByRole('rowheader', { name: shown })).toBeVisible();
  expect((await verdict.innerText()).length).toBeLessThan(2000);
  await photograph(page, '62 hostile names verified');

  // And in a table of scores: of its columns, and of its folders.
  const metrics = [`bleu<img src=x onerror=alert(5)>\u202e`, `${'y'.repeat(10_000)}`];
  await writeFile(join(folder, 'scores.csv'), `folder,k_sft,k_ct,${metrics.join(',')}\n${['<script>alert(6)</script>', `\u202eredlof${'z'.repeat(10_000)}`].map((name, i) => `${name},0.${i + 2},1,${i},${i}`).join('\n')}\n`);
  await drop(page, [join(folder, 'scores.csv')]);
  await expect(page.getByRole('group', { name: /^bleu<img src=x onerror=alert\(5\)>\\u202e of scores\.csv/ })).toBeVisible();
  await photograph(page, '63 hostile scores');
  await page.getByRole('button', { name: 'Show as table' }).click();
  const table = page.getByRole('region', { name: 'Scores' });
  for (const shown of ['<script>alert(6)</script>', /^\\u202eredlofz+…z+$/]) await expect(table.getByText(shown)).toBeVisible();
  await photograph(page, '64 hostile scores as a table');
  expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
  expect(await page.locator('img').count()).toBe(0);

  // Row 11: refused by its length, before anything of that size is read; the page answers meanwhile.
  const large = join(folder, 'large.safetensors');
  const header = Buffer.alloc(8 + 65_000_000, ' ');
  header.writeBigUInt64LE(65_000_000n, 0);
  await writeFile(large, header);
  await drop(page, [large]);
  await expect(page.getByRole('list', { name: 'Problems' }).getByRole('alert')).toContainText('The header of large.safetensors is too large');
  await page.getByRole('tab', { name: 'Layers' }).click();
  await expect(page.getByRole('tab', { name: 'Layers' })).toHaveAttribute('aria-selected', 'true');
  expect(dialogs).toEqual([]);
  expect(complaints).toEqual([]);
});
