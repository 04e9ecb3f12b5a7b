import { difference, type Difference } from '../../analysis/compare';
import type { Aggregate } from '../../analysis/aggregate';
import { estimate, type Estimate } from '../../analysis/estimate';
import { formatEstimate } from '../../analysis/estimate-text';
import { formatCounts } from '../../analysis/format';
import type { Metric } from '../../analysis/share';
import { toCsv, type Table, type TableCell } from '../../analysis/table';
import { comparedMetric, type Compared } from './compared';
import { metricLabel } from './labels';
import { saveText } from './saving';
import { cellOf, groupOf } from './selection';
import type { ChartData, ChartsView } from './types';

interface Row {
  readonly label: string;
  readonly of: string;
  readonly now: Estimate;
  readonly then: Estimate | null;
  readonly difference: Difference | null;
}

/** The present recipe (A) and a snapshot (B) in numbers: each figure, and A - B as on the map, for what is selected or the whole model. */
export function CompareTable({ data, view, compared }: { data: ChartData; view: ChartsView; compared: Compared }) {
  const scope = scopeOf(data, view, compared);
  if (scope === null) return null;
  const rows = rowsOf(data, compared, scope.now, scope.then);
  return (
    <section className="charts-summary" aria-label={`Compared with ${compared.name}`}>
      <header>
        <h3>Compared with {compared.name}</h3>
        <p>{scope.label}</p>
        <div className="charts-tools">
          <button type="button" aria-label="Save the comparison as CSV" onClick={() => saveText('comparison.csv', 'text/csv', toCsv(tableOf(rows, compared.name)))}>
            CSV
          </button>
        </div>
      </header>
      <div className="charts-scroll" tabIndex={0} role="region" aria-label="Comparison in numbers">
        <table className="charts-table compare">
          <thead>
            <tr>
              <th scope="col">Figure</th>
              <th scope="col" className="number">A: on the screen</th>
              <th scope="col" className="number">B: {compared.name}</th>
              <th scope="col" className="number">A − B</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(({ label, of, now, then, difference: apart }) => (
              <tr key={label}>
                <th scope="row">
                  {label} <small>of {of}</small>
                </th>
                <td className="number">
                  {formatEstimate(now)} <small>{formatCounts(now)}</small>
                </td>
                <td className="number">{then === null ? '–' : <>{formatEstimate(then)} <small>{formatCounts(then)}</small></>}</td>
                <td className="number">
                  <b>{apart === null ? '–' : points(apart.value)}</b>
                  {apart?.interval && <small> {points(apart.interval.low)} to {points(apart.interval.high)}</small>}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

/** A difference of shares, in percentage points with its sign. */
function points(value: number | null): string {
  if (value === null) return '–';
  if (value === 0) return '0';
  const size = Math.abs(value * 100);
  return `${value < 0 ? '−' : '+'}${size < 0.001 ? size.toExponential(1) : size.toFixed(size < 1 ? 3 : 2)}\u00a0pp`;
}

/** What is selected, in both: a cell, a layer or a module; else all. */
function scopeOf({ breakdown }: ChartData, view: ChartsView, compared: Compared): { label: string; now: Aggregate; then: Aggregate } | null {
  const there = compared.breakdown;
  const cell = cellOf(view, breakdown);
  const find = (): { label: string; now: Aggregate | undefined; then: Aggregate | undefined } => {
    if (cell !== null) {
      const same = there.cells.find(({ layer, module }) => layer === cell.layer && module === cell.module);
      return { label: `${cell.layer === null ? '' : `layer ${cell.layer}, `}${cell.module}`, now: cell.aggregate, then: same?.aggregate };
    }
    const group = groupOf(view, breakdown);
    if (group !== null) {
      const at = (layers: typeof breakdown.layers) => layers.find(({ key }) => key === group)?.aggregate;
      return { label: `layer ${group}`, now: at(breakdown.layers), then: at(there.layers) };
    }
    if (view.module !== null) {
      const at = (modules: typeof breakdown.modules) => modules.find(({ module }) => module === view.module)?.aggregate;
      return { label: `${view.module}, all layers`, now: at(breakdown.modules), then: at(there.modules) };
    }
    return { label: 'whole model', now: breakdown.total, then: there.total };
  };
  const { label, now, then } = find();
  return now === undefined || then === undefined ? null : { label, now, then };
}

function rowsOf({ models, names, preferred, electing }: ChartData, compared: Compared, now: Aggregate, then: Aggregate): Row[] {
  const metrics: Metric[] = [{ kind: 'conflict' }];
  models.forEach((_, model) => electing && metrics.push({ kind: 'won', model }));
  models.forEach((_, model) => {
    metrics.push({ kind: 'nonzero', model });
    if (electing) metrics.push({ kind: 'discarded', model });
  });
  if (electing && models[preferred]) metrics.push({ kind: 'reserved', model: preferred }, { kind: 'afterSlack', model: preferred });
  return metrics.map((metric) => {
    const { name, of } = metricLabel(metric, names);
    const there = comparedMetric(metric, compared);
    const [a, b] = [estimate(metric, now), there && estimate(there, then)];
    return { label: name, of, now: a, then: b, difference: b && difference(b, a) };
  });
}

function tableOf(rows: readonly Row[], name: string): Table {
  const number = (value: number | null | undefined): TableCell => ({ kind: 'text', text: value == null ? '' : String(value) });
  return {
    columns: [
      { label: 'Figure', kind: 'text' },
      { label: 'A: on the screen', kind: 'share' },
      { label: `B: ${name}`, kind: 'share' },
      { label: 'A - B', kind: 'text' },
      { label: 'A - B low', kind: 'text' },
      { label: 'A - B high', kind: 'text' },
    ],
    rows: rows.map(({ label, of, now, then, difference: apart }): TableCell[] => [
      { kind: 'text', text: `${label} / ${of}` },
      { kind: 'share', share: now },
      { kind: 'share', share: then ?? { value: null, numerator: 0, denominator: 0, interval: null } },
      number(apart?.value),
      number(apart?.interval?.low),
      number(apart?.interval?.high),
    ]),
  };
}
