/** Long runs: a merge goes on in a hidden tab, survives freezing and pausing, and keeps the screen on no longer than it runs. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from './support/fixtures';
import { writeSafetensors } from './support/safetensors';
import { launchThrottled, Tab } from './support/tab';

/** Values of a model: enough that a merge lasts a second, and has pieces to stop between. */
const TENSORS = 12;
const ROWS = 1024;
const COLUMNS = 1536;

/** Finite BF16 values between 2^-31 and 2, of both signs, another row of numbers for each seed. */
function bytesOf(seed: number): Uint8Array<ArrayBuffer> {
  const words = new Uint16Array(ROWS * COLUMNS);
  let state = seed;
  for (let i = 0; i < words.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    words[i] = 0x3000 | ((state >>> 16) & 0x8fff);
  }
  return new Uint8Array(words.buffer);
}

async function makeModel(folder: string, name: string, seed: number): Promise<string> {
  const path = join(folder, name);
  await mkdir(path);
  const tensors = Array.from({ length: TENSORS }, (_, t) => [`model.layers.${t}.mlp.up_proj.weight`, { dtype: 'BF16', shape: [ROWS, COLUMNS], bytes: bytesOf(seed + t) }] as const);
  await writeFile(join(path, 'model.safetensors'), writeSafetensors(new Map(tensors)));
  return path;
}

/** Keeps every lock the page is given. */
const WATCH_LOCKS = `
  window.locks = [];
  const { wakeLock } = navigator;
  const request = wakeLock.request.bind(wakeLock);
  wakeLock.request = async (type) => {
    const lock = await request(type);
    window.locks.push(lock);
    return lock;
  };`;
const IS_HELD = 'window.locks.some((lock) => !lock.released)';
const HASH = `[...document.querySelectorAll('[aria-label="Finished merge"] tbody tr')].find((row) => row.cells[0].textContent === 'model.safetensors')?.cells[2].textContent`;

test('a merge in a hidden, frozen or paused tab gives the bytes of one in front, and the screen is kept on while it runs', async ({ address, folder }) => {
  const paths = [await makeModel(folder, 'base', 1), await makeModel(folder, 'sft', 1000), await makeModel(folder, 'ct', 2000)];
  const browser = await launchThrottled();
  const root = await browser.newBrowserCDPSession();
  try {
    const tab = await Tab.open(root);
    await tab.visit(address, WATCH_LOCKS);
    await tab.until(`document.querySelector('button[id="backend-chip"]')?.textContent.includes('CPU')`);
    await tab.drop(paths);
    const hashOf = async () => {
      await tab.until(HASH);
      const hash = await tab.evaluate<string>(HASH);
      expect(hash).toMatch(/^[0-9a-f]{64}$/);
      await tab.evaluate(`document.querySelector('[aria-label="Close the report"]').click()`);
      await tab.until(`!document.querySelector('[aria-label="Finished merge"]')`);
      return hash;
    };

    // In front: the screen is kept on, but not through a pause, and not after the end.
    await tab.press('Merge');
    await tab.press('Pause');
    await tab.until(`document.body.innerText.includes('Paused') && window.locks.length === 1 && !(${IS_HELD})`);
    await tab.press('Resume');
    await tab.until('window.locks.length === 2');
    const inFront = await hashOf();
    await tab.until(`!(${IS_HELD})`);

    // Hidden from before the start to the end. The browser keeps no screen on for it.
    const other = await Tab.open(root);
    await other.bringToFront();
    await tab.until(`document.visibilityState === 'hidden'`);
    await tab.press('Merge');
    expect(await hashOf()).toBe(inFront);
    expect(await tab.evaluate('window.locks.length')).toBe(2);

    // Frozen in the middle, then thawed.
    await tab.press('Merge');
    await tab.press('Pause');
    await tab.evaluate(`[...document.querySelectorAll('button')].find(({ textContent }) => textContent === 'Resume').click()`);
    await tab.send('Page.setWebLifecycleState', { state: 'frozen' });
    expect(await tab.evaluate(HASH)).toBe(undefined);
    await new Promise((resolve) => setTimeout(resolve, 500));
    await tab.send('Page.setWebLifecycleState', { state: 'active' });
    expect(await hashOf()).toBe(inFront);
  } finally {
    await browser.close();
  }
});
