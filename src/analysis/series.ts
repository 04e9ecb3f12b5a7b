/** Figure 4 of the paper: one figure of several merges against what sets them apart. */
import type { Aggregate, Breakdown, Exactness } from './aggregate';
import { estimate, type Estimate } from './estimate';
import type { Metric } from './share';

/** A merge of the series. */
export interface SeriesMerge<M extends string> {
  /** Abscissa: tokens, or steps. */
  readonly x: number;
  readonly breakdown: Breakdown<M>;
}
export interface SeriesValue {
  readonly x: number;
  readonly estimate: Estimate;
  readonly exactness: Exactness;
}

/** The whole model, or the group of `Breakdown.layers` with this key; null where the merge has no such group. */
export function aggregateOf<M extends string>({ total, layers }: Breakdown<M>, group: string | null): Aggregate | null {
  return group === null ? total : (layers.find(({ key }) => key === group)?.aggregate ?? null);
}

/** The figure of each merge, for the whole model (null) or one layer; merges in which it has nothing to divide by are left out. */
export function seriesLine<M extends string>(merges: readonly SeriesMerge<M>[], metric: Metric, group: string | null): SeriesValue[] {
  return merges.flatMap(({ x, breakdown }) => {
    const aggregate = aggregateOf(breakdown, group);
    if (aggregate === null) return [];
    const value = estimate(metric, aggregate);
    return value.value === null ? [] : [{ x, estimate: value, exactness: aggregate.exactness }];
  });
}
