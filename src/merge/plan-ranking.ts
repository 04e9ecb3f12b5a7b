/** Ranking a plan's tensors over the whole model: every merged tensor is read twice before the first is merged. */
import type { Scope } from '../recipe/types';
import type { Group } from './backend';
import { tallyStep } from './groups';
import { Pipeline } from './pipeline';
import type { PipelineMeans } from './pipeline';
import type { MergePlan, MergeStep, PlannedRanking, Step } from './plan-types';
import { STREAMED_DIGITS } from './ranking';
import { stepBytesRead } from './steps';
import type { Tally, TallyCounts } from './tally-types';
import { rankingsOf, rankSlots } from './whole-model';
import type { RankedSlot } from './whole-model';

/** Slots counted together: their counts take 256 KiB each and model. */
const MOST_SLOTS = 32;

/** What a plan of these steps ranks; absent when every tensor is for itself. Parts of a plan rank all steps of the whole. */
export function planRanking(steps: readonly Step[], scope: Scope): PlannedRanking | undefined {
  const merged = steps.filter((step): step is MergeStep => step.kind === 'merge');
  const { trim, slack } = rankingsOf(merged.flatMap(({ parameters }) => parameters.map((own) => ({ parameters: own }))), scope);
  if (!trim && !slack) return undefined;
  const readings = STREAMED_DIGITS.length * (Number(trim) + Number(slack));
  const bytes = readings * merged.reduce((sum, step) => sum + stepBytesRead({ ...step, tails: [] }), 0);
  return { scope, steps: merged, readings, bytes };
}

/** The plan's steps with what its rankings decide. Rejects as the backend and the sources do. */
export async function rankPlan({ steps, ranking }: Pick<MergePlan, 'steps' | 'ranking'>, means: PipelineMeans): Promise<readonly Step[]> {
  if (ranking === undefined) return steps;
  means.meter.enter('ranking');
  const counted = ranking.steps.flatMap(splitStep);
  const slots: RankedSlot[] = [];
  const indices = counted.map(({ group, parameters }) =>
    group.slots.map(({ name, inputs, modelElements }, s) => {
      const present = inputs.slice(1).map((dtype) => dtype !== null);
      return slots.push({ name, parameters: parameters[s]!, present, modelElements, scales: modelElements.map(() => 1), scale: 1 }) - 1;
    }),
  );
  let rounds = 0;
  const { parameters } = await rankSlots(slots, ranking.scope, STREAMED_DIGITS, async (decided, ask, take) => {
    if (++rounds > ranking.readings) for (const step of counted) means.meter.readingAgain(stepBytesRead(step));
    const now = counted.map((step, i) => ({ ...step, parameters: indices[i]!.map((s) => decided[s]!) }));
    await countSteps(now, (i) => ask(indices[i]!), (i, counts) => take(indices[i]!, counts), means);
  });
  means.meter.enter('reading');
  const byName = new Map(slots.map(({ name }, s) => [name, parameters[s]!]));
  return steps.map((step) => (step.kind === 'copy' ? step : { ...step, parameters: step.group.slots.map(({ name }) => byName.get(name)!) }));
}

async function countSteps(
  steps: readonly MergeStep[],
  ask: (step: number) => Tally[],
  take: (step: number, counts: readonly TallyCounts[]) => void,
  means: PipelineMeans,
): Promise<void> {
  const pipeline = new Pipeline(steps, means, (prepared, context) => tallyStep(prepared, context, ask(steps.indexOf(prepared.step))));
  try {
    pipeline.begin();
    for (const at of steps.keys()) take(at, await pipeline.finish(at, () => Promise.resolve()));
  } finally {
    await pipeline.stop();
  }
}

/** Steps of few slots each, and without what is only copied. */
function splitStep(step: MergeStep): MergeStep[] {
  const { group, parameters, inputs } = step;
  return Array.from({ length: Math.ceil(group.slots.length / MOST_SLOTS) }, (_, i) => {
    const first = i * MOST_SLOTS;
    const end = first + MOST_SLOTS;
    return { ...step, group: slotsOf(group, first, end), parameters: parameters.slice(first, end), inputs: inputs.slice(first, end), tails: group.slots.slice(first, end).map(() => []) };
  });
}

function slotsOf({ method, slots, chunks }: Group, first: number, end: number): Group {
  if (slots.length <= end - first) return { method, slots, chunks };
  const within = chunks[0]!.filter(({ slot }) => slot >= first && slot < end);
  return { method, slots: slots.slice(first, end), chunks: [within.map((segment) => ({ ...segment, slot: segment.slot - first }))] };
}
