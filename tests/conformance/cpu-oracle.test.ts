/** Tests of the oracle itself: against a second formulation, and of the rules that no golden case reaches. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeToF32, encodeFromF32 } from '../../src/bytes/floats';
import { createReferenceBackend } from '../../src/reference/backend';
import { selectLargest } from '../../src/reference/select';
import { distance } from './compare';
import { makeGroup, mergeGroup, mergeWhole, readerOf, wholeSlots, type SlotCase } from './harness';
import { naiveTies } from './naive';
import { reportWithShape } from './properties';
import { arbitraryScenario, encodeInput, EVERYTHING, KINDS, trainedSlot } from './scenarios';

const backend = createReferenceBackend();

/** Values as they are: F64 inputs unrounded. */
function valuesOf({ dtype, bytes }: NonNullable<SlotCase['inputs'][number]>): number[] {
  return dtype === 'F64' ? [...new Float64Array(bytes.slice().buffer)] : [...decodeToF32(bytes, dtype)];
}

function indicesWhere(keys: readonly number[], of: (key: number, index: number) => boolean): number[] {
  return [...keys.keys()].filter((i) => of(keys[i]!, i));
}

const bitsOf = (value: number) => new Uint32Array(new Float32Array([value]).buffer)[0]!;

describe('the reference against full sorts, position by position', () => {
  const limits = { ...EVERYTHING, kinds: KINDS.filter((kind) => kind !== 'overflowing'), maxElements: 300 };
  for (const [method, maxModels] of [['ties', 2], ['ties_sv', 2], ['ties', 5], ['ties_sv', 5]] as const) {
    it(`${method}, up to ${maxModels} models: kept sets, figures and values are equal`, async () => {
      const scenarios = arbitraryScenario({ ...limits, methods: [method], maxModels });
      await fc.assert(
        fc.asyncProperty(scenarios, async ({ slots: drawn }) => {
          // The second formulation knows no absent models and no missing rows.
          const slots = drawn.map((slot) => ({ ...slot, inputs: slot.inputs.map((input) => (input?.bytes.length ? whole(slot, input) : slot.inputs[0]!)) }));
          const { result, outputs } = await mergeWhole(backend, method, slots);
          for (const [s, slot] of slots.entries()) {
            const [base, ...models] = slot.inputs.map((input) => valuesOf(input!)) as [number[], ...number[][]];
            const naive = naiveTies(base, models, slot.parameters);
            const { figures, kept, reserved } = result.slots[s]!;
            for (const [m, theta] of models.entries()) {
              const keys = theta.map((value, p) => bitsOf(Math.abs(Math.fround(Math.fround(value) - Math.fround(base[p]!)))));
              const { threshold, cutoff } = kept[m]!;
              expect(indicesWhere(keys, (key, i) => key > threshold || (key === threshold && i < cutoff))).toEqual(
                [...naive.kept[m]!].sort((a, b) => a - b),
              );
            }
            expect(figures.kept).toEqual(naive.kept.map((set) => set.size));
            expect(figures).toMatchObject({
              numel: slot.elements,
              nonzero: naive.nonzero,
              conflict: naive.conflict,
              won: naive.won,
              discarded: naive.discarded,
              reserved: naive.reserved.size,
            });
            expect(figures.reservedCost).toBeCloseTo(naive.reservedCost, 9);
            if (method === 'ties_sv') expect(reserved).not.toBeNull();
            const expected = encodeFromF32(new Float32Array(naive.merged), slot.outDtype);
            expect(distance(outputs[s]!, expected, slot.outDtype).differing).toBe(0);
          }
        }),
        { numRuns: 120, reporter: reportWithShape },
      );
    });
  }
});

/** An input that ends early, filled up with the base's values. */
function whole(slot: SlotCase, input: NonNullable<SlotCase['inputs'][number]>): NonNullable<SlotCase['inputs'][number]> {
  const values = valuesOf(input);
  const base = valuesOf(slot.inputs[0]!);
  return encodeInput(Float64Array.from([...values, ...base.slice(values.length)]), input.dtype);
}

const ONE_MODEL = { weight: [1], density: [0.5], lambda: 1, normalize: true, rescale: false };

function slotOf(base: number[] | null, models: number[][], parameters: SlotCase['parameters'], outDtype: SlotCase['outDtype'] = 'F32'): SlotCase {
  const input = (values: number[]) => encodeInput(Float64Array.from(values), 'F32');
  return {
    name: 'v',
    elements: models[0]!.length,
    inputs: [base && input(base), ...models.map(input)],
    outDtype,
    parameters,
  };
}

async function mergeOne(method: Parameters<typeof mergeWhole>[1], slot: SlotCase) {
  const { result, outputs } = await mergeWhole(backend, method, [slot]);
  return { ...result.slots[0]!, values: [...decodeToF32(outputs[0]!, slot.outDtype)] };
}

describe('selection (merging.md section 2)', () => {
  it('takes equal keys by lowest position, exactly as many as asked for', () => {
    const keys = Uint32Array.from([5, 7, 5, 5, 9, 5]);
    const sorted = keys.slice().sort();
    const select = (count: number) => selectLargest(keys, sorted, count);
    expect(select(0)).toEqual({ threshold: 0x7fffffff, last: -1 });
    expect(select(1)).toEqual({ threshold: 9, last: 4 });
    expect(select(2)).toEqual({ threshold: 7, last: 1 });
    expect(select(4)).toEqual({ threshold: 5, last: 2 });
    expect(select(6)).toEqual({ threshold: 5, last: 5 });
  });

  it('a density that keeps nothing keeps one value; one of 1 and more keeps all', async () => {
    const slot = (k: number) => slotOf([0, 0, 0], [[1, -3, 2]], { ...ONE_MODEL, density: [k] });
    expect((await mergeOne('ties', slot(0.1))).values).toEqual([0, -3, 0]);
    expect(await mergeOne('ties', slot(0.1))).toMatchObject({ kept: [{ threshold: bitsOf(3), cutoff: 2 }], figures: { kept: [1] } });
    expect(await mergeOne('ties', slot(1.7))).toMatchObject({ kept: [{ threshold: 0, cutoff: 3 }], values: [1, -3, 2] });
  });
});

describe('figures of methods without election (merging.md section 5)', () => {
  it('task arithmetic counts conflicts, and neither won nor discarded', async () => {
    const { figures, kept } = await mergeOne(
      'task_arithmetic',
      slotOf([0, 0, 0, 0], [[1, -1, 1, 0], [-1, 1, 1, 1]], { ...ONE_MODEL, weight: [1, 1], density: [0.25, 0.25] }),
    );
    expect(figures).toMatchObject({ kept: [4, 4], nonzero: [3, 4], conflict: 2, won: [0, 0], discarded: [0, 0] });
    expect(kept).toEqual([{ threshold: 0, cutoff: 4 }, { threshold: 0, cutoff: 4 }]);
  });

  it('linear without a base takes the first model for it', async () => {
    const { figures, values } = await mergeOne('linear', slotOf(null, [[1, 1, 1], [3, 1, 1], [-1, 2, 1]], { ...ONE_MODEL, weight: [2, 1, 1], density: [1, 1, 1] }));
    expect(values).toEqual([1, 1.25, 1]);
    expect(figures).toMatchObject({ numel: 3, kept: [3, 3, 3], nonzero: [0, 1, 2], conflict: 1, nonfinite: [0, 0, 0, 0] });
  });

  it('linear and task arithmetic divide by the weights of the models that are there', async () => {
    const short = (slot: SlotCase): SlotCase => ({ ...slot, inputs: slot.inputs.map((input, i) => (i === 2 ? { ...input!, bytes: input!.bytes.slice(0, 8) } : input)) });
    const parameters = { ...ONE_MODEL, weight: [1, 3], density: [1, 1] };
    expect((await mergeOne('linear', short(slotOf(null, [[4, 4, 4], [8, 8, 8]], parameters)))).values).toEqual([7, 7, 4]);
    expect((await mergeOne('task_arithmetic', short(slotOf([1, 1, 1], [[5, 5, 5], [9, 9, 9]], parameters)))).values).toEqual([8, 8, 5]);
  });

  it('linear counts a sum of weights of 0 as 1 (a recipe with one is refused before)', async () => {
    expect((await mergeOne('linear', slotOf(null, [[4], [1]], { ...ONE_MODEL, weight: [1, -1], density: [1, 1] }))).values).toEqual([3]);
  });

  it('task arithmetic counts a sum of weights below 1e-8 as 1', async () => {
    const slot = (w: number) => slotOf([0], [[1], [3]], { ...ONE_MODEL, weight: [1, w], density: [1, 1] });
    expect((await mergeOne('task_arithmetic', slot(-1))).values).toEqual([-2]);
    expect((await mergeOne('task_arithmetic', slot(-0.5))).values).toEqual([-1]);
  });
});

describe('values that are not finite (merging.md section 8)', () => {
  const all = { weight: [1, 1], density: [1, 1], lambda: 1, normalize: true, rescale: false };

  it('NaN if any model has NaN or both infinities meet, else the infinity; counted per input', async () => {
    const { values, figures } = await mergeOne(
      'ties',
      slotOf([0, 0, 0, 0, Infinity], [[NaN, Infinity, Infinity, -Infinity, 1], [1, -Infinity, 5, 7, 1]], all),
    );
    expect(values).toEqual([NaN, NaN, Infinity, -Infinity, NaN]);
    expect(figures.nonfinite).toEqual([1, 4, 1]);
    expect(figures).toMatchObject({ nonzero: [5, 5], conflict: 2, won: [1, 1], discarded: [2, 2] });
  });

  it('a trimmed NaN or infinity is written all the same, and NaN has the largest key', async () => {
    const slot = (odd: number) => slotOf([0, 0, 0], [[NaN, odd, 1], [2, 2, 2]], { ...all, density: [0.34, 1] });
    expect((await mergeOne('ties', slot(Infinity))).values).toEqual([NaN, Infinity, 2]);
    expect(await mergeOne('ties', slot(NaN))).toMatchObject({ values: [NaN, NaN, 2], kept: [{ threshold: 0x7fffffff, cutoff: 1 }, {}] });
  });

  it('such positions are never reserved', async () => {
    const slack = { s: 1, of: 'discarded' as const, prefer: 0 };
    const { figures, values, reserved } = await mergeOne('ties_sv', slotOf([0, 0, 0], [[NaN, 1, 1], [-2, -Infinity, -3]], { ...all, slack }));
    expect(figures).toMatchObject({ discarded: [3, 0], reserved: 1, reservedCost: 3 });
    expect(values).toEqual([NaN, -Infinity, 1]);
    expect(reserved).toEqual({ threshold: bitsOf(2), cutoff: 3 });
  });

  it('nor where a trimmed value is not finite, nor where e overflows', async () => {
    const slack = { s: 1, of: 'discarded' as const, prefer: 0 };
    // The second model's NaNs are kept; its infinity and its finite value are trimmed.
    const models = [[1, 1, 1, 1], [NaN, -3e38, NaN, Infinity], [-5, -3e38, -5, -5]];
    const parameters = { ...all, weight: [1, 1, 1], density: [1, 0.5, 1], slack };
    const { figures, values } = await mergeOne('ties_sv', slotOf([0, 0, 0, 0], models, parameters));
    expect(figures).toMatchObject({ kept: [4, 2, 4], discarded: [4, 2, 0], reserved: 1 });
    expect(values).toEqual([NaN, 1, NaN, Infinity]);
    const overflowing = { ...parameters, density: [1, 1, 1] };
    expect((await mergeOne('ties_sv', slotOf([0], [[1], [-3e38], [-3e38]], overflowing))).figures.reserved).toBe(0);
  });

  it('a NaN has no sign: two others conflict, it does not', async () => {
    const slot = slotOf([0, 0], [[NaN, NaN], [1, 1], [-1, 1]], { ...all, weight: [1, 1, 1], density: [1, 1, 1] });
    expect((await mergeOne('ties', slot)).figures).toMatchObject({ conflict: 1, nonzero: [2, 2, 2] });
  });

  it('rescale leaves them out of its sums', async () => {
    const { values } = await mergeOne('ties', slotOf([0, 0, 0, 0], [[Infinity, 6, 4, 2]], { ...ONE_MODEL, rescale: true }));
    expect(values).toEqual([Infinity, 12, 0, 0]);
  });
});

describe('the slack variable (merging.md section 6)', () => {
  const parameters = { weight: [1, 1], density: [1, 1], lambda: 1, normalize: true, rescale: false };
  const models = [[1, 1, 1, 1], [-3, -2, -2, 5]];
  const withSlack = (slack: NonNullable<SlotCase['parameters']['slack']>, weight = [1, 1]) =>
    mergeOne('ties_sv', slotOf([0, 0, 0, 0], models, { ...parameters, weight, slack }));

  it('gives back the smallest margins first, equal ones by lowest index, trunc(s * M) of them', async () => {
    const third = await withSlack({ s: 0.34, of: 'discarded', prefer: 0 });
    expect(third).toMatchObject({ values: [-3, 1, -2, 3], reserved: { threshold: bitsOf(1), cutoff: 2 }, figures: { reserved: 1, reservedCost: 2, discarded: [3, 0] } });
    const half = await withSlack({ s: 0.5, of: 'retained', prefer: 0 });
    expect(half).toMatchObject({ values: [-3, 1, 1, 3], reserved: { threshold: bitsOf(1), cutoff: 3 } });
  });

  it('reserves no more than was discarded, and nothing for a share that truncates to 0', async () => {
    expect((await withSlack({ s: 1, of: 'retained', prefer: 0 })).figures.reserved).toBe(3);
    expect(await withSlack({ s: 0.3, of: 'discarded', prefer: 0 })).toMatchObject({ figures: { reserved: 0 }, reserved: { threshold: 0, cutoff: 0 } });
  });

  it('has nothing to give back to a model of weight 0, which is wholly discarded', async () => {
    expect(await withSlack({ s: 1, of: 'retained', prefer: 0 }, [0, 1])).toMatchObject({ figures: { discarded: [4, 0], reserved: 0 }, values: [-3, -2, -2, 5] });
  });
});

describe('rescale (merging.md section 4)', () => {
  it('gives back what trimming took, and sums only the elements that the model has', async () => {
    const rescaled = { ...ONE_MODEL, rescale: true };
    expect((await mergeOne('ties', slotOf([0, 0, 0, 0], [[4, 3, 2, 1]], rescaled))).values).toEqual([Math.fround(4 * Math.fround(10 / 7)), Math.fround(3 * Math.fround(10 / 7)), 0, 0]);
    const short = slotOf([9, 9, 9, 9], [[13, 10, 0, 0]], rescaled);
    const inputs = [short.inputs[0]!, { ...short.inputs[1]!, bytes: short.inputs[1]!.bytes.slice(0, 8) }];
    expect((await mergeOne('ties', { ...short, inputs })).values).toEqual([14, 9, 9, 9]);
  });

  it('is skipped when either sum is below 1e-7', async () => {
    const slot = (size: number) => slotOf([0, 0], [[size, size / 2]], { ...ONE_MODEL, rescale: true });
    const tiny = Math.fround(6e-8);
    expect((await mergeOne('ties', slot(tiny))).values).toEqual([tiny, 0]);
    const enough = Math.fround(2e-7);
    expect((await mergeOne('ties', slot(enough))).values).toEqual([Math.fround(enough * 1.5), 0]);
  });
});

describe('outputs (merging.md section 4)', () => {
  it('counts finite values that the output dtype cannot hold', async () => {
    const { figures, values } = await mergeOne('ties', slotOf([1, -70000, 65519, 0], [[2, -70000, 65519, Infinity]], { ...ONE_MODEL, density: [1] }, 'F16'));
    expect(values).toEqual([2, -Infinity, 65504, Infinity]);
    expect(figures.overflow).toBe(1);
  });

  it('keeps the bits of the base where nothing is added, the sign of a zero included', async () => {
    for (const lambda of [1, -1]) {
      const { outputs } = await mergeWhole(backend, 'ties', [slotOf([-0, 0], [[-0, 0]], { ...ONE_MODEL, lambda })]);
      expect([...new Uint32Array(outputs[0]!.buffer)]).toEqual([0x80000000, 0]);
    }
  });

  it('rounds F64 once to f32, before subtracting', async () => {
    const slot = slotOf([0], [[0]], { ...ONE_MODEL, density: [1] });
    const inputs = [slot.inputs[0]!, encodeInput(Float64Array.of(1 + 2 ** -24 + 2 ** -50), 'F64')];
    expect((await mergeOne('ties', { ...slot, inputs })).values).toEqual([1 + 2 ** -23]);
  });
});

describe('courtesy', () => {
  it('lets other events in while it works, and a cancel that arrives then stops it', async () => {
    const slots = Array.from({ length: 40 }, (_, i) => trainedSlot(`t${i}`, 30_000, ['BF16', 'BF16'], 'BF16', ONE_MODEL, { seed: i }));
    const held = await backend.hold(makeGroup('ties', slots, [wholeSlots(slots)]), readerOf(slots));
    const parameters = slots.map((slot) => slot.parameters);
    const controller = new AbortController();
    setTimeout(() => {
      controller.abort();
    }, 0);
    await expect(repeat(() => held.evaluate(parameters, controller.signal))).rejects.toMatchObject({ code: 'cancelled' });
  });

  it('rejects what it cannot mean: wrong numbers of parameters, short reads, a released group', async () => {
    const slot = slotOf([0, 0], [[1, 2]], ONE_MODEL);
    const group = makeGroup('ties', [slot], [wholeSlots([slot])]);
    const held = await backend.hold(group, readerOf([slot]));
    await expect(held.evaluate([])).rejects.toThrow('0 sets of parameters for 1 slots');
    held.release();
    await expect(held.evaluate([ONE_MODEL])).rejects.toThrow('released');
    await expect(backend.hold(group, () => Promise.resolve(new Uint8Array(4)))).rejects.toThrow('v, input 0: 1 values instead of 2');
  });

  it('refuses to hold more than it has room for, before reading anything', async () => {
    const slot = slotOf([0, 0], [[1, 2]], ONE_MODEL);
    const group = makeGroup('ties', [slot], [wholeSlots([slot])]);
    const huge = { ...group, chunks: [[{ slot: 0, first: 0, count: 2 ** 27, present: [true, true] }]] };
    const read = () => Promise.reject(new Error('nothing should be read'));
    await expect(backend.hold(huge, read)).rejects.toMatchObject({ code: 'out-of-memory' });
  });

  it('writes segments in order and each once, whatever the order of slots in chunks', async () => {
    const slots = [slotOf([0, 0, 0, 0], [[1, 2, 3, 4]], ONE_MODEL), slotOf([0, 0], [[5, 6]], ONE_MODEL)];
    const stretches = [{ slot: 0, first: 0, end: 2 }, { slot: 0, first: 2, end: 4 }, { slot: 1, first: 0, end: 2 }];
    const { result } = await mergeGroup(backend, makeGroup('ties', slots, [stretches]), slots);
    expect(result.segments[0]!.map(({ kept }) => kept)).toEqual([[0], [2], [1]]);
  });
});

/** Until it rejects. */
async function repeat(work: () => Promise<unknown>): Promise<never> {
  const deadline = performance.now() + 20_000;
  while (performance.now() < deadline) await work();
  throw new Error('was not cancelled');
}

