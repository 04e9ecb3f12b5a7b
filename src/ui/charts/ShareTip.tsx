import { useLayoutEffect, useRef } from 'react';
import type { Aggregate } from '../../analysis/aggregate';
import { estimate } from '../../analysis/estimate';
import { formatCounts, formatEstimate } from '../../analysis/format';
import type { Metric } from '../../analysis/share';
import { EXACTNESS_LABEL } from './labels';
import { LegendMark, type LegendItem } from './Legend';

export interface TipLine {
  readonly label: string;
  readonly metric: Metric;
  readonly mark?: Pick<LegendItem, 'mark' | 'colour'>;
  /** Of which the figure is, where not of the tip's own. */
  readonly aggregate?: Aggregate;
}
interface ShareTipProps {
  readonly title: string;
  readonly aggregate: Aggregate;
  readonly lines: readonly TipLine[];
  /** Pixels from the left of the stage to the thing pointed at, and the stage's width: the tip opens where it fits. */
  readonly at: number;
  readonly width: number;
  /** Upper and lower edge of the thing pointed at: the tip goes below or above it. Without them it stays at the top. */
  readonly edges?: readonly [number, number];
}

/** Pixels between a tip and what it is about: clear of the pointer and of the dots of a line. */
const GAP = 16;
const MARGIN = 6;

/** Proportions with both counts of what the pointer is on. What it says is also in the accessible name of that thing. */
export function ShareTip({ title, aggregate, lines, at, width, edges }: ShareTipProps) {
  const tip = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const { offsetWidth: own, offsetHeight, offsetParent } = tip.current!;
    const right = at + GAP;
    const left = right + own <= width ? right : at - GAP - own;
    tip.current!.style.left = `${Math.max(0, left)}px`;
    if (!edges) return;
    const [above, below] = edges;
    const fits = below + MARGIN + offsetHeight <= (offsetParent?.clientHeight ?? 0);
    tip.current!.style.top = `${fits ? below + MARGIN : above - MARGIN - offsetHeight}px`;
  });
  return (
    <div className="charts-tip" ref={tip} aria-hidden="true">
      <strong>{title}</strong>
      <span className="charts-tip-state">
        {EXACTNESS_LABEL[aggregate.exactness]}
        {aggregate.exactness === 'partial' && `, ${aggregate.exactTensors} of ${aggregate.tensors} tensors`}
      </span>
      <table>
        <tbody>
          {lines.map(({ label, metric, mark, aggregate: own }) => {
            const share = estimate(metric, own ?? aggregate);
            return (
              <tr key={label}>
                <td>{mark && <LegendMark {...mark} />}</td>
                <td>{label}</td>
                <td className="number">{formatEstimate(share)}</td>
                <td className="number counts">{formatCounts(share)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
