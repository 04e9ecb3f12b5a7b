/** What a cell of the map shows: a figure, or with a snapshot beside it the difference of the two. */
import type { Breakdown } from '../../analysis/aggregate';
import { difference } from '../../analysis/compare';
import { estimate } from '../../analysis/estimate';
import { formatPercent, formatShare } from '../../analysis/format';
import { colourScale, ticksBetween } from '../../analysis/scale';
import { metricShare, type Metric } from '../../analysis/share';
import type { ModuleKind } from '../../checkpoint/types';
import { comparedMetric, type Compared } from './compared';
import { EXACTNESS_LABEL, metricLabel, placeLabel } from './labels';
import { divergingColour, divergingInk, rampColour, rampInk } from './map-colours';
import type { TipLine } from './ShareTip';
import type { MapCell } from './types';

export interface Shown {
  /** Percent, of a difference percentage points. */
  readonly value: number;
  /** In the cell. */
  readonly number: string;
  /** For the accessible name. */
  readonly words: string;
}
export interface Measure {
  /** What is shown, for the legend. */
  readonly title: string;
  /** Null where there is nothing to divide by, or the snapshot has no such cell. */
  readonly shown: (cell: MapCell) => Shown | null;
  /** Ends and ticks of the scale, percent. */
  readonly ticks: readonly number[];
  readonly colour: (t: number) => string;
  readonly ink: (t: number) => string;
  readonly tip: (cell: MapCell) => readonly TipLine[];
}

/** The figure itself, on a scale of one hue. */
export function plainMeasure(breakdown: Breakdown<ModuleKind>, metric: Metric, names: readonly string[]): Measure {
  const { name, of } = metricLabel(metric, names);
  const values = breakdown.cells.flatMap(({ aggregate }) => metricShare(metric, aggregate.figures).value ?? []);
  return {
    title: `${name}, % of ${of}`,
    ticks: colourScale(values.map((value) => value * 100), 5),
    colour: rampColour,
    ink: rampInk,
    shown: ({ aggregate }) => {
      const share = estimate(metric, aggregate);
      if (share.value === null) return null;
      return { value: share.value * 100, number: formatPercent(share.value).replace(/\u00a0%$/, ''), words: formatShare(share) };
    },
    tip: () => [{ label: `${name} / ${of}`, metric }],
  };
}

/**
 * A - B, the recipe on the screen less the snapshot, on a scale of two hues around 0. Null where the snapshot has no such figure.
 */
export function differenceMeasure(breakdown: Breakdown<ModuleKind>, metric: Metric, names: readonly string[], compared: Compared): Measure | null {
  const there = comparedMetric(metric, compared);
  if (there === null) return null;
  const { name, of } = metricLabel(metric, names);
  const others = new Map(compared.breakdown.cells.map((cell) => [`${cell.layer ?? ''}/${cell.module}`, cell.aggregate]));
  const otherOf = ({ layer, module }: Pick<MapCell, 'layer' | 'module'>) => others.get(`${layer ?? ''}/${module}`);
  const apart = (cell: Pick<MapCell, 'layer' | 'module' | 'aggregate'>) => {
    const other = otherOf(cell);
    return other === undefined ? null : difference(estimate(there, other), estimate(metric, cell.aggregate)).value;
  };
  const most = Math.max(0, ...breakdown.cells.map((cell) => Math.abs(apart(cell) ?? 0) * 100));
  const half = ticksBetween(0, most, 3);
  return {
    title: `A − B (${compared.name}): ${name}, percentage points of ${of}`,
    ticks: [...half.slice(1).map((tick) => -tick).reverse(), ...half],
    colour: divergingColour,
    ink: divergingInk,
    shown: (cell) => {
      const value = apart(cell);
      if (value === null) return null;
      const [a, b] = [estimate(metric, cell.aggregate), estimate(there, otherOf(cell)!)];
      return { value: value * 100, number: signed(value * 100), words: `A ${formatShare(a)}, B ${compared.name} ${formatShare(b)}, A − B ${signed(value * 100)} percentage points` };
    },
    tip: (cell) => {
      const other = otherOf(cell);
      return [{ label: `A: ${name} / ${of}`, metric }, ...(other ? [{ label: `B: ${compared.name}`, metric: there, aggregate: other }] : [])];
    },
  };
}

/** Of a cell: what it is and both its values. */
export function cellName(cell: MapCell, name: string, measure: Measure): string {
  const { exactness } = cell.aggregate;
  return `${placeLabel(cell)}: ${name} ${measure.shown(cell)?.words ?? 'nothing to show'}${exactness === 'exact' ? '' : `, ${EXACTNESS_LABEL[exactness]}`}`;
}

function signed(points: number): string {
  if (points === 0) return '0';
  const size = Math.abs(points);
  return `${points < 0 ? '−' : '+'}${size < 0.01 ? '0.00' : size.toFixed(size < 10 ? 2 : 1)}`;
}
