/**
 * One tab for as long as a working day of merges: random recipes, cancels and lost devices, rounds of the same composition so that
 * what the tab holds after one compares with what it holds after another. Every export is read again from private storage and
 * judged by code that shares no line with src/. What happened goes to a file, a line of JSON each.
 */
import { createHash } from 'node:crypto';
import { appendFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { chromium, expect, test, type Browser, type Page } from '@playwright/test';
import { findChromium, launchArguments } from '../../scripts/chromium.mjs';
import { serve } from '../../scripts/serve.mjs';
import { SAMPLE, sampleTensors } from '../support/family';
import { privateFile } from '../support/private-storage';
import type { Tensors } from '../support/safetensors';
import { expectBackend, merge, mergeButton, region, reportedFiles, visit } from '../support/studio';
import { checkExport } from './checks';
import { Heaps } from './memory';
import { afterPreset, drawMix, generator, yamlOf, type Mix } from './recipes';

const MERGES = Number(process.env['SOAK_MERGES'] ?? 200);
const ROUND = Number(process.env['SOAK_ROUND'] ?? 20);
const SEED = Number(process.env['SOAK_SEED'] ?? 1);
const REPORT = process.env['SOAK_REPORT'] ?? join('test-results', 'soak.jsonl');
/** Of a round: merges on WebGPU (the device lost in the last of them) and merges cancelled before they are made. */
const ON_WEBGPU = Number(process.env['SOAK_WEBGPU'] ?? 3);
const CANCELLED = 2;
const START_TIMEOUT = 900_000;
const DIST = join(SAMPLE, '..', '..', 'dist');

/** By itself the browser gives no third adapter to a page that has lost two; a soak loses one a round. */
const MANY_LOSSES = ['--disable-gpu-process-crash-limit', '--disable-domain-blocking-for-3d-apis'];

/** The last merge of every round: a backend keeps buffers by what it merged last. */
const LAST: Mix = {
  method: 'ties_sv',
  preset: null,
  models: [
    { name: 'sft', weight: 1, density: 0.2 },
    { name: 'ct-x-4M', weight: 1, density: 1 },
  ],
  lambda: 1,
  t: 0,
  scope: 'tensor',
  slack: { s: 0.04, of: 'retained' },
  seed: 0,
  out: 'bfloat16',
  keepBase: null,
};

/** As files, not by the page's own fetch: what that brings the inspector keeps, 24 MiB each time. */
async function openFamily(page: Page): Promise<void> {
  const chooser = page.waitForEvent('filechooser');
  await page.getByRole('button', { name: 'Choose folder' }).click();
  await (await chooser).setFiles(SAMPLE);
  await expect(region(page, 'Charts')).toHaveAttribute('aria-busy', 'false');
}

async function choose(page: Page, kind: 'WebGPU' | 'CPU'): Promise<void> {
  await page.getByRole('button', { name: /^Backend: (WebGPU|CPU)/ }).click({ timeout: START_TIMEOUT });
  await page.getByRole('group', { name: 'Compute with' }).getByText(kind, { exact: true }).click();
  await expect(page.getByRole('dialog', { name: 'Backend' })).toContainText(`You chose ${kind === 'CPU' ? 'the CPU' : kind}.`, { timeout: START_TIMEOUT });
  await expectBackend(page, kind);
  await page.keyboard.press('Escape');
}

async function applyMix(page: Page, mix: Mix): Promise<void> {
  const box = page.getByRole('textbox', { name: 'Recipe as MergeKit YAML' });
  if (!(await box.isVisible())) await page.getByText('As MergeKit YAML').click();
  await box.fill(yamlOf(mix));
  await page.getByRole('button', { name: 'Apply', exact: true }).click();
  await expect(page.getByRole('button', { name: 'Discard changes' })).toBeDisabled();
  if (mix.preset !== null) {
    const presets = page.getByRole('group', { name: 'Presets' });
    await presets.getByRole('button', { name: mix.preset, exact: true }).click();
    // Of three models Paper is the preset of two languages as well, whose button says more.
    await expect(presets.locator('[aria-pressed=true]')).toHaveCount(1);
  }
  await expect(mergeButton(page)).toBeEnabled();
}

const finished = (page: Page) => page.getByRole('group', { name: 'Finished merge' });
const closeReport = (page: Page) => page.getByRole('button', { name: 'Close the report' }).click();

/** True when the cancel came in time. */
async function cancelled(page: Page): Promise<boolean> {
  const bar = region(page, 'Merge and export');
  await mergeButton(page).click();
  const cancel = bar.getByRole('button', { name: 'Cancel', exact: true });
  const outcome = bar.getByText('Cancelled', { exact: true }).or(finished(page));
  await cancel.or(outcome).first().waitFor();
  await cancel.click({ timeout: 2000 }).catch(() => undefined);
  await expect(outcome).toBeVisible();
  // Where the merge ended first, another button stood where this one was.
  await page.keyboard.press('Escape');
  const inTime = await bar.getByText('Cancelled', { exact: true }).isVisible();
  await closeReport(page);
  return inTime;
}

async function verified(page: Page, mix: Mix, family: ReadonlyMap<string, Tensors>, random: () => number) {
  const report = finished(page);
  await expect(report).toContainText('75 of 75 tensors verified');
  const hash = (await reportedFiles(report)).get('model.safetensors');
  const file = await privateFile(page, 'exports/merged-model', 'model.safetensors');
  expect(createHash('sha256').update(file).digest('hex')).toBe(hash);
  const { values } = checkExport(file, afterPreset(mix), family, random);
  await closeReport(page);
  return { values, hash };
}

/** The GPU process is killed while a merge runs on it, and the merge ends all the same. True when it was on the lost device. */
async function mergeThroughLoss(page: Page, browser: Browser): Promise<boolean> {
  const root = await browser.newBrowserCDPSession();
  await mergeButton(page).click();
  await expect(region(page, 'Merge and export').getByRole('button', { name: 'Cancel', exact: true }).or(finished(page))).toBeVisible();
  // The session may end with the process.
  await root.send('Browser.crashGpuProcess').catch(() => undefined);
  await root.detach().catch(() => undefined);
  const fault = region(page, 'Merge and export').getByRole('alert');
  await expect(finished(page).or(fault)).toBeVisible({ timeout: START_TIMEOUT });
  expect(await fault.allInnerTexts()).toEqual([]);
  await page.getByRole('button', { name: /^Backend: / }).click();
  const panel = page.getByRole('dialog', { name: 'Backend' });
  await expect(panel).toContainText('Arithmetic');
  const text = await panel.innerText();
  await page.keyboard.press('Escape');
  return text.includes('The graphics device failed');
}

test(`${MERGES} merges in one tab`, async () => {
  if (!existsSync(join(DIST, 'index.html'))) throw new Error('dist is missing: run "npm run build" first.');
  const server = await serve(DIST);
  const executablePath = await findChromium();
  const browser = await chromium.launch({ ...(executablePath === null ? {} : { executablePath }), args: [...launchArguments({ webgpu: true }), ...MANY_LOSSES] });
  const tell = (line: Readonly<Record<string, unknown>>) => appendFileSync(REPORT, `${JSON.stringify(line)}\n`);
  try {
    const context = await browser.newContext({ baseURL: server.url, viewport: { width: 1280, height: 720 } });
    context.setDefaultTimeout(300_000);
    const complaints: string[] = [];
    context.on('weberror', (error) => complaints.push(String(error.error())));
    // Then it asks for files by an input, which a test can answer.
    await context.addInitScript(() => delete (window as { showDirectoryPicker?: unknown }).showDirectoryPicker);
    const page = await context.newPage();
    const heaps = await Heaps.of(page);
    const names = ['base', 'sft', 'ct-x-256k', 'ct-x-4M', 'ct-y-1M'];
    const family = new Map(await Promise.all(names.map(async (name) => [name, await sampleTensors(name)] as const)));
    const random = generator(SEED);
    await visit(page);
    await choose(page, 'CPU');
    await openFamily(page);

    for (let done = 0; done < MERGES; ) {
      const round = Math.floor(done / ROUND) + 1;
      const left = Math.min(ROUND, MERGES - done);
      const onGpu = Math.min(ON_WEBGPU, left);
      const cancels = new Set(Array.from({ length: CANCELLED }, () => Math.floor(random() * left)));
      if (onGpu > 0) await choose(page, 'WebGPU');
      for (let i = 0; i < left; i++, done++) {
        if (i === onGpu && onGpu > 0) await choose(page, 'CPU');
        const mix = i === left - 1 ? LAST : drawMix(random);
        await applyMix(page, mix);
        const wasCancelled = cancels.has(i) && (await cancelled(page));
        const isLost = i === onGpu - 1 && (await mergeThroughLoss(page, browser));
        if (i !== onGpu - 1) await merge(page);
        const backend = await finished(page).locator('header p').innerText();
        const { values, hash } = await verified(page, mix, family, random).catch((error: unknown) => {
          tell({ kind: 'failed', round, mix });
          throw error;
        });
        tell({ kind: 'merge', round, method: afterPreset(mix).method, scope: mix.scope, preset: mix.preset, backend: / on (.*?), in private/.exec(backend)?.[1] ?? '', cancelled: wasCancelled, lost: isLost, values, hash });
      }
      if (left <= onGpu) await choose(page, 'CPU');
      await expect(region(page, 'Charts')).toHaveAttribute('aria-busy', 'false');
      // What is kept of open checkpoints, samples of several recipes up to a budget, is another thing after every recipe.
      for (const name of names) await region(page, 'Checkpoints').getByRole('button', { name: `Remove ${name}`, exact: true }).click();
      await expect(page.getByRole('button', { name: 'Open the sample family' })).toBeVisible();
      tell({ kind: 'footprint', round, merges: done, ...(await heaps.footprint()) });
      if (done < MERGES) await openFamily(page);
    }
    expect(complaints).toEqual([]);
  } catch (error) {
    await browser.contexts()[0]?.pages()[0]?.screenshot({ path: join('test-results', 'soak-failed.png') });
    throw error;
  } finally {
    await browser.close();
    await server.close();
  }
});
