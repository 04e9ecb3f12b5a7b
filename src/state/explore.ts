/** The live figures: every change of the recipe asks for them at once, one request at a time, the latest recipe next. */
import { asStudioError } from '../bytes/errors';
import { isMergeable } from './decisions';
import type { ClockPort, WorkerPort } from './ports';
import type { StudioStore } from './store';
import { isBusy, type Decisions, type FiguresState } from './types';

/**
 * A recipe that has rested so long overtakes the request of an older one: the worker gives that up. Overtaking at every
 * change would let a slow backend finish nothing while a slider moves.
 */
export const OVERTAKE_MS = 150;

/** Asks again by itself when a finer sample is there. Returns what to call after every change of the decisions. */
export function createExplorer(store: StudioStore, worker: WorkerPort, clock: ClockPort): () => void {
  let wanted = false;
  let scheduled = false;
  /** Number of the latest request, and whether it is still out. */
  let latest = 0;
  let inFlight = false;
  let stopWaiting = () => {};

  const set = (patch: Partial<FiguresState>) => store.setState(({ figures }) => ({ figures: { ...figures, ...patch } }));
  const isMerging = () => isBusy(store.getState().job);

  async function ask({ recipe, choices }: Decisions): Promise<void> {
    const request = ++latest;
    inFlight = true;
    try {
      const { tensors, sample } = await worker.request('explore', { recipe, choices });
      // While a merge runs its exact figures arrive; an estimate asked for before must not replace them.
      if (request === latest && !isMerging()) set({ tensors, sample, problem: null });
    } catch (cause) {
      const error = asStudioError(cause).toWire();
      if (request === latest && error.code !== 'cancelled' && !isMerging()) set({ problem: error });
    }
    if (request !== latest) return;
    inFlight = false;
    if (wanted) schedule();
    else set({ loading: false });
  }

  function schedule(): void {
    wanted = true;
    stopWaiting();
    if (inFlight) stopWaiting = clock.later(OVERTAKE_MS, send);
    else if (!scheduled) {
      scheduled = true;
      clock.frame(() => {
        scheduled = false;
        send();
      });
    }
  }

  function send(): void {
    if (!wanted) return;
    wanted = false;
    if (isMerging()) set({ loading: false });
    else void ask(store.getState().decisions.present);
  }

  function refresh(): void {
    const { decisions, backend } = store.getState();
    if (isMerging()) return;
    if (!isMergeable(decisions.present)) {
      wanted = false;
      set({ loading: inFlight, problem: null, ...(decisions.present.recipe.models.length === 0 ? { tensors: [], sample: null } : {}) });
      return;
    }
    set({ loading: true });
    // Once the backend is there the controller calls again.
    if (!backend.starting) schedule();
  }

  worker.subscribe(({ event }) => {
    if (event === 'sample') refresh();
  });
  return refresh;
}
