import { useRef, type CSSProperties, type KeyboardEvent } from 'react';

export interface PlotOption {
  readonly key: string;
  /** Accessible name: what it is and its numbers. */
  readonly name: string;
  /** Whether another chart points at the place it stands for. */
  readonly lit?: boolean;
  readonly style?: CSSProperties;
}
interface PlotListboxProps {
  readonly label: string;
  readonly className: string;
  readonly options: readonly PlotOption[];
  readonly selected: string | null;
  /** Where the plot lies in the chart, pixels. */
  readonly style: CSSProperties;
  readonly onPick: (key: string) => void;
  readonly onPoint: (index: number | null) => void;
}

/** Invisible options over a plot: pointing and focus show the tooltip, a click or Enter picks, arrows move. */
export function PlotListbox({ label, className, options, selected, style, onPick, onPoint }: PlotListboxProps) {
  const list = useRef<HTMLDivElement>(null);
  const chosen = Math.max(0, options.findIndex(({ key }) => key === selected));
  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>) => {
    const elements = [...list.current!.children] as HTMLElement[];
    const at = elements.indexOf(event.target as HTMLElement);
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: elements.length - 1 }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      elements[Math.min(Math.max(to, 0), elements.length - 1)]?.focus();
    } else if ((event.key === 'Enter' || event.key === ' ') && options[at]) {
      event.preventDefault();
      onPick(options[at].key);
    }
  };
  return (
    <div
      ref={list}
      className={className}
      role="listbox"
      aria-label={label}
      aria-orientation="horizontal"
      style={style}
      onKeyDown={onKeyDown}
      onPointerLeave={() => onPoint(null)}
      onBlur={() => onPoint(null)}
    >
      {options.map(({ key, name, lit, style: place }, index) => (
        <div
          key={key}
          role="option"
          aria-label={name}
          aria-selected={key === selected}
          data-lit={lit}
          tabIndex={index === chosen ? 0 : -1}
          style={place}
          onClick={() => onPick(key)}
          onPointerEnter={() => onPoint(index)}
          onFocus={() => onPoint(index)}
        />
      ))}
    </div>
  );
}
