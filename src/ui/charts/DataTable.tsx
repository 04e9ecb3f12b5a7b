import { formatCount, formatCounts, formatEstimate, formatMagnitude } from '../../analysis/format';
import type { Table, TableCell } from '../../analysis/table';
import { showName } from '../format';
import './tables.css';

/** A chart's numbers as a table: every share with its two counts beneath. `headings`: leading columns that name the row. */
export function DataTable({ table, caption, headings }: { table: Table; caption: string; headings: number }) {
  return (
    <div className="charts-scroll" tabIndex={0} role="region" aria-label={caption}>
      <table className="charts-table">
        <caption className="charts-hidden">{caption}</caption>
        <thead>
          <tr>
            {table.columns.map(({ label, kind }) => (
              <th key={label} scope="col" className={kind === 'text' ? undefined : 'number'}>
                {label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {table.rows.map((row, i) => (
            <tr key={i}>
              {row.map((cell, column) =>
                column < headings ? (
                  <th key={column} scope="row">
                    <CellText cell={cell} />
                  </th>
                ) : (
                  <td key={column} className={cell.kind === 'text' ? undefined : 'number'}>
                    <CellText cell={cell} />
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function CellText({ cell }: { cell: TableCell }) {
  switch (cell.kind) {
    case 'text':
      // A saved table has it as it is.
      return cell.text === '' ? '' : showName(cell.text, 90);
    case 'count':
      return formatCount(cell.count);
    case 'number':
      return formatMagnitude(cell.value);
    case 'share':
      return (
        <>
          {formatEstimate(cell.share)} <small>{formatCounts(cell.share)}</small>
        </>
      );
  }
}
