/** Each pass of a merge alone, over the whole tensor, inputs resident, timed until the queue is empty. */
import { chooseArithmetic } from '../src/engine/arithmetic';
import type { LoadedChunk } from '../src/engine/chunk';
import { Context } from '../src/engine/context';
import { DIGITS } from '../src/engine/digits';
import { createGroupBuffers } from '../src/engine/group-buffers';
import { SLACK_LANE, SUM_WORDS } from '../src/engine/layout';
import { groupOverrides } from '../src/engine/overrides';
import { prepareHistogram } from '../src/engine/passes/histogram';
import { prepareFindBlock, prepareFindIndex } from '../src/engine/passes/locate';
import { prepareMerge } from '../src/engine/passes/merge';
import { preparePick } from '../src/engine/passes/pick';
import { prepareSums } from '../src/engine/passes/sums';
import { prepareTally } from '../src/engine/passes/tally';
import { prepareTies } from '../src/engine/passes/ties';
import type { Recording } from '../src/engine/recording';
import { Residency } from '../src/engine/residency';
import type { Selectable } from '../src/engine/selectable';
import { selectGroup } from '../src/engine/selecting';
import type { Group } from '../src/merge/backend';
import type { TensorParameters } from '../src/recipe/types';
import { listTimings } from './list-passes';
import { measure, type Measurement } from './report';

const REPETITIONS = 3;
/** The model that is trimmed. */
const LANE = 0;

/** A tensor on the device, all of it. */
export interface Resident extends Selectable {
  readonly chunks: readonly LoadedChunk[];
  readonly elements: number;
  readonly timed: Timed;
}
/** Times what `record` records, `before` it untimed. `elements`: values that it goes over; `against`: the row whose bandwidth is its bar. */
export type Timed = (
  name: string,
  bytes: number,
  record: (recording: Recording) => void,
  more?: { readonly before?: (recording: Recording) => void; readonly elements?: number; readonly against?: string },
) => Promise<Measurement>;

/** Bytes of a row are what the pass reads and writes on the device, so that rows compare with the copy's. Rejects where the device refuses a command. */
export async function passTimings(device: GPUDevice, group: Group, parameters: TensorParameters, family: readonly Uint8Array<ArrayBuffer>[], software: boolean): Promise<Measurement[]> {
  const { arithmetic, exactDivision } = await chooseArithmetic(device);
  const context = new Context(device, { arithmetic, exactDivision, software }, { bracketBlocks: 1 });
  // What is refused takes no time.
  device.pushErrorScope('validation');
  const residency = new Residency(context, group, async ({ first, count }, input) => family[input]!.slice(first * 2, (first + count) * 2), Infinity, undefined);
  const chunks: LoadedChunk[] = [];
  for (let c = 0; c < group.chunks.length; c++) chunks.push(await residency.load(c));
  const buffers = await createGroupBuffers(context, group, [parameters]);
  const send = async (name: string, record: (recording: Recording) => void) => {
    const recording = context.record(name);
    record(recording);
    recording.submit();
    await device.queue.onSubmittedWorkDone();
  };
  const timed: Timed = (name, bytes, record, { before, ...more } = {}) =>
    measure(name, bytes, REPETITIONS, () => send(name, record), { ...more, before: async () => (before ? send('before', before) : undefined) });
  const resident: Resident = { context, group, parameters: [parameters], buffers, residency, chunks, elements: group.slots[0]!.elements, timed };
  const merged = chunks.map(({ tables }) => device.createBuffer({ label: 'merged', size: 4 * tables.outputWords, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST }));
  const rows = [await copyTiming(resident, merged), ...(await radixTimings(resident)), ...(await listTimings(resident, LANE)), ...(await mergeTimings(resident, merged))];
  buffers.release();
  residency.release();
  for (const buffer of merged) buffer.destroy();
  context.dispose();
  const refused = await device.popErrorScope();
  if (refused) throw new Error(refused.message);
  return rows;
}

function copyTiming({ chunks, elements, timed }: Resident, merged: readonly GPUBuffer[]): Promise<Measurement> {
  return timed('pass copy (device, for comparison)', 4 * elements, (r) => chunks.forEach(({ arena, tables }, c) => r.copy(arena, 0, merged[c]!, 0, 4 * tables.outputWords)));
}

/** What selects where a bracket missed or a group has several slots. */
async function radixTimings({ context, group, parameters, buffers, chunks, elements, timed }: Resident): Promise<Measurement[]> {
  const overrides = groupOverrides(group, parameters);
  const histogram = await prepareHistogram(context, overrides, LANE);
  const pick = await preparePick(context, LANE);
  const ties = await prepareTies(context, overrides, LANE);
  const findBlock = await prepareFindBlock(context, LANE);
  const findIndex = await prepareFindIndex(context, overrides, LANE);
  const each = (pass: (recording: Recording, chunk: LoadedChunk) => void) => (r: Recording) => chunks.forEach((chunk) => pass(r, chunk));
  const before = (r: Recording) => buffers.begin(r);
  const [first, second] = DIGITS as [(typeof DIGITS)[0], (typeof DIGITS)[0]];
  return [
    await timed('pass histogram, first digit', 4 * elements, each((r, chunk) => histogram(r, chunk, buffers, first)), { before }),
    await timed('pass pick', 0, (r) => pick(r, buffers, first), { elements: 0 }),
    await timed('pass histogram, second digit', 4 * elements, each((r, chunk) => histogram(r, chunk, buffers, second)), { before }),
    await timed('pass ties', 4 * elements, each((r, chunk) => ties(r, chunk, buffers)), { before: (r) => buffers.clearTies(r, LANE) }),
    await timed('pass locate, last tie in its block', 0, each((r, chunk) => findIndex(r, chunk, buffers)), {
      elements: 0,
      before: (r) => {
        findBlock(r, buffers, buffers.state);
        r.copy(buffers.state, 0, buffers.found, 0, buffers.stateBytes);
      },
    }),
  ];
}

/** What comes after the models' selections: theirs are made first, as a merge makes them. */
async function mergeTimings(resident: Resident, merged: readonly GPUBuffer[]): Promise<Measurement[]> {
  const { context, parameters, chunks, elements, timed } = resident;
  const { device } = context;
  const buffers = resident.buffers.reset(parameters);
  const { overrides, first } = await selectGroup({ ...resident, buffers });
  const recording = context.record('last ties');
  for (const chunk of chunks) first?.(recording, chunk);
  recording.submit();
  const slackHistogram = await prepareHistogram(context, overrides, SLACK_LANE);
  const sums = await prepareSums(context, overrides);
  const tally = await prepareTally(context, overrides, LANE);
  const merge = await prepareMerge(context, overrides, { reserves: true, writes: true });
  // Of sums, of a tally and of a merge.
  const counts = device.createBuffer({ label: 'counts', size: 4 * Math.max(SUM_WORDS, 2 ** DIGITS[0]!.bits + 1), usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST });
  const before = (r: Recording) => {
    r.clear(counts, 0, counts.size);
    buffers.begin(r);
  };
  const rows = [
    await timed('pass slack histogram, first digit', 6 * elements, (r) => chunks.forEach((chunk) => slackHistogram(r, chunk, buffers, DIGITS[0]!)), { before }),
    await timed('pass sums, of one model (rescale)', 4 * elements, (r) => chunks.forEach((chunk) => sums(r, chunk, buffers, LANE, counts)), { before }),
    await timed('pass tally, of one model (whole model)', 4 * elements, (r) => chunks.forEach((chunk) => tally(r, chunk, buffers, DIGITS[0]!, counts)), { before }),
    await timed('pass merge, with counts', 8 * elements, (r) => chunks.forEach((chunk, c) => merge(r, chunk, buffers, { merged: merged[c]!, counts })), { before }),
  ];
  counts.destroy();
  return rows;
}
