import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { checkExport } from '../../e2e/soak/checks';
import { generator, type Mix } from '../../e2e/soak/recipes';
import { hashOf, sampleTensors } from '../../e2e/support/family';
import { mergeTies } from '../../e2e/support/merge';
import { decode, encode } from '../../e2e/support/numbers';
import { readSafetensors, writeSafetensors, type Tensors } from '../../e2e/support/safetensors';

// The end-to-end tests judge the page with this code, so it is judged first: against figures.json, made with NumPy.

interface Expected {
  readonly density: readonly number[];
  readonly total: { kept: number[]; conflict: number; discarded: number[]; reserved: number };
  readonly sha256_of_bf16_tensors_in_utf8_name_order: string;
}
const figures = JSON.parse(
  await readFile(join(process.cwd(), 'tests', 'fixtures', 'checkpoints', 'figures.json'), 'utf8'),
) as Record<string, Expected>;

it.each([
  ['ties: sft + ct-x-256k', ['sft', 'ct-x-256k'], 0],
  ['ties-sv 4% of retained: sft + ct-x-4M', ['sft', 'ct-x-4M'], 0.04],
  ['ties: sft + ct-x-4M + ct-y-1M', ['sft', 'ct-x-4M', 'ct-y-1M'], 0],
])('the independent merger reproduces "%s"', async (key, names, slack) => {
  const expected = figures[key]!;
  const models = await Promise.all(
    names.map(async (name, i) => ({ tensors: await sampleTensors(name), density: expected.density[i]!, weight: 1 })),
  );
  const { tensors, counts } = mergeTies(await sampleTensors('base'), models, { lambda: 1, slack, out: 'BF16' });
  const { kept, conflict, discarded, reserved } = expected.total;
  expect(counts).toEqual({ kept, conflict, discarded, reserved });
  expect(hashOf(tensors)).toBe(expected.sha256_of_bf16_tensors_in_utf8_name_order);
});

it('decodes and encodes every F16 and BF16 word to itself', () => {
  const words = new Uint8Array(Uint16Array.from({ length: 65536 }, (_, i) => i).buffer);
  for (const format of ['F16', 'BF16'] as const) {
    const values = decode(words, format);
    const again = new Uint16Array(encode(values, format).buffer);
    const changed = Array.from(values.keys()).filter((i) => !Number.isNaN(values[i]!) && again[i] !== i);
    expect(changed, format).toEqual([]);
  }
});

it.each([
  ['F16', 1 + 2 ** -11, 0x3c00],
  ['F16', 1 + 3 * 2 ** -11, 0x3c02],
  ['F16', 65519.996, 0x7bff],
  ['F16', 65520, 0x7c00],
  ['F16', 2 ** -25, 0x0000],
  ['F16', 1.5 * 2 ** -24, 0x0002],
  ['BF16', 1 + 2 ** -8, 0x3f80],
  ['BF16', 1 + 3 * 2 ** -8, 0x3f82],
  ['BF16', -(1 + 2 ** -8 + 2 ** -20), 0xbf81],
] as const)('rounds to nearest even: %s of %d', (format, value, word) => {
  expect(new Uint16Array(encode(Float32Array.of(value), format).buffer)[0]).toBe(word);
});

it('reads back what it writes', () => {
  const tensors = new Map([
    ['b', { dtype: 'F32' as const, shape: [2], bytes: encode(Float32Array.of(1, 2), 'F32') }],
    ['a', { dtype: 'F16' as const, shape: [1, 3], bytes: encode(Float32Array.of(3, 4, 5), 'F16') }],
  ]);
  expect(readSafetensors(writeSafetensors(tensors))).toEqual({ metadata: { format: 'pt' }, tensors });
  expect(() => readSafetensors(writeSafetensors(tensors).subarray(0, -1))).toThrow(/bytes/);
});

/** A family of two tensors, one model a little off the base in every value. */
function smallFamily(): Map<string, Tensors> {
  const random = generator(3);
  const values = () => Float32Array.from({ length: 600 }, () => random() - 0.5);
  const [a, norm] = [values(), values()];
  const near = (of: Float32Array) => of.map((value) => value + 0.02 * (random() - 0.5));
  const tensors = (one: Float32Array, other: Float32Array): Tensors =>
    new Map([['a.weight', { dtype: 'BF16' as const, shape: [20, 30], bytes: encode(one, 'BF16') }], ['norm.weight', { dtype: 'BF16' as const, shape: [600], bytes: encode(other, 'BF16') }]]);
  return new Map([['base', tensors(a, norm)], ['sft', tensors(near(a), near(norm))], ['ct-x-4M', tensors(near(a), near(norm))]]);
}
const MIX: Mix = {
  method: 'ties_sv', preset: null, lambda: 0.8, t: 0.5, scope: 'model', slack: { s: 0.1, of: 'discarded' }, seed: 1, out: 'float32', keepBase: null,
  models: [{ name: 'sft', weight: 0.6, density: 0.3 }, { name: 'ct-x-4M', weight: 1.02, density: 0.7 }],
};
const fileOf = (tensors: Tensors) => writeSafetensors(tensors);

it('the soak takes an export that is right, and none of which one value is two places off', () => {
  const family = smallFamily();
  const models = MIX.models.map(({ name, weight, density }) => ({ tensors: family.get(name)!, weight, density }));
  const right = new Map(mergeTies(family.get('base')!, models, { lambda: 0.8, slack: 0.1, slackOf: 'discarded', out: 'F32' }).tensors);
  const mix: Mix = { ...MIX, scope: 'tensor' };
  expect(checkExport(fileOf(right), mix, family, generator(1))).toEqual({ values: 1200 });
  const { bytes } = right.get('a.weight')!;
  bytes[400]! += 4;
  expect(() => checkExport(fileOf(right), mix, family, generator(1))).toThrow(/a\.weight\[100\]/);
  // Another recipe's export is no export of this one.
  bytes[400]! -= 4;
  expect(() => checkExport(fileOf(right), { ...mix, slack: { s: 0.5, of: 'discarded' } }, family, generator(1))).toThrow(/weight/);
  expect(() => checkExport(fileOf(right), { ...mix, keepBase: 'norm' }, family, generator(1))).toThrow('norm.weight is not as it should be');
});

it('the soak takes what a draw can give, and tells one that keeps too many', () => {
  const family = smallFamily();
  const mix: Mix = { ...MIX, method: 'dare_linear', scope: 'tensor' };
  const drawn = (density: (m: number) => number) => {
    const random = generator(9);
    const values = (folder: string, name: string) => decode(family.get(folder)!.get(name)!.bytes, 'BF16');
    return new Map(
      [...family.get('base')!].map(([name, { shape }]) => {
        const base = values('base', name);
        const merged = base.map((origin, i) => origin + mix.lambda * mix.models.reduce((sum, { name: model, weight, density: k }, m) => sum + (random() < density(m) ? (weight * (values(model, name)[i]! - origin)) / k : 0), 0));
        return [name, { dtype: 'F32' as const, shape, bytes: encode(merged, 'F32') }];
      }),
    );
  };
  expect(checkExport(fileOf(drawn((m) => mix.models[m]!.density)), mix, family, generator(1))).toEqual({ values: 1200 });
  expect(() => checkExport(fileOf(drawn((m) => (m === 0 ? 0.6 : 0.7))), mix, family, generator(1))).toThrow(/model 0 kept/);
});
