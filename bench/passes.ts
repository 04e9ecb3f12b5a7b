/** Each pass of the engine alone, inputs resident, timed until the queue is empty. */
import { chooseArithmetic } from '../src/engine/arithmetic';
import { Context } from '../src/engine/context';
import { createGroupBuffers } from '../src/engine/group-buffers';
import { SLACK_LANE } from '../src/engine/layout';
import { groupOverrides } from '../src/engine/overrides';
import { prepareHistogram } from '../src/engine/passes/histogram';
import { prepareFindBlock, prepareFindIndex } from '../src/engine/passes/locate';
import { prepareMerge } from '../src/engine/passes/merge';
import { preparePick } from '../src/engine/passes/pick';
import { prepareTies } from '../src/engine/passes/ties';
import type { Recording } from '../src/engine/recording';
import { Residency } from '../src/engine/residency';
import { prepareSelector } from '../src/engine/select';
import { Sweep } from '../src/engine/sweep';
import type { Group } from '../src/merge/backend';
import type { TensorParameters } from '../src/recipe/types';
import { measure, type Measurement } from './report';

const REPETITIONS = 3;

/** Bytes of a row are what the pass reads and writes on the device, so that rows compare with the copy's. */
export async function passTimings(device: GPUDevice, whole: Group, parameters: TensorParameters, family: readonly Uint8Array<ArrayBuffer>[], software: boolean): Promise<Measurement[]> {
  const { arithmetic, exactDivision } = await chooseArithmetic(device);
  const context = new Context(device, { arithmetic, exactDivision, software });
  const group: Group = { ...whole, chunks: [whole.chunks.flat().slice(0, 1)] };
  const segment = group.chunks[0]![0]!;
  const bytes = segment.count * 2;
  const residency = new Residency(context, group, async ({ first, count }, input) => family[input]!.slice(first * 2, (first + count) * 2), Infinity, undefined);
  const chunk = await residency.load(0);
  const buffers = await createGroupBuffers(context, group, [parameters]);
  const overrides = groupOverrides(group, [parameters]);
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
  const merged = device.createBuffer({ label: 'merged', size: bytes, usage });
  const counts = device.createBuffer({ label: 'counts', size: 1024, usage });

  const timed = (name: string, moved: number, record: (recording: Recording) => void) =>
    measure(name, moved, REPETITIONS, async () => {
      const recording = context.record(name);
      record(recording);
      recording.submit();
      await device.queue.onSubmittedWorkDone();
    });

  const lane = 0;
  const histogram = await prepareHistogram(context, overrides, lane);
  const pick = await preparePick(context, lane);
  const ties = await prepareTies(context, overrides, lane);
  const findBlock = await prepareFindBlock(context, lane);
  const findIndex = await prepareFindIndex(context, overrides, lane);
  const slackHistogram = await prepareHistogram(context, overrides, SLACK_LANE);
  const merge = await prepareMerge(context, overrides, { reserves: true, writes: true });
  const selector = await prepareSelector(context, overrides, buffers.lanes);
  const first = { shift: 20, bits: 11 };
  const second = { shift: 10, bits: 10 };
  const rows = [
    await timed('pass copy (device, for comparison)', 2 * bytes, (r) => r.copy(chunk.arena, 0, merged, 0, bytes)),
    await timed('pass histogram, first digit', 2 * bytes, (r) => histogram(r, chunk, buffers, first)),
    await timed('pass pick', 0, (r) => pick(r, buffers, first)),
    await timed('pass histogram, second digit', 2 * bytes, (r) => histogram(r, chunk, buffers, second)),
    await timed('pass ties', 2 * bytes, (r) => ties(r, chunk, buffers)),
    await timed('pass locate', 0, (r) => {
      findBlock(r, buffers, buffers.state);
      r.copy(buffers.state, 0, buffers.found, 0, buffers.stateBytes);
      findIndex(r, chunk, buffers);
    }),
  ];
  // The passes above ran out of order; a whole selection puts the state right for those that depend on it.
  const fresh = buffers.reset([parameters]);
  const sweep = new Sweep(context, residency, 1);
  sweep.recording.clear(fresh.histograms(lane).buffer, 0, fresh.histograms(lane).size!);
  await selector(sweep, fresh);
  await sweep.close();
  rows.push(
    await timed('pass slack histogram, first digit', 3 * bytes, (r) => slackHistogram(r, chunk, fresh, first)),
    await timed('pass merge, with counts', 4 * bytes, (r) => merge(r, chunk, fresh, { merged, counts })),
  );
  fresh.release();
  residency.release();
  [merged, counts].forEach((buffer) => buffer.destroy());
  context.dispose();
  return rows;
}
