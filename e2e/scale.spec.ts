/** How many models: one alone is scaled, eight are averaged (issue 4, scale modes). */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { drop } from './support/drop';
import { expectSameTensors } from './support/expected';
import { expect, photograph, test } from './support/fixtures';
import { decode, encode } from './support/numbers';
import { readSafetensors, type Tensors } from './support/safetensors';
import { choosePreset, download, expectOpen, merge, mergeButton, setRole, visit } from './support/studio';

const FAMILY = join(process.cwd(), 'tests', 'fixtures', 'checkpoints');
/** In the order of the recipe: SFT, then CT by path. The sum is made in that order. */
const MODELS = ['sft', 'ct-x-128k', 'ct-x-1M', 'ct-x-256k', 'ct-x-2M', 'ct-x-4M', 'ct-x-512k', 'ct-y-256k'];

const tensorsOf = async (name: string): Promise<Tensors> => readSafetensors(await readFile(join(FAMILY, name, 'model.safetensors'))).tensors;

/** The sum of the models in f32, one after the other, times `factor`; rounded to BF16 once. */
function summed(models: readonly Tensors[], factor: number): Tensors {
  return new Map(
    [...models[0]!].map(([name, { shape, dtype }]) => {
      const values = models.map((tensors) => decode(tensors.get(name)!.bytes, dtype));
      const sum = values[0]!.map((_, i) => values.reduce((total, own) => Math.fround(total + own[i]!), 0));
      return [name, { dtype: 'BF16', shape, bytes: encode(sum.map((value) => Math.fround(value * factor)), 'BF16') }];
    }),
  );
}

test.use({ webgpu: false });

test('one checkpoint alone is multiplied by its weight', async ({ page, folder, complaints }) => {
  await visit(page);
  await drop(page, [join(FAMILY, 'sft')]);
  await expectOpen(page, ['sft']);
  await choosePreset(page, 'Scale one checkpoint');
  await page.getByRole('spinbutton', { name: /^Weight of sft/ }).fill('0.375');
  await expect(mergeButton(page)).toBeEnabled();
  const report = await merge(page);
  const { tensors } = readSafetensors(await download(page, report, 'model.safetensors', folder));
  expectSameTensors(tensors, summed([await tensorsOf('sft')], 0.375));
  expect(complaints).toEqual([]);
});

test('eight models are averaged, each with its card, its settings and its colour', async ({ page, folder, complaints }) => {
  await visit(page);
  await drop(page, ['base', ...MODELS].map((name) => join(FAMILY, name)));
  await expectOpen(page, ['base', ...MODELS]);
  for (const name of MODELS.slice(1)) await setRole(page, name, 'CT');
  await choosePreset(page, 'WAVG');
  await expect(page.getByRole('slider', { name: /^Weight of/ })).toHaveCount(MODELS.length);
  await expect(mergeButton(page)).toBeEnabled();
  await photograph(page, '20 eight models');
  const report = await merge(page);
  const { tensors } = readSafetensors(await download(page, report, 'model.safetensors', folder));
  expectSameTensors(tensors, summed(await Promise.all(MODELS.map(tensorsOf)), 1 / 8));
  expect(complaints).toEqual([]);
});
