import { memo, useId, useMemo, useState, type PointerEvent } from 'react';
import type { Aggregate } from '../../../analysis/aggregate';
import { estimate } from '../../../analysis/estimate';
import { formatCounts, formatEstimate, formatPercent } from '../../../analysis/format';
import { colourScale } from '../../../analysis/scale';
import { cellEdges, nearestDensity, surfaceShare, type Surface, type SurfaceFigure } from '../../../analysis/surface';
import type { Metric } from '../../../analysis/share';
import { comparedMetric, type Compared } from '../compared';
import { metricLabel } from '../labels';
import { rampColour, rampInk } from '../map-colours';
import { HatchPattern, MapLegend } from '../MapLegend';
import { SurfacePoint, type Axis, type Beside } from './SurfacePoint';
import { metricOf } from './useSurface';

interface SurfaceMapProps {
  readonly surface: Surface;
  readonly figure: SurfaceFigure;
  /** Models on the axes. */
  readonly x: number;
  readonly y: number;
  readonly names: readonly string[];
  readonly symbols: readonly [string, string];
  /** Figures of the scope at the present densities. */
  readonly aggregate: Aggregate;
  /** The compared snapshot and its figures of the same scope; null for none. */
  readonly compared: { readonly of: Compared; readonly aggregate: Aggregate } | null;
  readonly width: number;
  readonly height: number;
}

const LEFT = 62;
const TOP = 6;
const FOOT = 92;
/** Pixels a cell needs for its number. */
const ROOM_FOR_NUMBER = 40;

/** Heat map of one figure, one model's density across and the other's up, to one scale on both axes. */
export function SurfaceMap({ surface, figure, x, y, names, symbols, aggregate, compared, width, height }: SurfaceMapProps) {
  const { densitiesX, densitiesY } = surface;
  const id = useId();
  const hatch = surface.exactness === 'exact' ? null : `url(#${id})`;
  const [pointed, setPointed] = useState<{ ix: number; iy: number } | null>(null);
  const plotWidth = Math.max(60, width - LEFT - 12);
  const plotHeight = Math.max(60, height - TOP - FOOT);
  const across = useMemo(() => axisOf(densitiesX, LEFT, plotWidth), [densitiesX, plotWidth]);
  const up = useMemo(() => axisOf(densitiesY, TOP + plotHeight, -plotHeight), [densitiesY, plotHeight]);
  const ticks = useMemo(() => scaleOf(surface, figure), [surface, figure]);
  const metric = useMemo(() => metricOf(figure, x, y), [figure, x, y]);
  const { name, of } = metricLabel(metric, names);
  const onPointerMove = (event: PointerEvent<SVGRectElement>) => {
    const box = event.currentTarget.ownerSVGElement!.getBoundingClientRect();
    const ix = nearestDensity(densitiesX, across.density(event.clientX - box.left));
    const iy = nearestDensity(densitiesY, up.density(event.clientY - box.top));
    if (pointed?.ix !== ix || pointed.iy !== iy) setPointed({ ix, iy });
  };
  return (
    <>
      <svg className="charts-surface" width={width} height={height}>
        <HatchPattern id={id} />
        <g>
          <Cells surface={surface} figure={figure} across={across} up={up} low={ticks[0]!} high={ticks.at(-1)!} hatch={hatch} />
        </g>
        <AxisTicks axis={across} densities={densitiesX} at={TOP + plotHeight} symbol={symbols[0]} title={`density of ${names[x]}`} across />
        <AxisTicks axis={up} densities={densitiesY} at={LEFT} symbol={symbols[1]} title={`density of ${names[y]}`} across={false} />
        <rect
          className="charts-surface-area"
          x={LEFT}
          y={TOP}
          width={plotWidth}
          height={plotHeight}
          fill="transparent"
          onPointerMove={onPointerMove}
          onPointerLeave={() => setPointed(null)}
        />
        {pointed && <CellRing axes={[across, up]} ix={pointed.ix} iy={pointed.iy} densities={[densitiesX, densitiesY]} />}
        <SurfacePoint models={[x, y]} symbols={symbols} axes={[across, up]} metric={metric} label={`${name} / ${of}`} aggregate={aggregate} snapshot={compared && besideOf(compared, metric, [x, y])} />
        <g className="charts-grid-label" aria-hidden="true">
          <MapLegend
            title={`${name}, % of ${of}`}
            ticks={ticks}
            x={LEFT}
            y={TOP + plotHeight + 50}
            width={Math.min(300, width - LEFT - 190)}
            hatch={hatch}
            aside={surface.exactness === 'exact' ? 'exact' : surface.exactness === 'partial' ? 'partly an estimate from the sample' : 'estimate from the sample'}
          />
        </g>
      </svg>
      {pointed && <CellTip surface={surface} {...pointed} x={x} y={y} names={names} symbols={symbols} at={across.pixel(densitiesX[pointed.ix]!)} width={width} top={up.pixel(densitiesY[pointed.iy]!)} />}
    </>
  );
}

interface CellsProps {
  readonly surface: Surface;
  readonly figure: SurfaceFigure;
  readonly across: Axis;
  readonly up: Axis;
  /** Ends of the colour scale, percent. */
  readonly low: number;
  readonly high: number;
  /** Paint of estimates, null when all is exact. */
  readonly hatch: string | null;
}
/** Drawn again only when the counts or the size change, never while the point is dragged. */
const Cells = memo(function Cells({ surface, figure, across, up, low, high, hatch }: CellsProps) {
  const { densitiesX, densitiesY } = surface;
  const [left, bottom] = [cellEdges(densitiesX).map(across.pixel), cellEdges(densitiesY).map(up.pixel)];
  const cells = densitiesY.flatMap((ky, iy) =>
    densitiesX.flatMap((kx, ix) => {
      const { value } = surfaceShare(surface, figure, ix, iy);
      if (value === null) return [];
      const box = { x: left[ix]!, y: bottom[iy + 1]!, width: left[ix + 1]! - left[ix]!, height: bottom[iy]! - bottom[iy + 1]! };
      return [{ key: `${kx}/${ky}`, value, t: (value * 100 - low) / (high - low), box }];
    }),
  );
  const numbered = cells.filter(({ box }) => box.width >= ROOM_FOR_NUMBER && box.height >= 18);
  return (
    <>
      {cells.map(({ key, t, box }) => (
        // Half a pixel more, so that no seam shows between cells.
        <rect key={key} {...box} width={box.width + 0.5} height={box.height + 0.5} fill={rampColour(t)} />
      ))}
      {hatch && <rect x={left[0]} y={bottom.at(-1)} width={left.at(-1)! - left[0]!} height={bottom[0]! - bottom.at(-1)!} fill={hatch} />}
      {numbered.map(({ key, value, t, box }) => (
        // In the corner: through the middle go the lines of the point.
        <text key={key} className="charts-grid-number" x={box.x + 6} y={box.y + 13} fill={rampInk(t)}>
          {formatPercent(value).replace(/\u00a0%$/, '')}
        </text>
      ))}
    </>
  );
});

function CellRing({ axes, ix, iy, densities }: { axes: readonly [Axis, Axis]; ix: number; iy: number; densities: readonly [readonly number[], readonly number[]] }) {
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
function AxisTicks({ axis, densities, at, symbol, title, across }: AxisTicksProps) {
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

interface CellTipProps extends Pick<SurfaceMapProps, 'surface' | 'x' | 'y' | 'names' | 'symbols' | 'width'> {
  readonly ix: number;
  readonly iy: number;
  /** Pixels to the cell's middle. */
  readonly at: number;
  readonly top: number;
}
/** Every figure of a cell with its counts. The table of the chart says the same. */
function CellTip({ surface, ix, iy, x, y, names, symbols, at, top, width }: CellTipProps) {
  const figures: readonly SurfaceFigure[] = ['conflict', 'discardedX', 'discardedY', 'nonzeroX', 'nonzeroY'];
  const right = at > width / 2;
  return (
    <div className="charts-tip" aria-hidden="true" style={{ top: Math.max(4, top - 60), ...(right ? { right: width - at + 24 } : { left: at + 24 }) }}>
      <strong>
        k {symbols[0]} {surface.densitiesX[ix]}, k {symbols[1]} {surface.densitiesY[iy]}
      </strong>
      <table>
        <tbody>
          {figures.map((figure) => {
            const share = surfaceShare(surface, figure, ix, iy);
            const { name, of } = metricLabel(metricOf(figure, x, y), names);
            return (
              <tr key={figure}>
                <td>
                  {name} / {of}
                </td>
                <td className="number">{formatPercent(share.value)}</td>
                <td className="number counts">{formatCounts(share)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

/** Where the snapshot's densities of the two models are one number each: its point, with the figure its own merge counts. */
function besideOf({ of, aggregate }: NonNullable<SurfaceMapProps['compared']>, metric: Metric, axes: readonly [number, number]): Beside | null {
  const [kx, ky] = axes.map((model) => of.densities[of.models[model] ?? -1] ?? null);
  const own = comparedMetric(metric, of);
  if (kx == null || ky == null || own === null || !of.electing) return null;
  return { name: of.name, at: [Math.min(1, kx), Math.min(1, ky)], value: formatEstimate(estimate(own, aggregate)) };
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

function scaleOf(surface: Surface, figure: SurfaceFigure): readonly number[] {
  const { densitiesX, densitiesY } = surface;
  const values = densitiesY.flatMap((_, iy) => densitiesX.map((__, ix) => surfaceShare(surface, figure, ix, iy).value));
  return colourScale(values.flatMap((value) => (value === null ? [] : [value * 100])), 5);
}
