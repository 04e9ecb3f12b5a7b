/**
 * Faults in the built page whose cause is real wherever Chromium can be made to have it (faults.md B 29, 36 to 40, 44, 46): each stops
 * the merge with what was finished intact, and once it is taken away the export is the same to the byte; or the merge goes on through
 * it, to the same bytes.
 */
import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Locator, Page } from '@playwright/test';
import { PAPER_SLACK_HASH } from './support/expected';
import { hashOf, SAMPLE } from './support/family';
import { drop } from './support/drop';
import { expect, photograph, test } from './support/fixtures';
import { holdReadingBack, holdTime, holdWriting, miscalculate, restore, shortOfDeviceMemory, shortOfMemory, studioWorker } from './support/injection';
import { privateFile, privateFiles } from './support/private-storage';
import { Profile } from './support/profile';
import { readSafetensors } from './support/safetensors';
import { choosePreset, chooseWebGpu, expectOpen, mergeButton, openPair, region, removeStored, reportedFiles, visit } from './support/studio';

const NAMES = ['base', 'sft', 'ct-x-4M'];
const JOURNAL = 'studio-journal.json';
const INDEX = 'model.safetensors.index.json';
const shardName = (n: number) => `model-0000${n}-of-00004.safetensors`;
const SHARDS = [1, 2, 3, 4].map(shardName);
const EXPORT = 'exports/merged-model';

/** The sample on the disk, and a hash of every file of it. */
async function writeFamily(folder: string): Promise<{ paths: string[]; hashes(): Promise<string> }> {
  const paths = NAMES.map((name) => join(folder, name));
  await Promise.all(NAMES.map((name, i) => cp(join(SAMPLE, name), paths[i]!, { recursive: true })));
  const hashes = async () => (await Promise.all(paths.map(async (path) => [...(await filesIn(path))].join()))).join();
  return { paths, hashes };
}

/** Name and SHA-256 of every file in a folder of the disk. */
async function filesIn(folder: string): Promise<Map<string, string>> {
  const names = (await readdir(folder)).sort();
  return new Map(await Promise.all(names.map(async (name) => [name, createHash('sha256').update(await readFile(join(folder, name))).digest('hex')] as const)));
}

/** The export in four shards is the merge that NumPy made, to the bit, and no other weights, journal or unfinished file lies there. */
async function expectWhole(names: readonly string[], read: (name: string) => Promise<Uint8Array>): Promise<void> {
  expect(names.filter((name) => /^model|journal|crswap/.test(name)).sort()).toEqual([...SHARDS, INDEX].sort());
  const shards = await Promise.all(SHARDS.map(async (name) => readSafetensors(await read(name)).tensors));
  expect(hashOf(new Map(shards.flatMap((tensors) => [...tensors])))).toBe(PAPER_SLACK_HASH);
}

const expectWholeIn = async (folder: string) => expectWhole(await readdir(folder), (name) => readFile(join(folder, name)));

async function openFamily(page: Page, paths: readonly string[]): Promise<void> {
  await drop(page, paths);
  await expectOpen(page, NAMES);
  await choosePreset(page, 'Paper + slack 4 %');
  await page.getByRole('spinbutton', { name: 'Largest shard in GB' }).fill('0.001');
  await expect(mergeButton(page)).toBeEnabled();
}

const alertIn = (page: Page): Locator => region(page, 'Merge and export').getByRole('alert');
const report = (page: Page): Locator => page.getByRole('group', { name: 'Finished merge' });
const unfinished = (page: Page): Locator => page.getByRole('status').filter({ hasText: 'An unfinished merge lies in' });

async function finished(page: Page): Promise<Map<string, string>> {
  await expect(report(page).or(alertIn(page))).toBeVisible();
  expect(await alertIn(page).allInnerTexts()).toEqual([]);
  await expect(report(page)).toContainText('75 of 75 tensors verified');
  return reportedFiles(report(page));
}

async function resume(page: Page): Promise<Map<string, string>> {
  await unfinished(page).getByRole('button', { name: 'Resume the merge' }).click();
  return finished(page);
}

const putAway = (page: Page) => page.getByRole('button', { name: 'Close the report' }).click();

async function pickFolder(profile: Profile, path: string): Promise<void> {
  // The label is what a pointer meets; the radio under it is what has the name.
  await profile.page.getByRole('group', { name: 'Destination' }).getByText(/^Folder /).click();
  await profile.pick(path);
  // The page has it a moment after the drop: a merge before would go to private storage.
  await expect(profile.page.getByRole('radio', { name: `Folder ${basename(path)}` })).toBeChecked();
}

test.describe('without a graphics card', () => {
  test.use({ webgpu: false });

  test('permissions withdrawn in a merge, of a source and of the folder written to: said, and carried on once they are back', async ({ address, folder }) => {
    const family = await writeFamily(folder);
    const before = await family.hashes();
    const [out, other] = [join(folder, 'out'), join(folder, 'other')];
    for (const made of [out, other]) await mkdir(made);
    const profile = await Profile.open(join(folder, 'profile'), address);
    try {
      const { page } = profile;
      await openFamily(page, family.paths);
      await pickFolder(profile, out);
      const worker = await studioWorker(page);
      const source = await holdWriting(worker, shardName(3), 'create');
      await mergeButton(page).click();
      await source.reached();
      await profile.withdraw(family.paths[1]!);
      await source.release();
      await expect(alertIn(page)).toContainText('may not be read any more');
      await expect(alertIn(page)).toContainText(/sft\/.*Drop its folder again.*Sources are never written.*finished ones are kept to be resumed/s);
      await photograph(page, '54 source withdrawn');
      // What had been opened stays readable; what makes four shards load was not written.
      expect(await readdir(out)).not.toContain(INDEX);
      expect(await readdir(out)).toContain(JOURNAL);
      await putAway(page);
      await drop(page, [family.paths[1]!]);
      await expect(unfinished(page)).toBeVisible();
      await resume(page);
      await expectWholeIn(out);

      await putAway(page);
      await pickFolder(profile, other);
      const target = await holdWriting(worker, shardName(3), 'write');
      await mergeButton(page).click();
      await target.reached();
      await profile.withdraw(other);
      await target.release();
      await expect(alertIn(page)).toContainText('The folder may not be written');
      await expect(alertIn(page)).toContainText(/Choose the folder again and allow it.*finished ones are kept to be resumed/s);
      await photograph(page, '55 folder withdrawn');
      expect(await readdir(other)).not.toContain(INDEX);
      await putAway(page);
      await pickFolder(profile, other);
      await resume(page);
      await expectWholeIn(other);
      // The model card says the folder's name.
      const exported = async (path: string) => [...(await filesIn(path))].filter(([name]) => name !== 'README.md');
      expect(await exported(other)).toEqual(await exported(out));
      expect(await family.hashes()).toBe(before);
    } finally {
      await profile.close();
    }
  });

  test('a write that fails half-way, and a browser that is killed: what was finished stays, and the rest is made again', async ({ address, folder }) => {
    const family = await writeFamily(folder);
    const before = await family.hashes();
    const out = join(folder, 'out');
    await mkdir(out);
    let profile = await Profile.open(join(folder, 'profile'), address);
    try {
      await openFamily(profile.page, family.paths);
      await pickFolder(profile, out);
      const half = await holdWriting(await studioWorker(profile.page), shardName(2), 'write');
      await mergeButton(profile.page).click();
      await half.reached();
      // Half of it lies in the browser's own file beside it, which is taken away.
      await rm(join(out, `${shardName(2)}.crswap`));
      await half.release();
      await expect(alertIn(profile.page)).toContainText('was removed');
      await expect(alertIn(profile.page)).toContainText(/If the folder is still there, resume the merge.*Sources are never written.*finished ones are kept to be resumed/s);
      await photograph(profile.page, '56 write failed');
      expect((await readdir(out)).sort()).toEqual([shardName(1), JOURNAL].sort());
      await putAway(profile.page);

      const killed = await holdWriting(await studioWorker(profile.page), shardName(4), 'write');
      await unfinished(profile.page).getByRole('button', { name: 'Resume the merge' }).click();
      await killed.reached();
      await profile.kill();
      expect((await readdir(out)).sort()).toEqual([...SHARDS, `${shardName(4)}.crswap`, JOURNAL].sort());
      profile = await Profile.open(join(folder, 'profile'), address);
      await openFamily(profile.page, family.paths);
      await pickFolder(profile, out);
      await expect(unfinished(profile.page)).toContainText('3 of 4 shards');
      await photograph(profile.page, '57 browser was killed');
      await resume(profile.page);
      await expectWholeIn(out);
      expect(await family.hashes()).toBe(before);
    } finally {
      await profile.close();
    }
  });

  test('no memory for what is read or written: read ahead halved, then stopped with both numbers; and a clock that leaps', async ({ page, folder, complaints }) => {
    const family = await writeFamily(folder);
    const before = await family.hashes();
    await visit(page);
    await openFamily(page, family.paths);
    const worker = await studioWorker(page);
    const whole = async () => {
      await mergeButton(page).click();
      const files = await finished(page);
      await putAway(page);
      return files;
    };
    // Eight hours of sleep, and a clock that is put back by a day, in the middle of a merge.
    const slept = await holdWriting(worker, shardName(2), 'create');
    await mergeButton(page).click();
    await slept.reached();
    await worker.evaluate(() => {
      const [now, date] = [performance.now.bind(performance), Date.now];
      performance.now = () => now() + 8 * 3_600_000;
      Date.now = () => date() - 24 * 3_600_000;
    });
    await slept.release();
    const expected = await finished(page);
    await putAway(page);
    // Once: what is read ahead is halved, and the read tried again.
    await shortOfMemory(worker, 'files', 500_000, 1);
    expect(await whole()).toEqual(expected);
    await restore(worker);

    const older = await privateFiles(page, EXPORT);
    await shortOfMemory(worker, 'files', 500_000, Infinity);
    await mergeButton(page).click();
    await expect(alertIn(page)).toContainText('Not enough memory');
    await expect(alertIn(page)).toContainText(/no room for .* bytes .* of (base|sft|ct-x-4M)\/model.safetensors, nor after reading ahead was halved to .* bytes/);
    await photograph(page, '58 no memory to read');
    await restore(worker);
    // The export before it is there as it was.
    expect(await privateFiles(page, EXPORT)).toEqual(older);
    await putAway(page);
    await removeStored(page);

    const held = await holdWriting(worker, shardName(3), 'create');
    await mergeButton(page).click();
    await held.reached();
    await shortOfMemory(worker, 'arrays', 500_000, Infinity);
    await held.release();
    await expect(alertIn(page)).toContainText('Not enough memory');
    await expect(alertIn(page)).toContainText(/no room for .* bytes .* of merged-model\/model-00003-of-00004.safetensors.*finished ones are kept to be resumed/s);
    await photograph(page, '59 no memory to write');
    await restore(worker);
    expect(Object.keys(await privateFiles(page, EXPORT)).sort()).toEqual([shardName(1), shardName(2), JOURNAL]);
    await putAway(page);
    expect(await resume(page)).toEqual(expected);
    expect(await family.hashes()).toBe(before);
    expect(complaints).toEqual([]);
  });

  test('a write that never ends, and a close: given up after three minutes awake, and what was finished carried on with', async ({ page, folder, complaints }) => {
    const family = await writeFamily(folder);
    const before = await family.hashes();
    await visit(page);
    await openFamily(page, family.paths);
    const merging = () => mergeButton(page).click();
    const resuming = () => unfinished(page).getByRole('button', { name: 'Resume the merge' }).click();
    const givenUp = async (at: 'write' | 'close', start: () => Promise<void>) => {
      const worker = await studioWorker(page);
      const pass = await holdTime(worker);
      const held = await holdWriting(worker, shardName(4), at);
      await start();
      await held.reached();
      // Three minutes and a second for its megabyte, and ten seconds for throwing the file away.
      await pass(196);
      await expect(alertIn(page)).toContainText(`${shardName(4)}: the drive does not answer`);
      await expect(alertIn(page)).toContainText(/nothing came back for 18\d seconds.*sources are untouched; finished shards stay where they are.*reload the page and resume the merge/s);
      await photograph(page, `64 ${at} never ends`);
      expect(Object.keys(await privateFiles(page, EXPORT)).sort()).toEqual([...SHARDS, ...(at === 'write' ? [`${shardName(4)}.crswap`] : []), JOURNAL]);
      await putAway(page);
      return held;
    };
    const reload = async () => {
      await visit(page);
      await openFamily(page, family.paths);
    };

    const write = await givenUp('write', merging);
    expect((await privateFiles(page, EXPORT))[shardName(4)]).toBe(0);
    await expect(page.getByRole('status').filter({ hasText: 'Some files could not be removed' })).toContainText(shardName(4));
    await merging();
    await expect(alertIn(page)).toContainText(/private storage is in use.*what an earlier merge asked of its drive has not been answered yet/s);
    await putAway(page);
    await write.release();
    await expect.poll(async () => Object.keys(await privateFiles(page, EXPORT)).sort()).toEqual([...SHARDS.slice(0, 3), JOURNAL]);
    await reload();
    await expect(unfinished(page)).toContainText('3 of 4 shards');

    await givenUp('close', resuming);
    await reload();
    // It was closed, and the journal had been told.
    await expect(unfinished(page)).toContainText('4 of 4 shards');
    await resume(page);
    await expectWhole(Object.keys(await privateFiles(page, EXPORT)), (name) => privateFile(page, EXPORT, name));
    expect(await family.hashes()).toBe(before);
    expect(complaints).toEqual([]);
  });

  test('a second tab is refused while the first one writes, and finds what that left when it crashes', async ({ page, complaints }) => {
    const second = await page.context().newPage();
    await visit(page);
    await openPair(page);
    await choosePreset(page, 'Paper + slack 4 %');
    await page.getByRole('spinbutton', { name: 'Largest shard in GB' }).fill('0.001');
    await expect(mergeButton(page)).toBeEnabled();
    const held = await holdWriting(await studioWorker(page), shardName(3), 'write');
    await mergeButton(page).click();
    await held.reached();

    await visit(second);
    await openPair(second);
    await choosePreset(second, 'Paper + slack 4 %');
    await second.getByRole('spinbutton', { name: 'Largest shard in GB' }).fill('0.001');
    await mergeButton(second).click();
    await expect(alertIn(second)).toContainText('private storage is in use');
    await photograph(second, '60 second tab');
    await putAway(second);

    const crashed = page.waitForEvent('crash');
    const session = await page.context().newCDPSession(page);
    // Nothing is left to answer.
    session.send('Page.crash').catch(() => undefined);
    await crashed;
    const third = await page.context().newPage();
    await visit(third);
    await expect(unfinished(third)).toContainText('2 of 4 shards');
    expect(Object.keys(await privateFiles(third, EXPORT)).filter((name) => /^model|journal/.test(name)).sort()).toEqual([shardName(1), shardName(2), shardName(3), JOURNAL].sort());
    await openPair(third);
    await resume(third);
    await expectWhole(Object.keys(await privateFiles(third, EXPORT)), (name) => privateFile(third, EXPORT, name));
    // The process that crashed may have been the one that the service worker ran in, which then gives no answer to the next page.
    expect(complaints.filter((complaint) => complaint !== 'Failed to load resource: net::ERR_FAILED')).toEqual([]);
  });
});

test.describe('with a graphics card', () => {
  test('that miscalculates, has no room, is lost, and is lost again: refused or done without, the bytes the same', async ({ page, folder, complaints }) => {
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    const family = await writeFamily(folder);
    await visit(page);
    await openFamily(page, family.paths);
    const worker = await studioWorker(page);
    const weights = (files: ReadonlyMap<string, string>) => [...files].filter(([name]) => /^model/.test(name));
    const panel = page.getByRole('dialog', { name: 'Backend' });
    const chip = page.getByRole('button', { name: /^Backend: / });

    // Values equal to the threshold are all kept.
    await miscalculate(worker, '(keys > vec2(threshold))', '(keys >= vec2(threshold))');
    await chip.click();
    await panel.getByRole('group', { name: 'Compute with' }).getByText('WebGPU', { exact: true }).click();
    const notice = panel.getByRole('status').filter({ hasText: 'WebGPU is not used: the adapter miscalculates' });
    await expect(notice).toContainText(/The results of .*SwiftShader.* differed from the reference in the self-test: trim, elect/i);
    await panel.getByRole('button', { name: 'Copy report' }).click();
    await expect(panel.getByText('Copied.')).toBeVisible();
    await photograph(page, '61 adapter refused');
    expect(await page.evaluate(() => navigator.clipboard.readText())).toMatch(/self-test-failed: .*swiftshader: trim: .* instead of [^]*\nIn use: cpu/i);
    await page.keyboard.press('Escape');
    await restore(worker);
    await mergeButton(page).click();
    const expected = weights(await finished(page));
    await expectWhole(Object.keys(await privateFiles(page, EXPORT)), (name) => privateFile(page, EXPORT, name));
    await putAway(page);

    const older = await privateFiles(page, EXPORT);
    await chooseWebGpu(page);
    await shortOfDeviceMemory(worker, Infinity);
    await mergeButton(page).click();
    await expect(alertIn(page)).toContainText(/Not enough graphics memory.*had no room for .* beside the .* in pieces of a sixteenth.*Sources are never written/s);
    await photograph(page, '62 no graphics memory');
    expect(await privateFiles(page, EXPORT)).toEqual(older);
    await restore(worker);
    await putAway(page);
    await shortOfDeviceMemory(worker, 2);
    await mergeButton(page).click();
    expect(weights(await finished(page))).toEqual(expected);
    await restore(worker);

    const root = await page.context().browser()!.newBrowserCDPSession();
    for (const next of ['a new one', 'the CPU']) {
      await putAway(page);
      const held = await holdReadingBack(worker);
      await mergeButton(page).click();
      await held.reached();
      await root.send('Browser.crashGpuProcess').catch(() => undefined);
      await held.release();
      expect(weights(await finished(page))).toEqual(expected);
      await chip.click();
      await expect(panel).toContainText(`The graphics device failed; ${next} took over.`);
      await photograph(page, `63 ${next}`);
      await page.keyboard.press('Escape');
    }
    await expect(page.getByRole('status').filter({ hasText: 'The graphics device was lost' })).toContainText('work goes on from where it was');
    expect(complaints).toEqual([]);
  });
});
