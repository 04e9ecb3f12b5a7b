import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { breakDown, modulesOf, sumFigures, type TensorCounts } from '../../../src/analysis/aggregate';
import { formatPercent } from '../../../src/analysis/format';
import { metricShare, share, wonPartitionsConflict } from '../../../src/analysis/share';
import { emptyFigures, type Figures } from '../../../src/merge/figures';

interface Case {
  readonly models: readonly string[];
  readonly total: Omit<Figures, 'reservedCost' | 'nonfinite' | 'overflow'>;
  readonly discarded_share_sft: number;
  readonly per_tensor: Readonly<Record<string, Case['total']>>;
}
const cases = JSON.parse(
  readFileSync(new URL('../../fixtures/checkpoints/figures.json', import.meta.url), 'utf8'),
) as Record<string, Case>;

const complete = (figures: Case['total']): Figures => ({ ...emptyFigures(figures.kept.length), ...figures });
const countsOf = ({ per_tensor }: Case): TensorCounts[] =>
  Object.entries(per_tensor).map(([tensor, figures]) => ({ tensor, figures: complete(figures), exact: true }));

const KINDS = ['embed', 'q', 'down', 'norm', 'lm_head', 'other'] as const;
type Kind = (typeof KINDS)[number];
/** Enough of `placeOf` for the fixture's names; what is not listed is `other`. */
function place(name: string): { layer: number | null; module: Kind } {
  const layer = /layers\.(\d+)\./.exec(name);
  const module = name.includes('embed')
    ? 'embed'
    : name.includes('q_proj')
      ? 'q'
      : name.includes('down_proj')
        ? 'down'
        : name.includes('norm')
          ? 'norm'
          : name.includes('lm_head')
            ? 'lm_head'
            : 'other';
  return { layer: layer ? Number(layer[1]) : null, module };
}
const only = (name: string): Case => {
  const found = cases[name];
  if (!found) throw new Error(`no case ${name}`);
  return found;
};

describe('merging.md section 5: figures are summed, never averaged', () => {
  test.each(Object.keys(cases))('%s: the sum over tensors, over layers, over modules and over cells is the total', (name) => {
    const one = only(name);
    const counts = countsOf(one);
    const expected = complete(one.total);
    const breakdown = breakDown(counts, place, KINDS, one.models.length);
    expect(breakdown.total.figures).toEqual(expected);
    for (const parts of [breakdown.layers, breakdown.modules, breakdown.cells]) {
      const again = parts.map(({ aggregate }, i) => ({ tensor: String(i), figures: aggregate.figures, exact: true }));
      expect(sumFigures(again, one.models.length).figures).toEqual(expected);
    }
    expect(metricShare({ kind: 'discarded', model: 0 }, breakdown.total.figures).value).toBeCloseTo(one.discarded_share_sft, 15);
  });

  test('layers run from embed over 0..7 to head, cells know their tensors', () => {
    const breakdown = breakDown(countsOf(only('ties: sft + ct-x-4M')), place, KINDS, 2);
    expect(breakdown.layers.map(({ key, aggregate }) => [key, aggregate.tensors])).toEqual([
      ['embed', 1],
      ...Array.from({ length: 8 }, (_, layer) => [String(layer), 9]),
      ['head', 2],
    ]);
    expect(breakdown.modules.map(({ module }) => module)).toEqual(['embed', 'q', 'down', 'norm', 'lm_head', 'other']);
    const norms = breakdown.cells.find(({ layer, module }) => layer === 3 && module === 'norm')!;
    expect(norms.parts.map(({ tensor }) => tensor)).toEqual([
      'model.layers.3.input_layernorm.weight',
      'model.layers.3.post_attention_layernorm.weight',
    ]);
    expect(norms.aggregate.figures.numel).toBe(256);
    expect(breakdown.cells.at(-1)).toMatchObject({ layer: null, module: 'lm_head' });
  });

  test('the modules of a layer are its cells, of the whole model the sums over layers', () => {
    const breakdown = breakDown(countsOf(only('ties: sft + ct-x-4M')), place, KINDS, 2);
    expect(modulesOf(breakdown, 0).map(({ module, aggregate }) => [module, aggregate.figures.numel])).toEqual([
      ['q', 16384],
      ['down', 45056],
      ['norm', 256],
      ['other', 8192 + 16384 + 8192 + 45056 + 45056],
    ]);
    expect(modulesOf(breakdown, null).find(({ module }) => module === 'norm')!.aggregate.figures.numel).toBe(17 * 128);
  });

  test('a share of sums is not the average of shares', () => {
    const tensor = (name: string, numel: number, conflict: number): TensorCounts => ({
      tensor: name,
      figures: { ...emptyFigures(2), numel, conflict },
      exact: true,
    });
    const sum = sumFigures([tensor('small', 10, 5), tensor('large', 990, 5)], 2);
    expect(metricShare({ kind: 'conflict' }, sum.figures)).toEqual({ value: 0.01, numerator: 10, denominator: 1000 });
  });

  test('no tensors: empty sums with the right number of models', () => {
    const breakdown = breakDown([], place, KINDS, 3);
    expect(breakdown).toMatchObject({ layers: [], modules: [], cells: [], total: { figures: emptyFigures(3), tensors: 0 } });
  });
});

describe('exactness', () => {
  const tensor = (exact: boolean): TensorCounts => ({ tensor: String(exact), figures: emptyFigures(1), exact });
  test.each([
    [[true, true], 'exact', 2],
    [[false, false], 'estimate', 0],
    [[true, false], 'partial', 1],
    [[], 'estimate', 0],
  ] as const)('%j is %s with %d exact tensors', (flags, exactness, exactTensors) => {
    expect(sumFigures(flags.map(tensor), 1)).toMatchObject({ exactness, exactTensors, tensors: flags.length });
  });

  test('a sample weighs as much as the tensor it stands for', () => {
    const small: TensorCounts = { tensor: 'a', exact: true, elements: 100, figures: { ...emptyFigures(1), numel: 100, conflict: 50, kept: [100] } };
    const sampled: TensorCounts = { tensor: 'b', exact: false, elements: 900, figures: { ...emptyFigures(1), numel: 100, conflict: 10, kept: [20] } };
    const sum = sumFigures([small, sampled], 1).figures;
    expect([sum.numel, sum.conflict, sum.kept[0]]).toEqual([1000, 140, 280]);
    // The sample's own counts are untouched, and without `elements` they are taken as they are.
    expect(sampled.figures.conflict).toBe(10);
    expect(sumFigures([small, { tensor: 'b', exact: false, figures: sampled.figures }], 1).figures.conflict).toBe(60);
  });
});

describe('shares', () => {
  const slack = complete(only('ties-sv 4% of retained: sft + ct-x-4M').total);

  test('TIES-SV with ct-x-4M: every proportion and its two counts', () => {
    const of = (kind: 'won' | 'discarded' | 'nonzero' | 'reserved' | 'afterSlack', model: number) => {
      const { numerator, denominator } = metricShare({ kind, model }, slack);
      return [numerator, denominator];
    };
    expect(metricShare({ kind: 'conflict' }, slack)).toEqual(share(142730, 1575040));
    expect(of('won', 0)).toEqual([114753, 1575040]);
    expect(of('won', 1)).toEqual([27977, 1575040]);
    expect(of('discarded', 0)).toEqual([27977, 314973]);
    expect(of('discarded', 1)).toEqual([114753, 1575040]);
    expect(of('nonzero', 1)).toEqual([1561321, 1575040]);
    expect(of('reserved', 0)).toEqual([12418, 314973]);
    expect(of('afterSlack', 0)).toEqual([27977 - 12418, 314973]);
  });

  test('Figure 4 of the sample family: the discarded share of SFT grows with every CT checkpoint', () => {
    const shown = ['128k', '256k', '512k', '1M', '2M', '4M'].map((tokens) =>
      formatPercent(metricShare({ kind: 'discarded', model: 0 }, complete(only(`ties: sft + ct-x-${tokens}`).total)).value),
    );
    expect(shown).toEqual(['0.01\u00a0%', '0.20\u00a0%', '0.58\u00a0%', '1.42\u00a0%', '4.39\u00a0%', '8.88\u00a0%']);
  });

  test('nothing to divide by is null, not NaN', () => {
    expect(share(0, 0)).toEqual({ value: null, numerator: 0, denominator: 0 });
    expect(metricShare({ kind: 'discarded', model: 7 }, slack).value).toBeNull();
  });

  test('won positions partition the conflicts for two models, not for three', () => {
    expect(wonPartitionsConflict(slack)).toBe(true);
    const three = complete(only('ties: sft + ct-x-4M + ct-y-1M').total);
    expect(three.won.reduce((a, b) => a + b)).toBe(924566);
    expect(three.conflict).toBe(762062);
    expect(wonPartitionsConflict(three)).toBe(false);
  });
});
