import { sampleTensors } from './support/family';
import { expect, photograph, test } from './support/fixtures';
import { decode, encode } from './support/numbers';
import { namesInOrder, readSafetensors } from './support/safetensors';
import { download, layerChart, layerFigures, merge, openPair, visit } from './support/studio';

test.use({ webgpu: false });

test('DARE draws by its seed, DELLA and SCE are counted otherwise, and SLERP writes what its formula gives', async ({ page, folder, complaints }) => {
  await visit(page);
  await openPair(page);
  const method = page.getByRole('combobox', { name: 'Method' });
  await expect(layerChart(page)).toBeVisible();
  const trimmed = await layerFigures(page);
  await method.selectOption({ label: 'DARE (TIES)' });
  await expect(page.getByRole('combobox', { name: 'Kept values are multiplied by' })).toHaveValue('magnitude');
  await expect.poll(() => layerFigures(page)).not.toBe(trimmed);
  const seed = page.getByRole('spinbutton', { name: 'Seed' });
  const first = await layerFigures(page);
  await seed.fill('7');
  await expect.poll(() => layerFigures(page)).not.toBe(first);
  await photograph(page, '30 DARE');
  await seed.fill('0');
  await expect.poll(() => layerFigures(page)).toBe(first);
  await method.selectOption({ label: 'DELLA (TIES)' });
  await expect(page.getByRole('slider', { name: /^Lean of sft/ })).toHaveValue('0.15');
  await expect.poll(() => layerFigures(page)).not.toBe(first);
  const leaning = await layerFigures(page);
  await method.selectOption({ label: 'SCE' });
  await page.getByRole('spinbutton', { name: 'Positions selected (select_topk)' }).fill('0.2');
  await expect.poll(() => layerFigures(page)).not.toBe(leaning);
  await photograph(page, '32 SCE');

  await method.selectOption({ label: 'SLERP' });
  await expect(page.getByRole('slider', { name: 'Place on the arc (t)' })).toHaveValue('0.5');
  await page.getByRole('spinbutton', { name: 'Place on the arc (t)' }).fill('0.35');
  const report = await merge(page);
  await photograph(page, '31 SLERP');
  const { tensors } = readSafetensors(await download(page, report, 'model.safetensors', folder));
  const [sft, ct] = [await sampleTensors('sft'), await sampleTensors('ct-x-4M')];
  expect(namesInOrder(tensors)).toEqual(namesInOrder(sft));
  let bent = 0;
  for (const name of namesInOrder(sft)) {
    const [a, b, merged] = [sft, ct, tensors].map((own) => decode(own.get(name)!.bytes, own.get(name)!.dtype)) as [Float32Array, Float32Array, Float32Array];
    const product = (x: Float32Array, y: Float32Array) => x.reduce((sum, value, i) => sum + value * y[i]!, 0);
    const cosine = product(a, b) / Math.sqrt(product(a, a) * product(b, b));
    const angle = cosine > 0.9995 ? 0 : Math.acos(cosine);
    bent += Number(angle > 0);
    const [wa, wb] = angle === 0 ? [0.65, 0.35] : [Math.sin(0.65 * angle) / Math.sin(angle), Math.sin(0.35 * angle) / Math.sin(angle)];
    const { dtype } = tensors.get(name)!;
    const exact = decode(encode(a.map((value, i) => wa * value + wb * b[i]!), dtype), dtype);
    // bf16 of a sum taken in f32 and in f64: next to each other where the sum lies half-way.
    const differing = merged.filter((value, i) => value !== exact[i]!).length;
    const farthest = merged.reduce((most, value, i) => Math.max(most, Math.abs(value - exact[i]!) / Math.max(Math.abs(value), 2 ** -100)), 0);
    expect(differing, name).toBeLessThanOrEqual(Math.max(1, merged.length / 1000));
    expect(farthest, name).toBeLessThanOrEqual(2 ** -7);
  }
  expect(bent).toBeGreaterThan(0);
  expect(complaints).toEqual([]);
});
