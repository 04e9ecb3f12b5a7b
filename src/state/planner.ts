/** The plan in words and the preflight table: refreshed once the decisions have rested for a moment. */
import { asStudioError } from '../bytes/errors';
import { isMergeable } from './decisions';
import type { ClockPort, WorkerPort } from './ports';
import type { StudioStore } from './store';
import type { PlanState } from './types';

/** Short enough to seem immediate when a slider is let go, long enough not to plan while it moves. */
export const REST_MS = 150;

/** Returns what to call after every change of the decisions. */
export function createPlanner(store: StudioStore, worker: WorkerPort, clock: ClockPort): () => void {
  let callOff = () => {};
  /** Number of the latest request; a reply to an earlier one is out of date. */
  let latest = 0;

  const set = (patch: Partial<PlanState>) => store.setState(({ plan }) => ({ plan: { ...plan, ...patch } }));

  async function ask(): Promise<void> {
    const request = ++latest;
    const { recipe, choices, shardBytes } = store.getState().decisions.present;
    try {
      const summary = await worker.request('plan', { recipe, choices, shardBytes });
      if (request === latest) set({ summary, problem: null, loading: false });
    } catch (cause) {
      const error = asStudioError(cause).toWire();
      if (request === latest) set({ summary: null, problem: error.code === 'cancelled' ? null : error, loading: false });
    }
  }

  return () => {
    callOff();
    latest++;
    const { decisions, backend } = store.getState();
    if (!isMergeable(decisions.present)) {
      set({ summary: null, problem: null, loading: false });
      return;
    }
    set({ loading: true });
    // How large a chunk may be is the backend's to say; once it is there the controller calls again.
    if (backend.starting) return;
    callOff = clock.later(REST_MS, () => void ask());
  };
}
