/** A group kept on the device, and what is asked of it. */
import { OutOfMemoryError } from '../bytes/errors';
import type { Group, Held, ReadSegment } from '../merge/backend';
import type { Context } from './context';
import { evaluateGroup } from './evaluate';
import type { GroupBuffers } from './group-buffers';
import { createGroupBuffers } from './group-buffers';
import { Residency } from './residency';
import { tallyResident, withoutSlack } from './tally';
import type { HeldGroup } from './views/held-group';
import { slotDistribution } from './views/distribution';
import { slotEffects } from './views/effect';
import { slackCurves } from './views/slack-curve';
import { slotSurfaces } from './views/surface';

/** Throws OutOfMemoryError when the group has several chunks or does not fit on the device. */
export async function holdGroup(context: Context, group: Group, read: ReadSegment): Promise<Held> {
  if (group.chunks.length !== 1) throw new OutOfMemoryError('held-chunks', `${group.chunks.length} chunks cannot be held at once`);
  const residency = new Residency(context, group, read, Infinity, undefined);
  await residency.load(0);
  let buffers: GroupBuffers | null = null;
  let released = false;
  let last: Promise<unknown> = Promise.resolve();
  const held: HeldGroup = {
    context,
    group,
    residency,
    async prepare(parameters) {
      buffers = buffers ? buffers.reset(parameters) : await createGroupBuffers(context, group, parameters);
      return buffers;
    },
    async evaluate(parameters, signal) {
      return evaluateGroup({ context, group, parameters, buffers: await held.prepare(parameters), residency }, null, signal ? { signal } : {});
    },
  };
  /** One question at a time: they share the buffers of the selections. */
  const inTurn = <Answer>(ask: () => Promise<Answer>): Promise<Answer> => {
    const answer = last.then(() => context.losing(ask));
    last = answer.catch(() => undefined);
    return answer;
  };
  return {
    group,
    evaluate: (parameters, signal) => inTurn(() => held.evaluate(parameters, signal)),
    surface: (parameters, request, signal) => inTurn(() => slotSurfaces(held, parameters, request, signal)),
    slackCurve: (parameters, request, signal) => inTurn(() => slackCurves(held, parameters, request, signal)),
    effect: (parameters, signal) => inTurn(() => slotEffects(held, parameters, signal)),
    distribution: (slot, signal) => inTurn(() => slotDistribution(held, slot, signal)),
    tally: (parameters, tallies, signal) =>
      inTurn(async () => tallyResident(context, group, parameters, tallies, await held.prepare(parameters.map(withoutSlack)), residency, signal)),
    release() {
      if (released) return;
      released = true;
      void inTurn(async () => {
        buffers?.release();
        residency.release();
      });
    },
  };
}

