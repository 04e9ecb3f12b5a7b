/** Figures of recipes beside the one on the screen (points of a series, snapshots): asked one after the other, drawn as they come. */
import { asStudioError } from '../bytes/errors';
import { figuresKey } from '../merge/figures-key';
import { isMergeable } from './decisions';
import type { ClockPort, WorkerPort } from './ports';
import type { StudioStore } from './store';
import { isBusy, type StudioState, type WantedEstimate } from './types';

/** The recipe must rest so long before its neighbours are asked for: a slider that moves needs the worker for itself. */
export const REST_MS = 200;

/**
 * Keeps `estimates` of the store at what `wantedOf` names. Watches the store by itself; a finer sample or a finished job makes
 * it ask again for what is no exact count.
 */
export function createEstimator(store: StudioStore, worker: WorkerPort, clock: ClockPort, wantedOf: (state: StudioState) => readonly WantedEstimate[]): void {
  let asking = false;
  let callOff = () => {};
  /** Slots whose estimates a finer sample has overtaken. */
  const outdated = new Set<string>();

  function nextOf(state: StudioState): { key: string; wanted: WantedEstimate } | null {
    for (const wanted of wantedOf(state)) {
      const key = figuresKey(wanted.recipe, wanted.choices);
      if (isMergeable(wanted) && (state.estimates[wanted.slot]?.key !== key || outdated.has(wanted.slot))) return { key, wanted };
    }
    return null;
  }

  async function ask({ key, wanted }: { key: string; wanted: WantedEstimate }): Promise<void> {
    asking = true;
    const { slot, recipe, choices } = wanted;
    outdated.delete(slot);
    const keep = (entry: StudioState['estimates'][string]) => store.setState(({ estimates }) => ({ estimates: { ...estimates, [slot]: entry } }));
    try {
      const { tensors } = await worker.request('estimate', { recipe, choices });
      keep({ key, tensors, problem: null });
    } catch (cause) {
      const problem = asStudioError(cause).toWire();
      // Cancelled because a checkpoint was closed or the backend changed: whoever still wants it asks again.
      if (problem.code !== 'cancelled') keep({ key, tensors: [], problem });
      else outdated.add(slot);
    }
    asking = false;
    proceed();
  }

  function proceed(): void {
    const state = store.getState();
    if (asking || state.backend.starting || isBusy(state.job)) return;
    const next = nextOf(state);
    if (next !== null) void ask(next);
  }

  function later(): void {
    callOff();
    callOff = clock.later(REST_MS, proceed);
  }

  store.subscribe((now, before) => {
    if (now.decisions.present !== before.decisions.present || now.backend !== before.backend) later();
    else if (now.view.chart.tab !== before.view.chart.tab || now.series !== before.series || now.snapshots !== before.snapshots || now.job !== before.job) proceed();
    if (now.checkpoints.open !== before.checkpoints.open) forgetClosed(store);
  });
  worker.subscribe(({ event }) => {
    if (event !== 'sample') return;
    for (const [slot, { tensors }] of Object.entries(store.getState().estimates)) if (tensors.some(({ exact }) => !exact)) outdated.add(slot);
    proceed();
  });
}

/** Slots of checkpoints and snapshots that are no more. */
function forgetClosed(store: StudioStore): void {
  const { estimates, checkpoints } = store.getState();
  if (checkpoints.open.length === 0 && Object.keys(estimates).length > 0) store.setState({ estimates: {} });
}
