/** A chart's data as a table: what is shown beside it, read to screen readers and saved as CSV. */
import type { Aggregate, Exactness } from './aggregate';
import { estimate, type Estimate } from './estimate';
import { pairsOf, type Metric } from './share';

export type TableCell =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'count'; readonly count: number }
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'share'; readonly share: Estimate };

export interface TableColumn {
  readonly label: string;
  readonly kind: TableCell['kind'];
}
export interface Table {
  readonly columns: readonly TableColumn[];
  readonly rows: readonly (readonly TableCell[])[];
}

export interface TableRow {
  /** One per heading. */
  readonly labels: readonly string[];
  readonly aggregate: Aggregate;
}
export interface TableOptions {
  /** Columns that say what a row is: `Layer`, or `Layer` and `Module`. */
  readonly headings: readonly string[];
  /** Short names in recipe order. */
  readonly models: readonly string[];
  /** Preferred model, index into `models`. */
  readonly preferred: number;
  /** False for methods that elect no sign: no won, discarded or reserved. */
  readonly electing: boolean;
}

export const EXACTNESS: Readonly<Record<Exactness, string>> = { exact: 'exact', estimate: 'estimate', partial: 'partly exact' };

/** Every figure of merging.md section 5 for each row, shares with their counts. */
export function figuresTable(rows: readonly TableRow[], options: TableOptions): Table {
  const { headings, models, preferred, electing } = options;
  const shares: { label: string; metric: Metric }[] = [{ label: 'conflict / N', metric: { kind: 'conflict' } }];
  if (models.length > 2) for (const pair of pairsOf(models.length)) shares.push({ label: `conflict ${models[pair.i]} and ${models[pair.j]} / N`, metric: pair });
  models.forEach((name, model) => {
    if (electing) shares.push({ label: `elects ${name} / N`, metric: { kind: 'won', model } });
  });
  models.forEach((name, model) => {
    shares.push({ label: `nonzero ${name} / kept ${name}`, metric: { kind: 'nonzero', model } });
    if (electing) shares.push({ label: `discarded ${name} / kept ${name}`, metric: { kind: 'discarded', model } });
  });
  const name = models[preferred];
  const slack = electing && name !== undefined;
  if (slack) {
    shares.push({ label: `reserved / kept ${name}`, metric: { kind: 'reserved', model: preferred } });
    shares.push({ label: `discarded ${name} after slack / kept ${name}`, metric: { kind: 'afterSlack', model: preferred } });
  }
  const columns: TableColumn[] = [
    ...headings.map((label) => ({ label, kind: 'text' as const })),
    { label: 'counted', kind: 'text' },
    { label: 'N', kind: 'count' },
    ...shares.map(({ label }) => ({ label, kind: 'share' as const })),
  ];
  if (slack) columns.push({ label: 'cost of reserving, sum of |w tau|', kind: 'number' });
  return {
    columns,
    rows: rows.map(({ labels, aggregate }) => {
      const { figures, exactness } = aggregate;
      const cells: TableCell[] = [
        ...labels.map((text) => ({ kind: 'text' as const, text })),
        { kind: 'text', text: EXACTNESS[exactness] },
        { kind: 'count', count: figures.numel },
        ...shares.map(({ metric }) => ({ kind: 'share' as const, share: estimate(metric, aggregate) })),
      ];
      if (slack) cells.push({ kind: 'number', value: figures.reservedCost });
      return cells;
    }),
  };
}

/**
 * RFC 4180: CRLF, a quoted field where it holds a comma, a quote or a line break. A share takes five columns: the
 * proportion (empty where there is nothing to divide by), its numerator and its denominator, and the ends of its 95 % interval
 * (empty where it is exact or not known).
 */
export function toCsv({ columns, rows }: Table): string {
  const header = columns.flatMap(({ label, kind }) => (kind === 'share' ? [label, `${label} numerator`, `${label} denominator`, `${label} low`, `${label} high`] : [label]));
  const lines = [header, ...rows.map((row) => row.flatMap(csvValues))];
  return lines.map((line) => `${line.map(csvField).join(',')}\r\n`).join('');
}

function csvValues(cell: TableCell): string[] {
  switch (cell.kind) {
    case 'text':
      return [cell.text];
    case 'count':
      return [String(Math.round(cell.count))];
    case 'number':
      return [String(cell.value)];
    case 'share': {
      const { value, numerator, denominator, interval } = cell.share;
      const ends = interval === null ? ['', ''] : [String(interval.low), String(interval.high)];
      return [value === null ? '' : String(value), String(Math.round(numerator)), String(Math.round(denominator)), ...ends];
    }
  }
}

function csvField(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
