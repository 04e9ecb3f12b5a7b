/** Exports of the built page, for `npm run interop`: folders dropped on it as a person does, a merge and a grid of four, in Chromium. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { chromium } from 'playwright';
import { findChromium, launchArguments } from './chromium.mjs';
import { build, isBuildStale, ROOT } from './project.mjs';
import { serve } from './serve.mjs';

/** Beyond this something hangs: checkpoints of some 200 kB are merged in a second. */
const STEP_MS = 120_000;
const COPY = 1;
/** Where the page writes: its private storage, whose handles have the interface of those that a picker gives. */
const TARGET = 'interop';
/** Densities of the grid, of either model. */
export const GRID = [0.2, 1];

/**
 * Merges `folders` (base, sft, ct) in the page with the recipe it proposes, the paper's with slack of 4 %, and with `withGrid` every
 * pair of GRID as well. Leaves `merged` and `sft-K_ct-K` in `out`. False where there is no Chromium.
 */
export async function exportFromPage(folders, out, { withGrid }) {
  const executablePath = await findChromium();
  if (executablePath === null) return false;
  if (isBuildStale() && (await build()) !== 0) throw new Error('the page could not be built');
  const server = await serve(join(ROOT, 'dist'));
  const browser = await chromium.launch({ executablePath, args: launchArguments({ webgpu: false }) });
  try {
    const page = await browser.newPage({ baseURL: server.url });
    page.setDefaultTimeout(STEP_MS);
    await page.addInitScript((target) => {
      const folder = async (name) => (await navigator.storage.getDirectory()).getDirectoryHandle(name, { create: true });
      globalThis.interopTarget = target;
      Object.assign(globalThis, { showDirectoryPicker: () => folder(globalThis.interopTarget) });
    }, `${TARGET}-merged`);
    await page.goto('/');
    await drop(page, folders);
    for (const role of ['base', 'sft', 'ct']) await page.getByRole('article', { name: role, exact: true }).waitFor();
    await page.getByRole('group', { name: 'Destination' }).getByText(/^Folder on disk/).click();
    await page.getByRole('region', { name: 'Merge and export' }).getByRole('button', { name: 'Merge', exact: true }).click();
    await report(page, 'Finished merge');
    await fetchFolder(page, `${TARGET}-merged`, join(out, 'merged'));
    if (!withGrid) return true;
    await page.evaluate((target) => (globalThis.interopTarget = target), `${TARGET}-grid`);
    await page.getByRole('button', { name: 'Export several…' }).click();
    const panel = page.getByRole('dialog', { name: 'Export several' });
    await panel.getByRole('textbox', { name: 'Densities of the grid' }).fill(GRID.join(', '));
    await panel.getByText(/^Folder /).click();
    await panel.getByRole('radio', { name: `Folder ${TARGET}-grid` }).waitFor();
    await panel.getByRole('button', { name: `Export ${GRID.length ** 2} merges` }).click();
    await report(page, 'Finished export of several');
    await fetchFolder(page, `${TARGET}-grid`, out);
    return true;
  } finally {
    await browser.close();
    await server.close();
  }
}

/** Drops folders of the disk as the operating system does: through the browser itself. */
async function drop(page, files) {
  const session = await page.context().newCDPSession(page);
  const data = { items: [], files, dragOperationsMask: COPY };
  for (const type of ['dragEnter', 'dragOver', 'drop']) await session.send('Input.dispatchDragEvent', { type, x: 500, y: 400, data });
}

/** Waits for the report, or for the page's own words of what went wrong. */
async function report(page, name) {
  const fault = page.getByRole('region', { name: 'Merge and export' }).getByRole('alert');
  const finished = page.getByRole('group', { name });
  await finished.or(fault).first().waitFor();
  if ((await finished.count()) === 0) throw new Error((await fault.allInnerTexts()).join('\n'));
}

/** Copies a folder of private storage to the disk, folders in it too. */
async function fetchFolder(page, name, out) {
  const files = await page.evaluate(async (root) => {
    const found = [];
    const walk = async (folder, prefix) => {
      for await (const [child, handle] of folder.entries()) {
        if (handle.kind === 'directory') await walk(handle, `${prefix}${child}/`);
        else {
          const bytes = new Uint8Array(await (await handle.getFile()).arrayBuffer());
          let text = '';
          for (let i = 0; i < bytes.length; i += 32_768) text += String.fromCharCode(...bytes.subarray(i, i + 32_768));
          found.push([`${prefix}${child}`, btoa(text)]);
        }
      }
    };
    await walk(await (await navigator.storage.getDirectory()).getDirectoryHandle(root), '');
    return found;
  }, name);
  for (const [path, base64] of files) {
    const target = join(out, path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, Buffer.from(base64, 'base64'));
  }
}
