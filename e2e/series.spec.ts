/** Figure 4 on the built page: a folder dropped, the curve drawn by itself, its CSV held to figures.json; slack by hand on its curve. */
import AxeBuilder from '@axe-core/playwright';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { drop } from './support/drop';
import { expect, photograph, test } from './support/fixtures';
import { region, visit, expectOpen, choosePreset } from './support/studio';

const FIXTURES = join(process.cwd(), 'tests', 'fixtures', 'checkpoints');
const RUN = ['ct-x-128k', 'ct-x-256k', 'ct-x-512k', 'ct-x-1M', 'ct-x-2M', 'ct-x-4M'];

test.use({ webgpu: false });

test('a folder of checkpoints becomes the curve of figures.json, and its views are keyboard and axe clean', async ({ page, folder }) => {
  const expected = JSON.parse(await readFile(join(FIXTURES, 'figures.json'), 'utf8')) as Record<string, { total: { conflict: number; numel: number; discarded: number[]; kept: number[] } }>;
  await visit(page);
  await drop(page, ['base', 'sft', ...RUN].map((name) => join(FIXTURES, name)));
  await expectOpen(page, ['base', 'sft', ...RUN]);
  await choosePreset(page, 'Paper');
  await page.getByRole('tab', { name: 'Series' }).click();
  const points = page.getByRole('listbox', { name: /against tokens$/ }).getByRole('option');
  await expect(points).toHaveCount(RUN.length);
  await expect(region(page, 'Charts').getByText(/on the way/)).toHaveCount(0);

  const [started] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Save as CSV' }).click()]);
  await started.saveAs(join(folder, 'series.csv'));
  const [header, ...rows] = (await readFile(join(folder, 'series.csv'), 'utf8')).trim().split('\r\n').map((line) => line.split(','));
  const column = (name: string) => header!.indexOf(name);
  expect(rows.map((row) => [row[0], row[1], row[column('conflict / N numerator')], row[column('discarded SFT / kept SFT numerator')], row[column('discarded SFT / kept SFT denominator')]])).toEqual(
    RUN.map((name, i) => {
      const { total } = expected[`ties: sft + ${name}`]!;
      return [name, String(2 ** (17 + i)), String(total.conflict), String(total.discarded[0]), String(total.kept[0])];
    }),
  );
  expect((await new AxeBuilder({ page }).analyze()).violations.map(({ id }) => id), 'series').toEqual([]);
  await photograph(page, '20 series');

  // Two checkpoints of equal tokens are two points, and nothing of them stays where they no longer are.
  const tokens = page.getByRole('textbox', { name: 'Tokens of ct-x-2M' });
  const marks = region(page, 'Charts').getByRole('tabpanel').locator('.charts-fill > svg circle');
  await tokens.fill('4M');
  await expect(points.last()).toHaveAccessibleName(/^ct-x-4M|^ct-x-2M, 4\.19 M/);
  await tokens.fill('');
  await tokens.blur();
  await expect(tokens).toHaveValue('2M');
  await page.getByRole('checkbox', { name: 'ct-x-128k on the curve' }).uncheck();
  await expect(points).toHaveCount(RUN.length - 1);
  await expect(marks).toHaveCount(RUN.length - 1);
  await page.getByRole('checkbox', { name: 'ct-x-128k on the curve' }).check();
  await expect(points).toHaveCount(RUN.length);

  // What a slack would give shows without one; the curve is a slider, and the slider in the recipe the same thing.
  await page.getByRole('tab', { name: 'Slack' }).click();
  await page.getByRole('button', { name: 'Use TIES-SV' }).click();
  const curve = page.getByRole('slider', { name: 'Slack s on the curve' });
  await expect(curve).toBeVisible();
  const slack = page.getByRole('slider', { name: 'Slack (s)' });
  await page.getByRole('spinbutton', { name: 'Slack (s)' }).fill('0.04');
  await curve.focus();
  await page.keyboard.press('ArrowRight');
  await expect(slack).toHaveValue('0.045');
  expect((await new AxeBuilder({ page }).analyze()).violations.map(({ id }) => id), 'slack').toEqual([]);

  // Lambda does something: half of it moves the model half as far.
  await page.getByRole('tab', { name: 'Effect' }).click();
  const effect = page.getByRole('group', { name: /^How far and which way/ });
  const change = async () => Number(/θ base\| ([\d.]+)/.exec((await effect.getAttribute('aria-label')) ?? '')?.[1] ?? NaN);
  await expect.poll(change).toBeGreaterThan(0);
  const whole = await change();
  // A weighted average has no base: what it is measured from is named. Without a divisor there are no figures, and those shown say so.
  await page.getByRole('combobox', { name: 'Method' }).selectOption({ label: 'Weighted average (linear)' });
  await expect(effect).toHaveAccessibleName(/\|τ SFT\| \/ \|θ SFT\| 0/);
  await page.getByRole('spinbutton', { name: /^Weight of ct-x-4M/ }).fill('-1');
  await expect(region(page, 'Charts').getByText('Of the recipe before, not of this one')).toBeVisible();
  await page.getByRole('spinbutton', { name: /^Weight of ct-x-4M/ }).fill('1');
  await expect(region(page, 'Charts').getByText('Exact: all 75 tensors')).toBeVisible();
  await page.getByRole('combobox', { name: 'Method' }).selectOption({ label: 'TIES-SV (TIES with slack)' });
  await expect.poll(change).toBeCloseTo(whole, 1);
  await page.getByRole('spinbutton', { name: 'Lambda (λ)' }).fill('0.5');
  await expect.poll(change).toBeCloseTo(whole / 2, 0);
  expect((await new AxeBuilder({ page }).analyze()).violations.map(({ id }) => id), 'effect').toEqual([]);

  // A snapshot outlives the page and is applied again.
  await page.getByText('Snapshots', { exact: true }).click();
  await page.getByRole('textbox', { name: 'Name of the snapshot' }).fill('half');
  await page.getByRole('button', { name: 'Keep', exact: true }).click();
  // Compared, it is a second line on every chart.
  await page.getByRole('button', { name: 'Compare with half' }).click();
  await page.getByRole('spinbutton', { name: 'Lambda (λ)' }).fill('1');
  await expect(effect).toHaveAccessibleName(/half: \|λ τ merged\| \/ \|θ base\| [\d.]+\s%/);
  await page.getByRole('tab', { name: 'Slack' }).click();
  await expect(page.getByRole('group', { name: /; half: s 4\.5/ })).toBeVisible();
  await page.getByRole('tab', { name: 'Series' }).click();
  await expect(points.first()).toHaveAccessibleName(/half: .*discarded/);
  await page.getByRole('spinbutton', { name: 'Lambda (λ)' }).fill('0.5');
  await page.reload();
  await drop(page, ['base', 'sft', 'ct-x-4M'].map((name) => join(FIXTURES, name)));
  await expectOpen(page, ['base', 'sft', 'ct-x-4M']);
  await choosePreset(page, 'Paper');
  await page.getByText('Snapshots (1)', { exact: true }).click();
  await page.getByRole('button', { name: 'Apply half' }).click();
  await expect(page.getByRole('spinbutton', { name: 'Lambda (λ)' })).toHaveValue('0.5');
});
