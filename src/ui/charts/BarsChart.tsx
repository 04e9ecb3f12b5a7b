import { memo } from 'react';
import { CartesianGrid, ComposedChart, Line, XAxis, YAxis, type XAxisTickContentProps } from 'recharts';
import { BarMarks, MarksContext, type Marks } from './BarMarks';
import { ComparedMarks } from './ComparedMarks';

/** Axes of a bar chart: all that does not move with a slider, so that a redraw leaves it alone. */
export interface BarsFrame {
  readonly groups: readonly { readonly key: string; readonly label: string; readonly apart: boolean }[];
  readonly leftTicks: readonly number[];
  readonly leftTitle: string;
  /** Null without a preferred model: no line, no axis. */
  readonly right: { readonly ticks: readonly number[]; readonly title: string } | null;
  readonly bottomTitle: string;
}
interface BarsChartProps {
  readonly frame: BarsFrame;
  readonly marks: Marks;
  readonly width: number;
  readonly height: number;
}

/** Pixels around the plot; the column picker lies exactly over it. */
export const PLOT = { top: 8, left: 58, right: 58, rightBare: 10, bottom: 40 } as const;
/** Below this many pixels per bar the labels of groups outside the layers go to a second row. */
const ROOMY_BAND = 62;
/** Pixels between labelled layers. */
const LABEL_PITCH = 20;
const TICK = { fill: 'var(--ink-2)', fontSize: 11 };
const TITLE = { fill: 'var(--ink)', fontSize: 12, offset: 12, style: { textAnchor: 'middle' } } as const;

/**
 * Figure 3 of the paper: conflicts as bars on the left axis, the preferred model's discarded share as a line on the right.
 * recharts lays out and draws the frame; the marks reach it through a context, past its own store.
 */
export function BarsChart({ frame, marks, width, height }: BarsChartProps) {
  return (
    <MarksContext value={marks}>
      <Frame frame={frame} width={width} height={height} />
    </MarksContext>
  );
}

const Frame = memo(function Frame({ frame, width, height }: Omit<BarsChartProps, 'marks'>) {
  const { groups, leftTicks, leftTitle, right, bottomTitle } = frame;
  const band = (width - PLOT.left - (right ? PLOT.right : PLOT.rightBare)) / groups.length;
  const axis = { interval: 0, type: 'number', tickLine: false, axisLine: false, tick: TICK } as const;
  return (
    <ComposedChart
      width={width}
      height={height}
      data={groups}
      margin={{ top: PLOT.top, right: right ? 0 : PLOT.rightBare, bottom: 0, left: 0 }}
      accessibilityLayer={false}
    >
      <CartesianGrid vertical={false} stroke="var(--line)" yAxisId="share" />
      <XAxis
        dataKey="key"
        scale="band"
        height={PLOT.bottom}
        interval={0}
        tickLine={false}
        axisLine={{ stroke: 'var(--ink-2)' }}
        tick={(tick: XAxisTickContentProps) => <GroupTick tick={tick} groups={groups} band={band} />}
        label={{ value: bottomTitle, position: 'insideBottom', offset: 2, fill: 'var(--ink-2)', fontSize: 12 }}
      />
      <YAxis
        {...axis}
        yAxisId="share"
        width={PLOT.left}
        domain={ends(leftTicks)}
        ticks={leftTicks}
        label={{ ...TITLE, value: leftTitle, angle: -90, position: 'insideLeft' }}
      />
      {right && (
        <YAxis
          {...axis}
          yAxisId="kept"
          orientation="right"
          width={PLOT.right}
          domain={ends(right.ticks)}
          ticks={right.ticks}
          label={{ ...TITLE, value: right.title, angle: 90, position: 'insideRight' }}
        />
      )}
      {/* recharts gives an axis without a series no scale, hence no ticks. */}
      <Line {...UNSEEN} yAxisId="share" />
      {right && <Line {...UNSEEN} yAxisId="kept" />}
      <BarMarks leftMax={ends(leftTicks)[1]} rightMax={right ? ends(right.ticks)[1] : 1} />
      <ComparedMarks leftMax={ends(leftTicks)[1]} rightMax={right ? ends(right.ticks)[1] : 1} />
    </ComposedChart>
  );
});

const UNSEEN = { dataKey: () => 0, stroke: 'none', dot: false, activeDot: false, legendType: 'none', isAnimationActive: false } as const;
const ends = (ticks: readonly number[]): [number, number] => [ticks[0]!, ticks[ticks.length - 1]!];

interface GroupTickProps {
  readonly tick: XAxisTickContentProps;
  readonly groups: BarsFrame['groups'];
  readonly band: number;
}
/** Labels under the bars: layers in steps that leave room, the groups outside the layers one row lower when it is narrow. */
function GroupTick({ tick, groups, band }: GroupTickProps) {
  const { index } = tick;
  const group = groups[index];
  if (!group) return null;
  const x = Number(tick.x);
  const y = Number(tick.y) + 10;
  if (group.apart && band < ROOMY_BAND) {
    const first = index === 0;
    return (
      <text {...TICK} x={x + (first ? -band / 2 : band / 2)} y={y + 14} textAnchor={first ? 'start' : 'end'}>
        {group.label}
      </text>
    );
  }
  const step = [1, 2, 5, 10, 20].find((every) => every * band >= LABEL_PITCH) ?? 50;
  // Modules have names, not numbers: the remainder is NaN and every one is labelled.
  if (Number(group.label) % step > 0) return null;
  return (
    <text {...TICK} x={x} y={y} textAnchor="middle">
      {group.label}
    </text>
  );
}
