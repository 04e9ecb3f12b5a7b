import type { ReactNode } from 'react';
import { estimate, type Estimate } from '../../analysis/estimate';
import { formatCount, formatCounts, formatEstimate, formatMagnitude, formatShare } from '../../analysis/format';
import { share, type Metric } from '../../analysis/share';
import { figuresTable, toCsv } from '../../analysis/table';
import { saveText } from './saving';
import type { ChartData } from './types';

/** Every figure of merging.md section 5 over the whole model, a column per model. */
export function SummaryTable({ data }: { data: ChartData }) {
  const { models, names, preferred, electing, breakdown } = data;
  const { figures, tensors } = breakdown.total;
  const csv = () =>
    toCsv(figuresTable([{ labels: ['whole model'], aggregate: breakdown.total }], { headings: ['Scope'], models: names, preferred, electing }));
  const of = (metric: Metric) => estimate(metric, breakdown.total);
  const conflict = of({ kind: 'conflict' });
  const each = (label: string, meaning: string, cell: (model: number) => ReactNode) => (
    <tr>
      <th scope="row">
        {label} <small>{meaning}</small>
      </th>
      {models.map(({ id }, model) => (
        <td key={id} className="number">
          {cell(model)}
        </td>
      ))}
    </tr>
  );
  const preferredOnly = (cell: () => ReactNode) => (model: number) => (model === preferred ? cell() : <small>–</small>);
  return (
    <section className="charts-summary" aria-label="Whole model">
      <header>
        <h3>Whole model</h3>
        <p>
          {formatCount(tensors)} tensors, N {formatCount(figures.numel)}, conflict {formatShare(conflict)}
        </p>
        <div className="charts-tools">
          <button type="button" aria-label="Save the whole model as CSV" onClick={() => saveText('figures-whole-model.csv', 'text/csv', csv())}>
            CSV
          </button>
        </div>
      </header>
      <div className="charts-scroll" style={{ maxWidth: 200 + 220 * models.length }} tabIndex={0} role="region" aria-label="Figures of the whole model">
        <table className="charts-table compare">
          <thead>
            <tr>
              <th scope="col">Figure</th>
              {models.map(({ id, name, colour }, i) => (
                <th key={id} scope="col" className="number" title={name}>
                  <span className="charts-swatch" style={{ background: colour }} /> {names[i]}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {each('kept', 'of N', (i) => <Counts of={{ ...share(figures.kept[i]!, figures.numel), interval: null }} />)}
            {each('nonzero', 'of kept', (i) => <Counts of={of({ kind: 'nonzero', model: i })} />)}
            {electing && each('conflict won', 'of N', (i) => <Counts of={of({ kind: 'won', model: i })} />)}
            {electing && each('discarded', 'of kept', (i) => <Counts of={of({ kind: 'discarded', model: i })} />)}
            {electing &&
              each('reserved', 'of kept', preferredOnly(() => <Counts of={of({ kind: 'reserved', model: preferred })} />))}
            {electing &&
              each(
                'discarded after slack',
                'of kept',
                preferredOnly(() => <Counts of={of({ kind: 'afterSlack', model: preferred })} />),
              )}
            {electing &&
              each('cost of reserving', 'Σ |w τ| of the others', preferredOnly(() => formatMagnitude(figures.reservedCost)))}
            {each('NaN or infinite', 'in the inputs', (i) => formatCount(figures.nonfinite[i + 1]!))}
          </tbody>
        </table>
      </div>
      {(figures.nonfinite[0]! > 0 || figures.overflow > 0) && (
        <p className="charts-note">
          Base: {formatCount(figures.nonfinite[0]!)} NaN or infinite values. Output: {formatCount(figures.overflow)} finite values became
          infinite in its dtype.
        </p>
      )}
    </section>
  );
}

function Counts({ of }: { of: Estimate }) {
  return (
    <>
      <b>{formatEstimate(of)}</b> <small>{formatCounts(of)}</small>
    </>
  );
}
