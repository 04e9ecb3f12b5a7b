import { memo, useId, useMemo, useRef, useState, type KeyboardEvent, type SVGProps } from 'react';
import type { Breakdown } from '../../analysis/aggregate';
import type { Metric } from '../../analysis/share';
import type { ModuleKind } from '../../checkpoint/types';
import type { Hover } from '../../state/types';
import type { TensorFigures } from '../../worker/protocol';
import { useController, useStudio } from '../studio';
import { metricLabel, MODULES, placeLabel } from './labels';
import { cellName, type Measure } from './map-measure';
import { HatchPattern, MapLegend } from './MapLegend';
import { isLit } from './selection';
import { ShareTip } from './ShareTip';
import type { MapCell } from './types';

interface MapGridProps {
  readonly breakdown: Breakdown<ModuleKind, TensorFigures>;
  readonly metric: Metric;
  readonly measure: Measure;
  readonly names: readonly string[];
  readonly selected: MapCell | null;
  readonly width: number;
  readonly height: number;
  readonly onPick: (cell: MapCell) => void;
}

const LABELS = 62;
const FOOT = 84;
const OUTSIDE_GAP = 10;
const OUTSIDE_WIDTH = 56;
/** Pixels a cell needs for its number. */
const ROOM_FOR_NUMBER = 34;

/** Modules down, layers across, the tensors outside the layers in a column of their own at the right. */
export const MapGrid = memo(function MapGrid({ breakdown, metric, measure, names, selected, width, height, onPick }: MapGridProps) {
  const id = useId();
  const { columns, rows, at } = useMemo(() => gridOf(breakdown), [breakdown]);
  const { ticks, colour, ink } = measure;
  const controller = useController();
  const [pointed, setShown] = useState<{ row: number; column: number } | null>(null);
  const setPointed = (place: { row: number; column: number } | null) => {
    setShown(place);
    controller.setHover(place && { layer: columns[place.column] ?? null, module: rows[place.row] ?? null, tensor: null });
  };
  const [focused, setFocused] = useState({ row: 0, column: 0 });
  const grid = useRef<SVGSVGElement>(null);

  const layers = columns.filter((layer) => layer !== null).length;
  const outside = columns.length > layers;
  const cellWidth = Math.min(88, (width - LABELS - (outside ? OUTSIDE_GAP + OUTSIDE_WIDTH : 0) - 2) / Math.max(1, layers));
  const cellHeight = Math.min(60, (height - FOOT) / rows.length);
  const left = (column: number) => LABELS + column * cellWidth + (columns[column] === null && layers > 0 ? OUTSIDE_GAP : 0);
  const wide = (column: number) => (columns[column] === null ? OUTSIDE_WIDTH : cellWidth);
  const bottom = rows.length * cellHeight;
  const { name, of } = metricLabel(metric, names);
  const [low, high] = [ticks[0]!, ticks[ticks.length - 1]!];
  const row = Math.min(focused.row, rows.length - 1);
  const column = Math.min(focused.column, columns.length - 1);
  const tip = pointed && at(pointed.row, pointed.column);

  const onKeyDown = (event: KeyboardEvent) => {
    const lastRow = rows.length - 1;
    const lastColumn = columns.length - 1;
    const to = {
      ArrowUp: [row - 1, column],
      ArrowDown: [row + 1, column],
      ArrowLeft: [row, column - 1],
      ArrowRight: [row, column + 1],
      Home: [event.ctrlKey ? 0 : row, 0],
      End: [event.ctrlKey ? lastRow : row, lastColumn],
    }[event.key];
    if (to) {
      event.preventDefault();
      const next = { row: Math.min(Math.max(to[0]!, 0), lastRow), column: Math.min(Math.max(to[1]!, 0), lastColumn) };
      setFocused(next);
      grid.current!.querySelectorAll<SVGGElement>('[role="gridcell"]')[next.row * columns.length + next.column]?.focus();
    } else if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      const cell = at(row, column);
      if (cell) onPick(cell);
    }
  };
  const step = [1, 2, 5, 10, 20].find((every) => every * cellWidth >= 20) ?? 50;
  return (
    <>
      <svg
        ref={grid}
        className="charts-grid"
        role="grid"
        aria-label={`${name} / ${of}, modules by layers`}
        width={width}
        height={Math.min(height, bottom + FOOT)}
        onKeyDown={onKeyDown}
        onPointerLeave={() => setPointed(null)}
        onBlur={() => setPointed(null)}
      >
        <HatchPattern id={id} />
        <g role="row" className="charts-grid-label" textAnchor="middle">
          <text role="columnheader" x={LABELS - 8} y={bottom + 15} textAnchor="end">
            Module
          </text>
          {columns.map((layer, c) => (
            <text key={c} role="columnheader" aria-label={layer === null ? 'Outside the layers' : `Layer ${layer}`} x={left(c) + wide(c) / 2} y={bottom + 15}>
              {layer === null ? 'outside' : layer % step === 0 ? layer : ''}
            </text>
          ))}
        </g>
        {rows.map((module, r) => (
          <g key={module} role="row">
            <text role="rowheader" className="charts-grid-label" x={LABELS - 8} y={(r + 0.5) * cellHeight} dominantBaseline="central" textAnchor="end">
              {module}
            </text>
            {columns.map((layer, c) => {
              const cell = at(r, c);
              const shown = cell && measure.shown(cell);
              const t = shown ? (shown.value - low) / (high - low) : null;
              const exactness = cell?.aggregate.exactness;
              const box = { x: left(c) + 1, y: r * cellHeight + 1, width: Math.max(1, wide(c) - 2), height: Math.max(1, cellHeight - 2) };
              return (
                <g
                  key={c}
                  role="gridcell"
                  tabIndex={r === row && c === column ? 0 : -1}
                  aria-selected={cell !== undefined && cell === selected}
                  aria-label={cell ? cellName(cell, name, measure) : `${placeLabel({ layer, module })}: no tensor`}
                  onClick={() => cell && onPick(cell)}
                  onFocus={() => {
                    setFocused({ row: r, column: c });
                    setPointed({ row: r, column: c });
                  }}
                  onPointerEnter={() => setPointed({ row: r, column: c })}
                >
                  <rect {...box} fill={t === null ? 'transparent' : colour(t)} />
                  {cell && exactness !== 'exact' && <rect {...box} fill={`url(#${id})`} />}
                  {((r === row && c === column) || (cell && cell === selected)) && (
                    <rect className="charts-ring" x={box.x + 2.5} y={box.y + 2.5} width={Math.max(1, box.width - 5)} height={Math.max(1, box.height - 5)} fill="none" />
                  )}
                  {!cell && <circle cx={left(c) + wide(c) / 2} cy={(r + 0.5) * cellHeight} r={1.5} fill="var(--ink-2)" opacity={0.5} />}
                  {t !== null && wide(c) >= ROOM_FOR_NUMBER && cellHeight >= 18 && (
                    <text
                      className="charts-grid-number"
                      x={left(c) + wide(c) / 2}
                      y={(r + 0.5) * cellHeight}
                      dominantBaseline="central"
                      textAnchor="middle"
                      fill={ink(t)}
                      aria-hidden="true"
                    >
                      {shown!.number}
                    </text>
                  )}
                </g>
              );
            })}
          </g>
        ))}
        <MapLight
          boxes={rows.flatMap((module, r) =>
            columns.flatMap((layer, c) => (at(r, c) ? [{ place: { layer, module, tensor: null }, x: left(c) + 1, y: r * cellHeight + 1, width: Math.max(1, wide(c) - 2), height: Math.max(1, cellHeight - 2) }] : [])),
          )}
        />
        <g className="charts-grid-label" aria-hidden="true">
          {layers > 0 && (
            <text x={LABELS + (layers * cellWidth) / 2} y={bottom + 32} textAnchor="middle">
              Layer
            </text>
          )}
          <MapLegend
            title={measure.title}
            colour={colour}
            ticks={ticks}
            x={LABELS}
            y={bottom + 44}
            width={Math.min(300, width - LABELS - 190)}
            hatch={breakdown.total.exactness === 'exact' ? null : `url(#${id})`}
          />
        </g>
      </svg>
      {tip && pointed && (
        <ShareTip
          title={placeLabel(tip)}
          aggregate={tip.aggregate}
          lines={measure.tip(tip)}
          at={left(pointed.column) + wide(pointed.column) / 2}
          width={width}
          edges={[pointed.row * cellHeight, (pointed.row + 1) * cellHeight]}
        />
      )}
    </>
  );
});

interface LitBox extends SVGProps<SVGRectElement> {
  readonly place: Hover;
}
/** Frames of the cells that are pointed at, here or anywhere else; of its own, so that pointing does not draw the map again. */
function MapLight({ boxes }: { readonly boxes: readonly LitBox[] }) {
  const hover = useStudio((state) => state.hover);
  return (
    <g className="charts-lit" aria-hidden="true">
      {boxes.map(({ place, ...box }) => isLit(hover, place) && <rect key={`${place.layer} ${place.module}`} {...box} />)}
    </g>
  );
}

/** Rows and columns that have a tensor. */
function gridOf({ cells }: MapGridProps['breakdown']) {
  const columns = [...new Set(cells.map(({ layer }) => layer))];
  const rows = MODULES.filter((module) => cells.some((cell) => cell.module === module));
  const byPlace = new Map(cells.map((cell) => [`${cell.layer ?? ''}/${cell.module}`, cell]));
  const at = (row: number, column: number): MapCell | undefined => byPlace.get(`${columns[column] ?? ''}/${rows[row]}`);
  return { columns, rows, at };
}
