/**
 * What a sample tells of whole tensors: totals and their variances, from the spread between blocks. Values inside a block are
 * alike, so the block is the unit. Thresholds come from the same sample, hence totals are not means: they are linearised about
 * the threshold of each model, and what varies is the residual (Taylor linearisation, Deville 1999).
 */
import type { TensorParameters } from '../recipe/types';
import { keptCount, reservedCount } from './backend';
import { countsOf, namedCounts, pairsOf } from './figures';
import type { GroupResult } from './backend';
import type { EventCounts, Figures, FigureNumbers, FigureSpread } from './figures';
import { averageErrors, averageRates } from './rates';
import type { Rates } from './rates';
import type { SamplePlan } from './sample';

/** Keeps the variance of a total that is not known above 0: 0 says that it is known. */
const UNKNOWN = 1e-6;

/** Counts of one block: what it holds of the tensor, and what was counted there. */
interface Block {
  count: number;
  /** Per model: elements it has in the block. */
  readonly has: number[];
  readonly kept: number[];
  /** Counts in the order of `countsOf`. */
  readonly counts: number[];
}

/**
 * Per slot of a sample and what the backend made of it; null for a slot that is whole or has a single block. Without measured
 * `rates` those of all kept values serve, and how far these may be off adds to the variances.
 */
export function spreadsOf(plan: SamplePlan, result: GroupResult, parameters: readonly TensorParameters[], rates: readonly Rates[] | null = null): (FigureSpread | null)[] {
  const blocks = blocksOf(plan, result);
  return result.slots.map(({ figures }, s) => {
    const own = blocks[s]!;
    if (plan.whole[s]!) return isPooled(parameters[s]!) && !plan.whole.every(Boolean) ? known(figures) : null;
    if (own.blocks.length < 2) return null;
    const measured = rates?.[s];
    const average = averageRates(figures);
    return spreadOf(own, figures, parameters[s]!, measured ?? average, measured ? null : averageErrors(average));
  });
}

/** Whether a ranking over several tensors had a say: then a tensor that is sampled whole is no more exact than the ranking is. */
export function isPooled({ kept, slack }: TensorParameters): boolean {
  return kept !== undefined || slack?.reserved !== undefined;
}

/** Of a tensor that is sampled whole, with thresholds taken as known. */
function known(figures: Figures): FigureSpread {
  const nothing = namedCounts(countsOf(figures).map(() => 0), figures.kept.length);
  const none: FigureNumbers = { ...nothing, afterSlack: 0 };
  return { totals: figures, variance: mapNumbers(none, () => UNKNOWN), doubt: mapNumbers(none, () => UNKNOWN * UNKNOWN), kink: 0 };
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
    const figures = result.segments[0]![place]!;
    const counts = countsOf(figures);
    const into = (own.blocks[block] ??= { count: 0, has: zeros(models), kept: zeros(models), counts: zeros(counts.length) });
    into.count += count;
    for (let model = 0; model < models; model++) {
      if (present[model + 1]) into.has[model]! += count;
      into.kept[model]! += figures.kept[model]!;
    }
    counts.forEach((value, i) => (into.counts[i]! += value));
  });
  return slots;
}

function spreadOf({ blocks, elements, modelElements }: SlotBlocks, figures: Figures, { density, kept: ranked, slack, topk }: TensorParameters, rates: Rates, errors: Rates | null): FigureSpread {
  const models = modelElements.length;
  const sampled = figures.numel;
  const scale = elements / sampled;
  const has = modelElements.map((_, model) => blocks.reduce((sum, block) => sum + block.has[model]!, 0));
  const sums = countsOf(figures);
  const totals = sums.map((sum) => sum * scale);
  const residuals = blocks.map((block) => block.counts.map((count, y) => count - (sums[y]! * block.count) / sampled));
  /** Per count: what is added to the squares for rates that may be off. */
  const unsure = zeros(sums.length);
  for (let model = 0; model < models; model++) {
    const k = density[model]!;
    // A threshold of the whole model is taken as known: it rests on the samples of all tensors.
    if (k >= 1 || has[model] === 0 || ranked !== undefined) continue;
    const kept = figures.kept[model]!;
    const more = blocks.map((block) => block.kept[model]! - (kept * block.has[model]!) / has[model]!);
    const varies = successiveSquares(more);
    rates[model]!.forEach((rate, y) => {
      // The tensor keeps trunc(k N), the sample trunc(k n): fewer by up to one.
      totals[y]! += rate * (keptCount(k, modelElements[model]!) - kept * scale);
      more.forEach((value, b) => (residuals[b]![y]! -= rate * value));
      if (errors) unsure[y]! += errors[model]![y]! ** 2 * varies;
    });
  }
  const pairs = blocks.length - 1;
  // Of the difference of neighbouring strata, each a draw of its own; finite population.
  const factor = scale * scale * (1 - 1 / scale) * (blocks.length / (2 * pairs));
  const variances = sums.map((_, y) => Math.max(UNKNOWN, factor * (successiveSquares(residuals.map((own) => own[y]!)) + unsure[y]!)));
  // Of von Neumann's mean square successive difference.
  const freedom = (2 * pairs * pairs) / (3 * pairs - 1);
  const total = namedCounts(totals.map((value) => Math.max(0, value)), models);
  const variance = possible(namedCounts(variances, models), has);
  const kept = modelElements.map((own, model) => (has[model] === 0 ? 0 : ranked || topk !== undefined ? Math.round((figures.kept[model]! * own) / has[model]!) : keptCount(density[model]!, own)));
  const after = slack === undefined ? null : slack.reserved !== undefined ? rankedSlack(slack.prefer, total, variance) : withSlack(slack, kept[slack.prefer]!, total.discarded[slack.prefer]!, variance.discarded[slack.prefer]!, scale * scale * Math.max(1, figures.discarded[slack.prefer]!));
  const reserving = after ?? { reserved: 0, reservedVariance: 0, afterVariance: 0, kink: 0 };
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
    kink: reserving.kink,
    doubt: mapNumbers(spread, (value) => (value * value) / freedom),
  };
}

/** Sum of squared differences of neighbours. */
function successiveSquares(values: readonly number[]): number {
  return values.reduce((sum, value, i) => (i === 0 ? 0 : sum + (value - values[i - 1]!) ** 2), 0);
}

/**
 * What the slack reserves of a tensor that keeps `kept` values of the preferred model, of which it discards `discarded`, give or
 * take `variance`. Of the retained, it is the smaller of a known and an estimated number, hence too small on average where either
 * may be it: `kink`. `least`: no less than this is the variance of a few events taken to be, which seldom show their own.
 */
function withSlack({ s, of }: NonNullable<TensorParameters['slack']>, kept: number, discarded: number, variance: number, least: number) {
  if (of === 'discarded') {
    // Truncated tensor by tensor: half a value on average.
    return { reserved: Math.max(0, s * discarded - 0.5), reservedVariance: s * s * variance, afterVariance: (1 - s) * (1 - s) * variance, kink: 0 };
  }
  const most = reservedCount(s, kept, Infinity);
  const deviation = Math.sqrt(Math.max(variance, least));
  const margin = (most - discarded) / deviation;
  return {
    reserved: Math.min(most, discarded),
    reservedVariance: variance * cutVariance(margin),
    afterVariance: deviation * deviation * cutVariance(-margin),
    kink: deviation * (density(margin) - Math.abs(margin) * below(-Math.abs(margin))),
  };
}

/** Where the margin up to which positions are given back is that of the whole model, and taken as known. */
function rankedSlack(prefer: number, total: EventCounts, variance: EventCounts) {
  const reserved = Math.min(total.reserved, total.discarded[prefer]!);
  return { reserved, reservedVariance: variance.reserved, afterVariance: variance.discarded[prefer]!, kink: 0 };
}

/** Variance of the smaller of `at` and a standard normal variable; 0 where it is as good as always `at`. */
function cutVariance(at: number): number {
  if (at < -4) return 0;
  const mean = at * below(-at) - density(at);
  return Math.max(0, below(at) - at * density(at) + at * at * below(-at) - mean * mean);
}

/** The standard normal distribution: its density, and its function by a logistic curve (within 0.0002; Bowling et al. 2009). */
const density = (z: number) => Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
const below = (z: number) => 1 / (1 + Math.exp(-0.07056 * z ** 3 - 1.5976 * z));

/** Where one model alone takes part nothing conflicts, and that is known. */
function possible(variance: EventCounts, has: readonly number[]): EventCounts {
  const between = pairsOf(has.length).map(([i, j], pair) => (has[i]! > 0 && has[j]! > 0 ? variance.between[pair]! : 0));
  if (between.some((pair) => pair > 0)) return { ...variance, between };
  return { ...variance, conflict: 0, between, won: variance.won.map(() => 0), discarded: variance.discarded.map(() => 0) };
}

function zeros(length: number): number[] {
  return new Array<number>(length).fill(0);
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
