/** The one door through which the worker's reports enter the store. */
import type { MergeProgress, TensorFigures, WorkerEvent } from '../worker/protocol';
import type { ClockPort, WorkerPort } from './ports';
import type { StudioStore } from './store';
import { isBusy } from './types';

/** Milliseconds between two entries: ten a second are as many as one can read. */
export const ENTRY_MS = 100;

/** Feeds the worker's events into the store, several at a time. Returns what drops those not yet entered. */
export function throttleEvents(store: StudioStore, worker: WorkerPort, clock: ClockPort): { flush: () => void; drop: () => void } {
  let progress: MergeProgress | null = null;
  let figures = new Map<string, TensorFigures>();
  let waiting = false;

  function enter(): void {
    const newest = progress;
    const fresh = figures;
    progress = null;
    figures = new Map();
    if (newest === null && fresh.size === 0) return;
    store.setState(({ job, figures: shown }) => ({
      ...(newest !== null && isBusy(job) ? { job: { ...job, progress: newest } } : {}),
      ...(fresh.size > 0 ? { figures: { ...shown, tensors: replaced(shown.tensors, fresh) } } : {}),
    }));
  }

  worker.subscribe((event: WorkerEvent) => {
    if (event.event === 'backend') {
      store.setState(({ backend }) => ({ backend: { ...backend, report: event.report, problem: null } }));
      return;
    }
    if (event.event === 'progress') progress = event.progress;
    else if (event.event === 'tensor') for (const one of event.figures) figures.set(one.tensor, one);
    else return;
    if (waiting) return;
    waiting = true;
    clock.later(ENTRY_MS, () => {
      waiting = false;
      enter();
    });
  });

  return {
    flush: enter,
    drop: () => {
      progress = null;
      figures = new Map();
    },
  };
}

/** `tensors` with those of `fresh` in the place of their predecessors, new ones last. */
export function replaced(tensors: readonly TensorFigures[], fresh: ReadonlyMap<string, TensorFigures>): TensorFigures[] {
  const known = new Set(tensors.map(({ tensor }) => tensor));
  return [...tensors.map((one) => fresh.get(one.tensor) ?? one), ...[...fresh.values()].filter(({ tensor }) => !known.has(tensor))];
}
