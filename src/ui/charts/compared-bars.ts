/** The compared snapshot on a bar chart. */
import { modulesOf } from '../../analysis/aggregate';
import { metricShare } from '../../analysis/share';
import { ticksBetween } from '../../analysis/scale';
import type { BarsFrame } from './BarsChart';
import { COMPARED_COLOUR, comparedMetric, type Compared } from './compared';
import type { ComparedPoint } from './ComparedMarks';
import type { LegendItem } from './Legend';
import type { ChartData } from './types';

/** Where the snapshot's marks stand, bar by bar. `layer`: of the modules shown, null for all. */
export function comparedPoints(data: ChartData, compared: Compared, axis: 'Layer' | 'Module', layer: number | null, keys: readonly string[]): ComparedPoint[] {
  const { layers } = compared.breakdown;
  const modules = modulesOf(compared.breakdown, layer);
  const discarded = data.electing && data.models[data.preferred] ? comparedMetric({ kind: 'discarded', model: data.preferred }, compared) : null;
  return keys.map((key) => {
    const figures = (axis === 'Layer' ? layers.find((one) => one.key === key) : modules.find(({ module }) => module === key))?.aggregate.figures;
    const share = (metric: Parameters<typeof metricShare>[0] | null) => {
      const value = figures && metric ? metricShare(metric, figures).value : null;
      return value === null ? null : value * 100;
    };
    return { key, conflict: share({ kind: 'conflict' }), discarded: share(discarded) };
  });
}

/** The frame with axes that hold the snapshot's points as well. */
export function withRoomFor(frame: BarsFrame, points: readonly ComparedPoint[]): BarsFrame {
  const reach = (ticks: readonly number[], values: readonly (number | null)[]) => {
    const most = Math.max(...values.map((value) => value ?? 0));
    return most > ticks.at(-1)! ? ticksBetween(0, most, 5) : ticks;
  };
  return {
    ...frame,
    leftTicks: reach(frame.leftTicks, points.map(({ conflict }) => conflict)),
    right: frame.right && { ...frame.right, ticks: reach(frame.right.ticks, points.map(({ discarded }) => discarded)) },
  };
}

export function comparedLegend({ name }: Compared): LegendItem {
  return { label: `${name}: conflict (rung), discarded (diamond)`, mark: 'outline', colour: COMPARED_COLOUR };
}
