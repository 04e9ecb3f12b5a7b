/** What the self-test tries: every kind of question that a backend answers, on awkward data small enough for every start. */
import { joinBytes } from '../bytes/join';
import type { OutputDtype } from '../bytes/dtypes';
import { encodeFromF32 } from '../bytes/floats';
import type { Method, TensorParameters } from '../recipe/types';
import type { Backend, GroupResult } from './backend';
import { awkwardGroup, generator, type TrialDtypes, type TrialSlot } from './self-test-data';
import type { Tally } from './tally-types';

/** A part of an answer: `exact` is the same on every backend; `bytes` and `near` as merging.md section 8 and exploring.ts allow. */
export type Observation =
  | { readonly pass: string; readonly exact: string }
  | { readonly pass: string; readonly bytes: Uint8Array; readonly dtype: OutputDtype }
  /** Sums that are not bit-stable: within `slip` of each other. */
  | { readonly pass: string; readonly near: readonly number[]; readonly slip: number };

export interface Trial {
  readonly label: string;
  readonly observe: (backend: Backend) => Promise<Observation[]>;
}

/** Odd, so that the last 16-bit word is half empty, and over one block of the engine. */
const ELEMENTS = 8197;
const TIES: TensorParameters = { weight: [1, 1], density: [0.2, 0.7], lambda: 1, normalize: true, rescale: false };
const SLACK: TensorParameters = { ...TIES, slack: { s: 0.04, of: 'retained', prefer: 0 } };

const slotOf = (elements: number, outDtype: OutputDtype, hasNonfinite = false): TrialSlot => ({ elements, modelElements: [elements, elements], outDtype, hasNonfinite });
const json = (value: unknown) => JSON.stringify(value, (_, inner: unknown) => (ArrayBuffer.isView(inner) ? [...(inner as Uint32Array)] : inner));

/** What each part of a merge decided. */
const DECISIONS: Readonly<Record<string, (result: GroupResult) => unknown>> = {
  trim: ({ slots }) => slots.map((slot) => [slot.kept, slot.figures.kept, slot.figures.nonzero]),
  elect: ({ slots }) => slots.map(({ figures }) => [figures.conflict, figures.between, figures.won, figures.discarded]),
  slack: ({ slots }) => slots.map((slot) => [slot.reserved, slot.figures.reserved]),
  count: ({ slots, segments }) => [slots.map(({ figures }) => [figures.numel, figures.nonfinite, figures.overflow]), segments.map((chunk) => chunk.map(({ numel, kept }) => [numel, kept]))],
};

interface MergeTrial {
  readonly label: string;
  readonly method: Method;
  readonly dtypes: TrialDtypes;
  readonly slots: readonly TrialSlot[];
  readonly cuts?: readonly number[];
  readonly parameters: TensorParameters;
  /** What the bytes of the merge tell about; `merge` where not given. */
  readonly pass?: string;
}

/**
 * Several tensors in one group are selected by radix, one tensor from a bracket where the backend has one. What both need is
 * specialised for the same dtypes, and so compiled once.
 */
const MERGES: readonly MergeTrial[] = [
  { label: 'TIES-SV by radix', method: 'ties_sv', dtypes: ['BF16', 'BF16', 'BF16'], slots: [slotOf(ELEMENTS, 'BF16'), slotOf(1, 'BF16'), slotOf(333, 'BF16', true)], parameters: SLACK },
  {
    label: 'TIES-SV from a bracket', method: 'ties_sv', dtypes: ['BF16', 'BF16', 'BF16'], slots: [slotOf(ELEMENTS, 'BF16')], cuts: [4098],
    parameters: { ...TIES, weight: [0.75, -1.5], lambda: 1.25, slack: { s: 0.29, of: 'discarded', prefer: 1 } },
  },
  { label: 'task arithmetic of mixed dtypes', method: 'task_arithmetic', dtypes: ['F32', 'F16', 'BF16'], slots: [slotOf(ELEMENTS, 'F32')], parameters: { ...TIES, normalize: false, lambda: 0.5 } },
  { label: 'DARE', method: 'dare_linear', dtypes: ['F32', 'F32', 'F32'], slots: [slotOf(ELEMENTS, 'F16')], parameters: { ...TIES, normalize: false, rescale: true, drop: { seed: 7, rescaleBy: 'magnitude' } }, pass: 'drop and rescale' },
  { label: 'weighted average', method: 'linear', dtypes: [null, 'BF16', 'BF16'], slots: [slotOf(ELEMENTS, 'BF16')], parameters: { ...TIES, weight: [0.3, 0.9] }, pass: 'average' },
];

const merged = ({ label, method, dtypes, slots, cuts, parameters, pass = 'merge' }: MergeTrial): Trial => ({
  label,
  async observe(backend) {
    const { group, read } = awkwardGroup(method, dtypes, slots, cuts);
    const parts: Uint8Array[] = [];
    const result = await backend.merge(group, slots.map(() => parameters), read, async (_, bytes) => void parts.push(bytes.slice()));
    const decided = Object.entries(DECISIONS).map(([name, of]) => ({ pass: pass === 'merge' ? name : pass, exact: json(of(result)) }));
    return [...decided, { pass, bytes: joinBytes(parts), dtype: slots[0]!.outDtype }];
  },
});

/** The views of a held sample, and the counts of a ranking over the whole model. */
const HELD: Trial = {
  label: 'a held sample',
  async observe(backend) {
    const slots = [slotOf(ELEMENTS, 'BF16'), slotOf(333, 'BF16')];
    const { group, read } = awkwardGroup('ties_sv', ['BF16', 'BF16', 'BF16'], slots);
    const parameters = slots.map(() => SLACK);
    const held = await backend.hold(group, read);
    try {
      const densities = [0.05, 0.3, 1];
      const surface = await held.surface(parameters, { x: 0, y: 1, densitiesX: densities, densitiesY: densities });
      const curves = await held.slackCurve(parameters, { prefer: 0, of: 'retained', shares: [0, 0.02, 0.5] });
      const effects = await held.effect(parameters);
      const distributions = [await held.distribution(0), await held.distribution(1)];
      const places = slots.map((_, row) => ({ row, low: 0 }));
      const tallies: Tally[] = [0, null].map((model) => ({ model, prefer: 0, digit: { shift: 20, bits: 11 }, rows: slots.length, slots: places }));
      return [
        { pass: 'surface', exact: json(surface) },
        { pass: 'slack curve', exact: json(curves.map((curve) => curve && [curve.numel, curve.kept, curve.discarded, curve.reserved])) },
        ...curves.map((curve): Observation => ({ pass: 'slack curve', near: curve ? [curve.magnitude, ...curve.cost] : [], slip: 1e-4 * (curve?.magnitude ?? 0) })),
        // Products of vectors of at most these lengths.
        ...effects.flatMap(({ base2, tau2, between, change2, along }): Observation[] => {
          const longest = Math.max(change2, ...tau2);
          return [{ pass: 'effect', near: [base2], slip: 1e-4 * base2 }, { pass: 'effect', near: [...tau2, ...between, change2, ...along], slip: 1e-4 * longest }];
        }),
        { pass: 'distribution', exact: json(distributions) },
        { pass: 'whole-model ranking', exact: json(await held.tally(slots.map(() => TIES), [tallies[0]!])) + json(await held.tally(slots.map(() => TIES), [tallies[1]!])) },
      ];
    } finally {
      held.release();
    }
  },
};

/** Rows and columns of neither an even number nor a power of two. */
const ADAPTED = { rows: 37, columns: 29, rank: 3 };
const ADAPTER: Trial = {
  label: 'a matrix plus the product of two thin ones',
  async observe(backend) {
    const { rows, columns, rank } = ADAPTED;
    const random = generator(0x51f0);
    const values = (count: number, scale: number) => Float32Array.from({ length: count }, (_, i) => (i % 11 === 0 ? 2 ** -130 : i % 13 === 0 ? -0 : (random() - 0.5) * scale));
    const request = { dtype: 'F16' as const, first: 0, columns, rank, scale: 0.5 };
    const bytes = await backend.adapt({ ...request, base: encodeFromF32(values(rows * columns, 1), 'F16'), left: values(rows * rank, 0.1), right: values(rank * columns, 0.1) });
    return [{ pass: 'adapter', exact: json(bytes) }];
  },
};

export const TRIALS: readonly Trial[] = [...MERGES.map(merged), HELD, ADAPTER];
