/** Segment, block and slot tables: a group and its parameters in the layout the shaders read. */
import { InvalidRecipeError } from '../bytes/errors';
import { bytesPerValue } from '../bytes/dtypes';
import type { Group, Segment, Slot } from '../merge/backend';
import { keptOf } from '../merge/backend';
import { drawOf } from '../merge/draw';
import { traitsOf } from '../recipe/methods';
import type { TensorParameters } from '../recipe/types';
import { BLOCK, BLOCK_WORDS, DTYPE_CODE, f32Bits, f64Bits, LANES, MAX_MODELS, outputWords, SEGMENT, SELECTION, SLACK_LANE, SLOT } from './layout';

/** Words of one input's region of a segment: whole pairs of elements, so that the last pair can be read in full. */
function inputWords(count: number, bytes: number): number {
  return (Math.ceil(count / 2) * 2 * bytes) / 4;
}

export interface ChunkTables {
  /** Words of the arena, and of the merged output. */
  readonly arenaWords: number;
  readonly outputWords: number;
  readonly segments: Uint32Array<ArrayBuffer>;
  /** (segment, first pair, own number) a block. */
  readonly blocks: Uint32Array<ArrayBuffer>;
  readonly blockCount: number;
  /** First word in the arena, per segment and input; -1 where the input has none of it. */
  readonly offsets: readonly (readonly number[])[];
  /** First word in the output, per segment. */
  readonly outputs: readonly number[];
  /** Bytes of the chunk, per input. */
  readonly inputBytes: readonly number[];
}

export function chunkTables(group: Group, chunk: readonly Segment[]): ChunkTables {
  const segments = new Uint32Array((chunk.length * SEGMENT.size) / 4);
  const blocks: number[] = [];
  const offsets: number[][] = [];
  const outputs: number[] = [];
  const inputBytes = group.slots[0]!.inputs.map(() => 0);
  let arenaWords = 0;
  let output = 0;
  chunk.forEach((segment, s) => {
    const slot = group.slots[segment.slot]!;
    const at = (s * SEGMENT.size) / 4;
    const put = (field: number, value: number) => (segments[at + field / 4] = value);
    let present = 0;
    let dtypes = 0;
    const mine: number[] = [];
    slot.inputs.forEach((dtype, input) => {
      if (dtype === null || !segment.present[input]) {
        mine.push(-1);
        return;
      }
      present |= 1 << input;
      dtypes |= DTYPE_CODE[dtype] << (2 * input);
      put(SEGMENT.offsets + 4 * input, arenaWords);
      mine.push(arenaWords);
      arenaWords += inputWords(segment.count, bytesPerValue(dtype));
      inputBytes[input]! += segment.count * bytesPerValue(dtype);
    });
    put(SEGMENT.first, segment.first);
    put(SEGMENT.count, segment.count);
    put(SEGMENT.slot, segment.slot);
    put(SEGMENT.inputs, present);
    put(SEGMENT.output, output);
    put(SEGMENT.dtypes, dtypes);
    offsets.push(mine);
    outputs.push(output);
    output += outputWords(segment.count, slot.outDtype);
    for (let element = 0; element < segment.count; element += BLOCK) blocks.push(s, element / 2, blocks.length / BLOCK_WORDS);
  });
  return { arenaWords, outputWords: output, segments, blocks: Uint32Array.from(blocks), blockCount: blocks.length / BLOCK_WORDS, offsets, outputs, inputBytes };
}

/** The segment, by its place in the chunk, that a block belongs to. */
export function segmentOfBlock({ blocks }: ChunkTables, block: number): number {
  return blocks[BLOCK_WORDS * block]!;
}

/** Blocks of a chunk: the sum over its segments. */
export function blockCount(chunk: readonly Segment[]): number {
  return chunk.reduce((sum, segment) => sum + Math.ceil(segment.count / BLOCK), 0);
}

/** Lanes to select in a slot, as a mask: models that are trimmed, and the slack. */
export function trimmedLanes(group: Group, slot: number, parameters: TensorParameters): number {
  const { keeps, slack: hasSlack } = traitsOf(group.method);
  if (keeps !== 'largest') return 0;
  const { inputs, modelElements } = group.slots[slot]!;
  let mask = 0;
  for (let m = 0; m < inputs.length - 1; m++) {
    if (inputs[m + 1] !== null && keptOf(parameters, m, modelElements[m]!) < modelElements[m]!) mask |= 1 << m;
  }
  const { slack } = parameters;
  if (hasSlack && slack && inputs[slack.prefer + 1] !== null) mask |= 1 << SLACK_LANE;
  return mask;
}

/** Most that the slack may reserve: as decided over several tensors, or trunc(s * K_p) when it counts retained values. */
function slackTarget(group: Group, slot: number, parameters: TensorParameters): number {
  const { slack } = parameters;
  if (!slack) return 0;
  return slack.reserved ?? Math.trunc(slack.s * keptOf(parameters, slack.prefer, group.slots[slot]!.modelElements[slack.prefer]!));
}

/** `factors`: per slot and model, the rescale factor; absent means 1. */
export function slotTable(
  group: Group,
  parameters: readonly TensorParameters[],
  factors?: readonly (readonly number[])[],
): Uint32Array<ArrayBuffer> {
  const table = new Uint32Array((group.slots.length * SLOT.size) / 4);
  const perSlot = slotBlocks(group);
  group.slots.forEach((slot, s) => {
    const models = slot.inputs.length - 1;
    if (models > MAX_MODELS) throw new InvalidRecipeError('too-many-models', `${models} models, at most ${MAX_MODELS}`, { expected: MAX_MODELS, actual: models });
    const p = parameters[s]!;
    const put = (field: number, value: number) => (table[(s * SLOT.size + field) / 4] = value);
    put(SLOT.elements, slot.elements);
    put(SLOT.out_dtype, DTYPE_CODE[slot.outDtype]);
    put(SLOT.trimmed, trimmedLanes(group, s, p));
    put(SLOT.normalize, p.normalize ? 1 : 0);
    put(SLOT.lambda, f32Bits(p.lambda));
    if (p.slack) {
      put(SLOT.prefer, p.slack.prefer);
      if (p.slack.of === 'retained' || p.slack.reserved !== undefined) {
        put(SLOT.slack_target, slackTarget(group, s, p));
      } else {
        const [low, high] = f64Bits(p.slack.s);
        put(SLOT.slack_low, low);
        put(SLOT.slack_high, high);
      }
    }
    put(SLOT.first_block, perSlot[s]!.first);
    put(SLOT.block_count, perSlot[s]!.count);
    if (traitsOf(group.method).keeps === 'drawn') putDraws(slot, p, put);
    for (let m = 0; m < models; m++) {
      put(SLOT.weight + 4 * m, f32Bits(p.weight[m]!));
      put(SLOT.factor + 4 * m, f32Bits(factors?.[s]?.[m] ?? 1));
    }
  });
  return table;
}

function putDraws({ name, inputs }: Slot, parameters: TensorParameters, put: (field: number, value: number) => void): void {
  const draws = inputs.slice(1).map((_, model) => drawOf(parameters, name, model));
  put(SLOT.seed, parameters.drop?.seed ?? 0);
  put(SLOT.drawn, draws.reduce((mask, draw, model) => mask | (draw === null ? 0 : 1 << model), 0));
  draws.forEach((draw, model) => {
    put(SLOT.stream + 4 * model, draw?.stream ?? 0);
    put(SLOT.limit + 4 * model, draw?.limit ?? 0);
  });
}

/** Each slot's blocks, numbered over all chunks of the group; a slot's are consecutive. */
function slotBlocks(group: Group): { first: number; count: number }[] {
  const counts = group.slots.map(() => 0);
  for (const segment of group.chunks.flat()) counts[segment.slot]! += Math.ceil(segment.count / BLOCK);
  let first = 0;
  return counts.map((count) => {
    const blocks = { first, count };
    first += count;
    return blocks;
  });
}

/** The selections before any digit is known, lane by lane: trimmed lanes with their places, others keeping everything. */
export function initialState(group: Group, parameters: readonly TensorParameters[]): Uint32Array<ArrayBuffer> {
  const slots = group.slots.length;
  const state = new Uint32Array((LANES * slots * SELECTION.size) / 4);
  group.slots.forEach((slot, s) => {
    const trimmed = trimmedLanes(group, s, parameters[s]!);
    for (let lane = 0; lane < LANES; lane++) {
      const at = ((lane * slots + s) * SELECTION.size) / 4;
      if (((trimmed >> lane) & 1) === 0) state[at + SELECTION.cutoff / 4] = 0xffffffff;
      else if (lane !== SLACK_LANE) {
        state[at + SELECTION.remaining / 4] = keptOf(parameters[s]!, lane, slot.modelElements[lane]!);
      }
    }
  });
  return state;
}
