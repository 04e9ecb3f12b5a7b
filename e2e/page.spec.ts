import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { expect, photograph, test } from './support/fixtures';
import { choosePreset, countsIn, chooseWebGpu, expectBackend, layerChart, layerFigures, merge, mergeButton, openPair, openSample, region, visit } from './support/studio';

/** Rules broken on the page as it stands, as `rule: what it concerns`. */
async function violations(page: Page): Promise<string[]> {
  const { violations: found } = await new AxeBuilder({ page }).analyze();
  return found.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`);
}

// Light is judged without WebGPU, so that the banner is there to be judged; dark with it.
for (const [colorScheme, backend] of [
  ['light', 'CPU'],
  ['dark', 'WebGPU'],
] as const) {
  test.describe(colorScheme, () => {
    test.use({ webgpu: backend === 'WebGPU' });

    test('axe finds nothing wrong in any state', async ({ page }) => {
      await page.emulateMedia({ colorScheme });
      await visit(page);
      if (backend === 'WebGPU') await chooseWebGpu(page);
      else await expectBackend(page, backend);
      expect(await violations(page), 'empty').toEqual([]);
      await photograph(page, `10 empty ${colorScheme}`);
      await openSample(page);
      await expect(layerChart(page)).toBeVisible();
      for (const tab of ['Layers', 'Modules', 'Map', 'Surface', 'Figures']) {
        await page.getByRole('tab', { name: tab }).click();
        await expect(region(page, 'Charts')).toHaveAttribute('aria-busy', 'false');
        expect(await violations(page), tab).toEqual([]);
        await photograph(page, `11 ${tab} ${colorScheme}`);
      }
      await page.getByRole('button', { name: 'Help' }).click();
      expect(await violations(page), 'help').toEqual([]);
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: /^Backend:/ }).click();
      expect(await violations(page), 'backend').toEqual([]);
      await photograph(page, `12 backend ${colorScheme}`);
      await page.keyboard.press('Escape');
      await expect(mergeButton(page)).toBeEnabled();
      await merge(page);
      expect(await violations(page), 'merged').toEqual([]);
      await photograph(page, `13 merged ${colorScheme}`);
    });
  });
}

test.describe('on the CPU', () => {
  test.use({ webgpu: false });

  test('sliders move by keyboard, figures follow, and undo and redo bring both back', async ({ page }) => {
    await visit(page);
    await openPair(page);
    await choosePreset(page, 'Paper');
    const slider = page.getByRole('slider', { name: /^Density of sft/ });
    const discarded = async () => countsIn(await layerFigures(page), 'discarded SFT');
    await expect(layerChart(page)).toBeVisible();
    // figures.json, "ties: sft + ct-x-4M": small tensors are counted whole, so even exploring is exact here.
    await expect.poll(discarded).toEqual([27_977, 314_973]);

    await slider.focus();
    await page.keyboard.press('ArrowRight');
    await expect(slider).toHaveValue('0.21');
    await expect.poll(async () => (await discarded())[1]).toBeGreaterThan(314_973);
    const moved = await discarded();

    await page.keyboard.press('Control+z');
    await expect(slider).toHaveValue('0.2');
    await expect.poll(discarded).toEqual([27_977, 314_973]);
    await page.keyboard.press('Control+Shift+z');
    await expect(slider).toHaveValue('0.21');
    await expect.poll(discarded).toEqual(moved);
    await page.keyboard.press('Home');
    await expect(slider).toHaveValue('0.01');
  });

  test('the number box takes a density, refuses nonsense, and a link reopens recipe and view', async ({ page }) => {
    await visit(page);
    await openPair(page);
    const box = page.getByRole('spinbutton', { name: /^Density of sft/ });
    await box.fill('0.35');
    await expect(page.getByRole('slider', { name: /^Density of sft/ })).toHaveValue('0.35');
    await box.fill('7');
    await expect(box).toHaveAttribute('aria-invalid', 'true');
    await expect(page.getByRole('slider', { name: /^Density of sft/ })).toHaveValue('0.35');
    // The recipe's undo, with the caret in the box: what was typed must not outlive the value it stood for.
    await box.fill('0.350');
    const shard = page.getByRole('spinbutton', { name: 'Largest shard in GB' });
    await shard.fill('2.5');
    await page.keyboard.press('Control+z');
    await expect(shard).toHaveValue('5');
    await box.fill('7');
    await page.keyboard.press('Control+z');
    await expect(box).toHaveValue('0.2');
    await expect(box).toHaveAttribute('aria-invalid', 'false');
    await page.keyboard.press('Control+Shift+z');
    await expect(box).toHaveValue('0.35');
    await page.getByRole('tab', { name: 'Map' }).click();
    await expect.poll(() => new URL(page.url()).hash).toContain('t=map');

    await page.reload();
    await expect(page.getByRole('status').filter({ hasText: 'This link holds a recipe' })).toContainText('sft');
    await openSample(page);
    await expect(page.getByRole('slider', { name: /^Density of sft/ })).toHaveValue('0.35');
    await expect(page.getByRole('tab', { name: 'Map' })).toHaveAttribute('aria-selected', 'true');
  });

  test('the page fits 1280 x 720 without scrolling and stays usable at 900 pixels', async ({ page }) => {
    await visit(page);
    await openSample(page);
    await expect(layerChart(page)).toBeVisible();
    for (const size of [
      { width: 1280, height: 720 },
      { width: 2560, height: 1440 },
      { width: 900, height: 800 },
    ]) {
      await page.setViewportSize(size);
      const overflow = await page.evaluate(() => {
        const { scrollWidth, clientWidth, scrollHeight, clientHeight } = document.documentElement;
        return { across: scrollWidth - clientWidth, down: scrollHeight - clientHeight };
      });
      expect(overflow.across, `${size.width} wide`).toBe(0);
      if (size.width >= 1280) expect(overflow.down, `${size.height} high`).toBe(0);
      await expect(mergeButton(page)).toBeVisible();
      await photograph(page, `14 at ${size.width}`);
    }
  });

  test('the built page has nothing inline and carries its policy', async ({ page, complaints }) => {
    const html = await readFile(join(process.cwd(), 'dist', 'index.html'), 'utf8');
    expect(html).toContain('http-equiv="Content-Security-Policy"');
    expect(html.match(/<script(?![^>]*\bsrc=)[^>]*>/g) ?? []).toEqual([]);
    expect(html.match(/<style|\sstyle=|\son[a-z]+=/g) ?? []).toEqual([]);
    await visit(page);
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
    expect(complaints).toEqual([]);
  });
});
