/** How long a merge takes about, from what was measured here: asked once charts have settled, anew with another backend or other checkpoints. */
import type { PlanSummary, Rates } from '../worker/protocol';
import { idsOf } from './address';
import type { WorkerPort } from './ports';
import type { StudioStore } from './store';
import { isBusy } from './types';

/** Models that calibration merges (merge/calibration.ts). */
const CALIBRATED_MODELS = 2;

/**
 * Seconds of a merge, verification included: reading, computing and writing go on at the same time, so that the longer of moving
 * bytes and computing decides. What is written is read again, and counts as slow to write as to read. Null while a rate is unknown.
 */
export function mergeSeconds({ parameters, bytesRead, bytesWritten, rankingReadings }: PlanSummary, models: number, rates: Rates | null): number | null {
  if (rates === null || rates.parametersPerSecond === null || rates.readBytesPerSecond === null) return null;
  const moving = (bytesRead + 2 * bytesWritten) / rates.readBytesPerSecond;
  const computing = (parameters * (1 + rankingReadings) * Math.max(1, models / CALIBRATED_MODELS)) / rates.parametersPerSecond;
  return Math.max(moving, computing);
}

export function createPace(store: StudioStore, worker: WorkerPort): void {
  let latest = '';
  store.subscribe(({ plan, job, backend, figures, decisions, worker: { problem } }) => {
    const settled = !figures.loading && (figures.sample?.settled ?? true);
    if (plan.summary === null || plan.loading || !settled || isBusy(job) || backend.report === null || backend.starting || backend.measuring || problem !== null) return;
    const checkpoints = idsOf(decisions.present.recipe);
    const { kind, label } = backend.report.info;
    const key = JSON.stringify([kind, label, ...[...checkpoints].sort()]);
    if (key === latest) return;
    latest = key;
    store.setState({ rates: null });
    // Without rates there is no estimate, and nothing else is missed.
    worker.request('rates', { checkpoints }).then(
      (rates) => key === latest && store.setState({ rates }),
      () => {},
    );
  });
}
