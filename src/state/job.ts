/** Running a merge: start, pause, cancel, and what is left of it. */
import { asStudioError } from '../bytes/errors';
import type { PickedFolder } from '../worker/protocol';
import type { FilePort, WorkerPort } from './ports';
import type { StudioStore } from './store';
import { isBusy, type Job, type TargetState } from './types';

export interface JobControls {
  merge(): Promise<void>;
  pause(paused: boolean): Promise<void>;
  cancel(): Promise<void>;
  /** Puts the finished, failed or cancelled job away. */
  dismiss(): void;
  /** Asks for a folder to write to. */
  chooseTarget(): Promise<void>;
  usePrivateStorage(): void;
  setReplace(replace: boolean): void;
  /** Downloads one file of a finished export in private storage. */
  download(name: string): Promise<void>;
}

interface Reports {
  flush(): void;
  drop(): void;
}

/** `settled` is called after a merge ended in any way, with whether the decisions are no longer those it ran with. */
export function createJobControls(store: StudioStore, worker: WorkerPort, files: FilePort, reports: Reports, settled: (outdated: boolean) => void): JobControls {
  let folder: PickedFolder | null = null;
  const setJob = (job: Job) => store.setState({ job });
  const setTarget = (patch: Partial<TargetState>) => store.setState(({ target }) => ({ target: { ...target, ...patch } }));

  /** Moves a running job to another running state, keeping its progress. */
  function shift(status: 'running' | 'paused' | 'cancelling'): void {
    const { job } = store.getState();
    if (isBusy(job)) setJob({ status, progress: job.progress });
  }

  async function merge(): Promise<void> {
    const { job, decisions, target } = store.getState();
    if (isBusy(job)) return;
    const { recipe, choices, shardBytes } = decisions.present;
    setJob({ status: 'running', progress: null });
    reports.drop();
    try {
      const summary = await worker.request('merge', { recipe, choices, shardBytes, destination: folder, replace: target.replace });
      reports.flush();
      setJob({ status: 'finished', summary });
    } catch (cause) {
      reports.flush();
      const error = asStudioError(cause).toWire();
      const last = store.getState().job;
      setJob(error.code === 'cancelled' ? { status: 'cancelled' } : { status: 'failed', error, progress: 'progress' in last ? last.progress : null });
    }
    settled(store.getState().decisions.present !== decisions.present);
  }

  /** A request whose failure is a job's failure only if the job itself says so. */
  async function tell(request: 'pause' | 'cancel', paused = false): Promise<boolean> {
    try {
      if (request === 'pause') await worker.request('pause', { paused });
      else await worker.request('cancel', {});
      return true;
    } catch {
      return false;
    }
  }

  return {
    merge,
    async pause(paused) {
      const before = store.getState().job.status;
      if (before !== 'running' && before !== 'paused') return;
      shift(paused ? 'paused' : 'running');
      if (!(await tell('pause', paused)) && store.getState().job.status !== 'cancelling') shift(before);
    },
    async cancel() {
      const before = store.getState().job.status;
      if (before !== 'running' && before !== 'paused') return;
      shift('cancelling');
      if (!(await tell('cancel'))) shift(before);
    },
    dismiss() {
      if (!isBusy(store.getState().job)) setJob({ status: 'idle' });
    },
    async chooseTarget() {
      try {
        const chosen = await files.chooseDestination();
        if (chosen === null) return;
        folder = chosen;
        setTarget({ folder: chosen.name, replace: false, problem: null });
      } catch (cause) {
        setTarget({ problem: asStudioError(cause).toWire() });
      }
    },
    usePrivateStorage() {
      folder = null;
      setTarget({ folder: null, replace: false, problem: null });
    },
    setReplace: (replace) => setTarget({ replace }),
    async download(name) {
      try {
        const { handle } = await worker.request('exported', { name });
        files.save(name, handle);
      } catch (cause) {
        setJob({ status: 'failed', error: asStudioError(cause).toWire(), progress: null });
      }
    },
  };
}
