import { useRef, type KeyboardEvent } from 'react';
import '../bars.css';
import './plot.css';

export interface PickerPoint {
  readonly key: string;
  /** Accessible name: what it is and its numbers. */
  readonly name: string;
  /** Pixels from the left of the stage. */
  readonly at: number;
}
interface PointPickerProps {
  readonly label: string;
  readonly points: readonly PickerPoint[];
  readonly selected: string | null;
  /** Pixels of the plot within the stage. */
  readonly plot: { readonly x: number; readonly y: number; readonly width: number; readonly height: number };
  readonly onPick: (key: string) => void;
  readonly onPoint: (index: number | null) => void;
}

/** Invisible bands over a plot, one around each abscissa: pointing and focus show the tooltip, a click or Enter picks, arrows move. */
export function PointPicker({ label, points, selected, plot, onPick, onPoint }: PointPickerProps) {
  const list = useRef<HTMLDivElement>(null);
  const chosen = Math.max(0, points.findIndex(({ key }) => key === selected));
  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>) => {
    const options = [...list.current!.children] as HTMLElement[];
    const at = options.indexOf(event.target as HTMLElement);
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: options.length - 1 }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      options[Math.min(Math.max(to, 0), options.length - 1)]?.focus();
    } else if ((event.key === 'Enter' || event.key === ' ') && points[at]) {
      event.preventDefault();
      onPick(points[at].key);
    }
  };
  const edge = (i: number) => (i <= 0 ? 0 : i >= points.length ? plot.width : (points[i - 1]!.at + points[i]!.at) / 2 - plot.x);
  return (
    <div
      ref={list}
      className="plot-picker"
      role="listbox"
      aria-label={label}
      aria-orientation="horizontal"
      style={{ left: plot.x, top: plot.y, width: plot.width, height: plot.height }}
      onKeyDown={onKeyDown}
      onPointerLeave={() => onPoint(null)}
      onBlur={() => onPoint(null)}
    >
      {points.map(({ key, name }, i) => (
        <div
          key={key}
          role="option"
          aria-label={name}
          aria-selected={key === selected}
          tabIndex={i === chosen ? 0 : -1}
          style={{ left: edge(i), width: Math.max(0, edge(i + 1) - edge(i)) }}
          onClick={() => onPick(key)}
          onPointerEnter={() => onPoint(i)}
          onFocus={() => onPoint(i)}
        />
      ))}
    </div>
  );
}
