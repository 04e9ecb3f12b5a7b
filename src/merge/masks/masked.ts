/** A group as its backend sees it: where a value takes no part, the base's own stands in for it, so that its task vector is 0 there. */
import { decodeToF32 } from '../../bytes/floats';
import { bytesPerValue, type MergedDtype } from '../../bytes/dtypes';
import { traitsOf } from '../../recipe/methods';
import type { Method, TensorParameters } from '../../recipe/types';
import type { ChosenParts, Group, GroupResult, ReadSegment, Slot } from '../backend';
import type { Figures } from '../figures';
import type { Bits } from './bits';
import type { Chosen } from './choose';
import { resultOf } from './count';
import type { Part, Reading } from './vectors';

/** The group with the method that merges what takes part. Throws nothing; reads nothing. */
export function maskedGroup({ method, slots, chunks }: Group): Group {
  return { method: maskedMethod(method), slots: slots.map(maskedSlot), chunks };
}

/** What merges what takes part. */
export function maskedMethod(method: Method): Method {
  return traitsOf(method).elects ? 'ties' : 'task_arithmetic';
}

/** A base that is of another dtype may not be a value of the model's: both are read as f32 then. */
function maskedSlot(slot: Slot): Slot {
  const [base, ...models] = slot.inputs;
  return { ...slot, inputs: [base!, ...models.map((dtype) => (dtype === null || dtype === base ? dtype : 'F32'))] };
}

/** The parameters of what takes part: everything of it is kept. */
export function maskedParameters(own: TensorParameters, chosen: Chosen): TensorParameters {
  const { weight, lambda, normalize } = own;
  return { weight, lambda, normalize, density: weight.map(() => 1), rescale: false, ...chosen.parameters };
}

/** Hands out the inputs of the masked group. Of a segment that was handed out whole nothing is kept. */
export function maskedRead(group: Group, parts: readonly (readonly Part[])[], chosen: readonly Chosen[], reading: Reading, keeps: boolean): ReadSegment {
  const handed = new Map<string, number>();
  const begins = new Map(parts.flat().map(({ segment, begin }) => [`${segment.slot}:${segment.first}`, begin]));
  return async (segment, input) => {
    const { inputs } = group.slots[segment.slot]!;
    const [dtype, baseDtype] = [inputs[input]!, inputs[0]!];
    const bits = input === 0 ? null : (chosen[segment.slot]!.bits[input - 1] ?? null);
    const [own, base] = await Promise.all([reading.held(segment, input), reading.held(segment, 0)]);
    const key = `${segment.slot}:${segment.first}`;
    const bytes = input === 0 ? own.slice() : masked(own, dtype, base, baseDtype, bits, begins.get(key)!);
    const count = (handed.get(key) ?? 0) + 1;
    handed.set(key, count);
    const present = inputs.filter((one, i) => one !== null && segment.present[i]).length;
    if (count % present === 0 && !keeps) reading.forget(segment, inputs.length);
    return bytes;
  };
}

/** Values of a model with the base's where the bit from `begin` on is not set; f32 where the two dtypes differ. Always a copy. */
export function masked(own: Uint8Array, dtype: MergedDtype, base: Uint8Array, baseDtype: MergedDtype, bits: Bits | null, begin: number): Uint8Array<ArrayBuffer> {
  if (dtype !== baseDtype) {
    const values = decodeToF32(own, dtype);
    if (bits) replace(values, decodeToF32(base, baseDtype), bits, begin);
    return new Uint8Array(values.buffer);
  }
  const copy = new Uint8Array(own);
  if (bits === null) return copy;
  // As integers, and an F64 as two of them: a float may change its bits on the way through.
  const perValue = Math.max(1, bytesPerValue(dtype) / 4);
  if (bytesPerValue(dtype) === 2) replace(new Uint16Array(copy.buffer), new Uint16Array(new Uint8Array(base).buffer), bits, begin);
  else replace(new Uint32Array(copy.buffer), new Uint32Array(new Uint8Array(base).buffer), bits, begin, perValue);
  return copy;
}

/** `perValue`: array elements that make one value. */
function replace<T extends Float32Array | Uint16Array | Uint32Array>(values: T, base: T, bits: Bits, begin: number, perValue = 1): void {
  const mask = new Uint8Array(Math.min(AT_ONCE, values.length / perValue));
  for (let at = 0; at < values.length / perValue; at += AT_ONCE) {
    const count = Math.min(AT_ONCE, values.length / perValue - at);
    bits.read(begin + at, mask);
    const end = (at + count) * perValue;
    if (perValue === 1) for (let j = 0, w = at; w < end; j++, w++) values[w] = mask[j] === 1 ? values[w]! : base[w]!;
    else for (let w = at * perValue; w < end; w++) if (mask[Math.floor(w / perValue) - at] === 0) values[w] = base[w]!;
  }
}

/** Elements whose bits are looked up at a time. */
const AT_ONCE = 2 ** 16;

/** The masked group's results as those of the group; `parameters` are the masked ones. */
export function unmasked(group: Group, parts: readonly (readonly Part[])[], chosen: readonly Chosen[], parameters: readonly TensorParameters[], { segments }: GroupResult): GroupResult {
  const figures = parts.map((mine, s) => mine.map(({ chunk, index }, p): Figures => ({ ...segments[chunk]![index]!, ...chosen[s]!.figures[p] })));
  const result = resultOf(group, parts, figures);
  return { ...result, slots: result.slots.map((slot, s) => ({ ...slot, chosen: partsChosen(chosen[s]!, parameters[s]!) })) };
}

/** Of a merge, where a slot is covered whole: places are flat indices. */
function partsChosen({ bits }: Chosen, parameters: TensorParameters): ChosenParts {
  return {
    parameters,
    read: (model, first, mask) => {
      const own = bits[model];
      if (own) own.read(first, mask);
      else mask.fill(1);
    },
  };
}
