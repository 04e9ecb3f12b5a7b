/** The compared snapshot on the series: its recipe with each checkpoint of the run in the place of its own. */
import { estimate, type Estimate } from '../../../analysis/estimate';
import { aggregateOf, seriesLine } from '../../../analysis/series';
import { share, type Metric } from '../../../analysis/share';
import type { TableCell } from '../../../analysis/table';
import { COMPARED_COLOUR, comparedMetric, type Compared } from '../compared';
import { metricLabel } from '../labels';
import type { PlotLine } from '../plot/PlotPanel';
import type { SeriesPoint } from './useSeries';

export interface SeriesBeside {
  readonly of: Compared;
  readonly points: readonly SeriesPoint[];
  /** Of the recipe on the screen, as are the names of its models. */
  readonly metrics: readonly Metric[];
  readonly names: readonly string[];
}

/** Those of the metrics that the snapshot has, as it has them. */
function metricsOf({ of, metrics, names }: SeriesBeside) {
  return metrics.flatMap((metric, i) => {
    const own = comparedMetric(metric, of);
    return own === null ? [] : [{ own, label: `${of.name}: ${metricLabel(metric, names).name}`, first: i === 0 }];
  });
}

/** Of the whole model; the lines of single layers stay those of the recipe on the screen. */
export function besideLines(beside: SeriesBeside | null): (PlotLine & { readonly label: string })[] {
  if (beside === null) return [];
  return metricsOf(beside).map(({ own, label, first }) => ({
    key: `compared ${JSON.stringify(own)}`,
    label: first ? label : `${label} (dotted)`,
    colour: COMPARED_COLOUR,
    dash: first ? '5 3' : '1 4',
    mark: 'square',
    points: seriesLine(beside.points, own, null).map(({ x, estimate: { value, interval }, exactness }) => ({
      x,
      y: value! * 100,
      exactness,
      ...(interval ? { low: interval.low * 100, high: interval.high * 100 } : {}),
    })),
  }));
}

/** The snapshot's numbers at one checkpoint of the run. */
export function besideNumbers(beside: SeriesBeside | null, id: string): { label: string; value: Estimate; mark: { mark: 'dashed'; colour: string } }[] {
  const point = beside?.points.find(({ member }) => member.id === id);
  if (!beside || !point) return [];
  return metricsOf(beside).map(({ own, label }) => ({ label, value: estimate(own, point.breakdown.total), mark: { mark: 'dashed', colour: COMPARED_COLOUR } }));
}

/** Columns of the table: a figure of the snapshot, per checkpoint and group (null: the whole model). */
export function besideColumns(beside: SeriesBeside | null): { label: string; cellOf: (id: string, group: string | null) => TableCell }[] {
  if (beside === null) return [];
  return metricsOf(beside).map(({ own, label }) => ({
    label,
    cellOf: (id, group) => {
      const point = beside.points.find(({ member }) => member.id === id);
      const aggregate = point ? aggregateOf(point.breakdown, group) : null;
      return { kind: 'share', share: aggregate === null ? { ...share(0, 0), interval: null } : estimate(own, aggregate) };
    },
  }));
}
