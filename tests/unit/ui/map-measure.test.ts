import { createElement } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import { describe, expect, it } from 'vitest';
import { breakDown } from '../../../src/analysis/aggregate';
import { placeOf } from '../../../src/checkpoint/places';
import { emptyFigures } from '../../../src/merge/figures';
import { CompareTable } from '../../../src/ui/charts/CompareTable';
import { comparedMetric, type Compared } from '../../../src/ui/charts/compared';
import { MODULES } from '../../../src/ui/charts/labels';
import { cellName, differenceMeasure } from '../../../src/ui/charts/map-measure';
import type { TensorFigures } from '../../../src/worker/protocol';

/** Two models, 1,000 values kept of each; exact. */
const counted = (tensor: string, conflict: number, discarded: readonly number[]): TensorFigures => ({
  tensor,
  elements: 1000,
  figures: { ...emptyFigures(2), numel: 1000, kept: [1000, 1000], nonzero: [1000, 1000], conflict, between: [conflict], discarded: [...discarded] },
  exact: true,
  thresholds: [null, null],
  spread: null,
});
const Q = 'model.layers.0.self_attn.q_proj.weight';
const K = 'model.layers.0.self_attn.k_proj.weight';
const broken = (...tensors: TensorFigures[]) => breakDown(tensors, placeOf, MODULES, 2);
const now = broken(counted(Q, 300, [120, 180]), counted(K, 100, [10, 20]));
/** The snapshot lists the same two models the other way round and has no k. */
const compared: Compared = { name: 'kept', breakdown: broken(counted(Q, 250, [90, 160])), electing: true, models: [1, 0], densities: [1, 0.2], preferred: 1, reference: 'base', slack: { s: null, of: 'retained' } };
const cell = (module: string) => now.cells.find((one) => one.module === module)!;
const NAMES = ['SFT', 'CT'];

describe('the map with a snapshot beside it', () => {
  it('shows A - B in percentage points, on a scale that is as long on both sides of 0', () => {
    const measure = differenceMeasure(now, { kind: 'conflict' }, NAMES, compared)!;
    expect(measure.shown(cell('q'))).toMatchObject({ value: expect.closeTo(5, 9), number: '+5.00' });
    expect(measure.ticks.at(0)).toBe(-measure.ticks.at(-1)!);
    expect(measure.ticks.at(-1)).toBeGreaterThanOrEqual(5);
  });

  it('takes of the snapshot the model that is the same, not the one at the same place', () => {
    const measure = differenceMeasure(now, { kind: 'discarded', model: 0 }, NAMES, compared)!;
    expect(measure.shown(cell('q'))).toMatchObject({ value: expect.closeTo(12 - 16, 9), number: '−4.00' });
  });

  it('names both values and their difference, and nothing where the snapshot has no such cell', () => {
    const measure = differenceMeasure(now, { kind: 'conflict' }, NAMES, compared)!;
    const words = cellName(cell('q'), 'conflict', measure).replace(/\u00a0/g, ' ');
    expect(words).toBe('layer 0, q: conflict A 30.0 % (300 of 1\u202f000), B kept 25.0 % (250 of 1\u202f000), A − B +5.00 percentage points');
    expect(measure.shown(cell('k'))).toBeNull();
  });

  it('has no difference of what the snapshot does not count', () => {
    const linear = { ...compared, electing: false };
    expect(comparedMetric({ kind: 'discarded', model: 0 }, linear)).toBeNull();
    expect(differenceMeasure(now, { kind: 'discarded', model: 0 }, NAMES, linear)).toBeNull();
    expect(comparedMetric({ kind: 'reserved', model: 1 }, compared)).toBeNull();
    expect(comparedMetric({ kind: 'reserved', model: 0 }, compared)).toEqual({ kind: 'reserved', model: 1 });
    expect(comparedMetric({ kind: 'between', i: 0, j: 1 }, compared)).toEqual({ kind: 'between', i: 0, j: 1 });
  });

  it('has the signs of the table beside it', () => {
    const models = NAMES.map((name) => ({ id: name, name, role: 'other', colour: 'red' }) as const);
    const data = { breakdown: now, models, names: NAMES, preferred: 0, reference: 'base', electing: true, slack: false };
    const table = renderToStaticMarkup(createElement(CompareTable, { data, view: { tab: 'map', layer: 0, module: 'q', tensor: null, shown: {} }, compared }));
    const row = (figure: string) => new RegExp(`<th scope="row">${figure} .*?<b>(.*?)</b>`).exec(table)?.[1]?.replace(/\u00a0/g, ' ');
    expect(table).toContain('>A − B</th>');
    expect([row('conflict'), row('discarded SFT')]).toEqual(['+5.00 pp', '−4.00 pp']);
    for (const [metric, shown] of [[{ kind: 'conflict' }, '+5.00'], [{ kind: 'discarded', model: 0 }, '−4.00']] as const) {
      expect(differenceMeasure(now, metric, NAMES, compared)!.shown(cell('q'))!.number).toBe(shown);
    }
  });
});
