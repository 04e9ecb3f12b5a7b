import { createContext, use } from 'react';
import { usePlotArea } from 'recharts';
import { COMPARED_COLOUR } from './compared';

/** What the snapshot has where a bar stands, in percent; null where it has none such. */
export interface ComparedPoint {
  readonly key: string;
  readonly conflict: number | null;
  readonly discarded: number | null;
}
/** Per bar; null while nothing is compared. */
export const ComparedContext = createContext<readonly ComparedPoint[] | null>(null);

/** The snapshot over the bars: a rung at the height of its conflicts, a diamond where the preferred model's discarded share is. */
export function ComparedMarks({ leftMax, rightMax }: { leftMax: number; rightMax: number }) {
  const points = use(ComparedContext);
  const plot = usePlotArea();
  if (!points || !plot) return null;
  const band = plot.width / points.length;
  const half = Math.min(36, band * 0.46);
  const middle = (i: number) => plot.x + (i + 0.5) * band;
  const at = (value: number, max: number) => plot.y + plot.height * (1 - value / max);
  return (
    <g stroke={COMPARED_COLOUR}>
      {points.map(({ key, conflict }, i) => conflict !== null && <path key={key} d={`M${middle(i) - half} ${at(conflict, leftMax)}h${2 * half}`} strokeWidth={2.5} />)}
      {points.map(({ key, discarded }, i) => discarded !== null && <path key={key} d={`M${middle(i)} ${at(discarded, rightMax) - 5}l5 5l-5 5l-5-5z`} fill="var(--surface)" strokeWidth={2} />)}
    </g>
  );
}
