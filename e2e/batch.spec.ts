import { createHash } from 'node:crypto';
import AxeBuilder from '@axe-core/playwright';
import { expect, photograph, test } from './support/fixtures';
import { pickPrivateFolder, privateFile, privateFiles } from './support/private-storage';
import { merge, openPair, reportedFiles, visit } from './support/studio';

test.use({ webgpu: false });

test('a grid of densities, exported in one job, is what its merges one by one are', async ({ page, complaints }) => {
  await pickPrivateFolder(page, 'grid');
  await visit(page);
  await openPair(page);
  await page.getByRole('button', { name: 'Export several…' }).click();
  const panel = page.getByRole('dialog', { name: 'Export several' });
  await expect(panel).toContainText('36 merges');
  await photograph(page, '40 export several');
  await panel.getByRole('textbox', { name: 'Densities of the grid' }).fill('0.2, 1');
  await expect(panel).toContainText('are read once for all of them');
  // The label is what a pointer meets; the radio under it is what has the name.
  await panel.getByText(/^Folder on disk/).click();
  await expect(panel.getByRole('radio', { name: 'Folder grid' })).toBeChecked();
  await panel.getByRole('checkbox', { name: 'Recompute on the CPU' }).check();
  expect((await new AxeBuilder({ page }).analyze()).violations.map(({ id }) => id), 'export several').toEqual([]);
  await panel.getByRole('button', { name: 'Export 4 merges' }).click();

  const report = page.getByRole('group', { name: 'Finished export of several' });
  await expect(report).toContainText('300 of 300 tensors verified');
  await expect(report).toContainText(/; all 6.300.160 values computed again by CPU, .*: the same to the bit/);
  await photograph(page, '41 several exported');
  const hashOf = async (folder: string) => report.getByRole('row', { name: new RegExp(`^${folder.replaceAll('.', '\\.')} `) }).locator('.hash').textContent();
  const folders = ['sft-0.2_ct-x-4M-0.2', 'sft-0.2_ct-x-4M-1', 'sft-1_ct-x-4M-0.2', 'sft-1_ct-x-4M-1'];
  const hashes = await Promise.all(folders.map(hashOf));
  expect(new Set(hashes).size).toBe(4);
  const written = await privateFiles(page, 'grid');
  expect(Object.keys(written).filter((path) => path.endsWith('.safetensors')).sort()).toEqual(folders.map((folder) => `${folder}/model.safetensors`));
  expect(written['results.csv']).toBeGreaterThan(0);
  const onDisk = await privateFile(page, `grid/${folders[1]}`, 'model.safetensors');
  expect(createHash('sha256').update(onDisk).digest('hex')).toBe(hashes[1]);

  await page.getByRole('group', { name: 'Destination' }).getByText(/^Private storage/).click();
  await page.getByRole('checkbox', { name: 'Recompute on the CPU' }).uncheck();
  for (const [i, [sft, ct]] of [['0.2', '0.2'], ['0.2', '1']].entries()) {
    await page.getByRole('slider', { name: /^Density of sft/ }).fill(sft!);
    await page.getByRole('slider', { name: /^Density of ct-x-4M/ }).fill(ct!);
    const alone = await reportedFiles(await merge(page));
    expect(alone.get('model.safetensors'), folders[i]).toBe(hashes[i]);
  }
  expect(complaints).toEqual([]);
});

test('the guide sets up a workflow and opens the chart it speaks of', async ({ page, complaints }) => {
  await visit(page);
  await page.getByRole('button', { name: 'Guide' }).click();
  const guide = page.getByRole('dialog', { name: 'Guide' });
  await expect(guide.getByRole('button', { name: 'TIES-SV with 4 % slack' })).toBeDisabled();
  await openPair(page);
  await photograph(page, '42 guide');
  expect((await new AxeBuilder({ page }).analyze()).violations.map(({ id }) => id), 'guide').toEqual([]);
  await guide.getByRole('button', { name: 'TIES, k of SFT 0.2, k of CT 1' }).click();
  await expect(page.getByRole('combobox', { name: 'Method' })).toHaveValue('ties');
  await guide.getByRole('button', { name: 'TIES-SV with 4 % slack' }).click();
  await expect(page.getByRole('combobox', { name: 'Method' })).toHaveValue('ties_sv');
  await expect(page.getByRole('tab', { name: 'Slack' })).toHaveAttribute('aria-selected', 'true');
  expect(complaints).toEqual([]);
});
