import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { listVersion, SERVICE_WORKER } from '../scripts/offline.mjs';
import { serve } from '../scripts/serve.mjs';
import { expect, photograph, test } from './support/fixtures';
import { expectBackend, merge, mergeButton, openSample } from './support/studio';

const DIST = join(process.cwd(), 'dist');

test.use({ webgpu: false });

test('without a network the studio opens and merges, and a newer version takes over when asked', async ({ page, folder, complaints }) => {
  await cp(DIST, folder, { recursive: true });
  const online = await serve(folder);
  const port = Number(new URL(online.url).port);
  await page.goto(online.url);
  await page.getByRole('button', { name: 'Help' }).click();
  await expect(page.getByText('opens without a network')).toBeVisible();
  await page.keyboard.press('Escape');
  // What is asked for once is kept: the sample family too.
  await openSample(page);
  await expect(mergeButton(page)).toBeEnabled();

  await online.close();
  await page.reload();
  await expectBackend(page, 'CPU');
  await openSample(page);
  await expect(mergeButton(page)).toBeEnabled();
  await merge(page);
  expect(complaints).toEqual([]);

  // A newer version is put in the same place.
  const built = await readFile(join(DIST, SERVICE_WORKER), 'utf8');
  const html = await readFile(join(folder, 'index.html'), 'utf8');
  await writeFile(join(folder, 'index.html'), html.replace('<title>', '<title>Newer: '));
  await writeFile(join(folder, SERVICE_WORKER), built.replace(/[0-9a-f]{16} (?:\S+=[0-9a-f]{16} ?)+/, '%PRECACHE%'));
  await listVersion(folder);
  const newer = await serve(folder, [port]);
  try {
    await page.reload();
    const notice = page.getByRole('status').filter({ hasText: 'newer version' });
    await expect(notice).toBeVisible();
    await photograph(page, '60 newer version');
    expect(await page.title(), 'the version in use stays until somebody asks').not.toContain('Newer');
    await notice.getByRole('button', { name: 'Open it now' }).click();
    await expect(page).toHaveTitle(/^Newer/);
    await expectBackend(page, 'CPU');
    await expect(notice).toBeHidden();

    // Half an update is none: a file that is not of its version leaves the one in use alone.
    await writeFile(join(folder, 'index.html'), html.replace('<title>', '<title>Torn: '));
    const script = await readFile(join(folder, SERVICE_WORKER), 'utf8');
    await writeFile(join(folder, SERVICE_WORKER), `${script}\n`);
    await page.evaluate(async () => {
      const registration = (await navigator.serviceWorker.getRegistration())!;
      await registration.update();
      const installing = registration.installing;
      if (installing) await new Promise((resolve) => installing.addEventListener('statechange', resolve));
    });
    await page.reload();
    await expect(page).toHaveTitle(/^Newer/);
    await expect(notice).toBeHidden();
  } finally {
    await newer.close();
  }
});
