/** The studio on plain http, as a colleague's machine or a lab server may serve it: browsers give such a page no storage, no pickers and no clipboard. */
import { chromium } from '@playwright/test';
import { findChromium, launchArguments } from '../scripts/chromium.mjs';
import { expect, photograph, test } from './support/fixtures';
import { expectBackend, layerChart, openPair, region, visit } from './support/studio';

test('an insecure page explores, says why it cannot merge, and shows the report it cannot copy', async ({ address }) => {
  const executablePath = await findChromium();
  const args = [...launchArguments({ webgpu: false }), '--host-resolver-rules=MAP studio.test 127.0.0.1'];
  const browser = await chromium.launch({ ...(executablePath === null ? {} : { executablePath }), args });
  try {
    const page = await browser.newPage({ baseURL: address.replace('localhost', 'studio.test'), viewport: { width: 1280, height: 720 } });
    await visit(page);
    expect(await page.evaluate(() => [isSecureContext, 'storage' in navigator, 'clipboard' in navigator])).toEqual([false, false, false]);
    await expectBackend(page, 'CPU');
    await expect(page.getByRole('status').filter({ hasText: 'the page is not secure' })).toContainText('it cannot write a merge');
    await openPair(page);
    await expect(layerChart(page)).toBeVisible();

    const bar = region(page, 'Merge and export');
    await expect(bar).toContainText('This page can explore, but not merge.');
    for (const name of ['Merge', 'Export several…']) await expect(bar.getByRole('button', { name, exact: true })).toBeDisabled();
    await expect(bar.getByRole('group', { name: 'Destination' })).toHaveCount(0);
    await photograph(page, '14 insecure page');

    await page.getByRole('button', { name: /^Backend:/ }).click();
    await page.getByRole('button', { name: 'Copy report' }).click();
    await expect(page.getByRole('textbox', { name: 'Report to copy' })).toHaveValue(/Model Merging Studio[^]*insecure-page/);
  } finally {
    await browser.close();
  }
});
