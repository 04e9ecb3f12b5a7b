/**
 * Radix selection of (threshold, cutoff) on 31-bit keys: three digits, then the place of the last tie. One selection for
 * trimming and for slack, over all slots of a group at once (architecture.md, idea 5).
 */
import { SELECTION } from './layout';
import type { Context, Overrides } from './context';
import type { Recording } from './recording';
import type { GroupBuffers } from './group-buffers';
import type { LoadedChunk } from './chunk';
import { DIGITS } from './digits';
import { prepareHistogram } from './passes/histogram';
import { prepareLocate } from './passes/locate';
import { preparePick } from './passes/pick';
import { prepareTies } from './passes/ties';

/** Visits every chunk of the group in order, resident during the visit. */
export type EachChunk = (visit: (chunk: LoadedChunk) => void) => Promise<void>;

export type LoadChunk = (chunk: number) => Promise<LoadedChunk>;

export interface Selector {
  /** Records into `recording` the selections of a single-chunk group. */
  resident(recording: Recording, chunk: LoadedChunk, buffers: GroupBuffers): void;
  /** The same for a group of several chunks and one slot, submitting as the chunks come by. */
  streamed(each: EachChunk, load: LoadChunk, bases: readonly number[], buffers: GroupBuffers): Promise<void>;
  /** The part of `streamed` that follows the counting of ties. */
  locate(load: LoadChunk, bases: readonly number[], buffers: GroupBuffers): Promise<void>;
}

/** A selector of these lanes; models and slack are selected apart, since the slack's keys depend on the models' selections. */
export async function prepareSelector(context: Context, overrides: Overrides, lanes: readonly number[]): Promise<Selector> {
  const passes = new Map(
    await Promise.all(
      lanes.map(async (lane) => {
        const [histogram, pick, ties, locate] = await Promise.all([
          prepareHistogram(context, overrides, lane),
          preparePick(context, lane),
          prepareTies(context, overrides, lane),
          prepareLocate(context, overrides, lane),
        ]);
        return [lane, { histogram, pick, ties, locate }] as const;
      }),
    ),
  );
  const beginLocate = (recording: Recording, lane: number, buffers: GroupBuffers) =>
    recording.copy(buffers.state, lane * buffers.laneBytes, buffers.found, 0, buffers.laneBytes);
  const endLocate = (recording: Recording, lane: number, buffers: GroupBuffers) =>
    recording.copy(buffers.found, 0, buffers.state, lane * buffers.laneBytes, buffers.laneBytes);

  const selector: Selector = {
    resident(recording, chunk, buffers) {
      for (const lane of lanes) {
        const { histogram, pick, ties, locate } = passes.get(lane)!;
        for (const digit of DIGITS) {
          histogram(recording, chunk, buffers, digit);
          pick(recording, buffers, digit);
        }
        buffers.clearTies(recording, lane);
        ties(recording, chunk, buffers);
        beginLocate(recording, lane, buffers);
        locate.findBlock(recording, chunk, buffers);
        locate.findIndex(recording, chunk, buffers);
        endLocate(recording, lane, buffers);
      }
    },

    async streamed(each, load, bases, buffers) {
      if (lanes.length === 0) return;
      for (const digit of DIGITS) {
        await each((chunk) => {
          const recording = context.record('histogram');
          for (const lane of lanes) passes.get(lane)!.histogram(recording, chunk, buffers, digit);
          recording.submit();
        });
        const recording = context.record('pick');
        for (const lane of lanes) passes.get(lane)!.pick(recording, buffers, digit);
        recording.submit();
      }
      const clearing = context.record('ties');
      for (const lane of lanes) buffers.clearTies(clearing, lane);
      clearing.submit();
      await each((chunk) => {
        const recording = context.record('ties');
        for (const lane of lanes) passes.get(lane)!.ties(recording, chunk, buffers);
        recording.submit();
      });
      await selector.locate(load, bases, buffers);
    },

    async locate(load, bases, buffers) {
      for (const lane of lanes) {
        const { locate } = passes.get(lane)!;
        const any = await load(0);
        const first = context.record('locate');
        beginLocate(first, lane, buffers);
        locate.findBlock(first, any, buffers);
        first.submit();
        const [found] = await context.readBack([{ buffer: buffers.found, size: SELECTION.size }]);
        const block = new Uint32Array(found!.buffer)[SELECTION.cut_block / 4]!;
        const holder = bases.findLastIndex((base) => base <= block);
        const chunk = await load(holder);
        const last = context.record('locate');
        locate.findIndex(last, chunk, buffers);
        endLocate(last, lane, buffers);
        last.submit();
      }
    },
  };
  return selector;
}
