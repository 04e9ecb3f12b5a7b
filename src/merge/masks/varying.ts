/**
 * SCE (Wan and others, "FuseChat: Knowledge Fusion of Chat Models", 2024, section 3.3), tensor by tensor. Select: of the positions
 * where the task vectors differ at all, the share topk with the largest variance over the models takes part; equal variances by
 * lowest flat index. Calculate: the weight of a model is its share of the mean squares of what was selected. Erase: what does not
 * have the sign of the sum of the task vectors is left out (merging.md section 3, every vote alike).
 */
import { emptyFigures, type Figures } from '../figures';
import { Bits } from './bits';
import { keepNonfinite, type Choose } from './choose';
import { countBlock, signsOf } from './count';
import { selectLargest, type Largest } from './select';
import { keysOf, type Block, type Part } from './vectors';

/** Keys of the variance over the models present at each position: f64, rounded once to f32. What is not finite varies most. */
export function varianceKeys({ taus, count }: Pick<Block, 'taus' | 'count'>): Uint32Array {
  const here = taus.filter((tau) => tau !== null);
  const mean = new Float64Array(count);
  const squares = new Float64Array(count);
  for (const tau of here) for (let j = 0; j < count; j++) mean[j]! += tau[j]!;
  for (let j = 0; j < count; j++) mean[j]! /= here.length;
  for (const tau of here) {
    for (let j = 0; j < count; j++) {
      const apart = tau[j]! - mean[j]!;
      squares[j]! += apart * apart;
    }
  }
  const variance = new Float32Array(count);
  for (let j = 0; j < count; j++) variance[j] = squares[j]! / here.length;
  return keysOf(variance);
}

/** Shares of the sum of the mean squares; equal ones where all are 0. */
export function energyWeights(energies: readonly number[]): number[] {
  const total = energies.reduce((sum, energy) => sum + energy, 0);
  return energies.map((energy) => (total > 0 ? energy / total : 1 / energies.length));
}

export const chooseVarying: Choose = async (vectors, { topk = 1 }) => {
  const { slot, elements } = vectors;
  const models = elements.length;
  const selecting = topk < 1 ? await largestVariances(vectors, topk) : null;
  const bits = elements.map((_, model) => (slot.inputs[model + 1] === null ? null : new Bits(vectors.length)));
  const squares = elements.map(() => 0);
  const figures = new Map<Part, Figures>(vectors.parts.map((part) => [part, emptyFigures(models)]));
  await vectors.each((block) => {
    const selected = selecting?.taken(varianceKeys(block)) ?? null;
    const gamma = electedSigns(block, selected);
    const signs = signsOf(block, selected);
    countBlock(figures.get(block.part)!, block, signs, gamma);
    for (const [model, tau] of block.taus.entries()) {
      if (tau === null) continue;
      squares[model]! += squaresOf(tau, selected);
      const mask = agreeing(model, signs, gamma);
      keepNonfinite(block.keys(model), mask);
      bits[model]!.write(block.begin, mask);
    }
  });
  const here = [...elements.keys()].filter((model) => elements[model]! > 0);
  const shares = energyWeights(here.map((model) => squares[model]! / elements[model]!));
  const weight = elements.map((_, model) => (here.includes(model) ? shares[here.indexOf(model)]! : 0));
  const counted = vectors.parts.map((part) => {
    const { kept, nonzero, conflict, between, won, discarded } = figures.get(part)!;
    return { kept, nonzero, conflict, between, won, discarded };
  });
  return { bits, parameters: { weight, normalize: true }, figures: counted };
};

async function largestVariances(vectors: Parameters<Choose>[0], topk: number): Promise<Largest> {
  let varying = 0;
  await vectors.each((block) => {
    const keys = varianceKeys(block);
    for (let j = 0; j < keys.length; j++) if (keys[j] !== 0) varying++;
  });
  const [largest] = await selectLargest(vectors, [{ count: Math.trunc(topk * varying), keys: varianceKeys }]);
  return largest!;
}

/** Per position the sign of the f32 sum of all task vectors, in model order; + for 0, - for NaN. Not selected ones have any. */
function electedSigns({ taus, count }: Block, selected: Uint8Array | null): Int8Array {
  const e = new Float32Array(count);
  for (const tau of taus) if (tau) for (let j = 0; j < count; j++) e[j]! += tau[j]!;
  const gamma = new Int8Array(count);
  for (let j = 0; j < count; j++) gamma[j] = e[j]! >= 0 || selected?.[j] === 0 ? 1 : -1;
  return gamma;
}

/** Sum of the squares of the finite values that are selected. */
function squaresOf(tau: Float32Array, selected: Uint8Array | null): number {
  let sum = 0;
  for (let j = 0; j < tau.length; j++) {
    const square = tau[j]! * tau[j]!;
    if (square < Infinity && (selected === null || selected[j] === 1)) sum += square;
  }
  return sum;
}

function agreeing(model: number, { positive, negative }: ReturnType<typeof signsOf>, gamma: Int8Array): Uint8Array {
  const mask = new Uint8Array(gamma.length);
  for (let j = 0; j < mask.length; j++) mask[j] = ((gamma[j]! > 0 ? positive[j]! : negative[j]!) >> model) & 1;
  return mask;
}
