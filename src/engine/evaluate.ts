/** Merging a group: selections, then the merge pass over every chunk, then figures and bytes back to the host. */
import { bytesPerValue } from '../bytes/dtypes';
import { throwIfAborted } from '../merge/abort';
import type { Group, GroupResult, MergeOptions, ReadSegment, WriteSegment } from '../merge/backend';
import type { Figures } from '../merge/figures';
import type { TensorParameters } from '../recipe/types';
import type { Bracketed } from './bracket';
import type { LoadedChunk } from './chunk';
import type { Context, Staged } from './context';
import { segmentFigures, slotResults } from './counts';
import { createGroupBuffers } from './group-buffers';
import { COUNT, SLACK_LANE, THREADS } from './layout';
import { prepareMerge } from './passes/merge';
import { Residency } from './residency';
import type { Selectable } from './selectable';
import { recordSelections, withBracket } from './selecting';
import { Sweep } from './sweep';
import { segmentOfBlock } from './tables';
import { STORAGE } from './usage';

/**
 * Merges a group from end to end. `budget`: bytes of inputs that may stay on the device between readings. `onRead` hears when the host
 * has all results and the device's buffers are given back, which is before the last of them are written.
 */
export async function mergeGroup(
  context: Context,
  group: Group,
  parameters: readonly TensorParameters[],
  read: ReadSegment,
  write: WriteSegment,
  budget: number,
  options: MergeOptions = {},
  onRead: () => void = () => {},
): Promise<GroupResult> {
  const residency = new Residency(context, group, read, budget, options.signal);
  const buffers = await createGroupBuffers(context, group, parameters);
  const release = () => {
    buffers.release();
    residency.release();
  };
  try {
    return await evaluateGroup({ context, group, parameters, buffers, residency }, write, options, () => {
      release();
      onRead();
    });
  } finally {
    release();
  }
}

/** Figures of a group, and its merged bytes when there is a `write`. `onRead`: nothing more is asked of the device. */
export function evaluateGroup(target: Selectable, write: WriteSegment | null, options: MergeOptions = {}, onRead: () => void = () => {}): Promise<GroupResult> {
  return withBracket(target, (bracketed) => evaluate(target, bracketed, write, options, onRead));
}

/**
 * A group of one chunk is selected, merged and copied for reading in one submission; only the factors of `rescale` pass through the
 * host between. Of several chunks, the results of one are read and written while the next one is uploaded and computed.
 */
async function evaluate(target: Selectable, bracketed: Bracketed | null, write: WriteSegment | null, { signal, onChunk }: MergeOptions, onRead: () => void): Promise<GroupResult> {
  const { context, group, parameters, buffers, residency } = target;
  const sweep = new Sweep(context, residency, group.chunks.length);
  const overrides = await recordSelections(target, sweep, bracketed);
  const reserves = buffers.lanes.includes(SLACK_LANE);
  const merge = await prepareMerge(context, overrides, { reserves, writes: write !== null });
  const figures: Figures[][] = [];
  let state = new Uint32Array();
  /** Of the chunks before: their results are read, and written. */
  let readBefore = Promise.resolve();
  let before = Promise.resolve();
  const loan = context.memory.loan();
  try {
    for (let c = 0; c < group.chunks.length; c++) {
      const chunk = await sweep.arrive(c);
      throwIfAborted(signal);
      const { recording } = sweep;
      const countBytes = 4 * COUNT.words * group.chunks[c]!.length;
      const mergedBytes = write ? 4 * chunk.tables.outputWords : 0;
      const merged = await loan.borrow('merged', Math.max(mergedBytes, 16), STORAGE);
      const counts = await loan.borrow('counts', countBytes, STORAGE);
      recording.clear(counts, 0, countBytes);
      merge(recording, chunk, buffers, { merged, counts });
      const staged = await context.stage(
        recording,
        [
          { buffer: buffers.state, size: buffers.stateBytes },
          { buffer: counts, size: countBytes },
          { buffer: chunk.notes, size: reserves ? chunk.noteBytes : 0 },
          { buffer: merged, size: mergedBytes },
          ...(bracketed ? [bracketed.counts] : []),
        ],
        loan,
      );
      recording.submit();
      // What is recorded next is done after: it may have them.
      loan.giveBack(merged);
      loan.giveBack(counts);
      const reading = readResults(staged, readBefore, c === 0 ? bracketed : null);
      readBefore = reading.then(() => {
        if (c < group.chunks.length - 1) return;
        bracketed?.release();
        onRead();
      });
      readBefore.catch(() => {});
      const last = before;
      before = (async () => {
        const [stateBytes, countWords, notes, mergedWords] = await reading;
        await last;
        throwIfAborted(signal);
        state = new Uint32Array(stateBytes!.buffer);
        figures.push(chunkFigures(group, c, chunk, new Uint32Array(countWords!.buffer), new Float32Array(notes!.buffer).subarray(chunk.tables.blockCount)));
        if (write) await writeChunk(group, c, chunk, mergedWords!, write);
        onChunk?.(c + 1, group.chunks.length);
      })();
      // Met below.
      before.catch(() => {});
      await last;
    }
    await before;
  } finally {
    // Its buffers are not lent to others while it has them.
    await before.catch(() => {});
    loan.release();
  }
  return { slots: slotResults(group, parameters, figures, state), segments: figures };
}

/** What was staged of a chunk, once that of the chunks before is read. Throws BracketMissed by the counts that come last, where there is a bracket to check. */
async function readResults(staged: Staged, readBefore: Promise<void>, bracketed: Bracketed | null): Promise<Uint8Array<ArrayBuffer>[]> {
  const results = await staged.read();
  await readBefore;
  if (bracketed) bracketed.check(results.at(-1)!);
  return results;
}

async function writeChunk(group: Group, index: number, { tables }: LoadedChunk, merged: Uint8Array<ArrayBuffer>, write: WriteSegment): Promise<void> {
  for (const [s, segment] of group.chunks[index]!.entries()) {
    const begin = 4 * tables.outputs[s]!;
    await write(segment, merged.subarray(begin, begin + segment.count * bytesPerValue(group.slots[segment.slot]!.outDtype)));
  }
}

function chunkFigures(group: Group, index: number, chunk: LoadedChunk, counts: Uint32Array, costs: Float32Array): Figures[] {
  const cost = new Float64Array(group.chunks[index]!.length);
  costs.forEach((value, i) => {
    if (value !== 0) cost[segmentOfBlock(chunk.tables, Math.floor(i / THREADS))]! += value;
  });
  const models = group.slots[0]!.inputs.length - 1;
  return group.chunks[index]!.map((segment, s) => segmentFigures(counts, s, models, segment.count, cost[s]!));
}
