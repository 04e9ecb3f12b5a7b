/** Merging a group: selections, then the merge pass over every chunk, then figures and bytes back to the host. */
import { bytesPerValue } from '../bytes/dtypes';
import { throwIfAborted } from '../merge/abort';
import type { Group, GroupResult, MergeOptions, ReadSegment, WriteSegment } from '../merge/backend';
import type { Figures } from '../merge/figures';
import type { TensorParameters } from '../recipe/types';
import { isBracketable, prepareBracketed } from './bracket';
import type { LoadedChunk } from './chunk';
import type { Context, Overrides } from './context';
import { segmentFigures, slotResults } from './counts';
import type { GroupBuffers } from './group-buffers';
import { areOrdinaryFactors } from './edges';
import { createGroupBuffers } from './group-buffers';
import { COUNT, LANES, SELECTION, SLACK_LANE, SUM_WORDS, THREADS } from './layout';
import { groupOverrides } from './overrides';
import { prepareMerge } from './passes/merge';
import { prepareSums, rescaleFactor } from './passes/sums';
import { Residency } from './residency';
import { segmentOfBlock } from './tables';
import type { Selector } from './select';
import { prepareSelector } from './select';

export const STORAGE = 0x80 | 0x8 | 0x4; // GPUBufferUsage.STORAGE | COPY_DST | COPY_SRC

/** Merges a group from end to end. `budget`: bytes of inputs that may stay on the device between readings. */
export async function mergeGroup(
  context: Context,
  group: Group,
  parameters: readonly TensorParameters[],
  read: ReadSegment,
  write: WriteSegment,
  budget: number,
  options: MergeOptions = {},
): Promise<GroupResult> {
  const residency = new Residency(context, group, read, budget, options.signal);
  const buffers = await createGroupBuffers(context, group, parameters);
  try {
    return await evaluateGroup(context, group, parameters, buffers, residency, write, options);
  } finally {
    buffers.release();
    residency.release();
  }
}

/** Figures of a group, and its merged bytes when there is a `write`. */
export async function evaluateGroup(
  context: Context,
  group: Group,
  parameters: readonly TensorParameters[],
  buffers: GroupBuffers,
  residency: Residency,
  write: WriteSegment | null,
  options: MergeOptions = {},
): Promise<GroupResult> {
  // One chunk is selected and merged in one submission; the factors of `rescale` pass through the host.
  const first = groupOverrides(group, parameters);
  const atOnce = group.chunks.length === 1 && first['RESCALES'] !== 1 && !isBracketable(context, group, buffers);
  const overrides = atOnce ? first : await selectGroup(context, group, parameters, buffers, residency);
  const { trims, slack } = await prepareSelectors(context, overrides, buffers);
  const reserves = buffers.lanes.includes(SLACK_LANE);
  const merge = await prepareMerge(context, overrides, { reserves, writes: write !== null });

  const figures: Figures[][] = [];
  let state = new Uint32Array();
  for (let c = 0; c < group.chunks.length; c++) {
    const chunk = await residency.load(c);
    throwIfAborted(options.signal);
    const into = await mergeBuffers(context, chunk, group.chunks[c]!.length, write !== null);
    try {
      const recording = context.record('merge');
      recording.clear(into.counts, 0, into.countBytes);
      if (atOnce) {
        trims.resident(recording, chunk, buffers);
        slack.resident(recording, chunk, buffers);
      }
      merge(recording, chunk, buffers, into);
      recording.submit();
      const [stateBytes, counts, notes, merged] = await context.readBack([
        { buffer: buffers.state, size: LANES * group.slots.length * SELECTION.size },
        { buffer: into.counts, size: into.countBytes },
        { buffer: chunk.notes, size: reserves ? chunk.noteBytes : 0 },
        { buffer: into.merged, size: write ? 4 * chunk.tables.outputWords : 0 },
      ]);
      state = new Uint32Array(stateBytes!.buffer);
      figures.push(chunkFigures(group, c, chunk, new Uint32Array(counts!.buffer), new Float32Array(notes!.buffer).subarray(chunk.tables.blockCount)));
      if (write) {
        for (const [s, segment] of group.chunks[c]!.entries()) {
          const begin = 4 * chunk.tables.outputs[s]!;
          await write(segment, merged!.subarray(begin, begin + segment.count * bytesPerValue(group.slots[segment.slot]!.outDtype)));
        }
      }
    } finally {
      into.release();
    }
    options.onChunk?.(c + 1, group.chunks.length);
  }
  return { slots: slotResults(group, parameters, figures, state), segments: figures };
}

/**
 * Selects in every lane of the group, and finds the factors of `rescale` between models and slack. Returns the overrides of the
 * passes after it.
 */
export async function selectGroup(
  context: Context,
  group: Group,
  parameters: readonly TensorParameters[],
  buffers: GroupBuffers,
  residency: Residency,
): Promise<Overrides> {
  const overrides = groupOverrides(group, parameters);
  const { trims } = await prepareSelectors(context, overrides, buffers);
  const select = async (selector: Selector) => {
    if (group.chunks.length === 1) {
      const recording = context.record('select');
      selector.resident(recording, await residency.load(0), buffers);
      recording.submit();
    } else {
      await selector.streamed((visit) => residency.each(visit), (chunk) => residency.load(chunk), residency.bases, buffers);
    }
  };
  if (isBracketable(context, group, buffers) && (await selectBracketed(context, group, parameters, overrides, buffers, residency))) {
    await trims.locate((chunk) => residency.load(chunk), residency.bases, buffers);
  } else {
    await select(trims);
  }
  let after = overrides;
  if (overrides['RESCALES'] === 1) {
    const factors = await rescaleFactors(context, group, parameters, buffers, residency, overrides);
    buffers.setFactors(factors);
    if (!areOrdinaryFactors(factors)) after = { ...overrides, EXACT: 1 };
  }
  await select((await prepareSelectors(context, after, buffers)).slack);
  return after;
}

/** Thresholds and tie counts of the models' lanes from one reading; false, with nothing selected, where a bracket missed. */
async function selectBracketed(
  context: Context,
  group: Group,
  parameters: readonly TensorParameters[],
  overrides: Overrides,
  buffers: GroupBuffers,
  residency: Residency,
): Promise<boolean> {
  const first = await residency.load(0);
  const bracketed = await prepareBracketed(context, group, parameters, overrides, buffers, first);
  if (bracketed === null) return false;
  try {
    const framing = context.record('bracket');
    bracketed.frame(framing, first);
    framing.submit();
    await residency.each((chunk) => {
      const recording = context.record('gather');
      bracketed.gather(recording, chunk);
      recording.submit();
    });
    const recording = context.record('select');
    bracketed.select(recording);
    recording.submit();
    const [counts] = await context.readBack([bracketed.counts]);
    context.brackets.tried++;
    if (bracketed.held(new Uint32Array(counts!.buffer))) return true;
    context.brackets.missed++;
    buffers.reset(parameters);
    return false;
  } finally {
    bracketed.release();
  }
}

/** The slack ranks what trimmed, rescaled and weighted models disagree on: it comes after them. */
async function prepareSelectors(context: Context, overrides: Overrides, { lanes }: GroupBuffers) {
  return {
    trims: await prepareSelector(context, overrides, lanes.filter((lane) => lane !== SLACK_LANE)),
    slack: await prepareSelector(context, overrides, lanes.filter((lane) => lane === SLACK_LANE)),
  };
}

async function mergeBuffers(context: Context, chunk: LoadedChunk, segments: number, writes: boolean) {
  const { memory } = context;
  const countBytes = 4 * COUNT.words * segments;
  const merged = await memory.borrow('merged', writes ? Math.max(4 * chunk.tables.outputWords, 16) : 16, STORAGE);
  const counts = await memory.borrow('counts', countBytes, STORAGE);
  return { merged, counts, countBytes, release: () => [merged, counts].forEach((buffer) => memory.release(buffer)) };
}

function chunkFigures(group: Group, index: number, chunk: LoadedChunk, counts: Uint32Array, costs: Float32Array): Figures[] {
  const cost = new Float64Array(group.chunks[index]!.length);
  costs.forEach((value, i) => {
    if (value !== 0) cost[segmentOfBlock(chunk.tables, Math.floor(i / THREADS))]! += value;
  });
  const models = group.slots[0]!.inputs.length - 1;
  return group.chunks[index]!.map((segment, s) => segmentFigures(counts, s, models, segment.count, cost[s]!));
}

function factorOf({ rescale, drop, density, factor }: TensorParameters, model: number, bySums: () => number): number {
  if (factor !== undefined || !rescale) return factor?.[model] ?? 1;
  return drop?.rescaleBy === 'density' ? Math.fround(1 / Math.min(1, density[model]!)) : bySums();
}

async function rescaleFactors(
  context: Context,
  group: Group,
  parameters: readonly TensorParameters[],
  buffers: GroupBuffers,
  residency: Residency,
  overrides: Overrides,
): Promise<number[][]> {
  if (parameters.every(({ factor, rescale }) => factor !== undefined || !rescale)) return parameters.map(({ factor, weight }) => weight.map((_, model) => factor?.[model] ?? 1));
  const sums = await prepareSums(context, overrides);
  const bytes = 4 * SUM_WORDS * group.slots.length;
  const totals = await context.memory.borrow('totals', bytes, STORAGE);
  try {
    const factors = group.slots.map(() => [] as number[]);
    for (let model = 0; model < group.slots[0]!.inputs.length - 1; model++) {
      const clearing = context.record('sums');
      clearing.clear(totals, 0, bytes);
      clearing.submit();
      await residency.each((chunk) => {
        const recording = context.record('sums');
        sums(recording, chunk, buffers, model, totals);
        recording.submit();
      });
      const [words] = await context.readBack([{ buffer: totals, size: bytes }]);
      const counters = new Uint32Array(words!.buffer);
      factors.forEach((mine, s) => {
        mine.push(factorOf(parameters[s]!, model, () => rescaleFactor(counters.subarray(s * SUM_WORDS, (s + 1) * SUM_WORDS))));
      });
    }
    return factors;
  } finally {
    context.memory.release(totals);
  }
}
