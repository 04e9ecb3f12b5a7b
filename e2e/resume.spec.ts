/** A page that goes away in a merge: what it finished is found again, and carried on to the same bytes (faults.md B 39, 45); and a disk
 * that fills up (37). */
import { expect, photograph, test } from './support/fixtures';
import { holdWriting, studioWorker } from './support/injection';
import { privateFiles } from './support/private-storage';
import { choosePreset, merge, mergeButton, openPair, region, removeStored, reportedFiles, visit } from './support/studio';

test.use({ webgpu: false });

test('a page reloaded in a merge offers to resume it, and the shards it finished are kept', async ({ page, complaints }) => {
  await visit(page);
  await openPair(page);
  await choosePreset(page, 'Paper + slack 4 %');
  await page.getByRole('spinbutton', { name: 'Largest shard in GB' }).fill('0.001');
  await expect(mergeButton(page)).toBeEnabled();
  const whole = await reportedFiles(await merge(page));
  expect([...whole.keys()].filter((name) => name.endsWith('.safetensors'))).toHaveLength(4);

  await page.getByRole('button', { name: 'Close the report' }).click();
  await removeStored(page);
  // Its drive never takes all of the third shard: two are final, however quick the machine is.
  const held = await holdWriting(await studioWorker(page), 'model-00003-of-00004.safetensors', 'write');
  await mergeButton(page).click();
  await held.reached();
  await page.reload();
  const found = page.getByRole('status').filter({ hasText: 'An unfinished merge lies in private storage' });
  await expect(found).toContainText(/TIES-SV of sft and ct-x-4M on base, begun .*: 2 of 4 shards/);
  await expect(found).toContainText('To resume it, open its checkpoints: base, sft, ct-x-4M');
  await photograph(page, '50 unfinished merge');
  await openPair(page);
  await choosePreset(page, 'WAVG');
  await photograph(page, '51 to be resumed');
  await found.getByRole('button', { name: 'Resume the merge' }).click();
  const report = page.getByRole('group', { name: 'Finished merge' });
  const fault = region(page, 'Merge and export').getByRole('alert');
  await expect(report.or(fault)).toBeVisible();
  await expect(report).toContainText('2 of 4 weight files were finished before, read again and kept');
  expect(await reportedFiles(report)).toEqual(whole);
  await photograph(page, '52 resumed');
  expect(Object.keys(await privateFiles(page, 'exports/merged-model'))).not.toContain('studio-journal.json');
  await expect(found).toBeHidden();
  expect(complaints).toEqual([]);
});

test('a full disk is said as such, and with room again the export is carried on to the same bytes', async ({ page, complaints }) => {
  await visit(page);
  await openPair(page);
  await choosePreset(page, 'Paper + slack 4 %');
  await page.getByRole('spinbutton', { name: 'Largest shard in GB' }).fill('0.001');
  await expect(mergeButton(page)).toBeEnabled();
  const session = await page.context().newCDPSession(page);
  const { origin } = new URL(page.url());
  const used = await page.evaluate(async () => (await navigator.storage.estimate()).usage ?? 0);
  // Room for two of the four shards.
  await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: used + 2_500_000 });
  await mergeButton(page).click();
  const bar = region(page, 'Merge and export');
  await expect(bar.getByRole('alert')).toContainText('The disk is full');
  await photograph(page, '53 full disk');
  const left = await privateFiles(page, 'exports/merged-model');
  expect(Object.keys(left)).not.toContain('model.safetensors.index.json');

  await session.send('Storage.overrideQuotaForOrigin', { origin });
  await bar.getByRole('button', { name: 'Close the report' }).click();
  await page.getByRole('button', { name: 'Resume the merge' }).click();
  const report = page.getByRole('group', { name: 'Finished merge' });
  await expect(report).toContainText('75 of 75 tensors verified');
  expect(Object.keys(await privateFiles(page, 'exports/merged-model'))).not.toContain('studio-journal.json');
  const resumed = await reportedFiles(report);
  await report.getByRole('button', { name: 'Close the report' }).click();
  expect(await reportedFiles(await merge(page))).toEqual(resumed);
  expect(complaints).toEqual([]);
});
