import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { drop } from './support/drop';
import { expectPaperSlack, PAPER_SLACK_COUNTS } from './support/expected';
import { expect, photograph, test } from './support/fixtures';
import { privateFiles } from './support/private-storage';
import {
  choosePreset,
  countsIn,
  download,
  chooseWebGpu,
  expectBackend,
  expectExact,
  layerChart,
  layerFigures,
  merge,
  mergeButton,
  openPair,
  region,
  reportedFiles,
  visit,
} from './support/studio';

test('from an empty page to a merged checkpoint, bit for bit what independent code computes', async ({ page, folder, complaints }) => {
  await visit(page);
  await photograph(page, '01 empty');
  await chooseWebGpu(page);
  await openPair(page);
  await choosePreset(page, 'Paper + slack 4 %');
  await expect(page.getByRole('slider', { name: /^Density of sft/ })).toHaveValue('0.2');
  await expect(page.getByRole('slider', { name: /^Density of ct-x-4M/ })).toHaveValue('1');
  await expect(page.getByRole('slider', { name: /^Slack/ })).toHaveValue('0.04');
  await expect(layerChart(page)).toBeVisible();
  await photograph(page, '02 sample family open');

  await expect(mergeButton(page)).toBeEnabled();
  const report = await merge(page);
  await expect(report).toContainText('75 of 75 tensors verified');
  await photograph(page, '03 merged');

  await expectExact(page, 75);
  const figures = await layerFigures(page);
  const { numel, keptSft, conflict, electsSft, electsCt, reserved } = PAPER_SLACK_COUNTS;
  expect(countsIn(figures, 'conflict')).toEqual([conflict, numel]);
  expect(countsIn(figures, 'elects SFT')).toEqual([electsSft, numel]);
  expect(countsIn(figures, 'elects CT')).toEqual([electsCt, numel]);
  expect(countsIn(figures, 'discarded SFT')).toEqual([electsCt, keptSft]);
  expect(countsIn(figures, 'reserved')).toEqual([reserved, keptSft]);
  expect(countsIn(figures, 'discarded SFT after slack')).toEqual([electsCt - reserved, keptSft]);

  const files = await reportedFiles(report);
  expect([...files.keys()].sort()).toEqual([
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
  for (const [name, hash] of files) {
    const bytes = await download(page, report, name, folder);
    expect(createHash('sha256').update(bytes).digest('hex'), name).toBe(hash);
    if (name === 'model.safetensors') await expectPaperSlack(bytes);
  }
  expect(complaints).toEqual([]);
});

test('nothing leaves the origin while a merge runs, and the policy holds in the page and in its worker', async ({
  page,
  strayRequests,
  complaints,
}) => {
  await visit(page);
  await chooseWebGpu(page);
  await openPair(page);
  await choosePreset(page, 'Paper + slack 4 %');
  const late: string[] = [];
  // The page's own icon is fetched when the browser pleases, and the script of the workers that hash when a file is verified.
  const isOwn = (url: string) => url.startsWith('blob:') || /\/(icon\.svg|assets\/hash-part-[\w-]+\.js)$/.test(url);
  page.context().on('request', (request) => isOwn(request.url()) || late.push(request.url()));
  await expect(mergeButton(page)).toBeEnabled();
  await merge(page);
  expect(late).toEqual([]);
  expect(strayRequests).toEqual([]);
  expect(complaints).toEqual([]);

  // The watch itself: a way out that is tried must be refused, by the page and by the worker.
  const tryOut = () => fetch('http://localhost:9/out').then(() => 'sent', (error: unknown) => String(error));
  expect(await page.evaluate(tryOut)).toContain('TypeError');
  expect(page.workers().length).toBeGreaterThanOrEqual(1);
  for (const worker of page.workers()) expect(await worker.evaluate(tryOut)).toContain('TypeError');
  await expect.poll(() => complaints.filter((text) => text.includes('Content Security Policy')).length).toBeGreaterThanOrEqual(2);
});

test('cancelling in the middle leaves nothing that looks finished, and the next merge is whole', async ({ page, folder }) => {
  await visit(page);
  await chooseWebGpu(page);
  await openPair(page);
  await choosePreset(page, 'Paper + slack 4 %');
  const bar = region(page, 'Merge and export');
  await expect(mergeButton(page)).toBeEnabled();
  await mergeButton(page).click();
  await bar.getByRole('button', { name: 'Pause', exact: true }).click();
  await expect(bar.getByRole('button', { name: 'Resume', exact: true })).toBeVisible();
  await photograph(page, '04 paused');
  await bar.getByRole('button', { name: 'Cancel', exact: true }).click();
  await expect(bar.getByText('Cancelled', { exact: true })).toBeVisible();
  await expect(mergeButton(page)).toBeEnabled();
  await photograph(page, '05 cancelled');
  const left = Object.keys(await privateFiles(page, 'exports'));
  expect(left.filter((path) => /(\.safetensors|\.index\.json|config\.json)$/.test(path))).toEqual([]);

  const report = await merge(page);
  await expectPaperSlack(await download(page, report, 'model.safetensors', folder));
});

test.describe('without a graphics adapter', () => {
  test.use({ webgpu: false });

  test('the page says why there is no WebGPU, and the CPU merges to the same bytes', async ({ page, folder, complaints }) => {
    await visit(page);
    const banner = page.getByRole('status').filter({ hasText: 'No WebGPU' });
    await expect(banner).toContainText('no graphics adapter was offered');
    await expect(banner).toContainText('hardware acceleration');
    await expectBackend(page, 'CPU');
    await photograph(page, '06 no WebGPU');
    await banner.getByRole('button', { name: 'Hide this notice' }).click();
    await expect(banner).toHaveCount(0);
    await openPair(page);
    await choosePreset(page, 'Paper + slack 4 %');
    await expect(mergeButton(page)).toBeEnabled();
    const report = await merge(page);
    await expectPaperSlack(await download(page, report, 'model.safetensors', folder));

    // Dropped back, the export reopens its recipe and is verified against its sources.
    await choosePreset(page, 'WAVG');
    await drop(page, [join(folder, 'model.safetensors')]);
    const card = page.getByRole('article', { name: 'model', exact: true });
    await card.getByRole('button', { name: 'Reopen the recipe of model' }).click();
    await expect(page.getByRole('slider', { name: /^Slack/ })).toHaveValue('0.04');
    await card.getByRole('button', { name: 'Verify model' }).click();
    const verdict = page.getByRole('status').filter({ hasText: 'model is what its recipe gives' });
    await expect(verdict).toContainText('75 of 75 tensors are the same to the bit');
    await photograph(page, '07 verified');

    // A reload loses the report, not the export.
    await page.reload();
    const kept = region(page, 'Export in private storage');
    await expect(kept).toContainText(/A finished export lies in private storage: 9 files, 3\.\d\sMB/);
    await kept.getByRole('button', { name: 'Files' }).click();
    await expectPaperSlack(await download(page, kept, 'model.safetensors', folder));
    await photograph(page, '08 found again');
    await kept.getByRole('button', { name: 'Remove' }).click();
    await kept.getByRole('button', { name: 'Remove for good' }).click();
    await expect(kept).toHaveCount(0);
    expect(await privateFiles(page, 'exports')).toEqual({});
    expect(complaints).toEqual([]);
  });
});
