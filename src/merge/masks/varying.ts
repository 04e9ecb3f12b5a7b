/**
 * SCE (Wan and others, "FuseChat: Knowledge Fusion of Chat Models", 2024, section 3.3), tensor by tensor. Select: of the positions
 * where the task vectors differ at all, the share topk with the largest variance over the models takes part; equal variances by
 * lowest flat index. Calculate: the weight of a model is its share of the mean squares of what was selected. Erase: what does not
 * have the sign of the sum of the task vectors is left out (merging.md section 3, every vote alike).
 */
import { emptyFigures, type Figures } from '../figures';
import { Bits } from './bits';
import type { Choose } from './choose';
import { countBlock } from './count';
import { selectLargest, type Largest } from './select';
import { keysOf, type Block, type Part } from './vectors';

/** Keys of the variance over the models present at each position: f64, rounded once to f32. What is not finite varies most. */
export function varianceKeys({ taus, count }: Pick<Block, 'taus' | 'count'>): Uint32Array {
  const here = taus.filter((tau) => tau !== null);
  const variances = new Float32Array(count);
  for (let j = 0; j < count; j++) {
    let sum = 0;
    for (const tau of here) sum += tau[j]!;
    const mean = sum / here.length;
    let squares = 0;
    for (const tau of here) squares += (tau[j]! - mean) * (tau[j]! - mean);
    variances[j] = squares / here.length;
  }
  return keysOf(variances);
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
    const selected = selecting && Uint8Array.from(varianceKeys(block), (key) => Number(selecting.takes(key)));
    const gamma = electedSigns(block, selected);
    countBlock(figures.get(block.part)!, block, { selected, gamma });
    for (const [model, tau] of block.taus.entries()) {
      if (tau === null) continue;
      let sum = 0;
      for (let j = 0; j < block.count; j++) {
        const isFinite = Number.isFinite(tau[j]!);
        const isSelected = selected === null || selected[j] === 1;
        if (isSelected && isFinite) sum += tau[j]! * tau[j]!;
        if (!isFinite || (isSelected && tau[j]! * gamma[j]! > 0)) bits[model]!.set(block.begin + j);
      }
      squares[model]! += sum;
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
    for (const key of varianceKeys(block)) varying += Number(key !== 0);
  });
  const [largest] = await selectLargest(vectors, [{ count: Math.trunc(topk * varying), keys: varianceKeys }]);
  return largest!;
}

/** Per position the sign of the f32 sum of what takes part, in model order; + for 0, - for NaN. */
function electedSigns({ taus, count }: Block, selected: Uint8Array | null): Int8Array {
  const e = new Float32Array(count);
  for (const tau of taus) if (tau) for (let j = 0; j < count; j++) e[j]! += tau[j]!;
  return Int8Array.from(e, (sum, j) => (selected?.[j] === 0 || sum >= 0 ? 1 : -1));
}
