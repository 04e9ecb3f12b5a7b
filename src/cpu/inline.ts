/** The crew of one: this thread. */
import { Part } from './part';
import type { Crew } from './part-types';
import { createWorkspace } from './workspace';

/** Does the passes where it is called. `pause` runs before each and may let other events in or reject. */
export function inlineCrew(pause: () => Promise<void>, workspace = createWorkspace()): Crew {
  return {
    size: 1,
    recycle: () => {},
    load(spec, inputs) {
      let part: Part | null = new Part(spec, inputs, workspace);
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
        },
        release() {
          part = null;
        },
      };
    },
  };
}
