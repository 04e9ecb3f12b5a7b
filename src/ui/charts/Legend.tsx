import type { Ref } from 'react';

export interface LegendItem {
  readonly label: string;
  readonly mark: 'bar' | 'hatched' | 'outline' | 'line' | 'dashed' | 'dot' | 'ring';
  readonly colour: string;
}

/** The legend of a chart; saved with it, see `paperSvg`. */
export function Legend({ items, ref }: { items: readonly LegendItem[]; ref?: Ref<HTMLUListElement> }) {
  return (
    <ul className="charts-legend" aria-label="Legend" ref={ref}>
      {items.map((item) => (
        <li key={item.label}>
          <LegendMark {...item} />
          {item.label}
        </li>
      ))}
    </ul>
  );
}

/** Also the key in front of a tooltip's line. */
export function LegendMark({ mark, colour }: Pick<LegendItem, 'mark' | 'colour'>) {
  return (
    <svg width={20} height={12} viewBox="0 0 20 12" aria-hidden="true">
      {mark === 'bar' && <rect x={3} y={0.5} width={14} height={11} fill={colour} />}
      {mark === 'outline' && <rect x={3.5} y={1} width={13} height={10} fill="var(--surface-2)" stroke={colour} />}
      {mark === 'hatched' && (
        <g stroke={colour}>
          <rect x={3.5} y={1} width={13} height={10} fill={colour} fillOpacity={0.2} />
          <path d="M4 7 10 1M6 11 16 1M12 11 16.5 6.5" strokeWidth={2} fill="none" />
        </g>
      )}
      {(mark === 'line' || mark === 'dashed') && (
        <line x1={0} x2={20} y1={6} y2={6} stroke={colour} strokeWidth={2} strokeDasharray={mark === 'dashed' ? '4 3' : undefined} />
      )}
      {(mark === 'line' || mark === 'dot') && <circle cx={10} cy={6} r={3} fill={colour} stroke="none" />}
      {(mark === 'dashed' || mark === 'ring') && <rect x={7} y={3} width={6} height={6} fill="var(--surface)" stroke={colour} strokeWidth={1.5} />}
    </svg>
  );
}
