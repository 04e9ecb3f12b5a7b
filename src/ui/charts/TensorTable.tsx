import { useMemo, useState } from 'react';
import { estimate } from '../../analysis/estimate';
import { formatCount, formatCounts, formatEstimate } from '../../analysis/format';
import { sumFigures, type Aggregate } from '../../analysis/aggregate';
import { metricShare, type Metric } from '../../analysis/share';
import { figuresTable, toCsv } from '../../analysis/table';
import { placeOf } from '../../checkpoint/places';
import { useController } from '../studio';
import { showName } from '../format';
import { EXACTNESS_LABEL, metricLabel } from './labels';
import { saveText } from './saving';
import { CLEARED, tensorsOf } from './selection';
import type { ChartData, TabProps } from './types';
import { useSize } from './useSize';

interface Row {
  readonly tensor: string;
  readonly aggregate: Aggregate;
  /** Place among all: layers ascending, then what lies outside them. */
  readonly order: number;
}
interface Column {
  readonly key: string;
  readonly label: string;
  readonly metric?: Metric;
  /** What rows are sorted by; a null sorts last. */
  readonly value: (row: Row) => number | string | null;
}

/** Pixels; the stylesheet gives rows this height. */
const ROW = 26;
/** Pixels per kind of column. */
const WIDTHS = { name: 290, plain: 104, share: 92, estimate: 122, shareAndCounts: 262 };
/** Rows drawn beyond either edge, so that scrolling never shows a gap. */
const MARGIN_ROWS = 8;

/** Figures per tensor of what is selected, sortable; only the rows in sight are in the page, so length costs nothing. */
export function TensorTable({ data, view, onView }: TabProps) {
  const { breakdown, names, models } = data;
  const columns = useMemo(() => columnsOf(data), [data]);
  const [sort, setSort] = useState<{ key: string; descending: boolean }>({ key: 'order', descending: false });
  const [counts, setCounts] = useState(false);
  const [top, setTop] = useState(0);
  const { ref, height } = useSize<HTMLDivElement>();

  const { layer, module, tensor } = view;
  const rows = useMemo(() => {
    const all = tensorsOf(layer, module, breakdown)
      .map((part, order): Row => ({ tensor: part.tensor, aggregate: sumFigures([part], models.length), order }));
    const by = columns.find(({ key }) => key === sort.key);
    return by ? all.sort((a, b) => compare(by.value(a), by.value(b), sort.descending) || a.order - b.order) : all;
  }, [breakdown, models.length, columns, sort, layer, module]);

  const first = Math.max(0, Math.min(Math.floor(top / ROW) - MARGIN_ROWS, rows.length - 1));
  const end = Math.min(rows.length, Math.ceil((top + height) / ROW) + MARGIN_ROWS);
  const widths = columns.map(({ key, metric }) => (key === 'tensor' ? WIDTHS.name : !metric ? WIDTHS.plain : counts ? WIDTHS.shareAndCounts : breakdown.total.exactness === 'exact' ? WIDTHS.share : WIDTHS.estimate));
  const narrowed = rows.length < breakdown.total.tensors;
  const csv = () =>
    toCsv(
      figuresTable(
        rows.map(({ tensor: name, aggregate }) => ({ labels: [name], aggregate })),
        { headings: ['Tensor'], models: names, preferred: data.preferred, electing: data.electing },
      ),
    );
  return (
    <section className="charts-tensors" aria-label="Per tensor">
      <header>
        <h3>Per tensor</h3>
        <p>
          {formatCount(rows.length)} of {formatCount(breakdown.total.tensors)}
          {narrowed && (
            <>
              {': '}
              {[layer === null ? null : `layer ${layer}`, module].filter((part) => part !== null).join(', ')}{' '}
              <button type="button" onClick={() => onView(CLEARED)}>
                Show all
              </button>
            </>
          )}
        </p>
        <div className="charts-tools">
          <button type="button" aria-pressed={counts} onClick={() => setCounts(!counts)}>
            Show counts
          </button>
          <button type="button" aria-label="Save the tensors as CSV" onClick={() => saveText('figures-per-tensor.csv', 'text/csv', csv())}>
            CSV
          </button>
        </div>
      </header>
      <div
        className="charts-scroll"
        ref={ref}
        tabIndex={0}
        role="region"
        aria-label="Figures per tensor"
        onScroll={(event) => setTop(event.currentTarget.scrollTop)}
      >
        <table className="charts-table fixed" style={{ minWidth: widths.reduce((sum, one) => sum + one) }} aria-rowcount={rows.length + 1}>
          <colgroup>
            {widths.map((one, i) => (
              <col key={i} style={{ width: one }} />
            ))}
          </colgroup>
          <thead>
            <tr aria-rowindex={1}>
              {columns.map(({ key, label }) => {
                const active = sort.key === key;
                return (
                  <th
                    key={key}
                    scope="col"
                    className={key === 'tensor' ? 'name' : 'number'}
                    aria-sort={active ? (sort.descending ? 'descending' : 'ascending') : 'none'}
                  >
                    <button type="button" onClick={() => setSort(nextSort(sort, key))}>
                      {label}
                      <span aria-hidden="true">{active ? (sort.descending ? ' ▾' : ' ▴') : ''}</span>
                    </button>
                  </th>
                );
              })}
            </tr>
          </thead>
          <tbody>
            {first > 0 && <tr aria-hidden="true" style={{ height: first * ROW }} />}
            {rows.slice(first, end).map((row, i) => (
              <TensorRow key={row.tensor} row={row} index={first + i} columns={columns} counts={counts} selected={row.tensor === tensor} onView={onView} />
            ))}
            {end < rows.length && <tr aria-hidden="true" style={{ height: (rows.length - end) * ROW }} />}
          </tbody>
        </table>
      </div>
    </section>
  );
}

interface TensorRowProps {
  readonly row: Row;
  readonly index: number;
  readonly columns: readonly Column[];
  readonly counts: boolean;
  readonly selected: boolean;
  readonly onView: TabProps['onView'];
}
function TensorRow({ row, index, columns, counts, selected, onView }: TensorRowProps) {
  const { figures, exactness } = row.aggregate;
  const controller = useController();
  return (
    <tr
      aria-rowindex={index + 2}
      data-selected={selected}
      onPointerEnter={() => controller.setHover({ ...placeOf(row.tensor), tensor: row.tensor })}
      onPointerLeave={() => controller.setHover(null)}
    >
      {columns.map(({ key, metric }) => {
        if (key === 'tensor') {
          const name = showName(row.tensor);
          return (
            <th key={key} scope="row" className="name">
              <button type="button" aria-pressed={selected} title={name} onClick={() => onView({ tensor: selected ? null : row.tensor })}>
                {name}
              </button>
            </th>
          );
        }
        if (!metric) return <td key={key} className="number">{key === 'numel' ? formatCount(figures.numel) : EXACTNESS_LABEL[exactness]}</td>;
        const share = estimate(metric, row.aggregate);
        return (
          <td key={key} className="number" title={formatCounts(share)}>
            {counts && <small>{formatCounts(share)}</small>} {formatEstimate(share)}
          </td>
        );
      })}
    </tr>
  );
}

function columnsOf({ models, names, preferred, electing, slack }: ChartData): Column[] {
  const metrics: Metric[] = [{ kind: 'conflict' }];
  if (electing) {
    models.forEach((_, model) => metrics.push({ kind: 'won', model }));
    models.forEach((_, model) => metrics.push({ kind: 'discarded', model }));
  }
  if (slack) metrics.push({ kind: 'reserved', model: preferred }, { kind: 'afterSlack', model: preferred });
  return [
    { key: 'tensor', label: 'Tensor', value: (row) => row.tensor },
    { key: 'numel', label: 'N', value: (row) => row.aggregate.figures.numel },
    ...metrics.map((metric): Column => {
      const { name } = metricLabel(metric, names);
      return { key: name, label: name, metric, value: (row) => metricShare(metric, row.aggregate.figures).value };
    }),
    { key: 'counted', label: 'counted', value: (row) => row.aggregate.exactness },
  ];
}

/** Largest first, then smallest first, then back to the order of the checkpoint; names start from A. */
function nextSort(sort: { key: string; descending: boolean }, key: string) {
  const firstDescending = key !== 'tensor';
  if (sort.key !== key) return { key, descending: firstDescending };
  if (sort.descending === firstDescending) return { key, descending: !firstDescending };
  return { key: 'order', descending: false };
}

function compare(a: number | string | null, b: number | string | null, descending: boolean): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  const order = typeof a === 'string' && typeof b === 'string' ? a.localeCompare(b, 'en', { numeric: true }) : Number(a) - Number(b);
  return descending ? -order : order;
}
