/** How outputs and results are compared: bit for bit, or within merging.md section 8. */
import { expect } from 'vitest';
import type { OutputDtype } from '../../src/bytes/dtypes';
import type { GroupResult, Kept } from '../../src/merge/backend';
import type { Figures } from '../../src/merge/figures';

export interface Distance {
  readonly values: number;
  readonly differing: number;
  /** Largest distance in units of the last place; Infinity where only one is NaN. */
  readonly worst: number;
}

/** Distance of two outputs in units of the last place of `dtype`; -0 equals +0 and NaN equals NaN. */
export function distance(actual: Uint8Array<ArrayBuffer>, expected: Uint8Array<ArrayBuffer>, dtype: OutputDtype): Distance {
  expect(actual.byteLength, 'output bytes').toBe(expected.byteLength);
  const places = dtype === 'F32' ? placesOf32 : placesOf16(dtype === 'F16' ? 0x7c00 : 0x7f80);
  const a = places(actual);
  const b = places(expected);
  let differing = 0;
  let worst = 0;
  for (let i = 0; i < a.length; i++) {
    if (Object.is(a[i], b[i])) continue;
    differing++;
    const apart = Math.abs(a[i]! - b[i]!);
    worst = Math.max(worst, Number.isNaN(apart) ? Infinity : apart);
  }
  return { values: a.length, differing, worst };
}

/** At most 1 unit in the last place, at no more than max(1, numel / 10,000) values of a tensor (merging.md section 8). */
export function expectWithinSection8(found: Distance, what: string): void {
  expect(found.worst, `${what}: units in the last place`).toBeLessThanOrEqual(1);
  expect(found.differing, `${what}: differing of ${found.values} values`).toBeLessThanOrEqual(Math.max(1, found.values / 10_000));
}

/** Values as integers in their order, one apart where they are neighbours; both zeros are 0. */
function placesOf32(bytes: Uint8Array<ArrayBuffer>): Float64Array {
  const bits = new Uint32Array(bytes.slice().buffer);
  return Float64Array.from(bits, (b) => place(b & 0x7fffffff, b >>> 31, 0x7f800000));
}
function placesOf16(infinity: number): (bytes: Uint8Array<ArrayBuffer>) => Float64Array {
  return (bytes) => Float64Array.from(new Uint16Array(bytes.slice().buffer), (b) => place(b & 0x7fff, b >>> 15, infinity));
}
function place(magnitude: number, sign: number, infinity: number): number {
  if (magnitude > infinity) return NaN;
  return sign === 1 && magnitude !== 0 ? -magnitude : magnitude;
}

/**
 * Relative error of a sum of non-negative f32 values in f32: a WebGPU workgroup adds at most 32 values a thread and then
 * 256 threads, each addition off by at most 2^-24; the f64 sums over workgroups add nothing that counts.
 */
const COST_TOLERANCE = (32 + 256 + 8) * 2 ** -24;
/** Subnormal terms may be flushed. */
const COST_FLOOR = 2 ** -126;

export function expectSameFigures(actual: Figures, expected: Figures, what: string): void {
  const { reservedCost: actualCost, ...actualCounts } = actual;
  const { reservedCost: expectedCost, ...expectedCounts } = expected;
  expect(actualCounts, what).toEqual(expectedCounts);
  if (Number.isFinite(expectedCost)) {
    const allowed = expectedCost * COST_TOLERANCE + expected.reserved * COST_FLOOR;
    expect(Math.abs(actualCost - expectedCost), `${what}: reservedCost ${actualCost}, expected ${expectedCost}`).toBeLessThanOrEqual(allowed);
  }
}

/** Figures of slots and segments, kept sets and reserved sets, all exact but for the cost of the slack. */
export function expectSameResult(actual: GroupResult, expected: GroupResult): void {
  expect(actual.slots.length).toBe(expected.slots.length);
  for (const [s, slot] of expected.slots.entries()) {
    expectSameFigures(actual.slots[s]!.figures, slot.figures, `figures of slot ${s}`);
    expectSameSelections(actual.slots[s]!, slot, `slot ${s}`);
  }
  expect(actual.segments.map((chunk) => chunk.length)).toEqual(expected.segments.map((chunk) => chunk.length));
  for (const [c, chunk] of expected.segments.entries()) {
    for (const [p, figures] of chunk.entries()) expectSameFigures(actual.segments[c]![p]!, figures, `segment ${p} of chunk ${c}`);
  }
}

type Selections = Pick<GroupResult['slots'][number], 'kept' | 'reserved'>;

export function expectSameSelections(actual: Selections, expected: Selections, what: string): void {
  expect(actual.kept.map(written), `${what}: kept`).toEqual(expected.kept.map(written));
  expect(actual.reserved && written(actual.reserved), `${what}: reserved`).toEqual(expected.reserved && written(expected.reserved));
}

function written(kept: Kept | null): Kept | null {
  return kept && { threshold: kept.threshold, cutoff: kept.cutoff };
}
