import '../bars.css';
import { PlotListbox } from '../PlotListbox';
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

/** Bands over a curve, one around each abscissa, to point at and pick. */
export function PointPicker({ label, points, selected, plot, onPick, onPoint }: PointPickerProps) {
  const edge = (i: number) => (i <= 0 ? 0 : i >= points.length ? plot.width : (points[i - 1]!.at + points[i]!.at) / 2 - plot.x);
  return (
    <PlotListbox
      label={label}
      className="plot-picker"
      options={points.map(({ key, name }, i) => ({ key, name, style: { left: edge(i), width: Math.max(0, edge(i + 1) - edge(i)) } }))}
      selected={selected}
      style={{ left: plot.x, top: plot.y, width: plot.width, height: plot.height }}
      onPick={onPick}
      onPoint={onPoint}
    />
  );
}
