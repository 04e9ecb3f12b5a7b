/** Some values of a tensor computed again, given what was decided about all of it: what checks a backend while it merges. */
import type { ChosenParts, Kept, Slot } from '../merge/backend';
import { maskedMethod } from '../merge/masks/masked';
import type { Recompute, Spots } from '../merge/spot-check';
import { readsDensity, traitsOf } from '../recipe/methods';
import { decodeSlot, runsOf, type Run } from './decode';
import { agrees } from './elect';
import { encode } from './encode';
import { Pace } from './pace';
import { magnitudeKey } from './select';
import { decideSlot, mergeSlot, prepareSlot, type Keep, type SlotDecision } from './slot';
import type { TaskVector } from './trim';

/** Null where the whole tensor enters: what `rescale` multiplies by, and weights that follow from angles. */
export const recomputeSpots: Recompute = async ({ group, parameters, decided, read }) => {
  const { method } = group;
  const [slot] = group.slots as [Slot];
  const { angle, keeps } = traitsOf(method);
  if (angle !== null) return null;
  if (decided.chosen) return recomputeChosen({ group, parameters, decided, read }, decided.chosen);
  if (readsDensity(method) && parameters.rescale && parameters.drop?.rescaleBy !== 'density') return null;
  const pace = new Pace(undefined);
  const [runs] = runsOf(group) as [Run[]];
  const values = await decodeSlot(slot, runs, read, pace);
  const prepared = await prepareSlot(values, pace);
  const { slack, ...unreserved } = parameters;
  const keep: Keep | undefined = keeps === 'largest' ? (_, vector, model) => keptOf(vector, decided.kept[model]!) : undefined;
  const decision = await decideSlot(method, prepared, unreserved, pace, keep);
  const reservedMask = slack && decided.reserved ? reservedOf(decision, runs, slack.prefer, decided.reserved) : null;
  return encode(mergeSlot(method, values, { ...decision, reservedMask }, parameters), slot.outDtype).bytes;
};

/** As the backend merged it, from what the host chose: ranks of the whole tensor enter through that alone. */
async function recomputeChosen({ group, read }: Spots, chosen: ChosenParts) {
  const method = maskedMethod(group.method);
  const [slot] = group.slots as [Slot];
  const pace = new Pace(undefined);
  const values = await decodeSlot(slot, runsOf(group)[0]!, read, pace);
  const keep: Keep = (_, { tau, runs }, model) => {
    const mask = new Uint8Array(tau.length);
    for (const { segment, begin, end } of runs) chosen.read(model, segment.first, mask.subarray(begin, end));
    return { kept: { threshold: 0, cutoff: slot.elements }, count: mask.reduce((sum, one) => sum + one, 0), mask };
  };
  const decision = await decideSlot(method, await prepareSlot(values, pace), chosen.parameters, pace, keep);
  return encode(mergeSlot(method, values, decision, chosen.parameters), slot.outDtype).bytes;
}

/** What the threshold and cutoff of the whole slot keep of the runs. */
function keptOf({ tau, runs }: TaskVector, kept: Kept) {
  const bits = new Uint32Array(tau.buffer);
  const mask = new Uint8Array(tau.length);
  let count = 0;
  for (const { segment, begin, end } of runs) {
    for (let p = begin; p < end; p++) {
      const key = magnitudeKey(bits[p]!);
      mask[p] = Number(key > kept.threshold || (key === kept.threshold && segment.first + p - begin < kept.cutoff));
      count += mask[p]!;
    }
  }
  return { kept, count, mask };
}

/** What is given back to the preferred model: of its discarded positions those below the threshold of |e|. */
function reservedOf({ weighted, gamma, e, special }: SlotDecision, runs: readonly Run[], prefer: number, { threshold, cutoff }: Kept): Uint8Array | null {
  const terms = weighted[prefer];
  if (!terms || !gamma) return null;
  const bits = new Uint32Array(e.buffer);
  const mask = new Uint8Array(e.length);
  for (const { segment, begin, end } of runs) {
    for (let p = begin; p < end; p++) {
      if (terms[p] === 0 || agrees(terms[p]!, gamma[p]!)) continue;
      if ((special !== null && special[p] !== 0) || !Number.isFinite(e[p]!)) continue;
      const key = magnitudeKey(bits[p]!);
      mask[p] = Number(key < threshold || (key === threshold && segment.first + p - begin < cutoff));
    }
  }
  return mask;
}
