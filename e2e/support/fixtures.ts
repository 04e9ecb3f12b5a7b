import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, test as playwrightTest, type Browser, type Page } from '@playwright/test';
import { findChromium, launchArguments } from '../../scripts/chromium.mjs';
import { serve } from '../../scripts/serve.mjs';

const DIST = join(process.cwd(), 'dist');

interface PerTest {
  /** With a software adapter, or as the browser starts by itself in a machine without a GPU: with no adapter at all. */
  webgpu: boolean;
  /** An empty folder on disk for what a test writes or downloads. */
  folder: string;
  /** Requests of the page and its workers that were for another origin than the page's, as `METHOD url`. */
  strayRequests: string[];
  /** Policy violations, uncaught errors and console errors, for tests that expect none. */
  complaints: string[];
  page: Page;
}
interface PerWorker {
  address: string;
}

async function launch(webgpu: boolean): Promise<Browser> {
  const executablePath = await findChromium();
  return chromium.launch({ ...(executablePath === null ? {} : { executablePath }), args: launchArguments({ webgpu }) });
}

/**
 * The built page, served by the server of `npm start` on a free port, in a browser of its own per test: private storage
 * and a lost GPU process must not leak from one test into the next.
 */
export const test = playwrightTest.extend<PerTest, PerWorker>({
  address: [
    async ({}, use) => {
      if (!existsSync(join(DIST, 'index.html'))) throw new Error('dist is missing: run "npm run build" first.');
      const server = await serve(DIST);
      await use(server.url);
      await server.close();
    },
    { scope: 'worker' },
  ],
  webgpu: [true, { option: true }],
  folder: async ({}, use) => {
    const folder = await mkdtemp(join(tmpdir(), 'studio-e2e-'));
    await use(folder);
    await rm(folder, { recursive: true });
  },
  strayRequests: async ({}, use) => use([]),
  complaints: async ({}, use) => use([]),
  page: async ({ address, webgpu, strayRequests, complaints }, use, testInfo) => {
    const browser = await launch(webgpu);
    const context = await browser.newContext({ baseURL: address, viewport: { width: 1280, height: 720 }, acceptDownloads: true });
    // What is not there after this long is not there.
    context.setDefaultTimeout(120_000);
    context.on('request', (request) => {
      const { protocol, origin } = new URL(request.url());
      if (protocol !== 'blob:' && protocol !== 'data:' && origin !== new URL(address).origin) {
        strayRequests.push(`${request.method()} ${request.url()}`);
      }
    });
    context.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    context.on('weberror', (error) => complaints.push(String(error.error())));
    const page = await context.newPage();
    await use(page);
    if (testInfo.status !== testInfo.expectedStatus) await photograph(page, `failed ${testInfo.title}`);
    await browser.close();
  },
});

export { expect } from '@playwright/test';

/** Saves what the page looks like now, under a name the reader of test-results will understand. */
export async function photograph(page: Page, name: string): Promise<void> {
  const folder = join(process.cwd(), 'test-results', 'screenshots');
  await mkdir(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name.replace(/[^a-z0-9]+/gi, '-')}.png`) });
}
