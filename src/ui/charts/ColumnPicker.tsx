import { useRef, type CSSProperties, type KeyboardEvent } from 'react';
import type { Hover } from '../../state/types';
import { useController, useStudio } from '../studio';
import { isLit } from './selection';
import './bars.css';

export interface PickerColumn {
  readonly key: string;
  /** Accessible name: what the column is and its numbers. */
  readonly name: string;
  /** The place it stands for, which the other charts light up. */
  readonly place: Hover;
}
interface ColumnPickerProps {
  readonly label: string;
  readonly columns: readonly PickerColumn[];
  readonly selected: string | null;
  /** Where the plot lies in the chart. */
  readonly style: CSSProperties;
  readonly onPick: (key: string) => void;
  readonly onPoint: (index: number | null) => void;
}

/** Invisible columns over a bar chart: pointing and focus show the tooltip, a click or Enter picks, arrows move. */
export function ColumnPicker({ label, columns, selected, style, onPick, onPoint }: ColumnPickerProps) {
  const list = useRef<HTMLDivElement>(null);
  const controller = useController();
  const hover = useStudio((state) => state.hover);
  const point = (index: number | null) => {
    onPoint(index);
    controller.setHover(index === null ? null : (columns[index]?.place ?? null));
  };
  const chosen = Math.max(0, columns.findIndex(({ key }) => key === selected));
  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>) => {
    const options = [...list.current!.children] as HTMLElement[];
    const at = options.indexOf(event.target as HTMLElement);
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: options.length - 1 }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      options[Math.min(Math.max(to, 0), options.length - 1)]?.focus();
    } else if ((event.key === 'Enter' || event.key === ' ') && columns[at]) {
      event.preventDefault();
      onPick(columns[at].key);
    }
  };
  return (
    <div
      ref={list}
      className="charts-picker"
      role="listbox"
      aria-label={label}
      aria-orientation="horizontal"
      style={style}
      onKeyDown={onKeyDown}
      onPointerLeave={() => point(null)}
      onBlur={() => point(null)}
    >
      {columns.map(({ key, name, place }, index) => (
        <div
          key={key}
          role="option"
          aria-label={name}
          aria-selected={key === selected}
          data-lit={isLit(hover, place)}
          tabIndex={index === chosen ? 0 : -1}
          onClick={() => onPick(key)}
          onPointerEnter={() => point(index)}
          onFocus={() => point(index)}
        />
      ))}
    </div>
  );
}
