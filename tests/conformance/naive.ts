/**
 * TIES and TIES-SV written once more, position by position and by whole sorts: what tests the oracle. It shares no code
 * with src/reference, takes finite inputs of one length in f64 and returns what merging.md sections 1 to 6 say.
 */
import type { TensorParameters } from '../../src/recipe/types';

export interface NaiveMerge {
  readonly kept: readonly ReadonlySet<number>[];
  readonly reserved: ReadonlySet<number>;
  readonly nonzero: readonly number[];
  readonly conflict: number;
  readonly won: readonly number[];
  readonly discarded: readonly number[];
  readonly reservedCost: number;
  /** f32, before the output dtype. */
  readonly merged: readonly number[];
}

const f32 = Math.fround;

/** @param base and models exact values of the inputs: what f32 holds, or f64 to be rounded once */
export function naiveTies(base: readonly number[], models: readonly (readonly number[])[], parameters: TensorParameters): NaiveMerge {
  const theta0 = base.map(f32);
  const tau = models.map((model) => model.map((theta, p) => f32(f32(theta) - theta0[p]!)));
  const kept = tau.map((vector, i) => {
    const k = parameters.density[i]!;
    const count = k >= 1 ? vector.length : Math.max(1, Math.trunc(k * vector.length));
    return new Set(byKeyThenIndex(vector.map(Math.abs), (a, b) => b - a).slice(0, count));
  });
  const w = parameters.weight.map(f32);
  const weighted = tau.map((vector, i) => {
    const trimmed = vector.map((value, p) => (kept[i]!.has(p) ? value : 0));
    const sums = [vector, trimmed].map((of) => of.reduce((sum, value) => sum + Math.abs(value), 0)) as [number, number];
    const factor = parameters.rescale && sums[0] >= 1e-7 && sums[1] >= 1e-7 ? f32(sums[0] / sums[1]) : 1;
    return trimmed.map((value) => f32(f32(value * factor) * w[i]!));
  });
  const e = theta0.map((_, p) => weighted.reduce((sum, of) => f32(sum + of[p]!), 0));
  const gamma = e.map((sum) => (sum >= 0 ? 1 : -1));
  const agree = (i: number, p: number, sign: number) => Math.sign(weighted[i]![p]!) === sign;
  const lost = (i: number, p: number) => kept[i]!.has(p) && tau[i]![p] !== 0 && !agree(i, p, gamma[p]!);
  const positions = [...theta0.keys()];
  const count = (of: (p: number) => boolean) => positions.filter(of).length;
  const inConflict = (p: number) => {
    const signs = tau.map((vector, i) => (kept[i]!.has(p) ? Math.sign(vector[p]!) : 0));
    return signs.includes(1) && signs.includes(-1);
  };

  const reserved = new Set<number>();
  let reservedCost = 0;
  const { slack } = parameters;
  if (slack) {
    const p = slack.prefer;
    const dropped = positions.filter((at) => lost(p, at) && weighted[p]![at] !== 0);
    const most = Math.trunc(slack.s * (slack.of === 'retained' ? kept[p]!.size : dropped.length));
    const order = byKeyThenIndex(dropped.map((at) => Math.abs(e[at]!)), (a, b) => a - b);
    for (const at of order.slice(0, most).map((j) => dropped[j]!)) {
      reserved.add(at);
      for (const [i, of] of weighted.entries()) if (agree(i, at, gamma[at]!)) reservedCost += Math.abs(of[at]!);
    }
  }
  const merged = positions.map((p) => {
    const sign = reserved.has(p) ? -gamma[p]! : gamma[p]!;
    let sum = 0;
    let d = 0;
    for (const [i, of] of weighted.entries()) {
      if (!agree(i, p, sign)) continue;
      sum = f32(sum + of[p]!);
      d = f32(d + w[i]!);
    }
    const mean = parameters.normalize && d !== 0 ? f32(sum / d) : sum;
    return mean === 0 ? theta0[p]! : f32(theta0[p]! + f32(f32(parameters.lambda) * mean));
  });
  return {
    kept,
    reserved,
    nonzero: tau.map((vector, i) => count((p) => kept[i]!.has(p) && vector[p] !== 0)),
    conflict: count(inConflict),
    won: tau.map((_, i) => count((p) => inConflict(p) && agree(i, p, gamma[p]!))),
    discarded: tau.map((_, i) => count((p) => lost(i, p))),
    reservedCost,
    merged,
  };
}

function byKeyThenIndex(keys: readonly number[], order: (a: number, b: number) => number): number[] {
  return [...keys.keys()].sort((i, j) => order(keys[i]!, keys[j]!) || i - j);
}
