import type { ReactNode } from 'react';
import { formatCount, formatCounts, formatMagnitude, formatPercent, formatShare } from '../../analysis/format';
import { metricShare, share, type Share } from '../../analysis/share';
import { figuresTable, toCsv } from '../../analysis/table';
import { saveText } from './saving';
import type { ChartData } from './types';

/** Every figure of merging.md section 5 over the whole model, a column per model. */
export function SummaryTable({ data }: { data: ChartData }) {
  const { models, names, preferred, electing, breakdown } = data;
  const { figures, tensors } = breakdown.total;
  const csv = () =>
    toCsv(figuresTable([{ labels: ['whole model'], aggregate: breakdown.total }], { headings: ['Scope'], models: names, preferred, electing }));
  const conflict = metricShare({ kind: 'conflict' }, figures);
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
      <div className="charts-scroll" style={{ maxWidth: 240 + 330 * models.length }} tabIndex={0} role="region" aria-label="Figures of the whole model">
        <table className="charts-table">
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
            {each('kept', 'of N', (i) => <Counts of={share(figures.kept[i]!, figures.numel)} />)}
            {each('nonzero', 'of kept', (i) => <Counts of={metricShare({ kind: 'nonzero', model: i }, figures)} />)}
            {electing && each('conflict won', 'of N', (i) => <Counts of={metricShare({ kind: 'won', model: i }, figures)} />)}
            {electing && each('discarded', 'of kept', (i) => <Counts of={metricShare({ kind: 'discarded', model: i }, figures)} />)}
            {electing &&
              each('reserved', 'of kept', preferredOnly(() => <Counts of={metricShare({ kind: 'reserved', model: preferred }, figures)} />))}
            {electing &&
              each(
                'discarded after slack',
                'of kept',
                preferredOnly(() => <Counts of={metricShare({ kind: 'afterSlack', model: preferred }, figures)} />),
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

function Counts({ of }: { of: Share }) {
  return (
    <>
      <small>{formatCounts(of)}</small> <b>{formatPercent(of.value)}</b>
    </>
  );
}
