/** The live figures: every change of the recipe asks for them at once, one request at a time, the latest recipe next. */
import { asStudioError } from '../bytes/errors';
import { isMergeable } from './decisions';
import { latestWins } from './latest';
import type { ClockPort, WorkerPort } from './ports';
import type { StudioStore } from './store';
import { isBusy, type FiguresState } from './types';

/** Asks again by itself when a finer sample is there. Returns what to call after every change of the decisions. */
export function createExplorer(store: StudioStore, worker: WorkerPort, clock: ClockPort): () => void {
  const set = (patch: Partial<FiguresState>) => store.setState(({ figures }) => ({ figures: { ...figures, ...patch } }));
  const isMerging = () => isBusy(store.getState().job);

  const question = latestWins(clock, {
    mayAsk: () => !isMerging(),
    async ask(isLatest) {
      const { recipe, choices } = store.getState().decisions.present;
      try {
        const { tensors, sample } = await worker.request('explore', { recipe, choices });
        // While a merge runs its exact figures arrive; an estimate asked for before must not replace them.
        if (isLatest() && !isMerging()) set({ tensors, sample, problem: null });
      } catch (cause) {
        const error = asStudioError(cause).toWire();
        if (isLatest() && error.code !== 'cancelled' && !isMerging()) set({ problem: error });
      }
    },
    idle: () => set({ loading: false }),
  });

  function refresh(): void {
    const { decisions, backend } = store.getState();
    if (isMerging()) return;
    if (!isMergeable(decisions.present)) {
      question.drop();
      set({ loading: question.isOut, problem: null, ...(decisions.present.recipe.models.length === 0 ? { tensors: [], sample: null } : {}) });
      return;
    }
    set({ loading: true });
    // Once the backend is there the controller calls again.
    if (!backend.starting) question.want();
  }

  worker.subscribe(({ event }) => {
    if (event === 'sample') refresh();
  });
  return refresh;
}
