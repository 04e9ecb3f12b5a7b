/** What a person does on the page, by the roles and names that assistive technology reads. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Locator, Page } from '@playwright/test';
import { expect } from './fixtures';

const MERGE_TIMEOUT = 300_000;

export const region = (page: Page, name: string): Locator => page.getByRole('region', { name, exact: true });

/** Opens the page. It is of use at once; what computes may still be starting. */
export async function visit(page: Page): Promise<void> {
  await page.goto('/');
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
}

/** Compiling and testing the engine takes a software adapter this long on a busy machine. */
const START_TIMEOUT = 180_000;

const backendChip = (page: Page, kind = '(WebGPU|CPU)'): Locator => page.getByRole('button', { name: new RegExp(`^Backend: ${kind}`) });

/** Waits until what computes has started, and insists on which it is. */
export async function expectBackend(page: Page, kind: 'WebGPU' | 'CPU'): Promise<void> {
  await expect(backendChip(page, kind)).toBeVisible({ timeout: START_TIMEOUT });
}

/** Chooses WebGPU, which by itself is taken only where there is a graphics card. */
export async function chooseWebGpu(page: Page): Promise<void> {
  await backendChip(page).click();
  // The label is what a pointer meets; the radio under it is what has the name.
  await page.getByRole('group', { name: 'Compute with' }).getByText('WebGPU', { exact: true }).click();
  await expectBackend(page, 'WebGPU');
  await page.keyboard.press('Escape');
}

/** Waits for the cards of these checkpoints. */
export async function expectOpen(page: Page, names: readonly string[]): Promise<void> {
  for (const name of names) await expect(page.getByRole('article', { name, exact: true })).toBeVisible();
}

export async function openSample(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Open the sample family' }).click();
  await expectOpen(page, ['base', 'sft', 'ct-x-256k', 'ct-x-4M', 'ct-y-1M']);
}

export async function setRole(page: Page, checkpoint: string, role: 'Base' | 'SFT' | 'CT' | 'Another model' | 'Not merged'): Promise<void> {
  await page.getByRole('combobox', { name: `Role of ${checkpoint}`, exact: true }).selectOption({ label: role });
}

/** The sample family as the paper's Figure 3 has it: one SFT and one CT model. */
export async function openPair(page: Page): Promise<void> {
  await openSample(page);
  await setRole(page, 'ct-x-256k', 'Not merged');
  await setRole(page, 'ct-y-1M', 'Not merged');
}

export async function choosePreset(page: Page, name: string): Promise<void> {
  const preset = page.getByRole('group', { name: 'Presets' }).getByRole('button', { name, exact: true });
  await preset.click();
  await expect(preset).toHaveAttribute('aria-pressed', 'true');
}

export const mergeButton = (page: Page): Locator => region(page, 'Merge and export').getByRole('button', { name: 'Merge', exact: true });

/** Starts the merge and waits for its report. */
export async function merge(page: Page): Promise<Locator> {
  await mergeButton(page).click();
  const report = page.getByRole('group', { name: 'Finished merge' });
  const fault = region(page, 'Merge and export').getByRole('alert');
  await expect(report.or(fault)).toBeVisible({ timeout: MERGE_TIMEOUT });
  // An empty list when all is well, the page's own words when it is not.
  expect(await fault.allInnerTexts()).toEqual([]);
  return report;
}

/** As a person does: the finished export in private storage makes room for the next, of which shards then are final as they are finished. */
export async function removeStored(page: Page): Promise<void> {
  const notice = region(page, 'Export in private storage');
  await notice.getByRole('button', { name: 'Remove', exact: true }).click();
  await notice.getByRole('button', { name: 'Remove for good' }).click();
  await expect(notice).toBeHidden();
}

/** Name and hash of each file of the report. */
export async function reportedFiles(report: Locator): Promise<Map<string, string>> {
  const rows = report.getByRole('table', { name: 'Files of the export' }).getByRole('row');
  const files = new Map<string, string>();
  for (const row of (await rows.all()).slice(1)) {
    const name = await row.getByRole('rowheader').innerText();
    files.set(name, await row.getByRole('cell').nth(1).innerText());
  }
  return files;
}

/** Downloads one file of the report to disk, as a person would, and reads it back. */
export async function download(page: Page, report: Locator, name: string, folder: string): Promise<Buffer> {
  const [started] = await Promise.all([
    page.waitForEvent('download'),
    report.getByRole('button', { name: `Download ${name}`, exact: true }).click(),
  ]);
  const path = join(folder, started.suggestedFilename());
  await started.saveAs(path);
  expect(started.suggestedFilename()).toBe(name);
  return readFile(path);
}

/** Counts that a chart's accessible name gives for a figure: `conflict 9.06 % (142 730 of 1 575 040)` as [142730, 1575040]. */
export function countsIn(text: string, figure: string): [number, number] {
  const plain = text.replace(/[\u202f\u00a0]/g, (space) => (space === '\u202f' ? '' : ' '));
  const escaped = figure.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const found = new RegExp(`(?:^|[,:] )${escaped} [^(,]*\\((\\d+) of (\\d+)\\)`).exec(plain);
  if (!found) throw new Error(`no counts of "${figure}" in "${plain}"`);
  return [Number(found[1]), Number(found[2])];
}

/** The layer chart; its accessible name holds the figures of the whole model. */
export const layerChart = (page: Page): Locator => page.getByRole('group', { name: /^Conflicts per layer, whole model/ });

export async function layerFigures(page: Page): Promise<string> {
  return (await layerChart(page).getAttribute('aria-label')) ?? '';
}

/** Waits until every figure on the screen is exact and none is being recomputed. */
export async function expectExact(page: Page, tensors: number): Promise<void> {
  const charts = region(page, 'Charts');
  await expect(charts.getByRole('status')).toHaveText(`Exact: all ${tensors} tensors`);
  await expect(charts).toHaveAttribute('aria-busy', 'false');
}
