import { chromium } from '@playwright/test';
import { serve } from './scripts/serve.mjs';
import { launchArguments } from './scripts/chromium.mjs';
const server = await serve('dist');
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: launchArguments({ webgpu: false }) });
for (const [name, width, height, colorScheme] of [['light', 1280, 720, 'light'], ['dark', 1920, 1080, 'dark']]) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme });
  const page = await context.newPage();
  await page.goto(server.url);
  const session = await context.newCDPSession(page);
  const drop = async (files) => { for (const type of ['dragEnter', 'dragOver', 'drop']) await session.send('Input.dispatchDragEvent', { type, x: 500, y: 400, data: { items: [], files, dragOperationsMask: 1 } }); await page.waitForTimeout(2500); };
  await page.getByRole('button', { name: 'Hide this notice' }).click({ timeout: 20000 }).catch(() => {});
  await drop(process.argv.slice(2));
  await page.waitForTimeout(4000);
  await page.screenshot({ path: `/tmp/x1/shot-adapter-${name}.png` });
  await page.getByRole('button', { name: 'Guide' }).click();
  await page.waitForTimeout(500);
  await page.screenshot({ path: `/tmp/x1/shot-guide-${name}.png` });
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Export several…' }).click();
  await page.waitForTimeout(1500);
  await page.screenshot({ path: `/tmp/x1/shot-batch-${name}.png` });
  await page.keyboard.press('Escape');
  await drop(['/tmp/x1/cache/models--acme--tiny/snapshots/abc123', '/tmp/x1/cache/models--acme--tiny']);
  await drop(['/tmp/x1/cache/models--acme--tiny/snapshots/abc123']);
  await page.screenshot({ path: `/tmp/x1/shot-cache-${name}.png` });
  await context.close();
}
await browser.close(); await server.close();
