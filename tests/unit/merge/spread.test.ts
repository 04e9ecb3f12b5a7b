/** What three blocks tell of their tensor (merge/spread.ts): totals and variances worked by hand. */
import { describe, expect, it } from 'vitest';
import type { GroupResult } from '../../../src/merge/backend';
import { addFigures, emptyFigures, type Figures } from '../../../src/merge/figures';
import type { Rates } from '../../../src/merge/rates';
import type { SamplePlan } from '../../../src/merge/sample';
import { spreadsOf } from '../../../src/merge/spread';
import type { TensorParameters } from '../../../src/recipe/types';

const BLOCK = 5;
/** Per model: no count moves with its threshold. */
const FIXED: Rates = [new Array<number>(10).fill(0), new Array<number>(10).fill(0)];
/** One more kept value of the first model brings half a conflict. */
const HALF: Rates = [[0.5, ...FIXED[0]!.slice(1)], FIXED[1]!];

interface Made {
  /** N of the tensor; blocks have 5 elements each. */
  readonly elements: number;
  readonly blocks: readonly Partial<Figures>[];
  readonly present?: readonly boolean[];
  readonly density?: readonly number[];
  readonly slack?: TensorParameters['slack'];
  /** Null: not measured. */
  readonly rates?: Rates | null;
  readonly whole?: boolean;
}

function spread({ elements, blocks, present = [true, true, true], density = [1, 1], slack, rates = FIXED, whole = false }: Made) {
  const inputs = present.map((has) => (has ? ('BF16' as const) : null));
  const sampled = BLOCK * blocks.length;
  const modelElements = present.slice(1).map((has) => (has ? elements : 0));
  const slot = { name: 'a', elements: sampled, inputs, modelElements, outDtype: 'BF16' as const };
  const plan: SamplePlan = {
    group: { method: 'ties_sv', slots: [slot], chunks: [blocks.map((_, i) => ({ slot: 0, first: BLOCK * i, count: BLOCK, present: [...present] }))] },
    names: ['a'],
    whole: [whole],
    modelElements: [modelElements],
    inputs: [[]],
    segments: blocks.map((_, block) => ({ first: 20 * block, elements, block })),
    layers: 1,
    bytes: 0,
  };
  const figures = blocks.map((own): Figures => ({ ...emptyFigures(2), numel: BLOCK, kept: [BLOCK, BLOCK], ...own }));
  const sum = emptyFigures(2);
  for (const own of figures) addFigures(sum, own);
  const result: GroupResult = { slots: [{ figures: sum, kept: [], reserved: null }], segments: [figures] };
  return spreadsOf(plan, result, [{ weight: [1, 1], density, lambda: 1, normalize: true, rescale: false, ...(slack && { slack }) }], rates && [rates])[0]!;
}

const CONFLICTS = [{ conflict: 1, between: [1] }, { conflict: 3, between: [3] }, { conflict: 2, between: [2] }];

describe('nothing is trimmed', () => {
  it('scales totals, and takes variances from differences of neighbouring blocks', () => {
    const { totals, variance, doubt, kink } = spread({ elements: 60, blocks: CONFLICTS });
    // 6 events in a quarter of the tensor.
    expect([totals.numel, totals.conflict, totals.kept]).toEqual([60, 24, [60, 60]]);
    // Squares of differences 2^2 + 1^2; 4^2 for the scale, 3/4 is not drawn, 3 blocks over twice 2 pairs: 16 * 3/4 * 3/4 * 5.
    expect(variance.conflict).toBeCloseTo(45, 10);
    // 2 * 2^2 / (3 * 2 - 1) = 1.6 degrees of freedom.
    expect(doubt.conflict).toBeCloseTo(45 ** 2 / 1.6, 8);
    expect(kink).toBe(0);
  });

  it('leaves hardly any variance when all but everything is drawn', () => {
    // 1/16 is not drawn: (16/15)^2 * 1/16 * 3/4 * 5.
    expect(spread({ elements: 16, blocks: CONFLICTS }).variance.conflict).toBeCloseTo((256 / 225) * (1 / 16) * 0.75 * 5, 10);
  });
});

describe('the threshold comes from the sample', () => {
  const trimmed = (kept: readonly number[], elements = 60) =>
    spread({ elements, blocks: CONFLICTS.map((own, b) => ({ ...own, kept: [kept[b]!, BLOCK] })), density: [0.4, 1], rates: HALF });

  it('events that come and go with the values kept vary less, those that go against them more', () => {
    // Residuals -1, 1, 0 less half of kept - 2: -0.5, 0.5, 0, then -1.5, 1.5, 0.
    expect(trimmed([1, 3, 2]).variance.conflict).toBeCloseTo(9 * 1.25, 10);
    expect(trimmed([3, 1, 2]).variance.conflict).toBeCloseTo(9 * 11.25, 10);
  });

  it('rates that are not measured may be off, which adds to the variance', () => {
    const blocks = CONFLICTS.map((own) => ({ ...own, kept: [own.conflict, BLOCK], won: [own.conflict, 0], discarded: [0, own.conflict] }));
    const { variance } = spread({ elements: 60, blocks, density: [0.4, 1], rates: null });
    // 6 conflicts of 6 kept values: a rate of 1, of which residuals are 0; it may be off by 0.6, and kept values differ by 2, then 1.
    expect(variance.conflict).toBeCloseTo(9 * 0.36 * 5, 10);
  });

  it('moves totals to what the tensor keeps, truncated once and not in the sample', () => {
    // 6 of 15 stand for 24.8 of 62, of which 24 are kept.
    const { totals } = trimmed([1, 3, 2], 62);
    expect(totals.kept).toEqual([24, 62]);
    expect(totals.conflict).toBeCloseTo(24.8 - 0.5 * 0.8, 10);
  });
});

describe('slack', () => {
  const blocks = [1, 3, 2].map((discarded) => ({ kept: [2, BLOCK], conflict: discarded, between: [discarded], discarded: [discarded, 0] }));

  it('of the discarded: a share of an estimate, truncated', () => {
    const { totals, variance } = spread({ elements: 60, blocks, density: [0.4, 1], slack: { s: 0.25, of: 'discarded', prefer: 0 } });
    expect(totals.reserved).toBeCloseTo(0.25 * 24 - 0.5, 10);
    expect(variance.reserved).toBeCloseTo(45 / 16, 10);
    expect(variance.afterSlack).toBeCloseTo((45 * 9) / 16, 10);
  });

  it('of the retained, where that is just what is discarded: either may be the smaller', () => {
    const { totals, variance, kink } = spread({ elements: 60, blocks, density: [0.4, 1], slack: { s: 1, of: 'retained', prefer: 0 } });
    expect(totals.reserved).toBe(24);
    // The smaller of 0 and a standard normal variable: mean -1 / sqrt(2 pi), variance 1/2 - 1 / (2 pi). 6 events, each standing
    // for 4, count for a variance of 96 at least.
    const cut = 0.5 - 1 / (2 * Math.PI);
    expect(variance.reserved).toBeCloseTo(45 * cut, 8);
    expect(variance.afterSlack).toBeCloseTo(96 * cut, 8);
    expect(kink).toBeCloseTo(Math.sqrt(96 / (2 * Math.PI)), 8);
  });
});

describe('what is known', () => {
  it('a tensor that is whole has no spread, and a single block tells of none', () => {
    expect(spread({ elements: 15, blocks: CONFLICTS, whole: true })).toBeNull();
    expect(spread({ elements: 60, blocks: CONFLICTS.slice(0, 1) })).toBeNull();
  });

  it('nothing conflicts where one model alone takes part; equal blocks of two still leave a doubt', () => {
    const calm = [{}, {}, {}];
    const alone = spread({ elements: 60, blocks: calm.map(() => ({ kept: [BLOCK, 0] })), present: [true, true, false] });
    expect([alone.variance.conflict, alone.variance.between, alone.variance.discarded]).toEqual([0, [0], [0, 0]]);
    const both = spread({ elements: 60, blocks: calm });
    expect(both.variance.conflict).toBeGreaterThan(0);
    expect(both.variance.conflict).toBeLessThan(1e-3);
  });
});
