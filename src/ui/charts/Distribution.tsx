import { useEffect, useMemo, useRef, useState } from 'react';
import { distributionOf, distributionTable, logTicks, onLogAxis, type Distribution as Spread } from '../../analysis/distribution';
import { formatMagnitude, formatPercent } from '../../analysis/format';
import { toCsv } from '../../analysis/table';
import { isBusy } from '../../state/types';
import type { TensorFigures } from '../../worker/protocol';
import { useController, useStudio } from '../studio';
import { showName } from '../format';
import { Legend, type LegendItem } from './Legend';
import { paperSvg, savePng, saveText } from './saving';
import type { ChartData } from './types';

const WIDTH = 222;
const HEIGHT = 128;
const PLOT = { left: 4, right: 4, top: 6, bottom: 30 };
const BOTTOM = HEIGHT - PLOT.bottom;
/** Half the width of a tick's number: those at the ends move inwards. */
const LABEL = 16;

/** How |tau| of one tensor is spread for every model, with the threshold each is trimmed at. */
export function Distribution({ data, part }: { data: ChartData; part: TensorFigures }) {
  const { tensor, thresholds } = part;
  const controller = useController();
  const { answer, problem } = useStudio((state) => state.views.distribution);
  const waiting = useStudio((state) => isBusy(state.job));
  const figure = useRef<HTMLElement>(null);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    controller.look('distribution', { tensor });
    return () => controller.lookAway('distribution');
  }, [controller, tensor]);
  const reply = answer?.question.tensor === tensor ? answer.reply : null;
  const spread = useMemo(() => reply && distributionOf(reply.view), [reply]);
  if (reply === null || spread === null || spread.models.length !== data.models.length) {
    const text = waiting ? 'The distribution is read once the job has ended.' : problem ? 'The distribution could not be read.' : 'Reading the distribution.';
    return (
      <p className="charts-quiet" role="status">
        {text}
      </p>
    );
  }
  if (spread.edges.length === 0) return <p className="charts-quiet">Every model is equal to the base here: all differences are 0.</p>;
  const table = () => toCsv(distributionTable(spread, data.names));
  const name = `distribution-${tensor.replaceAll(/[^\w.-]+/g, '-')}`;
  const summary = `Distribution of the differences from the base, ${showName(tensor)}: ${data.names.map((one, i) => `${one} ${thresholdWords(thresholds[i] ?? null)}`).join(', ')}`;
  const legend = data.models.map(({ colour }, i): LegendItem => ({ label: `${data.names[i]}, ${thresholdWords(thresholds[i] ?? null)}`, mark: 'bar', colour }));
  const drawn = () => paperSvg(figure.current!.querySelector('svg')!, figure.current!.querySelector('ul'), summary);
  const saveImage = async () => {
    setFailed(false);
    try {
      await savePng(`${name}.png`, drawn());
    } catch {
      setFailed(true);
    }
  };
  return (
    <figure className="charts-distribution" ref={figure}>
      <figcaption>
        |τ|, share of values
        <span className="charts-tools">
          <button type="button" aria-label="Save the distribution as CSV" onClick={() => saveText(`${name}.csv`, 'text/csv', table())}>
            CSV
          </button>
          <button type="button" aria-label="Save the distribution as SVG" onClick={() => saveText(`${name}.svg`, 'image/svg+xml', drawn())}>
            SVG
          </button>
          <button type="button" aria-label="Save the distribution as PNG" onClick={() => void saveImage()}>
            PNG
          </button>
        </span>
      </figcaption>
      {failed && (
        <p role="alert" className="charts-alert">
          This browser could not draw the PNG. Save the SVG instead: it holds the same chart.
        </p>
      )}
      <Plot spread={spread} thresholds={thresholds} models={data.models} summary={summary} />
      <Legend items={legend} />
      <p className="charts-quiet">{reply.exact ? 'All values' : `Of ${formatPercent((spread.models.find((one) => one)?.total ?? 0) / reply.elements)} of the values`}{zeros(spread, data.names)}</p>
    </figure>
  );
}

interface PlotProps {
  readonly spread: Spread;
  readonly thresholds: readonly (number | null)[];
  readonly models: ChartData['models'];
  readonly summary: string;
}
function Plot({ spread, thresholds, models, summary }: PlotProps) {
  const { edges } = spread;
  const x = (value: number) => PLOT.left + onLogAxis(edges, value) * (WIDTH - PLOT.left - PLOT.right);
  const most = Math.max(...spread.models.flatMap((one) => one?.shares ?? []));
  const y = (share: number) => BOTTOM - (share / most) * (BOTTOM - PLOT.top);
  const area = (shares: readonly number[]) =>
    `M${x(edges[0]!).toFixed(1)} ${BOTTOM}${shares.map((one, i) => `V${y(one).toFixed(1)}H${x(edges[i + 1]!).toFixed(1)}`).join('')}V${BOTTOM}Z`;
  return (
    <svg width={WIDTH} height={HEIGHT} role="img" aria-label={summary}>
      {spread.models.map((one, i) => one && <path key={i} d={area(one.shares)} fill={models[i]!.colour} fillOpacity={0.25} stroke={models[i]!.colour} strokeWidth={1} />)}
      <line x1={PLOT.left} x2={WIDTH - PLOT.right} y1={BOTTOM} y2={BOTTOM} stroke="var(--ink-2)" />
      {thresholds.map((threshold, i) => {
        if (threshold === null || !(threshold >= edges[0]! && threshold <= edges.at(-1)!)) return null;
        return <line key={i} x1={x(threshold)} x2={x(threshold)} y1={PLOT.top - 4} y2={BOTTOM} stroke={models[i]!.colour} strokeWidth={2} strokeDasharray="4 2" />;
      })}
      {logTicks(edges).map((tick) => (
        <g key={tick}>
          <line x1={x(tick)} x2={x(tick)} y1={BOTTOM} y2={BOTTOM + 4} stroke="var(--ink-2)" />
          <text x={Math.min(Math.max(x(tick), LABEL), WIDTH - LABEL)} y={BOTTOM + 14} textAnchor="middle">
            {formatMagnitude(tick)}
          </text>
        </g>
      ))}
      <text x={WIDTH / 2} y={HEIGHT - 4} textAnchor="middle">
        |τ|, logarithmic
      </text>
    </svg>
  );
}

function thresholdWords(threshold: number | null): string {
  if (threshold === null) return 'not trimmed';
  return threshold === Infinity ? 'nothing kept' : `kept from ${formatMagnitude(threshold)}`;
}

/** What no logarithmic axis can show. */
function zeros({ models }: Spread, names: readonly string[]): string {
  const found = models.flatMap((one, i) => (one && one.zero > 0 ? [`${names[i]} ${formatPercent(one.zero)}`] : []));
  return found.length === 0 ? '.' : `. Equal to the base: ${found.join(', ')}.`;
}
