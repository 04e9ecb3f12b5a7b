/** The plane of two densities that the surface and the scores are drawn on. */
import { memo, useState, type PointerEvent } from 'react';
import { cellEdges, nearestDensity } from '../../../analysis/surface';
import { rampColour, rampInk } from '../map-colours';
import type { Axis } from './SurfacePoint';

/** Pixels left of the plot, above it and below it. */
export const LEFT = 62;
export const TOP = 6;
export const FOOT = 92;
/** Pixels a cell needs for its number. */
const ROOM_FOR_NUMBER = 40;

/** A value at a pair of densities. */
export interface PlaneCell {
  readonly ix: number;
  readonly iy: number;
  readonly value: number;
  /** As it stands in the cell. */
  readonly text: string;
}
export type Densities = readonly [readonly number[], readonly number[]];

/** Where the densities lie in a chart of this size, and how large the plot is. */
export function planeOf(densities: Densities, width: number, height: number): { axes: readonly [Axis, Axis]; plotWidth: number; plotHeight: number } {
  const plotWidth = Math.max(60, width - LEFT - 12);
  const plotHeight = Math.max(60, height - TOP - FOOT);
  return { axes: [axisOf(densities[0], LEFT, plotWidth), axisOf(densities[1], TOP + plotHeight, -plotHeight)], plotWidth, plotHeight };
}

interface PlaneCellsProps {
  readonly cells: readonly PlaneCell[];
  readonly densities: Densities;
  readonly axes: readonly [Axis, Axis];
  /** Ends of the colour scale. */
  readonly low: number;
  readonly high: number;
  /** Paint over estimates, null when all is exact. */
  readonly hatch: string | null;
}
/** Drawn again only when the values or the size change, never while the point is dragged. */
export const PlaneCells = memo(function PlaneCells({ cells, densities, axes, low, high, hatch }: PlaneCellsProps) {
  const [left, bottom] = [cellEdges(densities[0]).map(axes[0].pixel), cellEdges(densities[1]).map(axes[1].pixel)];
  const drawn = cells.map(({ ix, iy, value, text }) => ({
    key: `${ix}/${iy}`,
    text,
    t: (value - low) / (high - low),
    box: { x: left[ix]!, y: bottom[iy + 1]!, width: left[ix + 1]! - left[ix]!, height: bottom[iy]! - bottom[iy + 1]! },
  }));
  const numbered = drawn.filter(({ box }) => box.width >= ROOM_FOR_NUMBER && box.height >= 18);
  return (
    <>
      {drawn.map(({ key, t, box }) => (
        // Half a pixel more, so that no seam shows between cells.
        <rect key={key} {...box} width={box.width + 0.5} height={box.height + 0.5} fill={rampColour(t)} />
      ))}
      {hatch && <rect x={left[0]} y={bottom.at(-1)} width={left.at(-1)! - left[0]!} height={bottom[0]! - bottom.at(-1)!} fill={hatch} />}
      {numbered.map(({ key, text, t, box }) => (
        // In the corner: through the middle go the lines of the point.
        <text key={key} className="charts-grid-number" x={box.x + 6} y={box.y + 13} fill={rampInk(t)}>
          {text}
        </text>
      ))}
    </>
  );
});

interface PlaneAreaProps {
  readonly densities: Densities;
  readonly axes: readonly [Axis, Axis];
  readonly plotWidth: number;
  readonly plotHeight: number;
  readonly onPoint: (cell: { ix: number; iy: number } | null) => void;
}
/** Takes the pointer over the plot: `onPoint` hears of each cell it enters. */
export function PlaneArea({ densities, axes, plotWidth, plotHeight, onPoint }: PlaneAreaProps) {
  const [last, setLast] = useState<string | null>(null);
  const onPointerMove = (event: PointerEvent<SVGRectElement>) => {
    const box = event.currentTarget.ownerSVGElement!.getBoundingClientRect();
    const ix = nearestDensity(densities[0], axes[0].density(event.clientX - box.left));
    const iy = nearestDensity(densities[1], axes[1].density(event.clientY - box.top));
    if (last === `${ix}/${iy}`) return;
    setLast(`${ix}/${iy}`);
    onPoint({ ix, iy });
  };
  const onPointerLeave = () => {
    setLast(null);
    onPoint(null);
  };
  return <rect className="charts-surface-area" x={LEFT} y={TOP} width={plotWidth} height={plotHeight} fill="transparent" onPointerMove={onPointerMove} onPointerLeave={onPointerLeave} />;
}

export function CellRing({ axes, ix, iy, densities }: { axes: readonly [Axis, Axis]; ix: number; iy: number; densities: Densities }) {
  const [xs, ys] = [cellEdges(densities[0]).map(axes[0].pixel), cellEdges(densities[1]).map(axes[1].pixel)];
  const [x, y] = [xs[ix]!, ys[iy + 1]!];
  return <rect className="charts-surface-ring" x={x} y={y} width={xs[ix + 1]! - x} height={ys[iy]! - y} fill="none" />;
}

interface AxisTicksProps {
  readonly axis: Axis;
  readonly densities: readonly number[];
  /** Pixels of the axis on the other one. */
  readonly at: number;
  /** Subscript of k. */
  readonly symbol: string;
  readonly title: string;
  readonly across: boolean;
}
export function AxisTicks({ axis, densities, at, symbol, title, across }: AxisTicksProps) {
  // Of a fine grid every eighth: 0.2, 0.4, ...
  const labelled = densities.filter((_, i) => i === 0 || densities.length <= 10 || i % 8 === 0);
  const [from, to] = axis.ends;
  const middle = (from + to) / 2;
  const label = (
    <>
      <tspan fontStyle="italic">k</tspan>
      <tspan dy={3} fontSize={9}>
        {symbol}
      </tspan>
      <tspan dy={-3}>, {title}</tspan>
    </>
  );
  return (
    <g className="charts-grid-label">
      {labelled.map((k) =>
        across ? (
          <text key={k} x={axis.pixel(k)} y={at + 15} textAnchor="middle">
            {k}
          </text>
        ) : (
          <text key={k} x={at - 6} y={axis.pixel(k)} textAnchor="end" dominantBaseline="central">
            {k}
          </text>
        ),
      )}
      {across ? (
        <text x={middle} y={at + 32} textAnchor="middle">
          {label}
        </text>
      ) : (
        <text x={14} y={middle} textAnchor="middle" transform={`rotate(-90 14 ${middle})`}>
          {label}
        </text>
      )}
    </g>
  );
}

function axisOf(densities: readonly number[], from: number, length: number): Axis {
  const edges = cellEdges(densities);
  const [low, high] = [edges[0]!, edges.at(-1)!];
  return {
    ends: [from, from + length],
    pixel: (k) => from + ((k - low) / (high - low)) * length,
    density: (pixel) => low + ((pixel - from) / length) * (high - low),
  };
}
