import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withAdapter, withRows } from './support/adapters';
import { drop } from './support/drop';
import { expectSameTensors } from './support/expected';
import { expect, photograph, test } from './support/fixtures';
import { mergeTies } from './support/merge';
import { decode, encode } from './support/numbers';
import { readSafetensors, writeSafetensors, type Tensors } from './support/safetensors';
import { choosePreset, download, expectOpen, merge, region, visit } from './support/studio';

test.use({ webgpu: false });

const LORA = join(process.cwd(), 'tests', 'fixtures', 'lora');
const ROWS = 40;
/** Row i of the base is row MOVED[i] of the CT model. */
const MOVED = Array.from({ length: ROWS }, (_, i) => (i * 7 + 3) % ROWS);

const tokenizer = (tokens: readonly string[]) =>
  JSON.stringify({ version: '1.0', truncation: null, added_tokens: [], model: { type: 'WordLevel', vocab: Object.fromEntries(tokens.map((token, id) => [token, id])), unk_token: 't0' } });

/** A base, an adapter on it as PEFT saves one, and a CT model whose tokenizer gives the same tokens other ids. */
async function writeFamily(folder: string): Promise<{ folders: string[]; base: Tensors; sft: Tensors; ct: Tensors }> {
  const [base, sft, ct] = ['base', 'sft-lora', 'ct-x-4M'].map((name) => join(folder, name)) as [string, string, string];
  for (const made of [base, sft, ct]) await mkdir(made, { recursive: true });
  for (const file of ['config.json', 'model.safetensors']) await copyFile(join(LORA, 'base-llama', file), join(base, file));
  for (const file of ['adapter_config.json', 'adapter_model.safetensors']) await copyFile(join(LORA, 'plain', file), join(sft, file));
  await copyFile(join(base, 'config.json'), join(ct, 'config.json'));
  const theta = readSafetensors(await readFile(join(base, 'model.safetensors'))).tensors;
  const trained: Tensors = new Map(
    [...theta].map(([name, tensor], t) => [name, { ...tensor, bytes: encode(decode(tensor.bytes, tensor.dtype).map((value, i) => value + 0.002 * Math.sin(t + i)), tensor.dtype) }]),
  );
  const from = MOVED.map((_, row) => MOVED.indexOf(row));
  await writeFile(join(ct, 'model.safetensors'), writeSafetensors(new Map([...trained].map(([name, tensor]) => [name, /embed_tokens|lm_head/.test(name) ? withRows(tensor, from) : tensor]))));
  const tokens = MOVED.map((_, i) => `t${i}`);
  await writeFile(join(base, 'tokenizer.json'), tokenizer(tokens));
  await writeFile(join(ct, 'tokenizer.json'), tokenizer(from.map((row) => tokens[row]!)));
  const factors = readSafetensors(await readFile(join(sft, 'adapter_model.safetensors'))).tensors;
  // lora_alpha 8, r 4.
  return { folders: [base, sft, ct], base: theta, sft: withAdapter(theta, factors, () => 2), ct: trained };
}

test('an adapter beside its base and a vocabulary in another order: merged, dropped back, verified, and a changed value found', async ({ page, folder, complaints }) => {
  const { folders, base, sft, ct } = await writeFamily(folder);
  await visit(page);
  await drop(page, folders);
  await expectOpen(page, ['base', 'sft-lora', 'ct-x-4M']);
  await expect(page.getByRole('article', { name: 'sft-lora', exact: true })).toContainText('LoRA, r 4, α 8');
  await choosePreset(page, 'Paper + slack 4 %');
  await expect(region(page, 'Checkpoints')).toContainText('40 tokens in both, 40 of them under other ids; 0 only in ct-x-4M');
  await photograph(page, '50 adapter and moved tokens');
  const report = await merge(page);
  const file = await download(page, report, 'model.safetensors', folder);
  const expected = mergeTies(base, [{ tensors: sft, density: 0.2, weight: 1 }, { tensors: ct, density: 1, weight: 1 }], { lambda: 1, slack: 0.04, out: 'F32' });
  expectSameTensors(readSafetensors(file).tensors, expected.tensors);

  const changed = Buffer.from(file);
  changed[changed.length - 2]! ^= 0x40;
  await mkdir(join(folder, 'changed'));
  await writeFile(join(folder, 'changed', 'model.safetensors'), changed);
  await drop(page, [join(folder, 'model.safetensors'), join(folder, 'changed')]);
  await expectOpen(page, ['model', 'changed']);
  await page.getByRole('button', { name: 'Verify model', exact: true }).click();
  await expect(page.getByRole('status').filter({ hasText: 'model is what its recipe gives' })).toContainText('21 of 21 tensors are the same to the bit');
  await page.getByRole('button', { name: 'Verify changed', exact: true }).click();
  const verdict = page.getByRole('status').filter({ hasText: 'changed is not what its recipe gives' });
  await expect(verdict).toContainText('20 of 21 tensors are the same to the bit');
  await expect(verdict.getByRole('row')).toHaveCount(2);
  await expect(verdict.getByRole('row').nth(1)).toContainText(/^model\.norm\.weight1 of 16value 15/);
  await photograph(page, '51 a changed value');
  expect(complaints).toEqual([]);
});
