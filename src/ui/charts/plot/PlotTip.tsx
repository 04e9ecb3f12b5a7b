import { useLayoutEffect, useRef } from 'react';
import { LegendMark, type LegendItem } from '../Legend';

export interface PlotTipRow {
  readonly label: string;
  readonly value: string;
  /** Counts, or whatever the value is made of. */
  readonly detail: string;
  readonly mark?: Pick<LegendItem, 'mark' | 'colour'>;
}
interface PlotTipProps {
  readonly title: string;
  readonly state: string;
  readonly rows: readonly PlotTipRow[];
  /** Pixels from the left of the stage, and the stage's width: the tip opens where it fits. */
  readonly at: number;
  readonly width: number;
}
/** Pixels between a tip and what it is about. */
const GAP = 16;

/** Numbers of what the pointer is on. What it says is also in the accessible name of that thing. */
export function PlotTip({ title, state, rows, at, width }: PlotTipProps) {
  const tip = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const own = tip.current!.offsetWidth;
    const right = at + GAP;
    tip.current!.style.left = `${Math.max(0, right + own <= width ? right : at - GAP - own)}px`;
  });
  return (
    <div className="charts-tip" ref={tip} aria-hidden="true">
      <strong>{title}</strong>
      <span className="charts-tip-state">{state}</span>
      <table>
        <tbody>
          {rows.map(({ label, value, detail, mark }) => (
            <tr key={label}>
              <td>{mark && <LegendMark {...mark} />}</td>
              <td>{label}</td>
              <td className="number">{value}</td>
              <td className="number counts">{detail}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
