import { useMemo, useState } from 'react';
import { colourScale } from '../../../analysis/scale';
import { showName } from '../../format';
import { MapLegend } from '../MapLegend';
import { AxisTicks, CellRing, LEFT, PlaneArea, PlaneCells, planeOf, TOP } from './plane';
import type { ScorePlane } from './scores';
import { SurfacePoint } from './SurfacePoint';

interface ScoreMapProps {
  readonly plane: ScorePlane;
  readonly metric: string;
  /** Models on the axes. */
  readonly models: readonly [number, number];
  readonly names: readonly [string, string];
  readonly symbols: readonly [string, string];
  /** The present densities where each is one number. */
  readonly present: readonly [number, number] | null;
  readonly width: number;
  readonly height: number;
}

const written = (value: number) => String(Number(value.toPrecision(4)));

/** Scores of merges validated elsewhere at their pairs of densities; the highest is marked. */
export function ScoreMap({ plane, metric, models, names, symbols, present, width, height }: ScoreMapProps) {
  const [pointed, setPointed] = useState<{ ix: number; iy: number } | null>(null);
  const { densities } = plane;
  const { axes, plotWidth, plotHeight } = useMemo(() => planeOf(densities, width, height), [densities, width, height]);
  const cells = useMemo(() => plane.cells.map(({ ix, iy, value }) => ({ ix, iy, value, text: written(value) })), [plane]);
  const ticks = useMemo(() => scaleOf(cells.map(({ value }) => value)), [cells]);
  const best = cells.reduce((one, next) => (next.value > one.value ? next : one));
  const hit = pointed && plane.cells.find(({ ix, iy }) => ix === pointed.ix && iy === pointed.iy);
  const here = present && plane.cells.find(({ ix, iy }) => densities[0][ix] === present[0] && densities[1][iy] === present[1]);
  const at = axes[0].pixel(densities[0][hit?.ix ?? 0]!);
  return (
    <>
      <svg className="charts-surface" width={width} height={height}>
        <g>
          <PlaneCells cells={cells} densities={densities} axes={axes} low={ticks[0]!} high={ticks.at(-1)!} hatch={null} />
        </g>
        <AxisTicks axis={axes[0]} densities={densities[0]} at={TOP + plotHeight} symbol={symbols[0]} title={`density of ${names[0]}`} across />
        <AxisTicks axis={axes[1]} densities={densities[1]} at={LEFT} symbol={symbols[1]} title={`density of ${names[1]}`} across={false} />
        <PlaneArea densities={densities} axes={axes} plotWidth={plotWidth} plotHeight={plotHeight} onPoint={setPointed} />
        <CellRing axes={axes} ix={best.ix} iy={best.iy} densities={densities} />
        {hit && <CellRing axes={axes} ix={hit.ix} iy={hit.iy} densities={densities} />}
        <SurfacePoint models={models} symbols={symbols} axes={axes} label={metric} here={here ? written(here.value) : 'no score'} snapshot={null} />
        <g className="charts-grid-label" aria-hidden="true">
          <MapLegend title={metric} ticks={ticks} x={LEFT} y={TOP + plotHeight + 50} width={Math.min(300, width - LEFT - 220)} hatch={null} aside={`framed: the highest, ${written(best.value)}`} />
        </g>
      </svg>
      {hit && (
        <div className="charts-tip" aria-hidden="true" style={{ top: Math.max(4, axes[1].pixel(densities[1][hit.iy]!) - 60), ...(at > width / 2 ? { right: width - at + 24 } : { left: at + 24 }) }}>
          <strong>
            k {symbols[0]} {densities[0][hit.ix]}, k {symbols[1]} {densities[1][hit.iy]}
          </strong>
          <table>
            <tbody>
              {Object.entries(hit.row.scores).map(([name, value]) => (
                <tr key={name}>
                  <td>{showName(name, 60)}</td>
                  <td className="number">{written(value)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}

/** Scores may be negative (log-likelihoods): the scale of shares is moved there and back. */
function scaleOf(values: readonly number[]): readonly number[] {
  const least = Math.min(...values);
  if (least >= 0) return colourScale(values, 5);
  const offset = 10 ** Math.ceil(Math.log10(-least));
  return colourScale(values.map((value) => value + offset), 5).map((tick) => Number((tick - offset).toPrecision(12)));
}
