import { useMemo, useState, type ReactNode } from 'react';
import { estimate, type Estimate } from '../../analysis/estimate';
import { wonPartitionsConflict, type Metric } from '../../analysis/share';
import { ticksBetween } from '../../analysis/scale';
import { figuresTable } from '../../analysis/table';
import type { Aggregate } from '../../analysis/aggregate';
import { BarsChart, PLOT, type BarsFrame } from './BarsChart';
import type { BarPoint, Ends, Marks } from './BarMarks';
import { ChartFigure } from './ChartFigure';
import { ColumnPicker } from './ColumnPicker';
import { useCompared } from './compared';
import { comparedLegend, comparedPoints, withRoomFor } from './compared-bars';
import { ComparedContext } from './ComparedMarks';
import { barMetrics, describe, metricLabel } from './labels';
import type { LegendItem } from './Legend';
import { ShareTip, type TipLine } from './ShareTip';
import type { ChartData } from './types';
import type { Hover } from '../../state/types';
import { useSize } from './useSize';

export interface BarGroup {
  readonly key: string;
  /** Under the bar. */
  readonly short: string;
  readonly long: string;
  readonly apart: boolean;
  readonly aggregate: Aggregate;
  readonly place: Hover;
}
interface BarsViewProps {
  readonly data: ChartData;
  readonly groups: readonly BarGroup[];
  /** All groups together, for the summary. */
  readonly whole: Aggregate;
  readonly title: string;
  readonly scope: string;
  readonly axis: 'Layer' | 'Module';
  /** Of the modules shown; null or absent for all. */
  readonly layer?: number | null;
  readonly fileName: string;
  readonly selected: string | null;
  readonly onPick: (key: string) => void;
  readonly controls?: ReactNode;
}

/** Why there is less to see than two models in conflict. */
function noteOf({ models, names, electing, reference }: ChartData): string | undefined {
  if (models.length === 1) return `Only ${names[0]!} is merged, and one model conflicts with nothing. Give another checkpoint a role on the left.`;
  if (electing) return undefined;
  if (reference === 'base') return 'This method elects no sign: values of opposite sign are added and partly cancel; none is discarded.';
  return `This method merges whole values and needs no base: differences are from ${reference}, its first model${models.length === 2 ? ', so that two models cannot conflict' : ''}. None is discarded. Task arithmetic takes differences from the base.`;
}

/** Bars of conflicts with the line of what the preferred model loses, over layers or modules. */
export function BarsView({ data, groups, whole, title, scope, axis, fileName, selected, onPick, controls, layer = null }: BarsViewProps) {
  const { ref, width, height } = useSize<HTMLDivElement>();
  const [pointed, setPointed] = useState<number | null>(null);
  const metrics = useMemo(() => barMetrics(data), [data]);
  const marks = useMemo(() => marksOf(data, groups, axis), [data, groups, axis]);
  const compared = useCompared(data.models);
  const beside = useMemo(() => compared && comparedPoints(data, compared, axis, layer, groups.map(({ key }) => key)), [compared, data, axis, layer, groups]);
  // By content: while a slider moves the axes seldom change, and an unchanged frame is not redrawn.
  const own = frameOf(data, groups, marks, axis);
  const frameText = JSON.stringify(beside ? withRoomFor(own, beside) : own);
  const frame = useMemo(() => JSON.parse(frameText) as BarsFrame, [frameText]);
  const lines = useMemo(() => tipLines(data, metrics), [data, metrics]);
  const columns = useMemo(
    () => groups.map(({ key, long, aggregate, place }) => ({ key, place, name: `${long}: ${describe(aggregate, metrics, data.names)}` })),
    [groups, metrics, data.names],
  );
  const shown = pointed === null ? undefined : groups[pointed];
  const rightEdge = frame.right ? PLOT.right : PLOT.rightBare;
  const band = (width - PLOT.left - rightEdge) / groups.length;
  return (
    <ChartFigure
      title={title}
      summary={`${title}, ${scope}: ${describe(whole, metrics, data.names)}`}
      fileName={fileName}
      table={() =>
        figuresTable(
          groups.map(({ short, aggregate }) => ({ labels: [short], aggregate })),
          { headings: [axis], models: data.names, preferred: data.preferred, electing: data.electing },
        )
      }
      headings={1}
      legend={compared ? [...legendOf(data, marks, groups), comparedLegend(compared)] : legendOf(data, marks, groups)}
      controls={controls}
      note={noteOf(data)}
    >
      <div className="charts-fill" ref={ref}>
        {width > 0 && height > 0 && (
          <>
            <ComparedContext value={beside}>
              <BarsChart frame={frame} marks={marks} width={width} height={height} />
            </ComparedContext>
            <ColumnPicker
              label={title}
              columns={columns}
              selected={selected}
              style={{ left: PLOT.left, right: rightEdge, top: PLOT.top, bottom: PLOT.bottom - 24 }}
              onPick={onPick}
              onPoint={setPointed}
            />
            {shown && pointed !== null && (
              <ShareTip
                title={shown.long}
                aggregate={shown.aggregate}
                lines={lines}
                at={PLOT.left + (pointed + 0.5) * band}
                width={width}
              />
            )}
          </>
        )}
      </div>
    </ChartFigure>
  );
}

const percent = (value: number | null) => (value === null ? null : value * 100);
const endsOf = ({ interval }: Estimate): Ends | null => interval && [interval.low * 100, interval.high * 100];

/** The index of the model whose discarded share is drawn; null where there is none. */
const lineOf = ({ models, preferred, electing }: ChartData) => (electing && models[preferred] ? preferred : null);

function marksOf(data: ChartData, groups: readonly BarGroup[], axis: BarsViewProps['axis']): Marks {
  const { models, electing, slack } = data;
  const model = lineOf(data);
  const points = groups.map(({ key, apart, aggregate }): BarPoint => {
    const { figures, exactness } = aggregate;
    const conflict = estimate({ kind: 'conflict' }, aggregate);
    const discarded = model === null ? null : estimate({ kind: 'discarded', model }, aggregate);
    const afterSlack = model === null || !slack ? null : estimate({ kind: 'afterSlack', model }, aggregate);
    return {
      key,
      apart,
      exactness,
      conflict: percent(conflict.value) ?? 0,
      conflictEnds: endsOf(conflict),
      parts: figures.won.map((won) => (figures.conflict === 0 ? 0 : won / figures.conflict)),
      discarded: discarded && percent(discarded.value),
      discardedEnds: discarded && endsOf(discarded),
      afterSlack: afterSlack && percent(afterSlack.value),
      afterSlackEnds: afterSlack && endsOf(afterSlack),
    };
  });
  const stacked = models.length === 2 && groups.every(({ aggregate }) => wonPartitionsConflict(aggregate.figures));
  return { points, colours: models.map(({ colour }) => colour), mode: !electing ? 'plain' : stacked ? 'stack' : 'group', joined: axis === 'Layer' };
}

function frameOf(data: ChartData, groups: readonly BarGroup[], { points }: Marks, axis: BarsViewProps['axis']): BarsFrame {
  const model = lineOf(data);
  return {
    groups: groups.map(({ key, short, apart }) => ({ key, label: short, apart })),
    leftTicks: ticksBetween(0, Math.max(...points.map(({ conflict, conflictEnds }) => conflictEnds?.[1] ?? conflict)), 5),
    leftTitle: 'Conflicts, % of N',
    right:
      model === null
        ? null
        : {
            ticks: ticksBetween(0, Math.max(...points.map(({ discarded, discardedEnds }) => discardedEnds?.[1] ?? discarded ?? 0)), 5),
            title: `Discarded, % of kept ${data.names[model]}`,
          },
    bottomTitle: axis,
  };
}

function legendOf(data: ChartData, { mode, joined }: Marks, groups: readonly BarGroup[]): LegendItem[] {
  const { models, names, preferred, electing, slack } = data;
  const items: LegendItem[] = [];
  if (mode === 'plain') items.push({ label: 'conflict', mark: 'bar', colour: 'var(--accent)' });
  if (mode === 'group') items.push({ label: 'conflict', mark: 'outline', colour: 'var(--ink-2)' });
  if (electing) {
    models.forEach(({ colour }, i) => items.push({ label: `elects ${names[i]}`, mark: 'bar', colour }));
    if (models[preferred]) {
      items.push({ label: `discarded ${names[preferred]} (right axis)`, mark: joined ? 'line' : 'dot', colour: 'var(--ink)' });
      if (slack) items.push({ label: 'after slack (right axis)', mark: joined ? 'dashed' : 'ring', colour: 'var(--ink)' });
    }
  }
  if (groups.some(({ aggregate }) => aggregate.exactness !== 'exact')) items.push({ label: 'estimate, 95 % interval', mark: 'hatched', colour: 'var(--ink-2)' });
  return items;
}

/** One line per figure of the bars, keyed as on the chart. */
function tipLines({ models, names }: ChartData, metrics: readonly Metric[]): TipLine[] {
  return metrics.map((metric) => {
    const { name } = metricLabel(metric, names);
    switch (metric.kind) {
      case 'won':
        return { label: name, metric, mark: { mark: 'bar', colour: models[metric.model]!.colour } };
      case 'discarded':
        return { label: name, metric, mark: { mark: 'dot', colour: 'var(--ink)' } };
      case 'afterSlack':
        return { label: 'after slack', metric, mark: { mark: 'ring', colour: 'var(--ink)' } };
      default:
        return { label: name, metric };
    }
  });
}
