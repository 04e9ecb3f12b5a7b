import './slack.css';
import { useRef, useState, type KeyboardEvent, type PointerEvent } from 'react';
import { formatCounts, formatPercent } from '../../../analysis/format';
import { share } from '../../../analysis/share';
import { kneeOf, slackAt, slopes, usedUp, type SlackCurve } from '../../../analysis/slack-curve';
import { PAPER_SLACK } from '../../../recipe/presets';
import { showName } from '../../format';
import { COMPARED_COLOUR } from '../compared';
import { EXACTNESS_LABEL } from '../labels';
import { linearAxis, pixelOf, valueAt } from '../plot/axes';
import { PlotPanel, panelBox, type Box, type PlotLine } from '../plot/PlotPanel';
import { PlotTip } from '../plot/PlotTip';
import { useSize } from '../useSize';

/** The compared snapshot's curve at the same shares, and its s where it is one number of the same kind. */
export interface SlackBeside {
  readonly name: string;
  readonly curve: SlackCurve;
  readonly s: number | null;
}
interface SlackChartProps {
  readonly curve: SlackCurve;
  readonly beside: SlackBeside | null;
  /** Null where it differs between tensors. */
  readonly s: number | null;
  readonly colour: string;
  readonly names: { readonly preferred: string; readonly others: string };
  readonly of: 'retained' | 'discarded';
  /** Whether the method uses s. */
  readonly active: boolean;
  readonly disabled: boolean;
  readonly onSlack: (s: number) => void;
  readonly onSettle: () => void;
}

/** Of s: a step of the slider in the recipe, and of one dragged here. */
const KEY_STEP = 0.005;
const DRAG_STEP = 0.001;

/** Cost over s, cumulative and marginal. The whole plot is one slider: pressing or dragging on it sets s. */
export function SlackChart({ curve, beside, s, colour, names, of, active, disabled, onSlack, onSettle }: SlackChartProps) {
  const { ref, width, height } = useSize<HTMLDivElement>();
  const [pointed, setPointed] = useState<number | null>(null);
  const dragging = useRef(false);
  const box = panelBox(width, height, true);
  const last = usedUp(curve);
  const end = Math.max(curve.shares[last]!, PAPER_SLACK, s ?? 0, beside?.s ?? 0);
  const within = curve.shares.map((at, i) => ({ at, i })).filter(({ at }) => at <= end);
  const costs = within.map(({ i }) => (100 * curve.cost[i]!) / curve.magnitude);
  const besideCosts = beside === null || beside.curve.magnitude === 0 ? [] : within.map(({ at }) => (100 * slackAt(beside.curve, at).cost) / beside.curve.magnitude);
  const steps = slopes(curve).filter(({ from }) => from < end);
  const x = linearAxis(0, end * 100, `s, % of the ${of} values of ${names.preferred}`, String, 10);
  const left = linearAxis(0, Math.max(...costs, ...besideCosts), `cost so far, % of |${names.others}|`, String);
  const right = linearAxis(0, Math.max(0, ...steps.map(({ slope }) => slope)), 'cost of the next percent, %', String);
  const exactness = curve.exactness;
  const lines: PlotLine[] = [
    {
      key: 'marginal', colour: 'var(--ink-2)', dash: '5 4', width: 1.5, mark: 'none', axis: 'right',
      points: steps.flatMap(({ from, to, slope }) => [from, to].map((at) => ({ x: at * 100, y: slope, exactness }))),
    },
    { key: 'compared', colour: COMPARED_COLOUR, dash: '4 3', mark: 'none', points: besideCosts.map((y, k) => ({ x: within[k]!.at * 100, y, exactness })) },
    { key: 'cost', colour, width: 2.5, mark: 'none', points: within.map(({ at }, k) => ({ x: at * 100, y: costs[k]!, exactness })) },
  ];
  const atX = pixelOf(x, box.x, box.x + box.width);
  const onLeft = pixelOf(left, box.y + box.height, box.y);
  const knee = kneeOf(curve);
  const read = (event: PointerEvent<HTMLDivElement>) => {
    const pixel = event.clientX - event.currentTarget.getBoundingClientRect().left + box.x;
    return Math.min(end, Math.max(0, valueAt(x, box.x, box.x + box.width, pixel) / 100));
  };
  const set = (value: number, step: number) => onSlack(Number((Math.round(Math.min(1, Math.max(0, value)) / step) * step).toPrecision(6)));
  const onKeyDown = (event: KeyboardEvent) => {
    const by = { ArrowRight: KEY_STEP, ArrowUp: KEY_STEP, ArrowLeft: -KEY_STEP, ArrowDown: -KEY_STEP, PageUp: 4 * KEY_STEP, PageDown: -4 * KEY_STEP }[event.key];
    const to = event.key === 'Home' ? 0 : event.key === 'End' ? curve.shares[last]! : by === undefined ? null : (s ?? 0) + by;
    if (to === null || disabled) return;
    event.preventDefault();
    set(to, DRAG_STEP);
  };
  const shown = pointed ?? s ?? 0;
  return (
    <div className="charts-fill" ref={ref}>
      {width > 0 && height > 0 && (
        <>
          <svg width={width} height={height} aria-hidden="true">
            <PlotPanel box={box} x={x} left={left} right={right} lines={lines}>
              <Marker box={box} at={atX(PAPER_SLACK * 100)} label="paper 4 %" dash="1 4" colour="var(--ink-2)" row={0} />
              {knee !== null && <Marker box={box} at={atX(curve.shares[knee]! * 100)} label={`knee ${formatPercent(curve.shares[knee]!)}`} dash="6 3" colour="var(--ink)" row={1} />}
              {beside !== null && beside.s !== null && <Marker box={box} at={atX(beside.s * 100)} label={`${showName(beside.name, 20)}: s ${formatPercent(beside.s)}`} dash="4 3" colour={COMPARED_COLOUR} row={3} />}
              {s !== null && <Marker box={box} at={atX(s * 100)} label={`s ${formatPercent(s)}${active ? '' : ', not used'}`} colour="var(--accent)" row={2} />}
            </PlotPanel>
            {knee !== null && <circle cx={atX(curve.shares[knee]! * 100)} cy={onLeft((100 * curve.cost[knee]!) / curve.magnitude)} r={4.5} fill="var(--surface)" stroke="var(--ink)" strokeWidth={2} />}
            {s !== null && <circle cx={atX(s * 100)} cy={onLeft((100 * slackAt(curve, s).cost) / curve.magnitude)} r={6} fill="var(--accent)" stroke="var(--surface)" strokeWidth={1.5} />}
          </svg>
          <div
            className="slack-drag"
            role="slider"
            tabIndex={0}
            aria-label="Slack s on the curve"
            aria-disabled={disabled}
            aria-valuemin={0}
            aria-valuemax={1}
            aria-valuenow={s ?? 0}
            aria-valuetext={wordsAt(curve, s ?? 0, names, beside)}
            style={{ left: box.x, top: box.y, width: box.width, height: box.height }}
            onKeyDown={onKeyDown}
            onBlur={onSettle}
            onPointerDown={(event) => {
              if (disabled || event.button !== 0) return;
              event.currentTarget.setPointerCapture(event.pointerId);
              dragging.current = true;
              set(read(event), DRAG_STEP);
            }}
            onPointerMove={(event) => {
              setPointed(read(event));
              if (dragging.current) set(read(event), DRAG_STEP);
            }}
            onPointerUp={() => {
              dragging.current = false;
              onSettle();
            }}
            onPointerCancel={() => (dragging.current = false)}
            onPointerLeave={() => setPointed(null)}
          />
          {pointed !== null && (
            <PlotTip
              title={`s ${formatPercent(shown)}`}
              state={EXACTNESS_LABEL[exactness]}
              at={atX(shown * 100)}
              width={width}
              rows={rowsAt(curve, shown, names, beside)}
            />
          )}
        </>
      )}
    </div>
  );
}

function rowsAt(curve: SlackCurve, s: number, { preferred, others }: SlackChartProps['names'], beside: SlackBeside | null) {
  const { reserved, cost } = slackAt(curve, s);
  const left = share(curve.discarded - reserved, curve.kept);
  const back = share(reserved, curve.discarded);
  const slope = slopes(curve).find(({ from, to }) => s >= from && s < to);
  return [
    { label: `given back of discarded ${preferred}`, value: formatPercent(back.value), detail: formatCounts(back) },
    { label: `still discarded, of kept ${preferred}`, value: formatPercent(left.value), detail: formatCounts(left) },
    { label: `cost of |${others}|`, value: formatPercent(share(cost, curve.magnitude).value), detail: '' },
    ...(beside === null ? [] : [{ label: `${beside.name}: cost`, value: formatPercent(share(slackAt(beside.curve, s).cost, beside.curve.magnitude).value), detail: '' }]),
    { label: 'cost of the next percent', value: slope ? formatPercent(slope.slope / 100) : '–', detail: '' },
  ];
}

function wordsAt(curve: SlackCurve, s: number, names: SlackChartProps['names'], beside: SlackBeside | null): string {
  return [`s ${formatPercent(s)}`, ...rowsAt(curve, s, names, beside).map(({ label, value }) => `${label} ${value}`)].join(', ');
}

interface MarkerProps {
  readonly box: Box;
  readonly at: number;
  readonly label: string;
  readonly colour: string;
  readonly dash?: string;
  /** Labels of near markers stand in rows of their own. */
  readonly row: number;
}
function Marker({ box, at, label, colour, dash, row }: MarkerProps) {
  if (at > box.x + box.width + 0.5) return null;
  const before = at > box.x + box.width - 90;
  return (
    <g>
      <line x1={at} x2={at} y1={box.y} y2={box.y + box.height} stroke={colour} strokeWidth={dash === undefined ? 2 : 1.25} strokeDasharray={dash} />
      <text x={at + (before ? -5 : 5)} y={box.y + 12 + row * 15} textAnchor={before ? 'end' : 'start'} fontSize={11} fill={colour} stroke="none">
        {label}
      </text>
    </g>
  );
}
