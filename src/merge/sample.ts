/** The sample that exploring merges: whole small tensors and a few blocks of every large one (architecture.md, idea 6). */
import { bytesPerValue } from '../bytes/dtypes';
import { layerCount, placeOf } from '../checkpoint/places';
import type { Checkpoint } from '../checkpoint/types';
import { isTies, resolveParameters } from '../recipe/resolve';
import type { Method, Recipe, TensorParameters } from '../recipe/types';
import type { Group, Segment, Slot } from './backend';
import { EDGE_ELEMENTS, segmentInputBytes, segmentsOf } from './chunks';
import type { ElementRange } from './chunks';
import { decide } from './plan';
import type { ByteRange, FitChoices } from './plan-types';
import { drawsFor } from './random';

/** Most blocks drawn from one tensor: each is a read of its own per input. */
const BLOCKS = 3;

export interface SampledSegment {
  /** True flat index of the segment's first element in the tensor; `Segment.first` counts within the sample. */
  readonly first: number;
  /** True N of the tensor: elements that would be merged. */
  readonly elements: number;
  /** Which of the slot's blocks it belongs to: a block is in several segments where a model's rows end inside it. */
  readonly block: number;
}

export interface SamplePlan {
  /** One chunk. A slot's `elements` and `modelElements` are those of the sample. `outDtype` means nothing: nothing is written. */
  readonly group: Group;
  /** Per slot. */
  readonly names: readonly string[];
  /** Per slot: whether the sample is the whole tensor, so that its figures are exact. */
  readonly whole: readonly boolean[];
  /** Per slot, per model: elements it has of the whole tensor. */
  readonly modelElements: readonly (readonly number[])[];
  /** Per slot, per input: the bytes of all its elements, sampled or not; null where it takes no part. */
  readonly inputs: readonly (readonly (ByteRange | null)[])[];
  /** Per segment of the one chunk. */
  readonly segments: readonly SampledSegment[];
  /** Layers of the base: what gradients are resolved over. */
  readonly layers: number;
  /** Bytes of the sample in all inputs: what `hold` reads. */
  readonly bytes: number;
}

/**
 * Draws the sample within `budgetBytes` of inputs. When everything fits it is everything; else small tensors are whole and the
 * others get equal shares of what is left, as blocks of a multiple of 4096 elements, one in each third of the tensor, at places
 * that depend on the tensor's name alone. A budget under 2 elements a tensor is exceeded, and tensors that the preflight refuses
 * are left out. Throws as `planMerge` does.
 */
export function planSample(open: readonly Checkpoint[], recipe: Recipe, choices: FitChoices, budgetBytes: number): SamplePlan {
  const { participants, planned } = decide(open, recipe, choices);
  const merged = planned.flatMap((tensor) => tensor.merged ?? []);
  const share = equalShare(merged.map(({ slot }) => slot.elements * inputBytesPerElement(slot)), budgetBytes);
  const slots: Slot[] = [];
  const chunk: Segment[] = [];
  const segments: SampledSegment[] = [];
  for (const { slot } of merged) {
    const cut = blocksOf(slot, share).flatMap((range, block) => segmentsOf(slot, slots.length, range).map((segment) => ({ segment, block })));
    let position = 0;
    for (const { segment, block } of cut) {
      segments.push({ first: segment.first, elements: slot.elements, block });
      chunk.push({ ...segment, first: position });
      position += segment.count;
    }
    const modelElements = slot.modelElements.map((_, model) => cut.reduce((sum, { segment: { count, present } }) => sum + (present[model + 1] ? count : 0), 0));
    slots.push({ ...slot, elements: position, modelElements });
  }
  return {
    group: { method: sampledMethod(recipe.method), slots, chunks: [chunk] },
    names: slots.map(({ name }) => name),
    whole: slots.map(({ elements }, i) => elements === merged[i]!.slot.elements),
    modelElements: merged.map(({ slot }) => slot.modelElements),
    inputs: merged.map(({ inputs }) => inputs),
    segments,
    layers: layerCount(participants.base.tensors.map(({ name }) => name)),
    bytes: chunk.reduce((sum, segment) => sum + segmentInputBytes(slots[segment.slot]!, segment), 0),
  };
}

/**
 * What a SamplePlan depends on, as text: a recipe or choice that gives the same key needs no new sample, only the parameters of
 * `sampleParameters`. Densities, weights, lambda, slack and output dtype do not enter it, nor does ties against ties_sv.
 */
export function sampleKey({ method, base, models, rules }: Recipe, { leaveOut }: FitChoices): string {
  const left = Object.entries(leaveOut).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([sampledMethod(method), base, models.map(({ model }) => model), rules, left]);
}

/** Parameters of the sampled tensors, per slot. Throws InvalidRecipeError as `resolveParameters` does. */
export function sampleParameters(recipe: Recipe, { names, layers }: SamplePlan): TensorParameters[] {
  return names.map((name) => resolveParameters(recipe, name, placeOf(name).layer, layers));
}

/** TIES is TIES-SV without slack, and held as such, so that turning the slack on reads nothing. */
function sampledMethod(method: Method): Method {
  return isTies(method) ? 'ties_sv' : method;
}

/** The most bytes a tensor may have so that all together stay within the budget; those that need less leave more to the others. */
function equalShare(costs: readonly number[], budget: number): number {
  const ascending = [...costs].sort((a, b) => a - b);
  let left = budget;
  for (const [i, cost] of ascending.entries()) {
    const share = left / (ascending.length - i);
    if (cost > share) return share;
    left -= cost;
  }
  return Infinity;
}

function inputBytesPerElement({ inputs }: Slot): number {
  return inputs.reduce((sum, dtype) => sum + (dtype === null ? 0 : bytesPerValue(dtype)), 0);
}

/** All of a slot, or blocks of it that take at most `share` bytes: one at random in each of as many equal parts. */
function blocksOf(slot: Slot, share: number): ElementRange[] {
  const { name, elements } = slot;
  const most = Math.floor(share / inputBytesPerElement(slot));
  if (most >= elements) return [{ first: 0, end: elements }];
  const count = Math.min(BLOCKS, Math.max(1, Math.floor(most / EDGE_ELEMENTS)));
  const step = most >= EDGE_ELEMENTS ? EDGE_ELEMENTS : 2;
  const each = Math.max(2, Math.floor(most / count / step) * step);
  const draw = drawsFor(name);
  const edge = (part: number) => (part === count ? elements : 2 * Math.floor((part * elements) / count / 2));
  return Array.from({ length: count }, (_, part) => {
    const places = Math.floor((edge(part + 1) - edge(part) - each) / 2) + 1;
    const first = edge(part) + 2 * draw(Math.max(1, places));
    return { first, end: Math.min(elements, first + each) };
  });
}
