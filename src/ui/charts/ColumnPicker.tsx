import type { CSSProperties } from 'react';
import type { Hover } from '../../state/types';
import { useController, useStudio } from '../studio';
import './bars.css';
import { PlotListbox } from './PlotListbox';
import { isLit } from './selection';

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

/** The columns of a bar chart, to point at and pick; pointing lights their places up in the other charts. */
export function ColumnPicker({ label, columns, selected, style, onPick, onPoint }: ColumnPickerProps) {
  const controller = useController();
  const hover = useStudio((state) => state.hover);
  return (
    <PlotListbox
      label={label}
      className="charts-picker"
      options={columns.map(({ key, name, place }) => ({ key, name, lit: isLit(hover, place) }))}
      selected={selected}
      style={style}
      onPick={onPick}
      onPoint={(index) => {
        onPoint(index);
        controller.setHover(index === null ? null : (columns[index]?.place ?? null));
      }}
    />
  );
}
