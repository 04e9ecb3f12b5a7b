import { sumFigures } from '../../analysis/aggregate';
import { formatCount, formatCounts, formatMagnitude, formatPercent } from '../../analysis/format';
import { metricShare, type Metric } from '../../analysis/share';
import { EXACTNESS_LABEL, metricLabel, placeLabel } from './labels';
import type { MapCell } from './MapGrid';
import type { ChartData } from './types';

interface CellStripProps {
  readonly data: ChartData;
  readonly cell: MapCell;
  readonly tensor: string | null;
  readonly onTensor: (tensor: string) => void;
  readonly onClose: () => void;
}

/** One tensor's own figures: every share with its counts, and the |tau| below which each model's values were trimmed. */
export function CellStrip({ data, cell, tensor, onTensor, onClose }: CellStripProps) {
  const part = cell.parts.find((one) => one.tensor === tensor) ?? cell.parts[0]!;
  const { figures, exactness } = sumFigures([part], data.models.length);
  const rows: { label: string; metric: Metric }[] = metricsOf(data).map((metric) => {
    const { name, of } = metricLabel(metric, data.names);
    return { label: `${name} / ${of}`, metric };
  });
  return (
    <section className="charts-strip" aria-label="Selected tensor">
      <header>
        <h3>{placeLabel(cell)}</h3>
        <button type="button" aria-label="Close the selected tensor" onClick={onClose}>
          ×
        </button>
      </header>
      {cell.parts.length > 1 && (
        <select aria-label="Tensor shown" value={part.tensor} onChange={(event) => onTensor(event.target.value)}>
          {cell.parts.map((one) => (
            <option key={one.tensor}>{one.tensor}</option>
          ))}
        </select>
      )}
      {cell.parts.length === 1 && <p className="charts-name">{part.tensor}</p>}
      <dl>
        <div>
          <dt>N</dt>
          <dd>
            {formatCount(figures.numel)} <small>{EXACTNESS_LABEL[exactness]}</small>
          </dd>
        </div>
        {rows.map(({ label, metric }) => {
          const share = metricShare(metric, figures);
          return (
            <div key={label}>
              <dt>{label}</dt>
              <dd>
                {formatPercent(share.value)} <small>{formatCounts(share)}</small>
              </dd>
            </div>
          );
        })}
        {part.thresholds.map((threshold, i) => (
          <div key={data.models[i]?.id ?? i}>
            <dt>|τ| kept from, {data.names[i]}</dt>
            <dd>{threshold === null ? <small>not trimmed</small> : formatMagnitude(threshold)}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function metricsOf({ models, preferred, electing, slack }: ChartData): Metric[] {
  const each = (kind: 'won' | 'discarded' | 'nonzero') => models.map((_, model): Metric => ({ kind, model }));
  const metrics: Metric[] = [{ kind: 'conflict' }];
  if (electing) metrics.push(...each('won'), ...each('discarded'));
  if (slack) metrics.push({ kind: 'reserved', model: preferred }, { kind: 'afterSlack', model: preferred });
  return [...metrics, ...each('nonzero')];
}
