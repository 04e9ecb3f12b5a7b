import { createContext, use, useId } from 'react';
import { usePlotArea } from 'recharts';
import type { Exactness } from '../../analysis/aggregate';

/** Percent, lower first. */
export type Ends = readonly [number, number];

/** One bar and its points on the line. Heights and ordinates in percent. */
export interface BarPoint {
  readonly key: string;
  /** Outside the layers: never joined by the line. */
  readonly apart: boolean;
  readonly exactness: Exactness;
  readonly conflict: number;
  /** Ends of the 95 % interval of `conflict`; null when exact or not known. So for the points of the line. */
  readonly conflictEnds: Ends | null;
  /** won_i / conflict per model. */
  readonly parts: readonly number[];
  readonly discarded: number | null;
  readonly discardedEnds: Ends | null;
  readonly afterSlack: number | null;
  readonly afterSlackEnds: Ends | null;
}
/** What moves when a parameter moves. */
export interface Marks {
  readonly points: readonly BarPoint[];
  readonly colours: readonly string[];
  /** `stack`: the parts make up the conflict; `group`: side by side within it; `plain`: conflicts alone. */
  readonly mode: 'stack' | 'group' | 'plain';
  /** Whether the line joins neighbours: layers have an order, modules have none. */
  readonly joined: boolean;
}
export const MarksContext = createContext<Marks | null>(null);

/** Share of a band that its bar takes, and the most pixels. */
const BAR_SHARE = 0.8;
const BAR_MOST = 64;
/** Half the width of a whisker's cap. */
const CAP = 3;
const PLAIN_COLOURS = ['var(--accent)'];

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Bars and lines of the marks in context, on axes that run from 0 to `leftMax` and `rightMax` percent. */
export function BarMarks({ leftMax, rightMax }: { leftMax: number; rightMax: number }) {
  const marks = use(MarksContext);
  const plot = usePlotArea();
  const id = useId();
  if (!marks || !plot) return null;
  const { points, mode, joined } = marks;
  const colours = mode === 'plain' ? PLAIN_COLOURS : marks.colours;
  const band = plot.width / points.length;
  const width = Math.min(BAR_MOST, band * BAR_SHARE);
  const middle = (i: number) => plot.x + (i + 0.5) * band;
  const onRight = (value: number) => plot.y + plot.height * (1 - value / rightMax);
  const line = (series: 'discarded' | 'afterSlack') =>
    points.flatMap((point, i) => {
      const value = point[series];
      const ends = point[series === 'discarded' ? 'discardedEnds' : 'afterSlackEnds'];
      return value === null ? [] : [{ x: middle(i), y: onRight(value), point, ends: ends && ([onRight(ends[0]), onRight(ends[1])] as const) }];
    });
  return (
    <g>
      <defs>
        {colours.map((colour, i) => (
          <pattern key={i} id={`${id}-${i}`} width={5} height={5} patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
            <rect width={5} height={5} fill={colour} fillOpacity={0.2} />
            <line x1={1} x2={1} y1={0} y2={5} stroke={colour} strokeWidth={2} />
          </pattern>
        ))}
      </defs>
      {points.map((point, i) => {
        const height = (plot.height * point.conflict) / leftMax;
        const box = { x: middle(i) - width / 2, y: plot.y + plot.height - height, width, height };
        const ends = point.conflictEnds?.map((end) => plot.y + plot.height * (1 - end / leftMax));
        return (
          <g key={point.key}>
            {height > 0 && <ConflictBar box={box} point={point} mode={mode} colours={colours} id={id} />}
            {ends && <Whisker x={middle(i) - width / 4} low={ends[0]!} high={ends[1]!} />}
          </g>
        );
      })}
      {(['discarded', 'afterSlack'] as const).map((series) => (
        <ShareLine key={series} dots={line(series)} joined={joined} after={series === 'afterSlack'} />
      ))}
    </g>
  );
}

interface ConflictBarProps extends Pick<Marks, 'mode' | 'colours'> {
  readonly box: Box;
  readonly point: BarPoint;
  /** Prefix of the hatch patterns' ids. */
  readonly id: string;
}
/** One bar: solid where exact, hatched within an outline where an estimate. */
function ConflictBar({ box, point, mode, colours, id }: ConflictBarProps) {
  const { x, y, width, height } = box;
  const bottom = y + height;
  const paint = (i: number) =>
    point.exactness === 'exact' ? { fill: colours[i] } : { fill: `url(#${id}-${i})`, stroke: colours[i], strokeWidth: 1 };
  if (mode === 'plain') return <rect {...box} {...paint(0)} />;
  if (mode === 'group') {
    const column = (width - 4) / colours.length;
    return (
      <>
        <rect {...box} fill="var(--surface-2)" stroke="var(--ink-2)" strokeWidth={1} />
        {colours.map((_, i) => {
          const part = height * (point.parts[i] ?? 0);
          return <rect key={i} x={x + 2 + i * column} y={bottom - part} width={column} height={part} {...paint(i)} />;
        })}
      </>
    );
  }
  return colours.map((_, i) => {
    const [base, part] = [point.parts.slice(0, i).reduce((sum, one) => sum + one, 0) * height, (point.parts[i] ?? 0) * height];
    return <rect key={i} x={x} y={bottom - base - part} width={width} height={part} {...paint(i)} />;
  });
}

/** The interval of an estimate: a line from end to end with caps, clear of what it crosses. Ordinates in pixels. */
function Whisker({ x, low, high }: { x: number; low: number; high: number }) {
  const path = `M${x - CAP} ${high.toFixed(1)}h${2 * CAP}M${x - CAP} ${low.toFixed(1)}h${2 * CAP}M${x} ${low.toFixed(1)}V${high.toFixed(1)}`;
  return (
    <g fill="none">
      <path d={path} stroke="var(--surface)" strokeOpacity={0.7} strokeWidth={3} />
      <path d={path} stroke="var(--ink)" strokeWidth={1.25} />
    </g>
  );
}

interface ShareLineProps {
  readonly dots: readonly { readonly x: number; readonly y: number; readonly point: BarPoint; readonly ends: Ends | null }[];
  readonly joined: boolean;
  readonly after: boolean;
}
/** The discarded share, dashed with squares after the slack. An edge in the surface colour keeps it clear of the bars. */
function ShareLine({ dots, joined, after }: ShareLineProps) {
  const path = dots
    .filter(({ point }) => !point.apart)
    .map(({ x, y }) => `${x.toFixed(1)},${y.toFixed(1)}`)
    .join(' ');
  return (
    <g fill="none" stroke="var(--ink)">
      {joined && (
        <>
          <polyline points={path} stroke="var(--surface)" strokeOpacity={0.6} strokeWidth={5} />
          <polyline points={path} strokeWidth={1.75} strokeDasharray={after ? '5 4' : undefined} />
        </>
      )}
      {dots.map(({ x, point, ends }) => ends && <Whisker key={point.key} x={x} low={ends[0]} high={ends[1]} />)}
      {dots.map(({ x, y, point }) => {
        const solid = !after && point.exactness === 'exact';
        const look = solid
          ? { fill: 'var(--ink)', stroke: 'var(--surface)', strokeWidth: 1 }
          : { fill: 'var(--surface)', stroke: 'var(--ink)', strokeWidth: 1.5 };
        return after ? (
          <rect key={point.key} x={x - 3} y={y - 3} width={6} height={6} {...look} />
        ) : (
          <circle key={point.key} cx={x} cy={y} r={3.5} {...look} />
        );
      })}
    </g>
  );
}
