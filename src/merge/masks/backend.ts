/**
 * Methods that choose what takes part by ranks (Breadcrumbs, DELLA, SCE), on any backend: the host reads a tensor, decides, and
 * hands the backend the base's own value wherever one takes no part; the backend then merges by `ties` or `task_arithmetic`
 * without trimming. The decisions are made here and not on the device, so that every backend makes the same ones to the bit.
 */
import { traitsOf } from '../../recipe/methods';
import type { MethodTraits } from '../../recipe/methods';
import type { TensorParameters } from '../../recipe/types';
import type { Backend, Group, GroupResult, MergeOptions, ReadSegment, WriteSegment } from '../backend';
import { oneChunk } from '../budget';
import type { Choose, Chosen } from './choose';
import { holdMasked } from './held';
import { maskedGroup, maskedParameters, maskedRead, unmasked } from './masked';
import { chooseMiddle } from './middle';
import { chooseRanked } from './ranked';
import { chooseVarying } from './varying';
import { hostBytes, partsOf, Reading, SlotVectors } from './vectors';

const CHOICES: Readonly<Record<MethodTraits['keeps'], Choose | null>> = {
  all: null,
  largest: null,
  drawn: null,
  middle: chooseMiddle,
  ranked: chooseRanked,
  varying: chooseVarying,
};

/** `backend`, with the methods that choose on the host. */
export function withMasks<B extends Backend>(backend: B): B {
  const chooseOf = ({ method }: Group) => CHOICES[traitsOf(method).keeps];
  const merge: Backend['merge'] = (group, ...call) => {
    const choose = chooseOf(group);
    return choose ? mergeMasked(backend, choose, group, ...call) : backend.merge(group, ...call);
  };
  const hold: Backend['hold'] = async (group, read) => {
    const choose = chooseOf(group);
    return choose ? holdMasked(backend, choose, group, read) : backend.hold(group, read);
  };
  const heldOf = backend.heldBytes ?? oneChunk;
  const heldBytes: NonNullable<Backend['heldBytes']> = (group) => (chooseOf(group) ? heldOf(maskedGroup(group)) + hostBytes(group) : heldOf(group));
  // Property by property: `info` of a backend may be a getter.
  const own = { merge: { value: merge, enumerable: true }, hold: { value: hold, enumerable: true }, heldBytes: { value: heldBytes, enumerable: true } };
  return Object.defineProperties({}, { ...Object.getOwnPropertyDescriptors(backend), ...own }) as B;
}

/** Merges a group by what `choose` makes of every slot. */
export async function mergeMasked(
  backend: Backend,
  choose: Choose,
  group: Group,
  parameters: readonly TensorParameters[],
  read: ReadSegment,
  write: WriteSegment,
  options: MergeOptions = {},
): Promise<GroupResult> {
  if (parameters.length !== group.slots.length) throw new RangeError(`${parameters.length} sets of parameters for ${group.slots.length} slots`);
  const parts = partsOf(group);
  const reading = new Reading(group, read);
  const chosen: Chosen[] = [];
  for (const [s, slot] of group.slots.entries()) chosen.push(await choose(new SlotVectors(slot, parts[s]!, reading.look, options.signal), parameters[s]!));
  const own = parameters.map((one, s) => maskedParameters(one, chosen[s]!));
  const result = await backend.merge(maskedGroup(group), own, maskedRead(group, parts, chosen, reading, false), write, options);
  return unmasked(group, parts, chosen, own, result);
}
