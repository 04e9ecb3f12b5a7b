import { useRef, type KeyboardEvent, type PointerEvent } from 'react';
import { useController, useStudio } from '../../studio';
import { COMPARED_COLOUR } from '../compared';

/** A density as a place on an axis, in pixels of the chart. */
export interface Axis {
  readonly ends: readonly [number, number];
  readonly pixel: (density: number) => number;
  readonly density: (pixel: number) => number;
}
interface SurfacePointProps {
  /** Models whose densities these are, across and up. */
  readonly models: readonly [number, number];
  readonly symbols: readonly [string, string];
  readonly axes: readonly [Axis, Axis];
  /** What the plane shows. */
  readonly label: string;
  /** Its value at the present densities, written out. */
  readonly here: string;
  /** The compared snapshot's pair, with its figure written out; null where there is none. */
  readonly snapshot: Beside | null;
}
export interface Beside {
  readonly name: string;
  readonly at: readonly [number, number];
  readonly value: string;
}

/** As the sliders have it. */
const LEAST = 0.01;
const STEPS = 100;
const LARGE_STEP = 0.1;
const onSlider = (k: number) => Math.min(1, Math.max(LEAST, Math.round(k * STEPS) / STEPS));

/** The present pair of densities: the two sliders as one thing that is dragged or moved by the arrow keys. */
export function SurfacePoint({ models, symbols, axes, label, here, snapshot }: SurfacePointProps) {
  const controller = useController();
  const handle = useRef<SVGGElement>(null);
  const settings = useStudio((state) => state.decisions.present.recipe.models);
  const [kx, ky] = [settings[models[0]]?.density, settings[models[1]]?.density];
  // One density for all tensors is a point; a curve over layers is none.
  if (typeof kx !== 'number' || typeof ky !== 'number') {
    return (
      <text className="charts-grid-label" x={(axes[0].ends[0] + axes[0].ends[1]) / 2} y={Math.min(...axes[1].ends) + 16} textAnchor="middle">
        A density is set per layer or filter, so the recipe is no single point here.
      </text>
    );
  }
  const move = (x: number, y: number) => {
    const [nextX, nextY] = [onSlider(x), onSlider(y)];
    // One key for both: a drag is one step of undo.
    const key = `densities ${models.join()}`;
    if (nextX !== kx) controller.setModel(models[0], { density: nextX }, key);
    if (nextY !== ky) controller.setModel(models[1], { density: nextY }, key);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = event.shiftKey ? LARGE_STEP : 1 / STEPS;
    const to = { ArrowLeft: [kx - step, ky], ArrowRight: [kx + step, ky], ArrowUp: [kx, ky + step], ArrowDown: [kx, ky - step] }[event.key];
    if (!to) return;
    event.preventDefault();
    move(to[0]!, to[1]!);
  };
  const onPointerMove = (event: PointerEvent<SVGGElement>) => {
    if (!event.currentTarget.hasPointerCapture(event.pointerId)) return;
    const box = event.currentTarget.ownerSVGElement!.getBoundingClientRect();
    move(axes[0].density(event.clientX - box.left), axes[1].density(event.clientY - box.top));
  };
  const [x, y] = [axes[0].pixel(kx), axes[1].pixel(ky)];
  const [left, right] = axes[0].ends;
  // Beneath, since a cell's number stands in its upper corner; above where there is no room.
  const beside = y + 24 < Math.max(...axes[1].ends) ? y + 20 : y - 10;
  return (
    <g>
      {snapshot && <BesideMark beside={snapshot} axes={axes} />}
      <g className="charts-surface-cross" aria-hidden="true">
        <line x1={left} x2={x - 9} y1={y} y2={y} />
        <line x1={x} x2={x} y1={y + 9} y2={axes[1].ends[0]} />
      </g>
      <g
        ref={handle}
        className="charts-surface-point"
        role="slider"
        tabIndex={0}
        aria-label={`Densities k_${symbols[0]} (left, right) and k_${symbols[1]} (up, down)`}
        aria-valuemin={LEAST}
        aria-valuemax={1}
        aria-valuenow={kx}
        aria-valuetext={`k_${symbols[0]} ${kx}, k_${symbols[1]} ${ky}: ${label} ${here}${snapshot ? `; ${snapshot.name}, k_${symbols[0]} ${snapshot.at[0]}, k_${symbols[1]} ${snapshot.at[1]}: ${snapshot.value}` : ''}`}
        onKeyDown={onKeyDown}
        onBlur={() => controller.settle()}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          event.currentTarget.focus();
        }}
        onPointerMove={onPointerMove}
        onPointerUp={() => controller.settle()}
      >
        <circle cx={x} cy={y} r={14} fill="transparent" />
        <circle className="charts-surface-halo" cx={x} cy={y} r={7.5} />
        <circle className="charts-surface-dot" cx={x} cy={y} r={5} />
      </g>
      <text className="charts-surface-here" x={x + (x > right - 130 ? -14 : 14)} y={beside} textAnchor={x > right - 130 ? 'end' : 'start'}>
        {here}
      </text>
    </g>
  );
}

/** The snapshot's pair: a diamond with its name and figure above it, clear of the text of the present one. */
function BesideMark({ beside: { name, at, value }, axes }: { beside: Beside; axes: SurfacePointProps['axes'] }) {
  const [x, y] = [axes[0].pixel(at[0]), axes[1].pixel(at[1])];
  const before = x > axes[0].ends[1] - 180;
  return (
    <g aria-hidden="true" pointerEvents="none">
      <path d={`M${x} ${y - 8}l8 8l-8 8l-8-8z`} fill="var(--surface)" stroke={COMPARED_COLOUR} strokeWidth={2.5} />
      <text className="charts-surface-here" x={x + (before ? -14 : 14)} y={Math.max(16, y - 12)} textAnchor={before ? 'end' : 'start'}>
        {name}: {value}
      </text>
    </g>
  );
}
