import './series.css';
import { useMemo, useState } from 'react';
import { formatEstimate } from '../../../analysis/estimate-text';
import { formatCounts, formatPercent } from '../../../analysis/format';
import { seriesLine, aggregateOf } from '../../../analysis/series';
import { estimate } from '../../../analysis/estimate';
import type { Metric } from '../../../analysis/share';
import { figuresTable } from '../../../analysis/table';
import { isBusy } from '../../../state/types';
import { formatParameters, plural, showName } from '../../format';
import { useController, useStudio } from '../../studio';
import { ChartFigure } from '../ChartFigure';
import { useCompared } from '../compared';
import { EXACTNESS_LABEL, groupLabel, metricLabel } from '../labels';
import type { LegendItem } from '../Legend';
import { linearAxis, logAxis, pixelOf } from '../plot/axes';
import { PlotPanel, panelBox, type PlotLine } from '../plot/PlotPanel';
import { PlotTip } from '../plot/PlotTip';
import { PointPicker } from '../plot/PointPicker';
import { groupOf } from '../selection';
import type { ChartData, TabProps } from '../types';
import { useShown } from '../useShown';
import { useSize } from '../useSize';
import { besideColumns, besideLines, besideNumbers, type SeriesBeside } from './beside';
import { SeriesMembers } from './SeriesMembers';
import { useSeries, type SeriesPoint, type SeriesView } from './useSeries';

const SCALES = ['log', 'linear'] as const;

/** Figure 4 of the paper: what the task model loses against the tokens of continual pre-training. */
export function SeriesTab({ data, view }: TabProps) {
  const controller = useController();
  const busy = useStudio((state) => isBusy(state.job));
  const series = useSeries(data.models.length);
  const [scale, setScale] = useShown<(typeof SCALES)[number]>('scale', 'log', SCALES);
  const [figure, setFigure] = useShown<string>('series', 'discarded');
  const [layers, setLayers] = useShown('layers', 'selected', ['selected', 'every']);
  const everyLayer = layers === 'every';
  const figures = useMemo(() => figuresOf(data), [data]);
  const chosen = figures.find(({ key }) => key === figure) ?? figures[0]!;
  const layer = groupOf(view, data.breakdown);
  const { points, asked, missing, along, unit } = series;
  const groups = everyLayer ? data.breakdown.layers.map(({ key }) => key) : layer === null ? [] : [layer];
  const compared = useCompared(data.models);
  const beside: SeriesBeside | null = compared && series.compared.length > 0 ? { of: compared, points: series.compared, metrics: chosen.metrics, names: data.names } : null;
  const lines = [...besideLines(beside), ...linesOf(points, chosen.metrics, groups, layer, data)];

  if (along === null) {
    return (
      <div className="charts-state">
        <p>A series puts the checkpoints of one run in the place of a merged model, and none is merged beside {data.names[data.preferred] ?? 'the preferred one'}.</p>
        <p className="charts-quiet">Give a checkpoint the role CT on the left.</p>
      </div>
    );
  }
  if (asked.length < 2) {
    return (
      <div className="series">
        <div className="charts-state">
          <p>A series needs several checkpoints of one training run.</p>
          <p className="charts-quiet">
            Drop the folder that holds them: those whose names differ only in tokens or steps become a curve by themselves. Or tick further ones below.
          </p>
        </div>
        <SeriesMembers series={series} busy={busy} />
      </div>
    );
  }
  const name = data.models.find(({ id }) => id === along)?.name ?? along;
  const title = `${chosen.label} against ${unit}`;
  const unplaced = asked.filter(({ member }) => member[unit] === null).length;
  return (
    <div className="series">
      <ChartFigure
        title={title}
        summary={`${title}, ${points.map(({ member, breakdown }) => `${member.name} ${chosen.metrics.map((metric) => formatPercent(estimate(metric, breakdown.total).value)).join(' and ')}`).join(', ')}`}
        fileName={`series-${chosen.key}`}
        headings={3}
        table={() => tableOf(points, groups, data, unit, beside)}
        legend={legendOf(lines, points)}
        controls={
          <>
            <label className="charts-control">
              figure
              <select aria-label="Figure" value={chosen.key} onChange={(event) => setFigure(event.target.value)}>
                {figures.map(({ key, label }) => (
                  <option key={key} value={key}>
                    {label}
                  </option>
                ))}
              </select>
            </label>
            {unit === 'tokens' && (
              <label className="charts-control">
                axis
                <select aria-label="Scale of the tokens" value={scale} onChange={(event) => setScale(event.target.value as typeof scale)}>
                  {SCALES.map((one) => (
                    <option key={one} value={one}>
                      {one}
                    </option>
                  ))}
                </select>
              </label>
            )}
            <label className="charts-control">
              <input type="checkbox" checked={everyLayer} onChange={(event) => setLayers(event.target.checked ? 'every' : 'selected')} />
              every layer
            </label>
            {data.models.length > 2 && (
              <label className="charts-control">
                run of
                <select aria-label="Run of" value={along} onChange={(event) => controller.setSeries({ along: event.target.value })}>
                  {data.models.map((model) => (
                    <option key={model.id} value={model.id}>
                      {showName(model.name, 30)}
                    </option>
                  ))}
                </select>
              </label>
            )}
          </>
        }
        note={
          <span role="status">
            {missing > 0 ? `${plural(missing, 'point')} of ${asked.length} on the way. ` : ''}
            {unplaced > 0 ? `${plural(unplaced, 'checkpoint')} without tokens: type them in below. ` : ''}
            Run of {showName(name, 40)}; choosing a point merges that checkpoint.
          </span>
        }
      >
        <SeriesChart points={points} lines={lines} beside={beside} metrics={chosen.metrics} scale={unit === 'tokens' ? scale : 'linear'} unit={unit} title={title} data={data} group={everyLayer ? layer : null} stale={missing > 0} />
      </ChartFigure>
      <SeriesMembers series={series} busy={busy} />
    </div>
  );
}

interface FigureChoice {
  readonly key: string;
  readonly label: string;
  /** The first solid, the second dashed. */
  readonly metrics: readonly Metric[];
}
function figuresOf({ names, models, preferred, electing, slack }: ChartData): FigureChoice[] {
  const choices: FigureChoice[] = [];
  const named = (metric: Metric) => {
    const { name, of } = metricLabel(metric, names);
    return `${name} / ${of}`;
  };
  const add = (key: string, metric: Metric) => choices.push({ key, label: named(metric), metrics: [metric] });
  if (electing && models[preferred]) {
    const discarded: Metric = { kind: 'discarded', model: preferred };
    choices.push({ key: 'discarded', label: `${metricLabel(discarded, names).name} and conflict`, metrics: [discarded, { kind: 'conflict' }] });
    add('discarded-alone', discarded);
    if (slack) add('after-slack', { kind: 'afterSlack', model: preferred });
  }
  add('conflict', { kind: 'conflict' });
  if (electing) models.forEach((_, model) => add(`won-${model}`, { kind: 'won', model }));
  models.forEach((_, model) => electing && model !== preferred && add(`discarded-${model}`, { kind: 'discarded', model }));
  return choices;
}

export interface SeriesLine extends PlotLine {
  readonly label: string;
}
function linesOf(points: readonly SeriesPoint[], metrics: readonly Metric[], groups: readonly string[], selected: string | null, data: ChartData): SeriesLine[] {
  const line = (metric: Metric, group: string | null, look: Pick<PlotLine, 'colour' | 'dash' | 'width' | 'opacity' | 'mark'>): SeriesLine => {
    const { name } = metricLabel(metric, data.names);
    const own = group === null ? null : data.breakdown.layers.find(({ key }) => key === group);
    return {
      key: `${JSON.stringify(metric)} ${group ?? ''}`,
      label: own ? `${name}, ${groupLabel(own).long.toLowerCase()}` : name,
      ...look,
      points: seriesLine(points, metric, group).map(({ x, estimate: { value, interval }, exactness }) => ({
        x,
        y: value! * 100,
        exactness,
        ...(interval && group === null ? { low: interval.low * 100, high: interval.high * 100 } : {}),
      })),
    };
  };
  const [main] = metrics;
  const layers = groups.map((group, i) => {
    const depth = groups.length < 2 ? 100 : (100 * i) / (groups.length - 1);
    const colour = `color-mix(in oklab, var(--m6) ${depth.toFixed(0)}%, var(--m4))`;
    return line(main!, group, group === selected ? { colour: 'var(--m3)', width: 2.5, mark: 'circle' } : { colour, width: 1, opacity: 0.8, mark: 'none' });
  });
  return [
    ...layers,
    ...metrics.map((metric, i) => line(metric, null, { colour: colourOf(metric, data), mark: i === 0 ? 'circle' : 'square', ...(i === 0 ? {} : { dash: '6 4' }) })),
  ];
}

function colourOf(metric: Metric, { models }: ChartData): string {
  return 'model' in metric ? (models[metric.model]?.colour ?? 'var(--ink)') : 'var(--ink)';
}

function legendOf(lines: readonly SeriesLine[], points: readonly SeriesPoint[]): LegendItem[] {
  const named = lines.filter(({ mark }) => mark !== 'none');
  const items = named.map(({ label, colour, dash }): LegendItem => ({ label, colour, mark: dash === undefined ? 'line' : 'dashed' }));
  const faint = lines.filter(({ mark }) => mark === 'none');
  if (faint.length > 1) items.push({ label: 'first layers', colour: faint[0]!.colour, mark: 'line' }, { label: 'last layers', colour: faint.at(-1)!.colour, mark: 'line' });
  if (points.some(({ breakdown }) => breakdown.total.exactness !== 'exact')) items.push({ label: 'hollow: estimate, with its 95 % interval', colour: 'var(--ink-2)', mark: 'ring' });
  return items;
}

function tableOf(points: readonly SeriesPoint[], groups: readonly string[], data: ChartData, unit: SeriesView['unit'], beside: SeriesBeside | null) {
  const { names, preferred, electing, breakdown } = data;
  const theirs = besideColumns(beside);
  const rows = points.flatMap(({ x, member, breakdown: own }) =>
    [null, ...groups].flatMap((group) => {
      const aggregate = aggregateOf(own, group);
      const long = group === null ? 'whole model' : groupLabel(breakdown.layers.find(({ key }) => key === group)!).long;
      return aggregate === null ? [] : [{ labels: [member.name, String(x), long], aggregate, cells: theirs.map(({ cellOf }) => cellOf(member.id, group)) }];
    }),
  );
  const table = figuresTable(rows, { headings: ['Checkpoint', unit === 'tokens' ? 'Tokens' : 'Steps', 'Scope'], models: names, preferred, electing });
  return { columns: [...table.columns, ...theirs.map(({ label }) => ({ label, kind: 'share' as const }))], rows: table.rows.map((row, i) => [...row, ...rows[i]!.cells]) };
}

interface SeriesChartProps {
  readonly points: readonly SeriesPoint[];
  readonly lines: readonly SeriesLine[];
  readonly beside: SeriesBeside | null;
  readonly metrics: readonly Metric[];
  readonly scale: 'log' | 'linear';
  readonly unit: string;
  readonly title: string;
  readonly data: ChartData;
  /** A layer whose number the tip shows beside the whole model's. */
  readonly group: string | null;
  readonly stale: boolean;
}
function SeriesChart({ points, lines, beside, metrics, scale, unit, title, data, group, stale }: SeriesChartProps) {
  const controller = useController();
  const { ref, width, height } = useSize<HTMLDivElement>();
  const [pointed, setPointed] = useState<number | null>(null);
  const box = panelBox(width, height, false);
  const top = Math.max(...lines.flatMap((line) => line.points.map(({ y, high }) => Math.max(y, high ?? 0))), 0);
  const xs = points.map(({ x }) => x);
  const axisTitle = unit === 'tokens' ? 'tokens of continual pre-training' : 'training steps';
  const ready = width > 0 && height > 0 && points.length > 0;
  const x = !ready ? null : scale === 'log' ? logAxis(Math.min(...xs), Math.max(...xs), axisTitle, formatParameters, width / 70) : linearAxis(0, Math.max(...xs), axisTitle, formatParameters);
  const left = linearAxis(0, top, '% of kept values, of N for conflict', String);
  const atX = x && pixelOf(x, box.x, box.x + box.width);
  const along = points.find(({ member }) => member.current)?.member.id;
  const shown = pointed === null ? undefined : points[pointed];
  const numbers = ({ breakdown }: SeriesPoint) =>
    [null, ...(group === null ? [] : [group])].flatMap((one) => {
      const aggregate = aggregateOf(breakdown, one);
      return aggregate === null ? [] : metrics.map((metric) => ({ metric, group: one, value: estimate(metric, aggregate) }));
    });
  return (
    <div className="charts-fill" ref={ref} data-stale={stale}>
      {x && atX && (
        <>
          <svg width={width} height={height} aria-hidden="true">
            <PlotPanel box={box} x={x} left={left} lines={lines}>
              {points.filter(({ member }) => member.current).map((point) => (
                <line key={point.member.id} x1={atX(point.x)} x2={atX(point.x)} y1={box.y} y2={box.y + box.height} stroke="var(--accent)" strokeDasharray="2 3" />
              ))}
            </PlotPanel>
          </svg>
          <PointPicker
            label={title}
            plot={box}
            selected={along ?? null}
            points={points.map((point) => ({
              key: point.member.id,
              at: atX(point.x),
              name: `${point.member.name}, ${formatParameters(point.x)} ${unit}: ${numbers(point)
                .map(({ metric, value }) => `${metricLabel(metric, data.names).name} ${formatEstimate(value)} (${formatCounts(value)})`)
                .concat(besideNumbers(beside, point.member.id).map(({ label, value }) => `${label} ${formatEstimate(value)} (${formatCounts(value)})`))
                .join(', ')}${point.breakdown.total.exactness === 'exact' ? '' : `, ${EXACTNESS_LABEL[point.breakdown.total.exactness]}`}`,
            }))}
            onPick={(id) => along !== undefined && id !== along && controller.mergeInstead(along, id)}
            onPoint={setPointed}
          />
          {shown && (
            <PlotTip
              title={shown.member.name}
              state={`${formatParameters(shown.x)} ${unit}, ${EXACTNESS_LABEL[shown.breakdown.total.exactness]}`}
              rows={[...numbers(shown).map(({ metric, group: one, value }) => ({
                label: `${metricLabel(metric, data.names).name}${one === null ? '' : `, layer ${one}`}`,
                value: formatEstimate(value),
                detail: formatCounts(value),
                mark: { mark: metric.kind === 'conflict' && metrics.length > 1 ? 'dashed' : 'line', colour: one === null ? colourOf(metric, data) : 'var(--m3)' } as const,
              })), ...besideNumbers(beside, shown.member.id).map(({ label, value, mark }) => ({ label, value: formatEstimate(value), detail: formatCounts(value), mark }))]}
              at={atX(shown.x)}
              width={width}
            />
          )}
        </>
      )}
      {!x && <p className="charts-state charts-quiet">The first point is on its way.</p>}
    </div>
  );
}
