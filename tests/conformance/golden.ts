/** The golden cases on any backend: kept sets, counts, reserved positions and values (merging.md sections 1 to 8). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeToF32, encodeFromF32 } from '../../src/bytes/floats';
import type { Backend, Kept } from '../../src/merge/backend';
import { distance, expectWithinSection8, type Distance } from './compare';
import { loadGoldenCases, type ExpectedTensor, type GoldenCase } from './golden-cases';
import { mergeWhole, type Merged, type SlotCase } from './harness';

export interface GoldenReport extends Distance {
  readonly backend: string;
  readonly id: string;
  readonly tensor: string;
  readonly dtype: string;
}
/** Every comparison of values made so far: worst distance and number of differing values per case and tensor. */
export const goldenReports: GoldenReport[] = [];

const cases = await loadGoldenCases();

/** Elements of the tensors compared as F32: all but those of ties_19 and ties_24, which have a `compare` of their own, and ties_33's refused one. */
const F32_VALUES = 164_399;
/** And those compared in a 16-bit dtype as well. */
const ALL_VALUES = 273_774;

/**
 * Runs all cases on a backend.
 * @param exact every value must be bit-equal, not only those whose divisors are powers of two
 */
export function describeGolden(name: string, makeBackend: () => Promise<Backend>, { exact = false } = {}): void {
  describe(`golden cases on ${name}`, () => {
    let backend: Backend;
    beforeAll(async () => {
      backend = await makeBackend();
    });
    afterAll(() => {
      backend.dispose();
    });

    const check = (golden: GoldenCase, slot: SlotCase, output: Uint8Array<ArrayBuffer>, wanted: Uint8Array<ArrayBuffer>) => {
      const found = distance(output, wanted, slot.outDtype);
      const what = `${golden.id} ${slot.name} as ${slot.outDtype}`;
      goldenReports.push({ backend: name, id: golden.id, tensor: slot.name, dtype: slot.outDtype, ...found });
      if (exact || hasExactDivisors(golden, slot)) expect(found.differing, `${what}: bit-exact`).toBe(0);
      else expectWithinSection8(found, what);
    };

    for (const golden of cases) {
      it(golden.id, async () => {
        const merged = await mergeWhole(backend, golden.method, golden.slots);
        for (const [s, slot] of golden.slots.entries()) {
          const tensor = golden.tensors[slot.name]!;
          const wanted = golden.expected.get(slot.name);
          expectFigures(golden, slot, tensor, merged, s);
          if (wanted === undefined) expectOneKept(slot, merged, s);
          else if (golden.compare.startsWith('bit-exact')) check(golden, slot, merged.outputs[s]!, wanted.bytes);
          else expectWithinCompare(golden, slot, merged.outputs[s]!, wanted.bytes);
        }
      });

      const { native, expectedNative } = golden;
      if (native === null) continue;
      it(`${golden.id} written as ${native}: the f32 result rounded once`, async () => {
        const slots = golden.slots.map((slot) => ({ ...slot, outDtype: native }));
        const { outputs } = await mergeWhole(backend, golden.method, slots);
        for (const [s, slot] of slots.entries()) {
          const rounded = encodeFromF32(decodeToF32(golden.expected.get(slot.name)!.bytes, 'F32'), native);
          check(golden, slot, outputs[s]!, rounded);
          const stored = expectedNative?.get(slot.name);
          if (stored) check(golden, slot, outputs[s]!, stored.bytes);
        }
      });
    }

    it('compared every value of the 63 cases', () => {
      const mine = goldenReports.filter(({ backend: of }) => of === name);
      const f32 = mine.filter(({ dtype }) => dtype === 'F32');
      expect(new Set(f32.map(({ id }) => id)).size).toBe(61);
      expect(cases.length).toBe(63);
      expect(f32.reduce((sum, { values }) => sum + values, 0)).toBe(F32_VALUES);
      expect(mine.reduce((sum, { values }) => sum + values, 0)).toBe(ALL_VALUES);
      expect(Math.max(...mine.map(({ worst }) => worst))).toBeLessThanOrEqual(exact ? 0 : 1);
    });
  });
}

/** Whether every sum of weights that can divide is a power of two, so that dividing loses nothing. */
function hasExactDivisors({ method }: GoldenCase, { parameters: { normalize, weight } }: SlotCase): boolean {
  if (!normalize) return true;
  const weights = weight.map(Math.fround);
  const total = weights.reduce((sum, w) => Math.fround(sum + w), 0);
  const isPower = (d: number) => d === 0 || Number.isInteger(Math.log2(Math.abs(d)));
  if (method === 'linear' || method === 'task_arithmetic') return Math.abs(total) < 1e-8 || isPower(total);
  let sums = [0];
  for (const w of weights) sums = [...sums, ...sums.map((sum) => Math.fround(sum + w))];
  return sums.every(isPower);
}

function expectFigures(golden: GoldenCase, slot: SlotCase, tensor: ExpectedTensor, merged: Merged, s: number): void {
  const { figures, kept, reserved } = merged.result.slots[s]!;
  const what = `${golden.id} ${slot.name}`;
  expect(figures.numel, what).toBe(tensor.numel);
  for (const [m, model] of golden.models.entries()) {
    const trim = tensor.trim?.[model];
    if (trim === undefined) continue;
    expect([figures.kept[m], figures.nonzero[m]], `${what}: kept, non-zero of ${model}`).toEqual([trim.k, trim.nonzero_kept]);
    if (trim.kept_all === true) continue;
    const keys = keysOf(slot, m);
    const { threshold, cutoff } = kept[m]!;
    expect(threshold, `${what}: threshold of ${model}`).toBe(bitsOf(trim.threshold!));
    // MergeKit's comparison counts a NaN neither above nor equal; it takes one of the places (ties_43).
    const above = keys.filter((key) => key > threshold && key !== 0x7fffffff).length;
    const tied = keys.filter((key) => key === threshold).length;
    expect([above, tied, trim.k - above], `${what}: above, tied, tied kept of ${model}`).toEqual([trim.above, trim.tied, trim.tied_kept]);
    expect(keys.filter((key, i) => isKept(kept[m]!, key, i)).length, `${what}: cutoff ${cutoff} of ${model}`).toBe(trim.k);
  }
  const { counts } = tensor;
  if (counts !== undefined) {
    expect(
      {
        retained: figures.kept,
        nonzero: figures.nonzero,
        conflicts: figures.conflict,
        discarded: figures.discarded,
        reserved: figures.reserved,
      },
      what,
    ).toEqual({
      retained: [counts['retained_sft'], counts['retained_ct']],
      nonzero: [counts['nonzero_sft'], counts['nonzero_ct']],
      conflicts: counts['conflicts'],
      discarded: [counts['discarded_sft'], counts['discarded_ct']],
      reserved: counts['reserved'],
    });
  }
  const first16 = tensor.reserved_flat_indices_first16;
  if (first16 !== undefined) {
    const indices = reservedIndices(slot, kept, reserved!);
    expect(indices.length, `${what}: reserved`).toBe(figures.reserved);
    expect(indices.slice(0, 16), `${what}: reserved positions`).toEqual(first16);
  }
}

/** ties_33: where trunc(k * N) is 0 one value is kept; with both kept the merge is the mean of what agrees. */
function expectOneKept(slot: SlotCase, merged: Merged, s: number): void {
  expect(merged.result.slots[s]!.figures.kept).toEqual([1, 1]);
  const [base, sft, ct] = slot.inputs.map((input) => decodeToF32(input!.bytes, input!.dtype)[0]!) as [number, number, number];
  const tau = [Math.fround(sft - base), Math.fround(ct - base)];
  const gamma = Math.fround(tau[0]! + tau[1]!) >= 0 ? 1 : -1;
  const agree = tau.filter((t) => Math.sign(t) === gamma);
  const mean = Math.fround(agree.reduce((sum, t) => Math.fround(sum + t), 0) / agree.length);
  expect(decodeToF32(merged.outputs[s]!, 'F32')[0]).toBe(Math.fround(base + mean));
}

/** |diff| <= 1e-5 * |expected - base| + 4 ulp(expected): the `compare` of ties_19 and ties_24. */
function expectWithinCompare(golden: GoldenCase, slot: SlotCase, output: Uint8Array<ArrayBuffer>, wanted: Uint8Array<ArrayBuffer>): void {
  expect(golden.compare).toBe('|diff| <= 1e-5*|expected-base| + 4 ulp(expected)');
  const base = decodeToF32(slot.inputs[0]!.bytes, slot.inputs[0]!.dtype);
  const actual = decodeToF32(output, 'F32');
  const expected = decodeToF32(wanted, 'F32');
  const beyond = expected.findIndex((x, i) => {
    const ulp = 2 ** (Math.max(Math.floor(Math.log2(Math.abs(x))), -126) - 23);
    return !(Math.abs(actual[i]! - x) <= 1e-5 * Math.abs(x - base[i]!) + 4 * ulp);
  });
  expect(beyond, `${golden.id} ${slot.name}: first value beyond compare`).toBe(-1);
}

function bitsOf(value: number): number {
  return new Uint32Array(new Float32Array([value]).buffer)[0]!;
}

function taskVector(slot: SlotCase, model: number): Float32Array<ArrayBuffer> {
  const base = decodeToF32(slot.inputs[0]!.bytes, slot.inputs[0]!.dtype);
  const input = slot.inputs[model + 1]!;
  return decodeToF32(input.bytes, input.dtype).map((theta, i) => theta - base[i]!) as Float32Array<ArrayBuffer>;
}

function keysOf(slot: SlotCase, model: number): Uint32Array {
  const tau = taskVector(slot, model);
  return new Uint32Array(tau.buffer).map((bits, i) => (Number.isNaN(tau[i]!) ? 0x7fffffff : bits & 0x7fffffff));
}

function isKept({ threshold, cutoff }: Kept, key: number, index: number): boolean {
  return key > threshold || (key === threshold && index < cutoff);
}

/** Reserved positions of a two-model case with weights of 1 that prefers the first: where it lost by little enough. */
function reservedIndices(slot: SlotCase, kept: readonly (Kept | null)[], reserved: Kept): number[] {
  const trimmed = [0, 1].map((m) => {
    const keys = keysOf(slot, m);
    return taskVector(slot, m).map((tau, i) => (isKept(kept[m]!, keys[i]!, i) ? tau : 0));
  });
  return [...trimmed[0]!.keys()].filter((i) => {
    const [sft, ct] = [trimmed[0]![i]!, trimmed[1]![i]!];
    const e = Math.fround(sft + ct);
    if (sft === 0 || Math.sign(sft) === (e >= 0 ? 1 : -1)) return false;
    const margin = bitsOf(Math.abs(e));
    return margin < reserved.threshold || (margin === reserved.threshold && i < reserved.cutoff);
  });
}
