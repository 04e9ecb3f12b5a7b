import { sumFigures } from '../../analysis/aggregate';
import { estimate } from '../../analysis/estimate';
import { formatCount, formatCounts, formatEstimate, formatMagnitude } from '../../analysis/format';
import { pairsOf, type Metric } from '../../analysis/share';
import { showName } from '../format';
import { Distribution } from './Distribution';
import { EXACTNESS_LABEL, metricLabel } from './labels';
import { CLEARED, isInScope, scopeName, tensorsOf } from './selection';
import type { ChartData, TabProps } from './types';
import './detail.css';

/** What is selected, in numbers: a layer, a module, a cell, or one tensor with the spread of its differences. */
export function DetailStrip({ data, view, onView }: TabProps) {
  const { layer, module, tensor } = view;
  const parts = tensorsOf(null, null, data.breakdown);
  // The others of its place, to step through: a tensor alone may have been picked in the table.
  const beside = parts.filter((part) => isInScope({ layer, module, tensor: layer === null && module === null ? tensor : null }, part.tensor));
  const selected = parts.filter((part) => isInScope(view, part.tensor));
  if (selected.length === 0) return null;
  const aggregate = sumFigures(selected, data.models.length);
  const alone = selected.length === 1 ? selected[0]! : null;
  return (
    <section className="charts-strip" aria-label="Selected tensor" tabIndex={0}>
      <header>
        <h3>{scopeName({ layer, module, tensor: layer === null && module === null ? tensor : null })}</h3>
        <button type="button" aria-label="Close the selected tensor" onClick={() => onView(CLEARED)}>
          ×
        </button>
      </header>
      {beside.length > 1 && (
        <select aria-label="Tensor shown" value={tensor ?? ''} onChange={(event) => onView({ tensor: event.target.value || null })}>
          <option value="">all {beside.length} tensors</option>
          {beside.map((one) => (
            <option key={one.tensor} value={one.tensor}>
              {showName(one.tensor)}
            </option>
          ))}
        </select>
      )}
      {alone && beside.length === 1 && (layer !== null || module !== null) && <p className="charts-name">{showName(alone.tensor)}</p>}
      {alone && <Distribution data={data} part={alone} />}
      <dl>
        <div>
          <dt>N</dt>
          <dd>
            {formatCount(aggregate.figures.numel)} <small>{EXACTNESS_LABEL[aggregate.exactness]}</small>
          </dd>
        </div>
        {alone?.thresholds.map((threshold, i) => (
          <div key={data.models[i]?.id ?? i}>
            <dt>|τ| kept from, {data.names[i]}</dt>
            <dd>{threshold === null ? <small>not trimmed</small> : threshold === Infinity ? <small>nothing kept</small> : formatMagnitude(threshold)}</dd>
          </div>
        ))}
        {metricsOf(data).map((metric) => {
          const { name, of } = metricLabel(metric, data.names);
          const share = estimate(metric, aggregate);
          return (
            <div key={name}>
              <dt>
                {name} / {of}
              </dt>
              <dd>
                {formatEstimate(share)} <small>{formatCounts(share)}</small>
              </dd>
            </div>
          );
        })}
      </dl>
    </section>
  );
}

function metricsOf({ models, preferred, electing, slack }: ChartData): Metric[] {
  const each = (kind: 'won' | 'discarded' | 'nonzero') => models.map((_, model): Metric => ({ kind, model }));
  const metrics: Metric[] = [{ kind: 'conflict' }];
  if (models.length > 2) metrics.push(...pairsOf(models.length));
  if (electing) metrics.push(...each('won'), ...each('discarded'));
  if (slack) metrics.push({ kind: 'reserved', model: preferred }, { kind: 'afterSlack', model: preferred });
  return [...metrics, ...each('nonzero')];
}
