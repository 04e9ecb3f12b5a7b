import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { PAPER_SLACK_COUNTS } from './support/expected';
import { expect, photograph, test } from './support/fixtures';
import { choosePreset, openPair, visit } from './support/studio';

const point = (page: Page) => page.getByRole('slider', { name: /^Densities k_sft/ });
const density = (page: Page, model: string) => page.getByRole('slider', { name: new RegExp(`^Density of ${model}`) });

test.use({ webgpu: false });

test('the point on the surface and the two density sliders are one thing', async ({ page, complaints }) => {
  await visit(page);
  await openPair(page);
  await choosePreset(page, 'Paper');
  await page.getByRole('tab', { name: 'Surface' }).click();
  await expect(point(page)).toHaveAttribute('aria-valuetext', /^k_sft 0\.2, k_ct 1: discarded SFT/);
  await photograph(page, '20 surface');

  // By keyboard: right and left are the model across, up and down the other, with Shift in large steps.
  await point(page).focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Shift+ArrowDown');
  await expect(density(page, 'sft')).toHaveValue('0.21');
  await expect(density(page, 'ct-x-4M')).toHaveValue('0.9');

  // The other way round.
  await density(page, 'sft').fill('0.5');
  await expect(point(page)).toHaveAttribute('aria-valuenow', '0.5');

  // By pointer: both at once, and one step of undo.
  await expect(point(page)).toBeVisible();
  const from = (await point(page).boundingBox())!;
  const at = { x: from.x + from.width / 2, y: from.y + from.height / 2 };
  await page.mouse.move(at.x, at.y);
  await page.mouse.down();
  await page.mouse.move(at.x + 40, at.y + 60, { steps: 4 });
  await page.mouse.up();
  const dragged = (await point(page).getAttribute('aria-valuetext'))!;
  const [, across, up] = /^k_sft ([\d.]+), k_ct ([\d.]+):/.exec(dragged)!;
  expect(Number(across)).toBeGreaterThan(0.5);
  expect(Number(up)).toBeLessThan(0.9);
  await expect(density(page, 'sft')).toHaveValue(across!);
  await expect(density(page, 'ct-x-4M')).toHaveValue(up!);
  await page.keyboard.press('Control+z');
  await expect(density(page, 'sft')).toHaveValue('0.5');
  await expect(density(page, 'ct-x-4M')).toHaveValue('0.9');

  // The cell of the paper's densities has the counts of figures.json.
  await page.getByRole('button', { name: 'Show as table' }).click();
  const row = page.getByRole('row').filter({ has: page.getByRole('rowheader', { name: '0.2', exact: true }).and(page.locator(':first-child')) }).filter({ has: page.getByRole('rowheader', { name: '1', exact: true }) });
  const digits = (await row.innerText()).replaceAll('\u202f', '');
  expect(digits).toContain(`${PAPER_SLACK_COUNTS.conflict} of ${PAPER_SLACK_COUNTS.numel}`);
  expect(digits).toContain(`${PAPER_SLACK_COUNTS.electsSft} of ${PAPER_SLACK_COUNTS.numel}`);
  expect(complaints).toEqual([]);
});

test('a slider stretched to a typed number keeps its ends while it is dragged', async ({ page, complaints }) => {
  await visit(page);
  await openPair(page);
  await choosePreset(page, 'Paper');
  await page.getByRole('spinbutton', { name: 'Lambda (λ)' }).fill('10');
  const slider = page.getByRole('slider', { name: 'Lambda (λ)' });
  await expect(slider).toHaveValue('10');
  const { x, y, width, height } = (await slider.boundingBox())!;
  await page.mouse.move(x + width - 8, y + height / 2);
  await page.mouse.down();
  await page.mouse.move(x + 0.75 * width, y + height / 2, { steps: 8 });
  await page.mouse.up();
  const value = Number(await slider.inputValue());
  expect(value).toBeGreaterThan(7);
  expect(value).toBeLessThan(8.5);
  // Its ends are those of the setting again, or the value's.
  await expect(slider).toHaveAttribute('max', String(value));
  expect(complaints).toEqual([]);
});

test('a layer pointed at on the map is marked on the curve of a setting, and the other way round', async ({ page, complaints }) => {
  await visit(page);
  await openPair(page);
  await page.getByRole('tab', { name: 'Map' }).click();
  await page.getByRole('button', { name: /^Density of sft.*: per layer or filter/ }).click();
  const points = page.getByRole('slider', { name: /^Density of sft.* point / });
  const lit = page.locator('.charts-lit rect');
  await page.getByRole('gridcell', { name: /^layer 3, q/i }).hover();
  await expect(lit).toHaveCount(1);
  await expect(page.locator('.curve-stage [data-layer]')).toHaveAttribute('data-layer', '3');

  await points.last().hover();
  const last = (await page.getByRole('columnheader', { name: /^Layer \d/ }).count()) - 1;
  await expect(page.locator('.curve-stage [data-layer]')).toHaveAttribute('data-layer', String(last));
  // Every module of that layer.
  const column = await page.getByRole('gridcell', { name: new RegExp(`^layer ${last}, (?!.*no tensor)`, 'i') }).count();
  expect(column).toBeGreaterThan(5);
  await expect(lit).toHaveCount(column);
  // By keyboard as well.
  await page.mouse.move(640, 20);
  await expect(lit).toHaveCount(0);
  await points.last().focus();
  await expect(lit).toHaveCount(column);
  expect(complaints).toEqual([]);
});

test('the spread of one tensor is saved as a picture three times as fine as on the page, with its legend', async ({ page, folder, complaints }) => {
  await visit(page);
  await openPair(page);
  await page.getByRole('tab', { name: 'Map' }).click();
  await page.getByRole('gridcell', { name: /^layer 3, q/i }).click();
  const [started] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Save the distribution as PNG' }).click()]);
  expect(started.suggestedFilename()).toMatch(/^distribution-.*\.png$/);
  await started.saveAs(join(folder, 'spread.png'));
  const bytes = await readFile(join(folder, 'spread.png'));
  expect(bytes.subarray(0, 8).toString('latin1')).toBe('\x89PNG\r\n\x1a\n');
  const chart = (await page.getByRole('img', { name: /^Distribution of the differences/ }).boundingBox())!;
  expect(bytes.readUInt32BE(16)).toBe(3 * chart.width);
  // Two models: two entries, of a row of 20 units each in a chart this narrow.
  expect(bytes.readUInt32BE(20)).toBe(3 * (chart.height + 2 * 20 + 8));
  await expect(page.getByRole('alert')).toHaveCount(0);
  expect(complaints).toEqual([]);
});
