/** Known data for the self-test: values that are hard to get right, the same on every machine. */
import type { MergedDtype } from '../bytes/dtypes';
import { bytesPerValue } from '../bytes/dtypes';
import { encodeFromF32 } from '../bytes/floats';
import type { Group, ReadSegment, Slot } from './backend';

/** What is awkward beside ordinary values, ties, subnormals and both zeros: values that are not finite. */
export interface TrialSlot extends Omit<Slot, 'name' | 'inputs'> {
  readonly hasNonfinite?: boolean;
}

/** Where a model, input 1 or 2, is not finite; at 11 both are infinite, of opposite signs. */
const NONFINITE: readonly (readonly [at: number, input: number, value: number])[] = [[3, 1, NaN], [7, 2, -Infinity], [11, 1, Infinity], [11, 2, -Infinity]];

/** `null` for input 0 of a method without a base. */
export type TrialDtypes = readonly (MergedDtype | null)[];

/** A group over slots of awkward data, `cuts`: where the elements of a group of one slot are cut into chunks. */
export function awkwardGroup(method: Group['method'], dtypes: TrialDtypes, slots: readonly TrialSlot[], cuts: readonly number[] = []): { group: Group; read: ReadSegment } {
  const present = dtypes.map((dtype) => dtype !== null);
  const edges = [0, ...cuts, slots[0]!.elements];
  const chunks =
    cuts.length === 0
      ? [slots.map(({ elements }, slot) => ({ slot, first: 0, count: elements, present }))]
      : edges.slice(1).map((end, i) => [{ slot: 0, first: edges[i]!, count: end - edges[i]!, present }]);
  const group: Group = { method, slots: slots.map(({ elements, modelElements, outDtype }, s) => ({ name: `self-test ${s}`, elements, modelElements, outDtype, inputs: dtypes })), chunks };
  const data = slots.map(({ elements, hasNonfinite = false }, s) => awkwardInputs(dtypes, elements, 0x2f6e2b1 + s, hasNonfinite));
  const read: ReadSegment = async ({ slot, first, count }, input) => {
    const bytes = bytesPerValue(dtypes[input]!);
    return data[slot]![input]!.slice(first * bytes, (first + count) * bytes);
  };
  return { group, read };
}

/** Values that are hard to get right: many equal magnitudes, subnormals, both zeros, cancellation, and a spread of ordinary ones. */
function awkwardInputs(dtypes: TrialDtypes, elements: number, seed: number, hasNonfinite: boolean): Uint8Array<ArrayBuffer>[] {
  const random = generator(seed);
  const values = dtypes.map(() => new Float32Array(elements));
  for (let i = 0; i < elements; i++) {
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
  if (hasNonfinite) for (const [at, input, value] of NONFINITE) values[input]![at] = value;
  return values.map((mine, input) => {
    const dtype = dtypes[input];
    return dtype ? encodeFromF32(mine, dtype === 'F64' ? 'F32' : dtype) : new Uint8Array();
  });
}

/** Numbers in [0, 1), the same from the same seed. */
export function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
