/** How |tau| of one tensor is spread, on a logarithmic axis: bins of the integer key as magnitudes. */
import type { Table, TableCell } from './table';
import { DISTRIBUTION_BINS, DISTRIBUTION_SHIFT, type SlotDistribution } from '../merge/exploring';

/** Bins from this on hold infinities and NaN: the exponent is all ones. */
const FIRST_NONFINITE = 0x7f800000 >>> DISTRIBUTION_SHIFT;
/** Share of a model's values that may lie left of the axis: the smallest differences reach down many binades with next to nothing in them. */
const LEFT_OUT = 0.002;

const word = new Uint32Array(1);
const float = new Float32Array(word.buffer);

/** Lower edge of a bin as |tau|, exactly: the f32 whose bits are the bin's first key. The bins from 2040 on are not finite. */
export function binEdge(bin: number): number {
  word[0] = bin << DISTRIBUTION_SHIFT;
  return float[0]!;
}

export interface ModelDistribution {
  /** Values looked at: of a sample, those drawn. */
  readonly total: number;
  /** Share of all of them in each bar of the axis. */
  readonly shares: readonly number[];
  /** Shares that are not on the axis: 0 or below 1.5e-39, left of the first edge, infinite or NaN. */
  readonly zero: number;
  readonly below: number;
  readonly nonfinite: number;
}
export interface Distribution {
  /** Of the bars, ascending, one more than bars; empty when every value is 0. */
  readonly edges: readonly number[];
  /** Per model; null where it takes no part. */
  readonly models: readonly (ModelDistribution | null)[];
}

/** Bars of one bin each, an eighth of a binade, from where some model has all but 0.2 % of its values to the largest value. */
export function distributionOf({ counts }: SlotDistribution): Distribution {
  let first = FIRST_NONFINITE;
  let last = 0;
  for (const own of counts) {
    if (own === null) continue;
    const allowed = LEFT_OUT * sum(own, 0, DISTRIBUTION_BINS);
    let seen = 0;
    for (let bin = 1; bin < FIRST_NONFINITE; bin++) {
      if (own[bin] === 0) continue;
      seen += own[bin]!;
      if (seen > allowed) first = Math.min(first, bin);
      last = Math.max(last, bin);
    }
  }
  const bars = Math.max(0, last + 1 - first);
  const models = counts.map((own): ModelDistribution | null => {
    if (own === null) return null;
    const total = sum(own, 0, DISTRIBUTION_BINS);
    const of = (count: number) => (total === 0 ? 0 : count / total);
    return {
      total,
      shares: Array.from({ length: bars }, (_, i) => of(own[first + i]!)),
      zero: of(own[0]!),
      below: of(sum(own, 1, bars === 0 ? FIRST_NONFINITE : first)),
      nonfinite: of(sum(own, FIRST_NONFINITE, DISTRIBUTION_BINS)),
    };
  });
  return { edges: bars === 0 ? [] : Array.from({ length: bars + 1 }, (_, i) => binEdge(first + i)), models };
}

function sum(counts: Uint32Array, begin: number, end: number): number {
  let total = 0;
  for (let bin = begin; bin < end; bin++) total += counts[bin]!;
  return total;
}

/** Where `value` lies between the ends of `edges` on a logarithmic axis, 0 to 1; beyond them outside. */
export function onLogAxis(edges: readonly number[], value: number): number {
  const [low, high] = [Math.log2(edges[0]!), Math.log2(edges.at(-1)!)];
  return (Math.log2(value) - low) / (high - low);
}

/** Powers of ten within the axis, ascending; powers of two where there are fewer than two of ten. */
export function logTicks(edges: readonly number[]): readonly number[] {
  const [low, high] = [edges[0]!, edges.at(-1)!];
  const powers = (base: number) => {
    const ticks: number[] = [];
    for (let n = Math.ceil(Math.log(low) / Math.log(base) - 1e-9); base ** n <= high * (1 + 1e-9); n++) ticks.push(base === 10 ? Number(`1e${n}`) : base ** n);
    return ticks;
  };
  const tens = powers(10);
  return tens.length >= 2 ? tens : powers(2);
}

/** A row per bar: its ends, and the share of each model that takes part. */
export function distributionTable({ edges, models }: Distribution, names: readonly string[]): Table {
  const shown = names.flatMap((name, i) => (models[i] ? [{ name, own: models[i] }] : []));
  return {
    columns: [
      { label: '|tau| from', kind: 'number' },
      { label: '|tau| below', kind: 'number' },
      ...shown.map(({ name }) => ({ label: `share of ${name}`, kind: 'number' as const })),
    ],
    rows: edges.slice(0, -1).map((low, bar): TableCell[] => [
      { kind: 'number', value: low },
      { kind: 'number', value: edges[bar + 1]! },
      ...shown.map(({ own }): TableCell => ({ kind: 'number', value: own.shares[bar]! })),
    ]),
  };
}
