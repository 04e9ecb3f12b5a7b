/**
 * A table of scores for merges that were validated elsewhere: CSV or JSON, a row for each recipe. What `batchTable` writes comes
 * back with its score column filled in; tables of people's own scripts are read as far as their columns say what they mean.
 */
import { MalformedFileError, type ErrorWhere } from '../bytes/errors';
import { csvRows } from './csv';
import { DENSITY_PREFIX, FOLDER_COLUMN, LAMBDA_COLUMN, METHOD_COLUMN, SLACK_COLUMN } from './batch';

/** Why a table is refused, the `reason` of a MalformedFileError. */
export type ResultsReason =
  | 'results-too-long'
  /** Neither CSV with a header and rows nor a JSON list of objects. */
  | 'results-syntax'
  /** A row with another number of cells than the header; `line`, both numbers. */
  | 'results-row'
  /** No column says what was varied; `names` are the columns there are. */
  | 'results-without-densities'
  /** No numeric column is left, or every score is empty; `names` likewise. */
  | 'results-without-scores'
  /** A density, lambda or slack that is not a finite number; `line`, `names` the column, `actual` the text. */
  | 'results-number';

function refuse(file: string, reason: ResultsReason, message: string, where: ErrorWhere = {}): never {
  throw new MalformedFileError(reason, `${file}: ${message}`, { file, ...where });
}

/** UTF-16 units: far above any grid search, far below what hurts. */
export const MAX_RESULTS_TEXT = 4_000_000;
const MAX_RESULTS = 20_000;
/** Columns; every one is looked for in every row. */
const MAX_COLUMNS = 1000;

export interface ResultRow {
  /** 1-based: of the file for CSV, of the list for JSON. */
  readonly line: number;
  readonly folder: string | null;
  readonly method: string | null;
  /** By what the column says after `density of ` or `k_`: a checkpoint's name, or a symbol such as `sft`. */
  readonly densities: Readonly<Record<string, number>>;
  readonly lambda: number | null;
  readonly slack: number | null;
  /** By column: every other column that holds numbers. Finite. */
  readonly scores: Readonly<Record<string, number>>;
}
export interface Results {
  readonly file: string;
  /** Names of the scores, in the order of the columns; at least one. */
  readonly metrics: readonly string[];
  readonly rows: readonly ResultRow[];
}

const FIXED = new Set([FOLDER_COLUMN, METHOD_COLUMN, LAMBDA_COLUMN, SLACK_COLUMN]);
const SHORT_DENSITY = /^k[_ ]/i;

/**
 * Reads a table of scores. Throws MalformedFileError with a ResultsReason. */
export function readResults(text: string, file: string): Results {
  if (text.length > MAX_RESULTS_TEXT) refuse(file, 'results-too-long', `${text.length} characters`, { expected: MAX_RESULTS_TEXT, actual: text.length });
  const records = /^\s*[[{]/.test(text) ? fromJson(text, file) : fromCsv(text, file);
  if (records.length > MAX_RESULTS) refuse(file, 'results-too-long', `${records.length} rows`, { expected: MAX_RESULTS, actual: records.length });
  const columns = [...new Set(records.flatMap(({ cells }) => [...cells.keys()]))];
  if (columns.length > MAX_COLUMNS) refuse(file, 'results-too-long', `${columns.length} columns`, { expected: MAX_COLUMNS, actual: columns.length });
  const densities = columns.filter((column) => densityOf(column) !== null);
  if (densities.length === 0) refuse(file, 'results-without-densities', `no column is called "${DENSITY_PREFIX}..." or "k_..."`, { names: columns });
  const metrics = columns.filter((column) => !FIXED.has(column) && densityOf(column) === null && isNumeric(column, records));
  if (metrics.length === 0) refuse(file, 'results-without-scores', 'no column of numbers', { names: columns });
  return { file, metrics, rows: records.map((record) => rowOf(record, densities, metrics, file)) };
}

interface Cells {
  readonly line: number;
  readonly cells: ReadonlyMap<string, string>;
}

/** What a column is the density of; null for another column. */
function densityOf(column: string): string | null {
  if (column.startsWith(DENSITY_PREFIX)) return column.slice(DENSITY_PREFIX.length);
  return SHORT_DENSITY.test(column) ? column.slice(2) : null;
}

/** Whether the column holds finite numbers, at least one, and otherwise nothing. */
function isNumeric(column: string, records: readonly Cells[]): boolean {
  const texts = records.map(({ cells }) => cells.get(column) ?? '').filter((text) => text !== '');
  return texts.length > 0 && texts.every((text) => Number.isFinite(Number(text)));
}

function rowOf({ line, cells }: Cells, densities: readonly string[], metrics: readonly string[], file: string): ResultRow {
  const text = (column: string) => {
    const value = cells.get(column) ?? '';
    return value === '' ? null : value;
  };
  const number = (column: string) => {
    const value = text(column);
    if (value === null) return null;
    if (!Number.isFinite(Number(value))) refuse(file, 'results-number', `line ${line}: ${column} is ${JSON.stringify(value)}`, { line, names: [column], actual: value });
    return Number(value);
  };
  const present = (columns: readonly string[], nameOf: (column: string) => string) =>
    Object.fromEntries(columns.flatMap((column) => (number(column) === null ? [] : [[nameOf(column), number(column)!] as const])));
  return {
    line,
    folder: text(FOLDER_COLUMN),
    method: text(METHOD_COLUMN),
    densities: present(densities, (column) => densityOf(column)!),
    lambda: number(LAMBDA_COLUMN),
    slack: number(SLACK_COLUMN),
    scores: present(metrics, (column) => column),
  };
}

function fromCsv(text: string, file: string): Cells[] {
  const rows = csvRows(text);
  const [head, ...body] = rows ?? [];
  if (head === undefined || body.length === 0) return refuse(file, 'results-syntax', rows === null ? 'a quote is never closed' : 'no rows under a header');
  const columns = head.cells.map((cell) => cell.trim());
  return body.map(({ line, cells }) => {
    if (cells.length !== columns.length) refuse(file, 'results-row', `line ${line} has ${cells.length} cells`, { line, expected: columns.length, actual: cells.length });
    return { line, cells: new Map(columns.map((column, i) => [column, cells[i]!.trim()])) };
  });
}

/** A list of objects, or an object with one such list; numbers of an object inside a row are scores: `"scores": {"bleu": 20}`. */
function fromJson(text: string, file: string): Cells[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return refuse(file, 'results-syntax', 'not JSON');
  }
  const lists = isObject(parsed) ? Object.values(parsed).filter((value) => Array.isArray(value)) : [parsed];
  const list: unknown = lists.length === 1 ? lists[0] : null;
  if (!Array.isArray(list) || list.length === 0 || !list.every(isObject)) return refuse(file, 'results-syntax', 'no list of objects');
  return list.map((row, i) => ({ line: i + 1, cells: new Map(Object.entries(row).flatMap(([key, value]): (readonly [string, string])[] => (isObject(value) ? Object.entries(value).map(([inner, one]) => [inner, scalar(one)] as const) : [[key, scalar(value)]]))) }));
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
const scalar = (value: unknown) => (typeof value === 'string' ? value.trim() : typeof value === 'number' || typeof value === 'boolean' ? String(value) : '');
