import { useRef, type KeyboardEvent, type PointerEvent } from 'react';
import { layerOfPoint, MAX_POINTS, resampled, withPoint } from '../../recipe/curves';
import { useSize } from '../charts/useSize';
import { useController, useStudio } from '../studio';
import { NumberBox } from './NumberBox';

interface CurveEditorProps {
  /** What the curve is of: `Density of sft (k_sft)`. */
  readonly name: string;
  readonly points: readonly number[];
  /** Of the drawing; values beyond widen it. */
  readonly min: number;
  readonly max: number;
  readonly step: number;
  /** Layers of the base. */
  readonly layers: number;
  readonly accepts: (value: number) => boolean;
  readonly onChange: (points: readonly number[]) => void;
  readonly onSettle: () => void;
}

const HEIGHT = 84;
const INSET = 8;

/** A gradient as a curve over the layers: points are dragged, moved by arrow keys, or typed. */
export function CurveEditor({ name, points, min, max, step, layers, accepts, onChange, onSettle }: CurveEditorProps) {
  const { ref, width } = useSize<HTMLDivElement>();
  const controller = useController();
  const pointed = useStudio((state) => state.hover?.layer ?? null);
  const held = useRef<number | null>(null);
  const handles = useRef<HTMLDivElement>(null);
  const low = Math.min(min, ...points);
  const high = Math.max(max, ...points);
  const atX = (i: number) => INSET + (points.length < 2 ? 0.5 : i / (points.length - 1)) * Math.max(0, width - 2 * INSET);
  const atLayer = (layer: number) => INSET + (layers < 2 ? 0.5 : layer / (layers - 1)) * Math.max(0, width - 2 * INSET);
  const atY = (value: number) => HEIGHT - INSET - ((value - low) / (high - low || 1)) * (HEIGHT - 2 * INSET);
  const set = (index: number, value: number) => {
    const next = Number((Math.round(Math.min(high, Math.max(low, value)) / step) * step).toPrecision(6));
    if (accepts(next) && next !== points[index]) onChange(withPoint(points, index, next));
  };
  const valueOf = (event: PointerEvent) => {
    const { top } = ref.current!.getBoundingClientRect();
    return low + ((HEIGHT - INSET - (event.clientY - top)) / (HEIGHT - 2 * INSET)) * (high - low);
  };
  const nearest = (event: PointerEvent) => {
    const x = event.clientX - ref.current!.getBoundingClientRect().left;
    return points.reduce((best, _, i) => (Math.abs(atX(i) - x) < Math.abs(atX(best) - x) ? i : best), 0);
  };
  const focus = (index: number) => (handles.current!.children[Math.min(points.length - 1, Math.max(0, index))] as HTMLElement | undefined)?.focus();
  const onKeyDown = (index: number) => (event: KeyboardEvent) => {
    const by = { ArrowUp: step, ArrowDown: -step, PageUp: 10 * step, PageDown: -10 * step }[event.key];
    const to = { ArrowLeft: index - 1, ArrowRight: index + 1 }[event.key];
    if (by !== undefined) set(index, points[index]! + by);
    else if (to !== undefined) focus(to);
    else if (event.key === 'Home') set(index, low);
    else if (event.key === 'End') set(index, high);
    else return;
    event.preventDefault();
  };
  const light = (index: number | null) =>
    controller.setHover(index === null || layers === 0 ? null : { layer: Math.round(layerOfPoint(index, points.length, layers)), module: null, tensor: null });
  const recount = (count: number) => {
    onSettle();
    onChange(resampled(points, count));
    onSettle();
  };
  return (
    <div className="curve" role="group" aria-label={`${name} along the layers`}>
      <div
        className="curve-stage"
        ref={ref}
        onPointerDown={(event) => {
          if (event.button !== 0) return;
          event.currentTarget.setPointerCapture(event.pointerId);
          held.current = nearest(event);
          set(held.current, valueOf(event));
        }}
        onPointerMove={(event) => {
          light(held.current ?? nearest(event));
          if (held.current !== null) set(held.current, valueOf(event));
        }}
        onPointerLeave={() => light(null)}
        onPointerUp={() => {
          if (held.current !== null) focus(held.current);
          held.current = null;
          onSettle();
        }}
        onPointerCancel={() => (held.current = null)}
      >
        {width > 0 && (
          <svg width={width} height={HEIGHT} aria-hidden="true">
            {[low, (low + high) / 2, high].map((value) => (
              <line key={value} x1={INSET} x2={width - INSET} y1={atY(value)} y2={atY(value)} stroke="var(--line)" />
            ))}
            {pointed !== null && pointed < layers && (
              <line x1={atLayer(pointed)} x2={atLayer(pointed)} y1={INSET} y2={HEIGHT - INSET} stroke="var(--ink-2)" strokeDasharray="2 2" data-layer={pointed} />
            )}
            <polyline points={points.map((value, i) => `${atX(i)},${atY(value)}`).join(' ')} fill="none" stroke="var(--accent)" strokeWidth={2} />
          </svg>
        )}
        <div ref={handles}>
          {points.map((value, i) => (
            <div
              key={i}
              className="curve-point"
              role="slider"
              tabIndex={0}
              aria-label={`${name}, point ${i + 1} of ${points.length}, layer ${layerOfPoint(i, points.length, layers).toFixed(0)}`}
              aria-orientation="vertical"
              aria-valuemin={low}
              aria-valuemax={high}
              aria-valuenow={value}
              style={{ left: atX(i), top: atY(value) }}
              onKeyDown={onKeyDown(i)}
              onFocus={() => light(i)}
              onBlur={() => light(null)}
            />
          ))}
        </div>
      </div>
      <div className="curve-ends" aria-hidden="true">
        <span>layer 0</span>
        <span>
          {Number(low.toPrecision(3))} to {Number(high.toPrecision(3))}
        </span>
        <span>{layers > 0 ? `layer ${layers - 1}` : 'last layer'}</span>
      </div>
      <div className="curve-values">
        {points.map((value, i) => (
          <NumberBox key={i} name={`${name}, value of point ${i + 1}`} step={step} value={value} accepts={accepts} onChange={(next) => onChange(withPoint(points, i, next))} />
        ))}
        <button type="button" className="button small icon" aria-label={`${name}: one point more`} title="One point more" disabled={points.length >= MAX_POINTS} onClick={() => recount(points.length + 1)}>
          +
        </button>
        <button type="button" className="button small icon" aria-label={`${name}: one point less`} title="One point less" disabled={points.length <= 2} onClick={() => recount(points.length - 1)}>
          −
        </button>
      </div>
    </div>
  );
}
