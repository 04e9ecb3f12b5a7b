/**
 * The start-up self-test: a backend against the CPU reference on known data with awkward values, on this very adapter
 * (merging.md section 8, faults.md row 34). Small enough to run before every session.
 */
import type { MergedDtype, OutputDtype } from '../bytes/dtypes';
import { encodeFromF32 } from '../bytes/floats';
import type { Method, TensorParameters } from '../recipe/types';
import type { Backend, Group, GroupResult } from './backend';

export interface SelfTestFinding {
  /** What was compared: `trim`, `elect`, `slack`, `merge`, `count`. */
  readonly pass: string;
  readonly ok: boolean;
  /** For people: what was tried, or the first difference. */
  readonly detail: string;
}

/** Odd, so that the last 16-bit word is half empty, and over one block of the engine. */
const ELEMENTS = 8197;

interface Trial {
  readonly label: string;
  readonly method: Method;
  readonly dtypes: readonly MergedDtype[];
  readonly outDtype: OutputDtype;
  readonly parameters: TensorParameters;
}
const TIES: TensorParameters = { weight: [1, 1], density: [0.2, 0.7], lambda: 1, normalize: true, rescale: false };
const TRIALS: readonly Trial[] = [
  { label: 'TIES-SV, BF16', method: 'ties_sv', dtypes: ['BF16', 'BF16', 'BF16'], outDtype: 'BF16', parameters: { ...TIES, slack: { s: 0.04, of: 'retained', prefer: 0 } } },
  { label: 'TIES-SV, weighted, mixed dtypes', method: 'ties_sv', dtypes: ['F32', 'F16', 'F32'], outDtype: 'F16', parameters: { ...TIES, weight: [0.75, -1.5], lambda: 1.25, slack: { s: 0.29, of: 'discarded', prefer: 1 } } },
  { label: 'task arithmetic, F32', method: 'task_arithmetic', dtypes: ['F32', 'F32', 'F32'], outDtype: 'F32', parameters: { ...TIES, normalize: false, lambda: 0.5 } },
];

/** Findings of `subject` against `oracle`; all `ok` when the backend may be used. Both backends stay usable. */
export async function selfTest(subject: Backend, oracle: Backend): Promise<SelfTestFinding[]> {
  const wrong = new Map<string, string>();
  for (const trial of TRIALS) {
    const expected = await attempt(oracle, trial);
    const actual = await attempt(subject, trial);
    for (const [pass, aspect] of Object.entries(ASPECTS)) {
      const [a, b] = [aspect(actual), aspect(expected)];
      if (a !== b && !wrong.has(pass)) wrong.set(pass, `${trial.label}: ${difference(a, b)}`);
    }
    const distance = farthest(actual.bytes, expected.bytes, trial.outDtype);
    if (distance.worst > 1 || distance.differing > Math.max(1, ELEMENTS / 10_000)) {
      wrong.set('merge', `${trial.label}: ${distance.differing} values differ, by up to ${distance.worst} units in the last place`);
    }
  }
  const tried = `${TRIALS.length} recipes on ${ELEMENTS} values with ties, subnormals and signed zeros`;
  return [...Object.keys(ASPECTS), 'merge'].map((pass) => ({ pass, ok: !wrong.has(pass), detail: wrong.get(pass) ?? tried }));
}

interface Attempt {
  readonly result: GroupResult;
  readonly bytes: Uint8Array;
}
/** What each part of the merge decided, as text; identical on every backend. */
const ASPECTS: Readonly<Record<string, (attempt: Attempt) => string>> = {
  trim: ({ result }) => JSON.stringify(result.slots.map((slot) => [slot.kept, slot.figures.kept, slot.figures.nonzero])),
  elect: ({ result }) => JSON.stringify(result.slots.map(({ figures }) => [figures.conflict, figures.won, figures.discarded])),
  slack: ({ result }) => JSON.stringify(result.slots.map((slot) => [slot.reserved, slot.figures.reserved])),
  count: ({ result }) => JSON.stringify(result.slots.map(({ figures }) => [figures.numel, figures.nonfinite, figures.overflow])),
};

async function attempt(backend: Backend, trial: Trial): Promise<Attempt> {
  const inputs = awkwardInputs(trial.dtypes);
  const group: Group = {
    method: trial.method,
    slots: [{ name: 'self-test', elements: ELEMENTS, inputs: trial.dtypes, modelElements: [ELEMENTS, ELEMENTS], outDtype: trial.outDtype }],
    chunks: [[{ slot: 0, first: 0, count: ELEMENTS, present: [true, true, true] }]],
  };
  let bytes = new Uint8Array();
  const result = await backend.merge(
    group,
    [trial.parameters],
    async (_, input) => inputs[input]!.slice(),
    async (_, merged) => {
      bytes = merged.slice();
    },
  );
  return { result, bytes };
}

/** Values that are hard to get right: many equal magnitudes, subnormals, both zeros, cancellation, and a spread of ordinary ones. */
function awkwardInputs(dtypes: readonly MergedDtype[]): Uint8Array<ArrayBuffer>[] {
  let state = 0x2f6e2b1;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const values = dtypes.map(() => new Float32Array(ELEMENTS));
  for (let i = 0; i < ELEMENTS; i++) {
    const base = random() - 0.5;
    values.forEach((mine, input) => {
      const kind = i % 7;
      const tiny = (random() - 0.5) * 2 ** -140;
      if (kind === 0) mine[i] = input === 0 ? 0 : tiny;
      else if (kind === 1) mine[i] = base + (input === 0 ? 0 : (random() < 0.5 ? -1 : 1) * 0.0078125);
      else if (kind === 2) mine[i] = random() < 0.5 ? -0 : 0;
      else mine[i] = base + (input === 0 ? 0 : (random() - 0.5) * 0.01);
    });
  }
  return values.map((mine, input) => {
    const dtype = dtypes[input]!;
    return encodeFromF32(mine, dtype === 'F64' ? 'F32' : dtype);
  });
}

/** Distance in units of the last place of the dtype; zeros of either sign are equal. */
function farthest(a: Uint8Array, b: Uint8Array, dtype: OutputDtype): { worst: number; differing: number } {
  const ordered = (bytes: Uint8Array) => {
    const half = dtype !== 'F32';
    const words = half ? new Uint16Array(bytes.slice().buffer) : new Uint32Array(bytes.slice().buffer);
    const sign = half ? 0x8000 : 0x80000000;
    return Float64Array.from(words, (word) => (word >= sign ? sign - word : word));
  };
  const [x, y] = [ordered(a), ordered(b)];
  if (x.length !== y.length) return { worst: Infinity, differing: Math.max(x.length, y.length) };
  let worst = 0;
  let differing = 0;
  for (let i = 0; i < x.length; i++) {
    if (x[i] === y[i]) continue;
    differing++;
    worst = Math.max(worst, Math.abs(x[i]! - y[i]!));
  }
  return { worst, differing };
}

function difference(actual: string, expected: string): string {
  const at = [...actual].findIndex((character, i) => character !== expected[i]);
  const from = Math.max(0, at - 20);
  return `${actual.slice(from, from + 60)} instead of ${expected.slice(from, from + 60)}`;
}
