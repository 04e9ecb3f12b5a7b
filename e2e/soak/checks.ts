/** Whether an export is the merge that was asked for, by code that shares no line with src/. */
import { decode, encode, type FloatName } from '../support/numbers';
import { mergeTies, type TiesModel } from '../support/merge';
import { namesInOrder, readSafetensors, type Tensor, type Tensors } from '../support/safetensors';
import { OUT_DTYPES, type Mix } from './recipes';

/** Tensors of a merge per tensor that are merged again; a ranking over the whole model is done again whole. */
const AGAIN = 12;

/** What was compared: `values` one by one, or for methods without an independent definition here the structure alone. */
export interface Checked {
  readonly values: number;
}

/** Fails with the tensor's name. `family`: the sample's tensors by folder. */
export function checkExport(file: Uint8Array, mix: Mix, family: ReadonlyMap<string, Tensors>, random: () => number): Checked {
  const { metadata, tensors } = readSafetensors(file);
  const base = family.get('base')!;
  const out = OUT_DTYPES[mix.out];
  if (metadata.format !== 'pt') throw new Error('no format in the metadata');
  if (namesInOrder(tensors).join('\n') !== namesInOrder(base).join('\n')) throw new Error('the names are not those of the base');
  const isKept = (name: string) => mix.keepBase !== null && name.includes(mix.keepBase);
  for (const [name, { dtype, shape, bytes }] of tensors) {
    const origin = base.get(name)!;
    if (shape.join() !== origin.shape.join()) throw new Error(`${name} is [${shape}]`);
    if (dtype !== out || (isKept(name) && Buffer.compare(bytes, encode(valuesOf(origin), out)) !== 0)) throw new Error(`${name} is not as it should be`);
    if (!decode(bytes, dtype).every(Number.isFinite)) throw new Error(`${name} has values that are not finite`);
  }
  const names = namesInOrder(base).filter((name) => !isKept(name));
  if (mix.scope === 'model') return compare(tensors, wholeModel(mix, family, names), names);
  const chosen = [...names].sort(() => random() - 0.5).slice(0, AGAIN);
  const subset = (name: string): Tensors => new Map(chosen.map((tensor) => [tensor, family.get(name)!.get(tensor)!]));
  if (mix.method === 'ties' || mix.method === 'ties_sv') return compare(tensors, mergeTies(subset('base'), tiesModels(mix, subset), tiesSettings(mix)).tensors, chosen);
  if (mix.method === 'dare_linear') return chosen.reduce((sum, name) => ({ values: sum.values + checkDrawn(name, tensors.get(name)!, mix, family) }), { values: 0 });
  const formula = formulaOf(mix);
  if (formula === null) return { values: 0 };
  const expected = new Map(
    chosen.map((name) => {
      const origin = base.get(name)!;
      const models = mix.models.map((model) => valuesOf(family.get(model.name)!.get(name)!));
      return [name, { dtype: out, shape: origin.shape, bytes: encode(formula(valuesOf(origin), models), out) }];
    }),
  );
  // Sines and cosines may round otherwise elsewhere: then a weight is a place off, and so may every value be, by so much of its parts.
  const slip = mix.method === 'slerp' ? (name: string) => 2 ** -22 * largest(mix.models.map((model) => valuesOf(family.get(model.name)!.get(name)!))) : null;
  return compare(tensors, expected, chosen, slip);
}

const valuesOf = ({ bytes, dtype }: Tensor) => decode(bytes, dtype);

function tiesModels(mix: Mix, of: (name: string) => Tensors): TiesModel[] {
  return mix.models.map(({ name, weight, density }) => ({ tensors: of(name), density, weight }));
}
function tiesSettings({ method, lambda, slack, out }: Mix) {
  return { lambda, slack: method === 'ties_sv' ? slack.s : 0, slackOf: slack.of, out: OUT_DTYPES[out] };
}

/** The code of the TIES paper ranks the whole model: all merged tensors as one, in the order of their names. */
function wholeModel(mix: Mix, family: ReadonlyMap<string, Tensors>, names: readonly string[]): Tensors {
  const joined = (folder: string): Tensors => {
    const parts = names.map((name) => family.get(folder)!.get(name)!);
    if (parts.some(({ dtype }) => dtype !== 'BF16')) throw new Error('the sample is not all BF16');
    return new Map([['all', { dtype: 'BF16' as const, shape: [], bytes: new Uint8Array(Buffer.concat(parts.map(({ bytes }) => bytes))) }]]);
  };
  const { bytes, dtype } = mergeTies(joined('base'), tiesModels(mix, joined), tiesSettings(mix)).tensors.get('all')!;
  const width = bytes.length / (joined('base').get('all')!.bytes.length / 2);
  let at = 0;
  return new Map(
    names.map((name) => {
      const origin = family.get('base')!.get(name)!;
      const begin = at;
      at += (origin.bytes.length / 2) * width;
      return [name, { dtype, shape: origin.shape, bytes: bytes.slice(begin, at) }];
    }),
  );
}

type Formula = (base: Float32Array, models: readonly Float32Array[]) => Float32Array;

/** One f32 operation after the other, in model order; null where there is no short formula. */
function formulaOf({ method, models, lambda, t }: Mix): Formula | null {
  const sum = (values: readonly number[]) => values.reduce((total, value) => Math.fround(total + value), 0);
  const weights = models.map(({ weight }) => Math.fround(weight));
  switch (method) {
    case 'linear':
      return (base, inputs) => base.map((_, i) => sum(inputs.map((values, m) => Math.fround(weights[m]! * values[i]!))) / sum(weights));
    case 'task_arithmetic':
      return (base, inputs) => base.map((origin, i) => origin + Math.fround(Math.fround(lambda) * sum(inputs.map((values, m) => Math.fround(weights[m]! * Math.fround(values[i]! - origin))))));
    case 'slerp':
      return (_, [a, b]) => {
        const product = (x: Float32Array, y: Float32Array) => x.reduce((total, value, i) => total + value * y[i]!, 0);
        const cosine = product(a!, b!) / Math.sqrt(product(a!, a!) * product(b!, b!));
        const angle = cosine > 0.9995 ? 0 : Math.acos(cosine);
        const [wa, wb] = angle === 0 ? [1 - t, t] : [Math.sin((1 - t) * angle) / Math.sin(angle), Math.sin(t * angle) / Math.sin(angle)];
        return a!.map((value, i) => Math.fround(Math.fround(wa) * value) + Math.fround(Math.fround(wb) * b![i]!));
      };
    default:
      return null;
  }
}

const largest = (models: readonly Float32Array[]) => models.reduce((most, values) => values.reduce((max, value) => Math.max(max, Math.abs(value)), most), 0);

/** Equal but for one unit in the last place at one value in 10,000 (merging.md section 8); with `slip` within that beside the unit, at any. */
function compare(found: Tensors, expected: Tensors, names: readonly string[], slip: ((name: string) => number) | null = null): Checked {
  let values = 0;
  for (const name of names) {
    const [a, b] = [found.get(name)!, expected.get(name)!];
    const [x, y] = [valuesOf(a), valuesOf(b)];
    const more = slip?.(name) ?? 0;
    values += x.length;
    let differing = 0;
    x.forEach((value, i) => {
      if (value === y[i]) return;
      differing++;
      if (Math.abs(value - y[i]!) > unitOf(y[i]!, b.dtype) + more) throw new Error(`${name}[${i}] is ${value}, not ${y[i]}`);
    });
    if (slip === null && differing > Math.max(1, x.length / 10_000)) throw new Error(`${name}: ${differing} of ${x.length} values differ`);
  }
  return { values };
}

/** The last place of a value of this format, the larger of the two on either side of a power of two. */
function unitOf(value: number, dtype: FloatName): number {
  const [fraction, least] = { BF16: [7, -126] as const, F16: [10, -14] as const, F32: [23, -126] as const }[dtype];
  return 2 ** (Math.max(Math.floor(Math.log2(Math.abs(value) || 2 ** -200)), least) - fraction + 1);
}

/** DARE: every value is one of the four that keeping or dropping either model gives, and both are kept as often as their density says. */
function checkDrawn(name: string, { bytes, dtype }: Tensor, { models, lambda }: Mix, family: ReadonlyMap<string, Tensors>): number {
  const base = valuesOf(family.get('base')!.get(name)!);
  const taus = models.map((model) => valuesOf(family.get(model.name)!.get(name)!).map((value, i) => value - base[i]!));
  const kept = [0, 0];
  let told = 0;
  decode(bytes, dtype).forEach((value, i) => {
    const parts = models.map(({ weight, density }, m) => (lambda * weight * taus[m]![i]!) / density);
    const steps = [0, parts[0]!, parts[1]!, parts[0]! + parts[1]!];
    const slip = 2 ** -20 * (Math.abs(base[i]!) + Math.abs(parts[0]!) + Math.abs(parts[1]!));
    const near = steps.flatMap((step, choice) => (Math.abs(value - (base[i]! + step)) <= slip ? [choice] : []));
    if (near.length === 0) throw new Error(`${name}[${i}] is ${value}, which no draw gives`);
    const isTold = steps.every((one, a) => steps.every((other, b) => a === b || Math.abs(one - other) > 2 * slip));
    if (!isTold) return;
    told++;
    kept.forEach((_, m) => (kept[m]! += (near[0]! >> m) & 1));
  });
  models.forEach(({ density }, m) => {
    // Six standard deviations: one tensor in a thousand million is farther off by chance.
    const slack = 6 * Math.sqrt(told * density * (1 - density)) + 1;
    if (Math.abs(kept[m]! - told * density) > slack) throw new Error(`${name}: model ${m} kept ${kept[m]} of ${told} values at density ${density}`);
  });
  return base.length;
}
