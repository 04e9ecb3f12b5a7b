/** The sample that exploring merges: whole small tensors and a few blocks of every large one (architecture.md, idea 6). */
import { bytesPerValue } from '../bytes/dtypes';
import { isVocabulary, layerCount, placeOf } from '../checkpoint/places';
import type { Checkpoint } from '../checkpoint/types';
import { resolveParameters } from '../recipe/resolve';
import type { Method, Recipe, TensorParameters } from '../recipe/types';
import type { ElementRange, Group, Segment, Slot } from './backend';
import { segmentInputBytes, segmentsOf } from './chunks';
import { decide } from './plan';
import type { FitChoices, InputRange } from './plan-types';
import { drawsFor } from './random';

/** Tensors up to this many elements are wanted whole: norms and biases cost one read either way. */
const SMALL_ELEMENTS = 8192;
/** Elements below which a tensor gets fewer blocks rather than shorter ones. */
const SHORTEST_BLOCK = 16;
/** Two at least, or nothing could be said about how far the figures are off. */
const FEWEST_BLOCKS = 2;

export interface SampleOptions {
  /** Most bytes of all inputs together. */
  readonly bytes: number;
  /** Most values: elements of tensors, whatever the number of inputs. What an evaluation takes is in proportion to it. */
  readonly values: number;
  /** Most blocks drawn from one tensor: each is a read of its own per input. A vocabulary has up to REFINED_BLOCKS all the same. */
  readonly blocks: number;
  /** Another draw for another number; 0 unless told. A link to a view must show the same estimate elsewhere. */
  readonly seed?: number;
}
/** Blocks a tensor of the sample that is drawn at once, where every read delays the first chart, and of the one that follows. */
export const COARSE_BLOCKS = 3;
export const REFINED_BLOCKS = 16;

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
  readonly inputs: readonly (readonly (InputRange | null)[])[];
  /** Per segment of the one chunk. */
  readonly segments: readonly SampledSegment[];
  /** Layers of the base: what gradients are resolved over. */
  readonly layers: number;
  /** Bytes of the sample in all inputs: what `hold` reads. */
  readonly bytes: number;
}

/**
 * Draws the sample within its budgets. When everything fits it is everything; else small tensors are whole and the others give
 * values in proportion to the square root of their size (power allocation: a layer's bar and a single tensor's cell are both to
 * be told well), as blocks of equal length, one at a random place in each of as many equal parts. Every element is as likely to
 * be drawn as any other of its tensor. Budgets under a few values a tensor are exceeded, and tensors that the preflight refuses
 * are left out. Throws as `planMerge` does.
 */
export function planSample(open: readonly Checkpoint[], recipe: Recipe, choices: FitChoices, options: SampleOptions): SamplePlan {
  const { participants, planned } = decide(open, recipe, choices);
  const merged = planned.flatMap((tensor) => tensor.merged ?? []);
  const shares = sharesOf(merged.map(({ slot }) => slot), options);
  const slots: Slot[] = [];
  const chunk: Segment[] = [];
  const segments: SampledSegment[] = [];
  for (const [i, { slot }] of merged.entries()) {
    const cut = blocksOf(slot, shares[i]!, options).flatMap((range, block) => segmentsOf(slot, slots.length, range).map((segment) => ({ segment, block })));
    let position = 0;
    for (const { segment, block } of cut) {
      segments.push({ first: segment.first, elements: slot.elements, block });
      chunk.push({ ...segment, first: position });
      position += segment.count;
    }
    const modelElements = slot.modelElements.map((_, model) => cut.reduce((sum, { segment: { count, present } }) => sum + (present[model + 1] ? count : 0), 0));
    // A sample numbers its elements for itself, and rows with them.
    const { row, ...sampled } = slot;
    slots.push({ ...sampled, elements: position, modelElements, ...(row !== undefined && position === slot.elements ? { row } : {}) });
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
export function sampleKey({ method, base, models, rules }: Recipe, { leaveOut, rows }: FitChoices): string {
  const left = Object.entries(leaveOut).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([sampledMethod(method), base, models.map(({ model }) => model), rules, left, ...(rows === 'id' ? [rows] : [])]);
}

/** Parameters of the sampled tensors, per slot. Throws InvalidRecipeError as `resolveParameters` does. */
export function sampleParameters(recipe: Recipe, { names, layers }: SamplePlan): TensorParameters[] {
  return names.map((name) => resolveParameters(recipe, name, placeOf(name).layer, layers));
}

/** TIES is TIES-SV without slack, and held as such, so that turning the slack on reads nothing. */
function sampledMethod(method: Method): Method {
  return method === 'ties' ? 'ties_sv' : method;
}

/** Per slot: how many of its elements may be drawn. */
function sharesOf(slots: readonly Slot[], { bytes, values }: SampleOptions): number[] {
  const fits = (shares: readonly number[], part: number) =>
    sumOf(shares) <= part * values && sumOf(shares.map((share, i) => share * inputBytesPerElement(slots[i]!))) <= part * bytes;
  const upTo = (size: number) => slots.map(({ elements }) => (elements <= size ? elements : 0));
  const sizes = [...new Set(slots.map(({ elements }) => elements).filter((size) => size <= SMALL_ELEMENTS))].sort((a, b) => b - a);
  const whole = upTo(sizes.find((size) => fits(upTo(size), 0.5)) ?? 0);
  const at = (size: number) => slots.map(({ elements }, i) => whole[i]! || Math.min(elements, size * Math.sqrt(elements)));
  // At this size every tensor is whole, rounding included.
  let high = 1.01 * Math.sqrt(Math.max(1, ...slots.map(({ elements }) => elements)));
  if (fits(at(high), 1)) return at(high);
  let low = 0;
  for (let step = 0; step < 40; step++) {
    const middle = (low + high) / 2;
    if (fits(at(middle), 1)) low = middle;
    else high = middle;
  }
  return at(low);
}

const sumOf = (numbers: readonly number[]) => numbers.reduce((sum, number) => sum + number, 0);

function inputBytesPerElement({ inputs }: Slot): number {
  return inputs.reduce((sum, dtype) => sum + (dtype === null ? 0 : bytesPerValue(dtype)), 0);
}

/**
 * All of a slot, or blocks that have at most `share` of its elements: one of equally many in each of as many equal parts. The rows
 * of a vocabulary go from frequent to rare tokens, and a few of them hold most of what models changed: three blocks would miss
 * those more often than not, and tell nothing of it. There are two such tensors at most in a common model, so the reads are few.
 */
function blocksOf({ name, elements }: Slot, share: number, { blocks, seed = 0 }: SampleOptions): ElementRange[] {
  if (share >= elements || elements <= 2 * FEWEST_BLOCKS) return [{ first: 0, end: elements }];
  const most = isVocabulary(name) ? Math.max(blocks, REFINED_BLOCKS) : blocks;
  const count = Math.max(FEWEST_BLOCKS, Math.min(most, Math.floor(share / SHORTEST_BLOCK)));
  // Edges are even, so a block may be longer than its share by less than two elements.
  const longest = Math.max(2, share / count - 2);
  const perPart = Math.min(Math.floor(elements / count / 2), Math.max(2, Math.ceil(elements / count / longest)));
  const edge = (block: number) => (block === count * perPart ? elements : 2 * Math.floor((block * elements) / (count * perPart) / 2));
  const draw = drawsFor(seed === 0 ? name : `${seed}/${name}`);
  return Array.from({ length: count }, (_, part) => {
    const block = part * perPart + draw(perPart);
    return { first: edge(block), end: edge(block + 1) };
  });
}
