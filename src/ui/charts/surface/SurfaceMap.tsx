import { useId, useMemo, useState } from 'react';
import type { Aggregate } from '../../../analysis/aggregate';
import { estimate } from '../../../analysis/estimate';
import { formatCounts, formatEstimate, formatPercent } from '../../../analysis/format';
import { colourScale } from '../../../analysis/scale';
import { surfaceShare, type Surface, type SurfaceFigure } from '../../../analysis/surface';
import type { Metric } from '../../../analysis/share';
import { comparedMetric, type Compared } from '../compared';
import { metricLabel } from '../labels';
import { HatchPattern, MapLegend } from '../MapLegend';
import { AxisTicks, CellRing, LEFT, PlaneArea, PlaneCells, planeOf, TOP, type PlaneCell } from './plane';
import { SurfacePoint, type Beside } from './SurfacePoint';
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

/** Heat map of one figure, one model's density across and the other's up, to one scale on both axes. */
export function SurfaceMap({ surface, figure, x, y, names, symbols, aggregate, compared, width, height }: SurfaceMapProps) {
  const { densitiesX, densitiesY } = surface;
  const id = useId();
  const hatch = surface.exactness === 'exact' ? null : `url(#${id})`;
  const [pointed, setPointed] = useState<{ ix: number; iy: number } | null>(null);
  const densities = useMemo(() => [densitiesX, densitiesY] as const, [densitiesX, densitiesY]);
  const { axes, plotWidth, plotHeight } = useMemo(() => planeOf(densities, width, height), [densities, width, height]);
  const [across, up] = axes;
  const cells = useMemo(() => cellsOf(surface, figure), [surface, figure]);
  const ticks = useMemo(() => scaleOf(surface, figure), [surface, figure]);
  const metric = useMemo(() => metricOf(figure, x, y), [figure, x, y]);
  const { name, of } = metricLabel(metric, names);
  return (
    <>
      <svg className="charts-surface" width={width} height={height}>
        <HatchPattern id={id} />
        <g>
          <PlaneCells cells={cells} densities={densities} axes={axes} low={ticks[0]! / 100} high={ticks.at(-1)! / 100} hatch={hatch} />
        </g>
        <AxisTicks axis={across} densities={densitiesX} at={TOP + plotHeight} symbol={symbols[0]} title={`density of ${names[x]}`} across />
        <AxisTicks axis={up} densities={densitiesY} at={LEFT} symbol={symbols[1]} title={`density of ${names[y]}`} across={false} />
        <PlaneArea densities={densities} axes={axes} plotWidth={plotWidth} plotHeight={plotHeight} onPoint={setPointed} />
        {pointed && <CellRing axes={axes} ix={pointed.ix} iy={pointed.iy} densities={densities} />}
        <SurfacePoint models={[x, y]} symbols={symbols} axes={axes} label={`${name} / ${of}`} here={formatEstimate(estimate(metric, aggregate))} snapshot={compared && besideOf(compared, metric, [x, y])} />
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

/** Every cell that has a value, its number without the sign. */
function cellsOf(surface: Surface, figure: SurfaceFigure): PlaneCell[] {
  const { densitiesX, densitiesY } = surface;
  return densitiesY.flatMap((_, iy) =>
    densitiesX.flatMap((__, ix) => {
      const { value } = surfaceShare(surface, figure, ix, iy);
      return value === null ? [] : [{ ix, iy, value, text: formatPercent(value).replace(/\u00a0%$/, '') }];
    }),
  );
}

function scaleOf(surface: Surface, figure: SurfaceFigure): readonly number[] {
  const { densitiesX, densitiesY } = surface;
  const values = densitiesY.flatMap((_, iy) => densitiesX.map((__, ix) => surfaceShare(surface, figure, ix, iy).value));
  return colourScale(values.flatMap((value) => (value === null ? [] : [value * 100])), 5);
}
