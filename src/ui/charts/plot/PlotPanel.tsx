import { Fragment, type ReactNode } from 'react';
import type { Exactness } from '../../../analysis/aggregate';
import { pixelOf, type Axis } from './axes';

export interface PlotPoint {
  readonly x: number;
  readonly y: number;
  /** Interval of `y`; absent where exact. */
  readonly low?: number;
  readonly high?: number;
  readonly exactness: Exactness;
}
export interface PlotLine {
  readonly key: string;
  readonly colour: string;
  readonly dash?: string;
  readonly width?: number;
  readonly opacity?: number;
  readonly mark: 'circle' | 'square' | 'none';
  readonly points: readonly PlotPoint[];
  /** Keys of points that the line does not join, such as what lies outside the layers. */
  readonly apart?: ReadonlySet<number>;
  readonly axis?: 'left' | 'right';
}
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}
export interface PlotPanelProps {
  /** Where the plot itself lies; labels are outside it. */
  readonly box: Box;
  readonly x: Axis;
  readonly left: Axis;
  readonly right?: Axis | null;
  readonly lines: readonly PlotLine[];
  /** Whether the axis beneath has labels: of two panels above each other only the lower one does. */
  readonly labelled?: boolean;
  /** Drawn over the grid and under the lines. */
  readonly children?: ReactNode;
}

/** Pixels around a panel for its labels. */
export const MARGINS = { top: 10, left: 58, right: 58, bare: 16, bottom: 40 } as const;
const TEXT = { fontSize: 11, fill: 'var(--ink-2)', stroke: 'none' } as const;
const TITLE = { fontSize: 12, fill: 'var(--ink)', stroke: 'none', textAnchor: 'middle' } as const;

/** The box of a single panel in a chart of this size. */
export function panelBox(width: number, height: number, right: boolean): Box {
  return { x: MARGINS.left, y: MARGINS.top, width: width - MARGINS.left - (right ? MARGINS.right : MARGINS.bare), height: height - MARGINS.top - MARGINS.bottom };
}

/** Lines over a grid, one or two ordinates. An estimate is a hollow point with a whisker, an exact count a solid one. */
export function PlotPanel({ box, x, left, right = null, lines, labelled = true, children }: PlotPanelProps) {
  const bottom = box.y + box.height;
  const atX = pixelOf(x, box.x, box.x + box.width);
  const onLeft = pixelOf(left, bottom, box.y);
  const onRight = right ? pixelOf(right, bottom, box.y) : onLeft;
  return (
    <g>
      {left.ticks.map(({ at, label }) => (
        <Fragment key={at}>
          <line x1={box.x} x2={box.x + box.width} y1={onLeft(at)} y2={onLeft(at)} stroke="var(--line)" />
          <text {...TEXT} x={box.x - 6} y={onLeft(at) + 4} textAnchor="end">
            {label}
          </text>
        </Fragment>
      ))}
      <text {...TITLE} transform={`translate(${box.x - 44},${box.y + box.height / 2}) rotate(-90)`}>
        {left.title}
      </text>
      {right?.ticks.map(({ at, label }) => (
        <text {...TEXT} key={at} x={box.x + box.width + 6} y={onRight(at) + 4} textAnchor="start">
          {label}
        </text>
      ))}
      {right && (
        <text {...TITLE} transform={`translate(${box.x + box.width + 48},${box.y + box.height / 2}) rotate(90)`}>
          {right.title}
        </text>
      )}
      <line x1={box.x} x2={box.x + box.width} y1={bottom} y2={bottom} stroke="var(--ink-2)" />
      {labelled && (
        <>
          {x.ticks.map(({ at, label, end }) => (
            <Fragment key={at}>
              <line x1={atX(at)} x2={atX(at)} y1={bottom} y2={bottom + 4} stroke="var(--ink-2)" />
              {end === undefined ? (
                <text {...TEXT} x={atX(at)} y={bottom + 16} textAnchor="middle">
                  {label}
                </text>
              ) : (
                <text {...TEXT} x={end === 'first' ? box.x : box.x + box.width} y={bottom + 32} textAnchor={end === 'first' ? 'start' : 'end'}>
                  {label}
                </text>
              )}
            </Fragment>
          ))}
          <text {...TITLE} x={box.x + box.width / 2} y={bottom + 34} fill="var(--ink-2)">
            {x.title}
          </text>
        </>
      )}
      {children}
      {lines.map((line) => (
        <LineMarks key={line.key} line={line} atX={atX} atY={line.axis === 'right' ? onRight : onLeft} />
      ))}
    </g>
  );
}

interface LineMarksProps {
  readonly line: PlotLine;
  readonly atX: (value: number) => number;
  readonly atY: (value: number) => number;
}
function LineMarks({ line, atX, atY }: LineMarksProps) {
  const { colour, dash, width = 2, opacity, mark, points, apart } = line;
  const path = points
    .filter(({ x }) => !apart?.has(x))
    .map(({ x, y }) => `${atX(x).toFixed(1)},${atY(y).toFixed(1)}`)
    .join(' ');
  return (
    <g stroke={colour} fill="none" opacity={opacity}>
      <polyline points={path} strokeWidth={width} strokeDasharray={dash} strokeLinecap="round" />
      {/* By place in the line: two points may share an abscissa, such as two checkpoints of equal tokens. */}
      {points.map(({ x, low, high }, i) =>
        low === undefined || high === undefined ? null : (
          <path key={i} d={`M${atX(x) - 3} ${atY(high)}h6M${atX(x)} ${atY(high)}V${atY(low)}M${atX(x) - 3} ${atY(low)}h6`} strokeWidth={1.25} />
        ),
      )}
      {mark !== 'none' &&
        points.map(({ x, y, exactness }, i) => {
          const look = exactness === 'exact' ? { fill: colour, stroke: 'var(--surface)', strokeWidth: 1 } : { fill: 'var(--surface)', strokeWidth: 1.75 };
          return mark === 'circle' ? (
            <circle key={i} cx={atX(x)} cy={atY(y)} r={3.75} {...look} />
          ) : (
            <rect key={i} x={atX(x) - 3.25} y={atY(y) - 3.25} width={6.5} height={6.5} {...look} />
          );
        })}
    </g>
  );
}
