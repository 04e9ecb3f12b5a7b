/** Planning a merge: from headers and a recipe to every byte range that will be read and written. Reads nothing. */
import { fitCheckpoints } from '../checkpoint/fit';
import { InvalidRecipeError } from '../bytes/errors';
import { bytesPerValue } from '../bytes/dtypes';
import type { MergedDtype, OutputDtype } from '../bytes/dtypes';
import { layerCount, placeOf } from '../checkpoint/places';
import { compareVocabularies } from '../checkpoint/vocabulary';
import type { Checkpoint, FitIssue } from '../checkpoint/types';
import { resolveParameters, scopeOf } from '../recipe/resolve';
import type { Recipe, TensorParameters } from '../recipe/types';
import { groupsHold, holdingOf } from './budget';
import { decideTensor } from './decide';
import type { PlannedTensor } from './decide';
import { notesOf } from './notes';
import { findParticipants } from './participants';
import type { Participants } from './participants';
import { COPY_BYTES, READ_AHEAD_BYTES } from './io-sizes';
import { planRanking } from './plan-ranking';
import type { FitChoices, MergePlan, PlanLimits, PlanNote, Step } from './plan-types';
import { layOutShards, piecesBytes } from './shards';
import { stepBytesRead, stepsOf } from './steps';

/** Every tensor of the base decided. */
export interface Decisions {
  readonly participants: Participants;
  /** In the base's order of names. */
  readonly planned: readonly PlannedTensor[];
  readonly refusals: readonly FitIssue[];
  readonly notes: readonly PlanNote[];
  readonly parametersOf: (tensor: string) => TensorParameters;
}

/**
 * Decides every tensor of the base (for `linear` without one: of the first model). Throws InvalidRecipeError for a recipe that
 * has no meaning (for these tensors) and IncompatibleCheckpointsError `tensor-too-large`.
 */
export function decide(open: readonly Checkpoint[], recipe: Recipe, choices: FitChoices): Decisions {
  const participants = findParticipants(open, recipe, choices);
  const { base, models } = participants;
  const issues = fitCheckpoints(base, [...new Set(models)].filter((model) => model !== base));
  const issuesOf = new Map<string, FitIssue[]>();
  for (const issue of issues) issuesOf.set(issue.tensor, [...(issuesOf.get(issue.tensor) ?? []), issue]);
  const layers = layerCount(base.tensors.map(({ name }) => name));
  const parametersOf = (tensor: string) => resolveParameters(recipe, tensor, placeOf(tensor).layer, layers);

  const planned: PlannedTensor[] = [];
  const refusals: FitIssue[] = issues.filter(({ kind }) => kind === 'quantised');
  if (refusals.length > 0) return { participants, planned, refusals, notes: [], parametersOf };
  const notes: PlanNote[] = [];
  for (const tensor of base.tensors) {
    const about = issuesOf.get(tensor.name) ?? [];
    const decision = decideTensor(participants, tensor, about);
    if ('refused' in decision) {
      refusals.push(...decision.refused);
      continue;
    }
    planned.push(decision.tensor);
    const parameters = decision.tensor.merged ? parametersOf(tensor.name) : null;
    notes.push(...notesOf(participants, tensor, decision.tensor, parameters, about));
  }
  const extra = issues.filter(({ kind }) => kind === 'only-in-model');
  notes.push(...extra.map(({ kind, tensor, model }) => ({ kind, tensor, model })));
  return { participants, planned, refusals, notes, parametersOf };
}

/**
 * Plans the merge of `recipe` over the open checkpoints (merging.md sections 1, 2, 9 and 10). What the user still has to decide
 * comes back as `refusals` of an empty plan. `metadata` goes into every output shard.
 *
 * Throws InvalidRecipeError for a recipe without a meaning or with a checkpoint that is not open, IncompatibleCheckpointsError
 * `tensor-too-large`, InvalidRecipeError `tokenizer-of-other-rows`, and MalformedFileError where the output could not be read back.
 */
export function planMerge(
  open: readonly Checkpoint[],
  recipe: Recipe,
  choices: FitChoices,
  limits: PlanLimits,
  metadata: Readonly<Record<string, string>>,
): MergePlan {
  const { participants, planned, refusals, notes, parametersOf } = decide(open, recipe, choices);
  const { allowNonfinite } = choices;
  refuseForeignTokenizer(participants);
  if (refusals.length > 0) {
    const nothing = { steps: [], shards: [], index: null, integersToCompare: [], tensors: 0, parameters: 0, bytesRead: 0, bytesWritten: 0, peakBytes: 0 };
    return { ...nothing, notes, refusals, allowNonfinite };
  }
  const { shards, index } = layOutShards(participants.base, planned, limits.shardBytes, metadata);
  const byName = new Map(planned.map((tensor) => [tensor.name, tensor]));
  const context = { method: recipe.method, chunkBytes: limits.chunkBytes, planned: byName, parametersOf };
  const steps = shards.flatMap((shard, i) => stepsOf(shard, i, context));
  const ranking = planRanking(steps, scopeOf(recipe));
  const integersToCompare = planned.flatMap(({ comparison }) => comparison ?? []);
  const compared = integersToCompare.flatMap(({ ranges }) => ranges).reduce((sum, { begin, end }) => sum + end - begin, 0);
  return {
    steps,
    shards,
    index,
    notes,
    refusals,
    integersToCompare,
    allowNonfinite,
    ...(ranking ? { ranking } : {}),
    tensors: planned.length,
    parameters: planned.reduce((sum, { shape }) => sum + shape.reduce((product, dimension) => product * dimension, 1), 0),
    bytesRead: steps.reduce((sum, step) => sum + stepBytesRead(step), compared + (ranking?.bytes ?? 0)),
    bytesWritten: shards.reduce((sum, { header, payloadBytes }) => sum + header.length + payloadBytes, 0),
    peakBytes: peakBytes(steps, limits) + piecesBytes({ shards }),
  };
}

/** Rows in the base's order are another model's only as far as its tokens have the same ids. */
function refuseForeignTokenizer({ recipe, choices, base, checkpoint }: Participants): void {
  const from = recipe.tokenizerFrom === null ? base : checkpoint(recipe.tokenizerFrom);
  if (choices.rows === 'id' || from.adapter || !base.vocabulary || !from.vocabulary) return;
  const { moved } = compareVocabularies(base.vocabulary, from.vocabulary);
  if (moved > 0) throw new InvalidRecipeError('tokenizer-of-other-rows', `${moved} tokens of ${from.name} have other ids than rows of the output`, { model: from.id, actual: moved });
}

/** Of `MergePlan.peakBytes` what is no writer's. */
function peakBytes(steps: readonly Step[], limits: PlanLimits): number {
  // What follows a copy, or is merged beside the group of a tail, is read and computed meanwhile.
  return groupsHold(steps, holdingOf(limits, limits.readAheadBytes ?? READ_AHEAD_BYTES)) + Math.max(0, ...steps.map(copyingBytes));
}

/** Bytes of the pieces of what a step copies: one is written, converted where it has another dtype, while the next is read. */
function copyingBytes(step: Step): number {
  const parts = step.kind === 'copy' ? step.parts : step.tails.flat();
  return parts.reduce((most, { range, dtype, outDtype }) => {
    const piece = Math.min(COPY_BYTES, range.end - range.begin);
    // Only floating dtypes are converted, through f32.
    const converted = dtype === outDtype ? 0 : (piece / bytesPerValue(dtype as MergedDtype)) * (4 + bytesPerValue(outDtype as OutputDtype));
    return Math.max(most, 2 * piece + converted);
  }, 0);
}
