/**
 * TIES and TIES-SV (arXiv 2407.03994, sections 3.1 and 6.2) the slow way: sort everything, keep plain arrays. It shares
 * no line with src/ on purpose: two independent readings of one definition have to give the same bytes.
 */
import { decode, encode, type FloatName } from './numbers';
import { namesInOrder, type Tensor, type Tensors } from './safetensors';

export interface TiesModel {
  readonly tensors: Tensors;
  readonly density: number;
  readonly weight: number;
}

export interface TiesSettings {
  readonly lambda: number;
  /** Share of the preferred (first) model's retained (or discarded) values that is reserved; 0 is plain TIES. */
  readonly slack: number;
  readonly slackOf?: 'retained' | 'discarded';
  readonly out: FloatName;
}

export interface Counts {
  kept: number[];
  conflict: number;
  discarded: number[];
  reserved: number;
}

/** The values of largest magnitude, exactly trunc(density * n) of them, earlier ones first among equals; the rest 0. */
function trim(tau: Float32Array, density: number): { trimmed: Float32Array; kept: number } {
  const kept = density >= 1 ? tau.length : Math.max(1, Math.trunc(density * tau.length));
  const bySize = Array.from(tau.keys()).sort((a, b) => Math.abs(tau[b]!) - Math.abs(tau[a]!) || a - b);
  const trimmed = new Float32Array(tau.length);
  for (const i of bySize.slice(0, kept)) trimmed[i] = tau[i]!;
  return { trimmed, kept };
}

function mergeTensor(base: Tensor, models: readonly TiesModel[], inputs: readonly Tensor[], settings: TiesSettings) {
  const theta = decode(base.bytes, base.dtype);
  const trimmed = inputs.map((input, m) =>
    trim(
      decode(input.bytes, input.dtype).map((value, i) => value - theta[i]!),
      models[m]!.density,
    ),
  );
  // A number times an f32 tensor is an f32 number times it: of 0.6 a and 1.02 b, equal as reals, the rounded weights decide the sign.
  const weights = models.map(({ weight }) => Math.fround(weight));
  const weighted = trimmed.map(({ trimmed: values }, m) => values.map((value) => value * weights[m]!));
  const election = theta.map((_, i) => weighted.reduce((sum, values) => Math.fround(sum + values[i]!), 0));
  const gamma: number[] = Array.from(election, (e) => (e >= 0 ? 1 : -1));

  const dropped = (m: number) =>
    Array.from(theta.keys()).filter((i) => trimmed[m]!.trimmed[i] !== 0 && Math.sign(weighted[m]![i]!) !== gamma[i]);
  const discarded = models.map((_, m) => dropped(m));
  const conflict = Array.from(theta.keys()).filter((i) => {
    const signs = new Set(trimmed.map(({ trimmed: values }) => Math.sign(values[i]!)));
    return signs.has(1) && signs.has(-1);
  }).length;

  const byMargin = [...discarded[0]!].sort((a, b) => Math.abs(election[a]!) - Math.abs(election[b]!) || a - b);
  const reserved = byMargin.slice(0, Math.trunc(settings.slack * (settings.slackOf === 'discarded' ? discarded[0]!.length : trimmed[0]!.kept)));
  for (const i of reserved) gamma[i] = Math.sign(weighted[0]![i]!);

  const merged = theta.map((origin, i) => {
    let sum = 0;
    let divisor = 0;
    weighted.forEach((values, m) => {
      if (Math.sign(values[i]!) !== gamma[i]) return;
      sum = Math.fround(sum + values[i]!);
      divisor = Math.fround(divisor + weights[m]!);
    });
    const mean = Math.fround(sum / (divisor || 1));
    // A base of -0 keeps its sign where nothing is added.
    return mean === 0 ? origin : Math.fround(origin + Math.fround(Math.fround(settings.lambda) * mean));
  });
  const counts = { kept: trimmed.map(({ kept }) => kept), conflict, discarded: discarded.map((d) => d.length), reserved: reserved.length };
  return { tensor: { dtype: settings.out, shape: base.shape, bytes: encode(merged, settings.out) }, counts };
}

/** Merges every tensor of the base; counts are summed over tensors. */
export function mergeTies(base: Tensors, models: readonly TiesModel[], settings: TiesSettings): { tensors: Tensors; counts: Counts } {
  const counts: Counts = { kept: models.map(() => 0), conflict: 0, discarded: models.map(() => 0), reserved: 0 };
  const tensors = new Map<string, Tensor>();
  for (const name of namesInOrder(base)) {
    const inputs = models.map(({ tensors: own }) => {
      const found = own.get(name);
      if (!found) throw new Error(`${name} is missing`);
      return found;
    });
    const result = mergeTensor(base.get(name)!, models, inputs, settings);
    tensors.set(name, result.tensor);
    result.counts.kept.forEach((kept, m) => (counts.kept[m]! += kept));
    result.counts.discarded.forEach((discarded, m) => (counts.discarded[m]! += discarded));
    counts.conflict += result.counts.conflict;
    counts.reserved += result.counts.reserved;
  }
  return { tensors, counts };
}
