/** All selections of a group: models, then the factors of `rescale`, then the slack, whose ranking needs both. */
import type { Bracketed } from './bracket';
import { BracketMissed, prepareBracketed } from './bracket';
import type { Overrides } from './context';
import { areOrdinaryFactors } from './edges';
import { SLACK_LANE } from './layout';
import { groupOverrides } from './overrides';
import { rescaleFactors } from './rescale';
import { prepareSelector } from './select';
import type { Selectable } from './selectable';
import type { OverChunk } from './sweep';
import { Sweep } from './sweep';

/**
 * Records every selection into the sweep, the models' from the bracket where there is one: if that misses, all of it is for nothing.
 * Returns the overrides of the passes that follow. Throws BracketMissed where that is known already.
 */
export async function recordSelections(target: Selectable, sweep: Sweep, bracketed: Bracketed | null): Promise<Overrides> {
  const { context, group, parameters, buffers } = target;
  const overrides = groupOverrides(group, parameters);
  buffers.begin(sweep.recording);
  if (bracketed) {
    await sweep.over((recording, chunk) => bracketed.gather(recording, chunk));
    bracketed.select(sweep.recording);
  } else {
    const trims = await prepareSelector(context, overrides, buffers.lanes.filter((lane) => lane !== SLACK_LANE));
    await trims(sweep, buffers);
  }
  let after = overrides;
  if (overrides['RESCALES'] === 1) {
    const factors = await rescaleFactors(target, overrides, sweep, bracketed);
    buffers.setFactors(factors);
    if (!areOrdinaryFactors(factors)) after = { ...overrides, EXACT: 1 };
  }
  const slack = await prepareSelector(context, after, buffers.lanes.filter((lane) => lane === SLACK_LANE));
  await slack(sweep, buffers);
  return after;
}

/**
 * `act` with a bracket where the group takes one; without where it does not, or where it missed. A first bracket comes from the chunks
 * that stay on the device; the passes over it have sampled the others as they came by, so that one that missed is drawn once more.
 */
export async function withBracket<Result>(target: Selectable, act: (bracketed: Bracketed | null) => Promise<Result>): Promise<Result> {
  const { context, group, parameters, buffers, residency } = target;
  for (;;) {
    const bracketed = await prepareBracketed(context, group, parameters, groupOverrides(group, parameters), buffers, residency);
    if (bracketed === null) return act(null);
    const taken = residency.sample!.taken;
    try {
      return await act(bracketed);
    } catch (error) {
      if (!(error instanceof BracketMissed)) throw error;
    } finally {
      bracketed.release();
    }
    buffers.reset(parameters);
    if (residency.sample!.taken === taken) return act(null);
  }
}

export interface Selected {
  /** Of the passes that follow. */
  readonly overrides: Overrides;
  /** What the first of them has to begin with in each chunk; null where the group has one chunk. */
  readonly first: OverChunk | null;
}

/** Selects in every lane of the group and waits for nothing but what passes through the host. */
export async function selectGroup(target: Selectable): Promise<Selected> {
  const { context, group, residency } = target;
  return withBracket(target, async (bracketed) => {
    const sweep = new Sweep(context, residency, group.chunks.length);
    const overrides = await recordSelections(target, sweep, bracketed);
    const first = await sweep.close();
    if (bracketed) {
      const [counts] = await context.readBack([bracketed.counts]);
      bracketed.check(counts!);
    }
    return { overrides, first };
  });
}
