/** Whole-model scope over a held sample: every sampled value stands for as many of its tensor as were not drawn. */
import type { Scope, TensorParameters } from '../recipe/types';
import type { Held } from './backend';
import { HELD_DIGITS } from './ranking';
import type { SamplePlan } from './sample';
import { rankingsOf, rankSlots } from './whole-model';

/**
 * The parameters with what the rankings keep and give back of each tensor's sample: an estimate, and exact where the sample is
 * everything. Rejects as `Held.tally` does.
 */
export async function rankSample(plan: SamplePlan, parameters: readonly TensorParameters[], scope: Scope, held: Held, signal?: AbortSignal): Promise<readonly TensorParameters[]> {
  const { trim, slack } = rankingsOf(parameters.map((own) => ({ parameters: own })), scope);
  if (!trim && !slack) return parameters;
  const elements = new Map(plan.group.chunks[0]!.map(({ slot }, place) => [slot, plan.segments[place]!.elements]));
  const slots = plan.group.slots.map(({ name, inputs, modelElements, elements: sampled }, s) => ({
    name,
    parameters: parameters[s]!,
    present: inputs.slice(1).map((dtype) => dtype !== null),
    modelElements,
    scales: modelElements.map((own, model) => (own === 0 ? 1 : plan.modelElements[s]![model]! / own)),
    scale: (elements.get(s) ?? sampled) / Math.max(1, sampled),
  }));
  const indices = [...slots.keys()];
  const ranked = await rankSlots(slots, scope, HELD_DIGITS, async (decided, ask, take) => take(indices, await held.tally(decided, ask(indices), signal)));
  return ranked.parameters;
}
