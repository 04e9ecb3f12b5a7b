/**
 * What a sample tells of whole tensors: totals and their variances, from the spread between blocks. Values inside a block are
 * alike, so the block is the unit. Thresholds come from the same sample, hence totals are not means: they are linearised about
 * the threshold of each model, and what varies is the residual (Taylor linearisation, Deville 1999).
 */
import type { TensorParameters } from '../recipe/types';
import { keptCount, reservedCount } from './backend';
import type { GroupResult } from './backend';
import type { Figures, FigureNumbers, FigureSpread } from './figures';
import type { SamplePlan } from './sample';

/** Keeps the variance of a total that is not known above 0: 0 says that it is known. */
const UNKNOWN = 1e-6;

/** Counts of one block: what it holds of the tensor, and what was counted there. */
interface Block {
  count: number;
  /** Per model: elements it has in the block. */
  readonly has: number[];
  readonly kept: number[];
  /** Counts in the order of `flatten`. */
  readonly counts: number[];
}

/** Per slot of a sample and what the backend made of it; null for a slot that is whole or has a single block. */
export function spreadsOf(plan: SamplePlan, result: GroupResult, parameters: readonly TensorParameters[], rates?: number[][][]): (FigureSpread | null)[] {
  const blocks = blocksOf(plan, result);
  return result.slots.map(({ figures }, s) => {
    const own = blocks[s]!;
    if (plan.whole[s]! || own.blocks.length < 2) return null;
    return spreadOf(own, figures, parameters[s]!, rates?.[s] ?? ratesOf(figures));
  });
}

interface SlotBlocks {
  readonly blocks: Block[];
  /** N of the whole tensor. */
  elements: number;
  /** Per model: elements it has of the whole tensor. */
  readonly modelElements: readonly number[];
}

function blocksOf(plan: SamplePlan, result: GroupResult): SlotBlocks[] {
  const slots = plan.group.slots.map((_, s): SlotBlocks => ({ blocks: [], elements: 0, modelElements: plan.modelElements[s]! }));
  const models = (plan.group.slots[0]?.inputs.length ?? 1) - 1;
  plan.group.chunks[0]!.forEach(({ slot, count, present }, place) => {
    const { block, elements } = plan.segments[place]!;
    const own = slots[slot]!;
    own.elements = elements;
    const { kept, ...figures } = result.segments[0]![place]!;
    const into = (own.blocks[block] ??= { count: 0, has: zeros(models), kept: zeros(models), counts: zeros(flatten({ kept, ...figures }).length) });
    into.count += count;
    for (let model = 0; model < models; model++) {
      if (present[model + 1]) into.has[model]! += count;
      into.kept[model]! += kept[model]!;
    }
    flatten({ kept, ...figures }).forEach((value, i) => (into.counts[i]! += value));
  });
  return slots;
}

function spreadOf({ blocks, elements, modelElements }: SlotBlocks, figures: Figures, { density, slack }: TensorParameters, rates: number[][]): FigureSpread {
  const models = modelElements.length;
  const sampled = figures.numel;
  const scale = elements / sampled;
  const has = modelElements.map((_, model) => blocks.reduce((sum, block) => sum + block.has[model]!, 0));
  const sums = flatten(figures);
  const totals = sums.map((sum) => sum * scale);
  const residuals = blocks.map((block) => block.counts.map((count, y) => count - (sums[y]! * block.count) / sampled));
  for (let model = 0; model < models; model++) {
    const k = density[model]!;
    if (k >= 1 || has[model] === 0) continue;
    const kept = figures.kept[model]!;
    rates[model]!.forEach((rate, y) => {
      // The tensor keeps trunc(k N), the sample trunc(k n): fewer by up to one.
      totals[y]! += rate * (keptCount(k, modelElements[model]!) - kept * scale);
      blocks.forEach((block, b) => (residuals[b]![y]! -= rate * (block.kept[model]! - (kept * block.has[model]!) / has[model]!)));
    });
  }
  const pairs = blocks.length - 1;
  // Of the difference of neighbouring strata, each a draw of its own; finite population.
  const factor = scale * scale * (1 - 1 / scale) * (blocks.length / (2 * pairs));
  const variances = sums.map((_, y) => {
    let squares = 0;
    for (let b = 0; b < pairs; b++) squares += (residuals[b + 1]![y]! - residuals[b]![y]!) ** 2;
    return Math.max(UNKNOWN, factor * squares);
  });
  // Of von Neumann's mean square successive difference.
  const freedom = (2 * pairs * pairs) / (3 * pairs - 1);
  const total = unflatten(totals.map((value) => Math.max(0, value)), models);
  const variance = unflatten(variances, models);
  const kept = modelElements.map((own, model) => (has[model] === 0 ? 0 : keptCount(density[model]!, own)));
  const after = slack === undefined ? null : withSlack(slack, kept[slack.prefer]!, total.discarded[slack.prefer]!, variance.discarded[slack.prefer]!);
  const reserving = after ?? { reserved: 0, reservedVariance: 0, afterVariance: 0 };
  const spread: FigureNumbers = {
    ...variance,
    reserved: reserving.reservedVariance,
    afterSlack: reserving.afterVariance,
    reservedCost: after === null ? 0 : variance.reservedCost,
  };
  return {
    totals: {
      ...figures,
      ...total,
      numel: elements,
      kept,
      reserved: reserving.reserved,
      nonfinite: figures.nonfinite.map((count) => count * scale),
      overflow: figures.overflow * scale,
    },
    variance: spread,
    doubt: mapNumbers(spread, (value) => (value * value) / freedom),
  };
}

/** What the slack reserves of a tensor that keeps `kept` values of the preferred model and discards `discarded` of them. */
function withSlack({ s, of }: NonNullable<TensorParameters['slack']>, kept: number, discarded: number, variance: number) {
  if (of === 'discarded') {
    return { reserved: s * discarded, reservedVariance: s * s * variance, afterVariance: (1 - s) * (1 - s) * variance };
  }
  const most = reservedCount(s, kept, Infinity);
  // Chance that there is more to reserve than may be reserved: then the number is known.
  const known = normal((discarded - most) / Math.sqrt(variance));
  return { reserved: Math.min(most, discarded), reservedVariance: (1 - known) * variance, afterVariance: known * variance };
}

/** Normal distribution function, logistic approximation (within 0.01). */
function normal(z: number): number {
  return 1 / (1 + Math.exp(-1.702 * z));
}

/** Per model, per count: events gained for each value kept more. Approximated by the events among the values kept. */
function ratesOf(figures: Figures): number[][] {
  const models = figures.kept.length;
  return figures.kept.map((kept, model) => {
    if (kept === 0) return zeros(flatten(figures).length);
    const only = (counts: readonly number[]) => counts.map((count, i) => (i === model ? count / kept : 0));
    let pair = 0;
    const between = figures.between.map((count) => count);
    for (let i = 0; i < models; i++) for (let j = i + 1; j < models; j++, pair++) between[pair] = i === model || j === model ? between[pair]! / kept : 0;
    const own = Math.min(figures.conflict, figures.won[model]! + figures.discarded[model]!) / kept;
    return [own, ...between, ...only(figures.won), ...only(figures.discarded), ...only(figures.nonzero), 0, 0];
  });
}

function zeros(length: number): number[] {
  return new Array<number>(length).fill(0);
}

function flatten({ conflict, between, won, discarded, nonzero, reserved, reservedCost }: Figures): number[] {
  return [conflict, ...between, ...won, ...discarded, ...nonzero, reserved, reservedCost];
}

function unflatten(values: readonly number[], models: number) {
  const pairs = (models * (models - 1)) / 2;
  let at = 0;
  const take = (count: number) => values.slice(at, (at += count));
  const [conflict] = take(1);
  const [between, won, discarded, nonzero] = [take(pairs), take(models), take(models), take(models)];
  const [reserved, reservedCost] = take(2);
  return { conflict: conflict!, between, won, discarded, nonzero, reserved: reserved!, reservedCost: reservedCost! };
}

function mapNumbers(numbers: FigureNumbers, change: (value: number) => number): FigureNumbers {
  const { conflict, between, won, discarded, nonzero, reserved, afterSlack, reservedCost } = numbers;
  return {
    conflict: change(conflict),
    between: between.map(change),
    won: won.map(change),
    discarded: discarded.map(change),
    nonzero: nonzero.map(change),
    reserved: change(reserved),
    afterSlack: change(afterSlack),
    reservedCost: change(reservedCost),
  };
}
