/**
 * Radix selection of (threshold, cutoff) on 31-bit keys: three digits, then the place of the last tie. One selection for
 * trimming and for slack, over all slots of a group at once (architecture.md, idea 5).
 */
import type { Context, Overrides } from './context';
import { DIGITS } from './digits';
import type { GroupBuffers } from './group-buffers';
import { prepareHistogram } from './passes/histogram';
import { prepareFindBlock, prepareFindIndex } from './passes/locate';
import { preparePick } from './passes/pick';
import { prepareTies } from './passes/ties';
import type { Sweep } from './sweep';

/** Selects in its lanes; the places of the last ties are found as the next pass comes by their chunks. */
export type Selector = (sweep: Sweep, buffers: GroupBuffers) => Promise<void>;

/** A selector of these lanes; models and slack are selected apart, since the slack's keys depend on the models' selections. */
export async function prepareSelector(context: Context, overrides: Overrides, lanes: readonly number[]): Promise<Selector> {
  const passes = await Promise.all(
    lanes.map(async (lane) => {
      const [histogram, pick, ties, findBlock, findIndex] = await Promise.all([
        prepareHistogram(context, overrides, lane),
        preparePick(context, lane),
        prepareTies(context, overrides, lane),
        prepareFindBlock(context, lane),
        prepareFindIndex(context, overrides, lane),
      ]);
      return { lane, histogram, pick, ties, findBlock, findIndex };
    }),
  );
  return async (sweep, buffers) => {
    if (passes.length === 0) return;
    for (const digit of DIGITS) {
      await sweep.over((recording, chunk) => passes.forEach(({ histogram }) => histogram(recording, chunk, buffers, digit)));
      for (const { pick } of passes) pick(sweep.recording, buffers, digit);
    }
    for (const { lane } of passes) buffers.clearTies(sweep.recording, lane);
    await sweep.over((recording, chunk) => passes.forEach(({ ties }) => ties(recording, chunk, buffers)));
    for (const { findBlock } of passes) findBlock(sweep.recording, buffers, buffers.state);
    sweep.begin((recording, chunk) => {
      recording.copy(buffers.state, 0, buffers.found, 0, buffers.stateBytes);
      for (const { findIndex } of passes) findIndex(recording, chunk, buffers);
      recording.copy(buffers.found, 0, buffers.state, 0, buffers.stateBytes);
    });
  };
}
