/** Faults that need a page, a disk and a worker of their own (faults.md B 21 to 23, 39). */
import { rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { expectPaperSlack } from './support/expected';
import { writeSharded } from './support/family';
import { expect, photograph, test } from './support/fixtures';
import { withoutPickers } from './support/private-storage';
import { choosePreset, download, expectOpen, merge, mergeButton, region, visit } from './support/studio';

/** Ends the studio's worker from outside at the first progress it tells of while `window.kill` is set: browsers give no event then. */
const MORTAL = `
  window.Worker = class extends window.Worker {
    constructor(...given) {
      super(...given);
      this.addEventListener('message', ({ data }) => {
        if (!window.kill || data.event !== 'progress') return;
        window.kill = false;
        this.terminate();
      });
    }
  };`;

test.use({ webgpu: false });

test('a worker killed in a merge is replaced and given the files again; then a shard is cut short on the disk, and gone', async ({ page, folder }) => {
  const names = ['base', 'sft', 'ct-x-4M'];
  const shards = new Map<string, string[]>();
  await page.addInitScript(MORTAL);
  await withoutPickers(page);
  await visit(page);
  for (const name of names) {
    const path = join(folder, 'family', name);
    shards.set(name, (await writeSharded(name, 2, path)).map((shard) => join(path, shard)));
    const [chooser] = await Promise.all([page.waitForEvent('filechooser'), page.getByRole('button', { name: 'Choose folder' }).click()]);
    await chooser.setFiles(path);
    await expectOpen(page, [name]);
  }
  await choosePreset(page, 'Paper + slack 4 %');
  await expect(mergeButton(page)).toBeEnabled();

  await page.evaluate('window.kill = true');
  await mergeButton(page).click();
  const restart = page.getByRole('button', { name: 'Restart', exact: true });
  await expect(restart).toBeVisible();
  await photograph(page, '30 worker died');
  await restart.click();
  await expect(restart).toBeHidden();
  await expectOpen(page, names);
  await expect(mergeButton(page)).toBeEnabled();
  await page.getByRole('checkbox', { name: 'Recompute on the CPU' }).check();
  const report = await merge(page);
  await expect(report).toContainText(/all 1.575.040 values computed again by CPU, one thread: the same to the bit/);
  await photograph(page, '31 recomputed');
  await page.getByRole('checkbox', { name: 'Recompute on the CPU' }).uncheck();
  await expectPaperSlack(await download(page, report, 'model.safetensors', folder));

  const fault = region(page, 'Merge and export').getByRole('alert');
  const lastOf = (name: string) => shards.get(name)!.at(-1)!;
  for (const [name, spoil] of [['sft', (path: string) => truncate(path, 4096)], ['base', rm]] as const) {
    await page.getByRole('button', { name: 'Close the report' }).click();
    await spoil(lastOf(name));
    await mergeButton(page).click();
    await expect(fault).toContainText(new RegExp(`${name}/model-00002-of-00002.safetensors (changed|is no longer there)`));
    await expect(fault).toContainText('Sources are never written');
  }
});
