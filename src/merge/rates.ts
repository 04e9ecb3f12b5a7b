/**
 * How many events one more kept value brings: what linearises totals about thresholds that come from the sample itself
 * (spread.ts). Measured by keeping less of one model at a time and counting what is gone.
 */
import type { TensorParameters } from '../recipe/types';
import type { GroupResult } from './backend';
import { countsOf, pairsOf } from './figures';
import type { Figures } from './figures';

/** Per model: its rate for each count of `countsOf`. */
export type Rates = readonly (readonly number[])[];

/** The density of a measuring evaluation over that of the recipe: near the threshold, yet over enough values. */
const LESS = 0.8;
/** How far an average rate is from that at the threshold, as `averageErrors` counts it: chosen on trained checkpoints, not derived. */
const OFF = 0.6;
/** Kept values by which a tensor must be apart before its own rate outweighs that of the tensors like it. */
const ENOUGH = 20;

/** Per model: parameters of an evaluation that keeps less of that model alone; null where nothing of it is trimmed. */
export function probeParameters(parameters: readonly TensorParameters[]): (TensorParameters[] | null)[] {
  return (parameters[0]?.density ?? []).map((_, probed) => {
    if (parameters.every(({ density }) => density[probed]! >= 1)) return null;
    return parameters.map((own) => ({ ...own, density: own.density.map((k, model) => (model === probed && k < 1 ? k * LESS : k)) }));
  });
}

/**
 * Rates per slot, from the figures of the recipe and of its `probeParameters` over one sample. A tensor's few values lean on
 * those of its kind; `kinds` says per slot which tensors are alike.
 */
export function measuredRates(result: GroupResult, probes: readonly (GroupResult | null)[], kinds: readonly string[]): Rates[] {
  const perModel = probes.map((probe, model) => {
    const pools = new Map(kinds.map((kind) => [kind, new Pool()]));
    const own = result.slots.map(({ figures }, slot) => {
      const pool = new Pool();
      const less = probe?.slots[slot]!.figures ?? figures;
      pool.add(model, figures, less);
      pools.get(kinds[slot]!)!.add(model, figures, less);
      return pool;
    });
    return own.map((pool, slot) => pool.rates(pools.get(kinds[slot]!)!));
  });
  return kinds.map((_, slot) => perModel.map((rates) => rates[slot]!));
}

/**
 * Rates of one slot where none are measured: those of all values kept now. Near the truth for conflicts of two models; who wins
 * is another matter at the threshold, where values are smallest.
 */
export function averageRates(figures: Figures): Rates {
  const { kept, conflict, between, won, discarded, nonzero } = figures;
  const models = kept.length;
  return kept.map((values, model) => {
    // With two models whatever either wins or loses takes a kept value of both.
    const shared = (counts: readonly number[]) => counts.map((count, i) => (i === model || models === 2 ? count : 0));
    const counts = countsOf({
      ...figures,
      conflict: Math.min(conflict, won[model]! + discarded[model]!),
      between: between.map((count, pair) => (pairsOf(models)[pair]!.includes(model) ? count : 0)),
      won: shared(won),
      discarded: shared(discarded),
      nonzero: nonzero.map((count, i) => (i === model ? count : 0)),
      reserved: 0,
      reservedCost: 0,
    });
    return counts.map((count) => (values === 0 ? 0 : count / values));
  });
}

/**
 * Standard errors of `averageRates`, whose conflicts, wins and losses are those of all kept values and not of those at the
 * threshold: 0.6 of the rate of conflicts, of rarer events as much less as the square root of their part in it. Intervals that
 * rest on these are wide rather than narrow (tests/unit/merge/coverage.test.ts); measuring the rates narrows them.
 */
export function averageErrors(rates: Rates): Rates {
  const models = rates.length;
  // Whether a kept value is 0 has nothing to do with the other models, and what follows it is not estimated from these.
  const unsure = 1 + pairsOf(models).length + 2 * models;
  return rates.map((own) => own.map((rate, i) => (i < unsure ? OFF * Math.sqrt(own[0]! * rate) : 0)));
}

/** What tensors lost together when they kept less of a model. */
class Pool {
  private kept = 0;
  private counts: number[] = [];

  add(model: number, more: Figures, less: Figures): void {
    this.kept += more.kept[model]! - less.kept[model]!;
    const fewer = countsOf(less);
    this.counts = countsOf(more).map((count, i) => (this.counts[i] ?? 0) + count - fewer[i]!);
  }

  /** Of these few tensors, leaning on `others`; 0 where none kept less. */
  rates(others: Pool): number[] {
    const lean = others.kept === 0 ? 0 : ENOUGH / others.kept;
    const kept = this.kept + lean * others.kept;
    return this.counts.map((count, i) => (kept === 0 ? 0 : (count + lean * others.counts[i]!) / kept));
  }
}
