/**
 * Methods whose weights follow from lengths and angles (SLERP, NuSLERP, model stock), on any backend: a first reading sums the
 * products of each tensor's vectors in f64 and flat order, here and not on the device, so that every backend has the same weights
 * to the bit; then the backend merges by the weighted sum it knows, `linear` or `task_arithmetic`.
 */
import { decodeToF32 } from '../bytes/floats';
import type { AngleRule } from '../recipe/angles';
import { traitsOf } from '../recipe/methods';
import type { TensorParameters } from '../recipe/types';
import { throwIfAborted } from './abort';
import { mergeByVectors } from './angle-vectors';
import { cellsOf, sumDistributions, sumEffects, sumResults, type Cells } from './angle-cells';
import type { Backend, Group, GroupResult, Held, MergeOptions, ReadSegment, Segment, WriteSegment } from './backend';

/** Values that are multiplied before other events get their turn. */
const VALUES_AT_ONCE = 2 ** 22;

type Lower = (parameters: readonly TensorParameters[]) => TensorParameters[];

/**
 * `backend`, with the methods that have an angle rule. What is held takes the angles between whole tensors, as a sample has few
 * rows and no column whole: figures are the same, lengths of the change are near those of the merge.
 */
export function withAngles<B extends Backend>(backend: B): B {
  const merge: Backend['merge'] = (group, ...call) => {
    const rule = traitsOf(group.method).angle;
    if (rule === null) return backend.merge(group, ...call);
    const [parameters] = call;
    const isWhole = parameters.every(({ vectors }) => vectors === undefined);
    return isWhole ? mergeByAngles(backend, rule, group, ...call) : mergeByVectors(backend, rule, group, ...call);
  };
  const hold: Backend['hold'] = (group, read) => {
    const rule = traitsOf(group.method).angle;
    return rule === null ? backend.hold(group, read) : holdByAngles(backend, rule, group, read);
  };
  // Property by property: `info` of a backend may be a getter.
  const own = { merge: { value: merge, enumerable: true }, hold: { value: hold, enumerable: true } };
  return Object.defineProperties({}, { ...Object.getOwnPropertyDescriptors(backend), ...own }) as B;
}

async function mergeByAngles(
  backend: Backend,
  rule: AngleRule,
  group: Group,
  parameters: readonly TensorParameters[],
  read: ReadSegment,
  write: WriteSegment,
  options: MergeOptions = {},
): Promise<GroupResult> {
  const cells = cellsOf(group);
  const { products, again } = await multiply(cells, read, options.signal);
  const lowered = loweredParameters(cells, products, rule, parameters);
  return sumResults(cells, await backend.merge(cells.group, lowered, again, (segment, bytes) => write(cells.original(segment), bytes), options));
}

async function holdByAngles(backend: Backend, rule: AngleRule, group: Group, read: ReadSegment): Promise<Held> {
  const cells = cellsOf(group);
  const { products, again } = await multiply(cells, read, undefined);
  const held = await backend.hold(cells.group, again);
  return heldOf(group, cells, held, (parameters) => loweredParameters(cells, products, rule, parameters));
}

function heldOf(group: Group, cells: Cells, held: Held, lower: Lower): Held {
  const refuse = () => Promise.reject(new RangeError(`${group.method} does not trim and elect: there is no such view of it`));
  return {
    group,
    evaluate: async (parameters, signal) => sumResults(cells, await held.evaluate(lower(parameters), signal)),
    tally: refuse,
    surface: refuse,
    slackCurve: refuse,
    effect: async (parameters, signal) => sumEffects(cells, await held.effect(lower(parameters), signal)),
    async distribution(slot, signal) {
      const own = [...cells.slotOf.keys()].filter((cell) => cells.slotOf[cell] === slot);
      return sumDistributions(await Promise.all(own.map((cell) => held.distribution(cell, signal))));
    },
    release: () => held.release(),
  };
}

/** Products of every cell, and a reading that hands out what is at hand of them once more. */
async function multiply(cells: Cells, read: ReadSegment, signal: AbortSignal | undefined) {
  const kept = new Map<string, Uint8Array<ArrayBuffer>>();
  // One chunk is what a backend has at once; of several, only the products are kept.
  const keeps = cells.group.chunks.length === 1;
  const products = cells.group.slots.map(({ inputs }) => new Float64Array((inputs.length - 1) ** 2));
  let since = 0;
  for (const segment of cells.group.chunks.flat()) {
    const original = cells.original(segment);
    const inputs: (Float32Array | null)[] = [];
    for (const [input, dtype] of cells.group.slots[segment.slot]!.inputs.entries()) {
      throwIfAborted(signal);
      if (dtype === null) {
        inputs.push(null);
        continue;
      }
      const bytes = await read(original, input);
      inputs.push(decodeToF32(bytes, dtype));
      if (keeps) kept.set(keyOf(original, input), bytes);
    }
    for (let from = 0; from < segment.count; from += VALUES_AT_ONCE) {
      const to = Math.min(segment.count, from + VALUES_AT_ONCE);
      addProducts(inputs, from, to, products[segment.slot]!);
      since += to - from;
      if (since < VALUES_AT_ONCE) continue;
      since = 0;
      await new Promise((resolve) => setTimeout(resolve));
      throwIfAborted(signal);
    }
  }
  const again: ReadSegment = async (segment, input) => {
    const original = cells.original(segment);
    const bytes = kept.get(keyOf(original, input));
    kept.delete(keyOf(original, input));
    return bytes ?? read(original, input);
  };
  return { products, again };
}

const keyOf = ({ slot, first }: Segment, input: number) => `${slot}:${first}:${input}`;

/** Adds the products of elements [from, to); those where some value is not finite are left out: one would undo all the others. */
function addProducts([base, ...models]: readonly (Float32Array | null)[], from: number, to: number, into: Float64Array): void {
  const here = models.flatMap((values, model) => (values ? [{ values, model }] : []));
  const count = here.length;
  const vector = new Float64Array(count);
  const sums = new Float64Array(count * count);
  for (let p = from; p < to; p++) {
    let finite = true;
    for (let i = 0; i < count; i++) {
      const value = base ? Math.fround(here[i]!.values[p]! - base[p]!) : here[i]!.values[p]!;
      vector[i] = value;
      finite &&= Number.isFinite(value);
    }
    if (!finite) continue;
    for (let i = 0; i < count; i++) for (let j = 0; j <= i; j++) sums[i * count + j]! += vector[i]! * vector[j]!;
  }
  for (const [i, a] of here.entries()) {
    for (const [j, b] of here.entries()) into[a.model * models.length + b.model]! += sums[Math.max(i, j) * count + Math.min(i, j)]!;
  }
}

/** Per cell: the weights of the models that take part in it; a model by itself has all the weight. */
function loweredParameters(cells: Cells, products: readonly Float64Array[], rule: AngleRule, parameters: readonly TensorParameters[]): TensorParameters[] {
  return cells.group.slots.map(({ inputs }, cell) => {
    const own = parameters[cells.slotOf[cell]!]!;
    const n = inputs.length - 1;
    const here = [...own.weight.keys()].filter((model) => inputs[model + 1] !== null);
    const between = Float64Array.from(here.flatMap((i) => here.map((j) => products[cell]![i * n + j]!)));
    const found = here.length < 2 ? [1] : rule(between, here.map((model) => own.weight[model]!));
    const weight = own.weight.map((_, model) => (here.includes(model) ? found[here.indexOf(model)]! : 0));
    return { weight, density: own.density, lambda: 1, normalize: false, rescale: false };
  });
}
