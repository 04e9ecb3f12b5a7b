import { describe, expect, test } from 'vitest';
import { sumFigures } from '../../../src/analysis/aggregate';
import { figuresTable, toCsv, type Table } from '../../../src/analysis/table';

const figures = {
  numel: 100,
  kept: [20, 100],
  nonzero: [20, 95],
  conflict: 9,
  between: [9],
  won: [6, 3],
  discarded: [3, 6],
  reserved: 1,
  reservedCost: 0.25,
  nonfinite: [0, 0, 0],
  overflow: 0,
};
const aggregate = sumFigures([{ tensor: 't', figures, exact: true }], 2);

describe('figuresTable', () => {
  test('TIES-SV: every figure of section 5, shares with their counts', () => {
    const table = figuresTable([{ labels: ['3'], aggregate }], { headings: ['Layer'], models: ['SFT', 'CT'], preferred: 0, electing: true });
    expect(toCsv(table).split('\r\n')).toEqual([
      [
        'Layer,counted,N',
        'conflict / N,conflict / N numerator,conflict / N denominator,conflict / N low,conflict / N high',
        'elects SFT / N,elects SFT / N numerator,elects SFT / N denominator,elects SFT / N low,elects SFT / N high',
        'elects CT / N,elects CT / N numerator,elects CT / N denominator,elects CT / N low,elects CT / N high',
        'nonzero SFT / kept SFT,nonzero SFT / kept SFT numerator,nonzero SFT / kept SFT denominator,nonzero SFT / kept SFT low,nonzero SFT / kept SFT high',
        'discarded SFT / kept SFT,discarded SFT / kept SFT numerator,discarded SFT / kept SFT denominator,discarded SFT / kept SFT low,discarded SFT / kept SFT high',
        'nonzero CT / kept CT,nonzero CT / kept CT numerator,nonzero CT / kept CT denominator,nonzero CT / kept CT low,nonzero CT / kept CT high',
        'discarded CT / kept CT,discarded CT / kept CT numerator,discarded CT / kept CT denominator,discarded CT / kept CT low,discarded CT / kept CT high',
        'reserved / kept SFT,reserved / kept SFT numerator,reserved / kept SFT denominator,reserved / kept SFT low,reserved / kept SFT high',
        'discarded SFT after slack / kept SFT,discarded SFT after slack / kept SFT numerator,discarded SFT after slack / kept SFT denominator,discarded SFT after slack / kept SFT low,discarded SFT after slack / kept SFT high',
        '"cost of reserving, sum of |w tau|"',
      ].join(','),
      '3,exact,100,0.09,9,100,,,0.06,6,100,,,0.03,3,100,,,1,20,20,,,0.15,3,20,,,0.95,95,100,,,0.06,6,100,,,0.05,1,20,,,0.1,2,20,,,0.25',
      '',
    ]);
  });

  test('with more than two models, conflicts are also told pair by pair', () => {
    const { columns } = figuresTable([], { headings: [], models: ['A', 'B', 'C'], preferred: 0, electing: true });
    expect(columns.map(({ label }) => label).filter((label) => label.startsWith('conflict'))).toEqual([
      'conflict / N',
      'conflict A and B / N',
      'conflict A and C / N',
      'conflict B and C / N',
    ]);
  });

  test('a method that elects no sign has no won, discarded or reserved columns', () => {
    const { columns } = figuresTable([], { headings: ['Layer'], models: ['A', 'B'], preferred: 0, electing: false });
    expect(columns.map(({ label }) => label)).toEqual(['Layer', 'counted', 'N', 'conflict / N', 'nonzero A / kept A', 'nonzero B / kept B']);
  });
});

describe('toCsv (RFC 4180)', () => {
  const text = (value: string): Table => ({ columns: [{ label: 'tensor', kind: 'text' }], rows: [[{ kind: 'text', text: value }]] });
  test.each([
    ['plain', 'plain'],
    ['a,b', '"a,b"'],
    ['say "x"', '"say ""x"""'],
    ['two\r\nlines', '"two\r\nlines"'],
    ['lone\rreturn', '"lone\rreturn"'],
    ['__proto__', '__proto__'],
    ['', ''],
  ])('a tensor named %j', (name, field) => {
    expect(toCsv(text(name))).toBe(`tensor\r\n${field}\r\n`);
  });

  test('nothing to divide by leaves the proportion empty and keeps the counts; estimates are whole counts with the ends of their interval', () => {
    const table: Table = {
      columns: [{ label: 's', kind: 'share' }, { label: 'c', kind: 'count' }],
      rows: [
        [{ kind: 'share', share: { value: null, numerator: 0, denominator: 0, interval: null } }, { kind: 'count', count: 10.6 }],
        [{ kind: 'share', share: { value: 0.5, numerator: 1.4, denominator: 2.8, interval: { low: 0.25, high: 0.75, kind: 'two-sided' } } }, { kind: 'count', count: 1 }],
      ],
    };
    expect(toCsv(table)).toBe('s,s numerator,s denominator,s low,s high,c\r\n,0,0,,,11\r\n0.5,1,3,0.25,0.75,1\r\n');
  });
});
