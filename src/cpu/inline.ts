/** The crew of one: this thread. */
import type { BufferRing } from '../bytes/buffer-ring';
import { Part } from './part';
import type { Crew } from './part-types';
import { createWorkspace } from './workspace';

/** Does the passes where it is called. `pause` runs before each and may let other events in or reject. `ring`: what inputs may be lent from. */
export function inlineCrew(pause: () => Promise<void>, workspace = createWorkspace(), ring?: BufferRing): Crew {
  return {
    size: 1,
    recycle: () => {},
    // Parts look at them as they are.
    copied: () => {},
    load(spec, inputs) {
      let part: Part | null = new Part(spec, inputs, workspace);
      let lent = inputs;
      const giveBack = () => {
        for (const bytes of lent) if (bytes !== null) ring?.giveBack(bytes);
        lent = [];
      };
      const pass =
        <A extends unknown[], T>(act: (part: Part, ...args: A) => T) =>
        async (...args: A): Promise<T> => {
          await pause();
          if (part === null) throw new Error('the part was released');
          return act(part, ...args);
        };
      return {
        tally: pass((own, model, range) => own.tally(model, range)),
        margins: pass((own, decision, range) => own.margins(decision, range)),
        magnitudes: pass((own, model, cut, before) => own.magnitudes(model, cut, before)),
        merge: pass((own, decision) => own.merge(decision)),
        shed() {
          part?.shed();
          giveBack();
        },
        release() {
          part = null;
          giveBack();
        },
      };
    },
  };
}
