/** What the sentences of the catalogue are made of. */
import { formatCount } from '../../analysis/format';
import type { ErrorWhere } from '../../bytes/errors';
import { formatBytes, showName } from '../format';

export interface Message {
  readonly title: string;
  /** What was found, with its numbers. */
  readonly detail: string;
  /** What to do. */
  readonly action: string;
}
export type Template = (words: Words) => Message;

/** The parts of `where` as text. */
export interface Words {
  readonly file: string;
  /** `tensor x: ` in front of a sentence, or nothing. */
  readonly at: string;
  readonly tensor: string;
  readonly model: string;
  readonly expected: string;
  readonly actual: string;
  /** The same two as sizes with exact bytes. */
  readonly expectedBytes: string;
  readonly actualBytes: string;
  /** A place in the file. */
  readonly offset: string;
  /** First names, and how many more. */
  readonly names: string;
  /** ` in line 3`, or nothing. */
  readonly inLine: string;
}

const MOST_NAMES = 6;

export function wordsOf(where: ErrorWhere): Words {
  const tensor = where.tensor === undefined ? 'the tensor' : showName(where.tensor, 80);
  return {
    file: where.file === undefined ? 'The file' : showName(where.file),
    at: where.tensor === undefined ? '' : `Tensor ${tensor}${where.index === undefined ? '' : `, flat index ${where.index}`}: `,
    tensor,
    model: where.model === undefined ? 'a model' : showName(where.model, 80),
    expected: plain(where.expected),
    actual: plain(where.actual),
    expectedBytes: bytes(where.expected),
    actualBytes: bytes(where.actual),
    offset: where.offset === undefined ? 'one place' : `byte ${formatCount(where.offset)}`,
    names: list(where.names ?? []),
    inLine: where.line === undefined ? '' : ` in line ${where.line}`,
  };
}

function plain(value: string | number | undefined): string {
  if (value === undefined) return 'unknown';
  return typeof value === 'number' ? formatCount(value) : showName(value, 120);
}

function bytes(value: string | number | undefined): string {
  if (typeof value !== 'number') return plain(value);
  return value < 1000 ? `${value} bytes` : `${formatCount(value)} bytes (${formatBytes(value)})`;
}

function list(names: readonly string[]): string {
  const shown = names.slice(0, MOST_NAMES).map((name) => showName(name, 80)).join(', ');
  return names.length > MOST_NAMES ? `${shown} and ${names.length - MOST_NAMES} more` : shown;
}
