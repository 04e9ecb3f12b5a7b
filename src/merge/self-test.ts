/**
 * The start-up self-test: a backend against the CPU reference on known data with awkward values, on this very adapter
 * (merging.md section 8, faults.md row 34). Small enough to run before every session.
 */
import type { OutputDtype } from '../bytes/dtypes';
import type { Backend } from './backend';
import { TRIALS, type Observation } from './self-test-trials';

export interface SelfTestFinding {
  /** What was compared: `trim`, `elect`, `slack`, `count`, `merge`, `surface` and so on. */
  readonly pass: string;
  readonly ok: boolean;
  /** For people: the trials in which it was as the reference, or the first difference. */
  readonly detail: string;
}

/**
 * Findings, one a pass, all `ok` when the backend may be used. `subject` gives the backend to be tried, one for every trial: what
 * takes time on the first start is compiling, which goes on side by side. They are disposed of; the oracle stays usable.
 */
export async function selfTest(subject: () => Backend, oracle: Backend): Promise<SelfTestFinding[]> {
  const tried = await Promise.all(
    TRIALS.map(async ({ label, observe }) => {
      const backend = subject();
      try {
        const actual = await observe(backend);
        const expected = await observe(oracle);
        return expected.map((observation, i) => ({ label, pass: observation.pass, fault: differenceOf(actual[i]!, observation) }));
      } finally {
        backend.dispose();
      }
    }),
  );
  const passes = new Map<string, { label: string; fault: string | null }[]>();
  for (const { pass, ...found } of tried.flat()) passes.set(pass, [...(passes.get(pass) ?? []), found]);
  return [...passes].map(([pass, found]) => {
    const wrong = found.find(({ fault }) => fault !== null);
    return { pass, ok: !wrong, detail: wrong ? `${wrong.label}: ${wrong.fault}` : [...new Set(found.map(({ label }) => label))].join(', ') };
  });
}

/** What differs by more than merging.md section 8 allows; null where nothing does. */
function differenceOf(actual: Observation, expected: Observation): string | null {
  if ('exact' in expected && 'exact' in actual) return actual.exact === expected.exact ? null : difference(actual.exact, expected.exact);
  if ('bytes' in expected && 'bytes' in actual) {
    const { worst, differing, of } = farthest(actual.bytes, expected.bytes, expected.dtype);
    return worst <= 1 && differing <= Math.max(1, of / 10_000) ? null : `${differing} values differ, by up to ${worst} units in the last place`;
  }
  if ('near' in expected && 'near' in actual) {
    const at = expected.near.findIndex((value, i) => !(Math.abs(actual.near[i]! - value) <= expected.slip));
    return at < 0 ? null : `${actual.near[at]} instead of ${expected.near[at]}`;
  }
  return 'another kind of answer';
}

/** Distance in units of the last place of the dtype; zeros of either sign are equal, and so is every NaN. */
function farthest(a: Uint8Array, b: Uint8Array, dtype: OutputDtype): { worst: number; differing: number; of: number } {
  const half = dtype !== 'F32';
  const [sign, infinity] = { F32: [0x80000000, 0x7f800000] as const, F16: [0x8000, 0x7c00] as const, BF16: [0x8000, 0x7f80] as const }[dtype];
  const ordered = (bytes: Uint8Array) => {
    const words = half ? new Uint16Array(bytes.slice().buffer) : new Uint32Array(bytes.slice().buffer);
    return Float64Array.from(words, (word) => {
      const magnitude = word >= sign ? word - sign : word;
      return magnitude > infinity ? NaN : word >= sign ? -magnitude : magnitude;
    });
  };
  const [x, y] = [ordered(a), ordered(b)];
  if (x.length !== y.length) return { worst: Infinity, differing: Math.max(x.length, y.length), of: y.length };
  let worst = 0;
  let differing = 0;
  for (let i = 0; i < x.length; i++) {
    if (x[i] === y[i] || (Number.isNaN(x[i]) && Number.isNaN(y[i]))) continue;
    differing++;
    worst = Math.max(worst, Number.isNaN(x[i]! - y[i]!) ? Infinity : Math.abs(x[i]! - y[i]!));
  }
  return { worst, differing, of: x.length };
}

function difference(actual: string, expected: string): string {
  const at = [...actual].findIndex((character, i) => character !== expected[i]);
  const from = Math.max(0, at - 20);
  return `${actual.slice(from, from + 60)} instead of ${expected.slice(from, from + 60)}`;
}
