/** Running a merge or a scan: start, pause, cancel, and what is left of it. */
import { asStudioError } from '../bytes/errors';
import type { WireError } from '../bytes/errors';
import type { BatchPlanSummary, BatchRequestEntry, ExportedStamp, PickedFolder, RequestPayload } from '../worker/protocol';
import { originOf } from './origin';
import type { FilePort, WorkerPort } from './ports';
import type { StudioStore } from './store';
import { createUnfinishedControls, type UnfinishedControls } from './unfinished';
import { isBusy, type Decisions, type Job, type JobKind, type Kept, type TargetState } from './types';

/** One of the two is null. */
export interface BatchPlanned {
  readonly plan: BatchPlanSummary | null;
  readonly problem: WireError | null;
}

export interface JobControls extends UnfinishedControls {
  /** `resume`: carries on what lies at the destination, which is of the present recipe. */
  merge(resume?: boolean): Promise<void>;
  /** What several merges in one job would take. Never rejects. */
  planBatch(entries: readonly BatchRequestEntry[]): Promise<BatchPlanned>;
  /** Several merges in one job, a folder each. */
  exportBatch(entries: readonly BatchRequestEntry[]): Promise<void>;
  /** The last of these again, where that was, keeping what lies there. */
  resumeBatch(): Promise<void>;
  /** The last of these again, in private storage, which is emptied. Nothing where it went to a folder. */
  renewBatch(): Promise<void>;
  /** Counts every tensor in full; writes nothing. */
  scan(): Promise<void>;
  /** Merges again what a merged checkpoint was made of, and compares; nothing while its sources are not open. */
  verify(id: string): Promise<void>;
  pause(paused: boolean): Promise<void>;
  cancel(): Promise<void>;
  /** Puts the finished, failed or cancelled job away. */
  dismiss(): void;
  /** Puts away what went wrong at the destination; what came of the last job stays. */
  dismissTargetProblem(): void;
  /** Asks for a folder to write to. */
  chooseTarget(): Promise<void>;
  usePrivateStorage(): void;
  setReplace(replace: boolean): void;
  setRecheck(recheck: boolean): void;
  /** Downloads one file of a finished export in private storage. */
  download(was: ExportedStamp): Promise<void>;
}

interface Reports {
  flush(): void;
  drop(): void;
}

/** `settled` is called after a job ended in any way, with whether the decisions are no longer those it ran with. */
export function createJobControls(store: StudioStore, worker: WorkerPort, files: FilePort, reports: Reports, settled: (outdated: boolean) => void): JobControls {
  let folder: PickedFolder | null = null;
  const setJob = (job: Job) => store.setState({ job });
  const unfinished = createUnfinishedControls(store, worker, () => folder);
  /** Of the job that is running. */
  let kept: Kept = null;
  worker.subscribe((event) => {
    if (event.event === 'kept') kept = event.shards;
  });
  const setTarget = (patch: Partial<TargetState>) => store.setState(({ target }) => ({ target: { ...target, ...patch } }));

  /** What is said of one destination offers nothing about another. */
  function putFailureAway(): void {
    const { status } = store.getState().job;
    if (status === 'failed' || status === 'cancelled') setJob({ status: 'idle' });
  }

  /** Moves a running job to another running state, keeping its progress. */
  function shift(status: 'running' | 'paused' | 'cancelling'): void {
    const { job } = store.getState();
    if (isBusy(job)) setJob({ ...job, status });
  }

  /** One job from start to end; `work` asks the worker and says what came of it. */
  async function run(kind: JobKind, work: (decisions: Decisions) => Promise<Job>): Promise<void> {
    const { job, decisions } = store.getState();
    if (isBusy(job)) return;
    kept = null;
    setJob({ status: 'running', kind, progress: null });
    if (kind === 'merge' || kind === 'batch') setTarget({ unfinished: null, stored: [], left: [], problem: null });
    reports.drop();
    try {
      const outcome = await work(decisions.present);
      reports.flush();
      setJob(outcome);
      // Every figure on the screen is counted now: no sample stands behind it.
      if (kind === 'merge' || kind === 'scan') store.setState(({ figures }) => ({ figures: { ...figures, sample: null } }));
    } catch (cause) {
      reports.flush();
      const error = asStudioError(cause).toWire();
      const last = store.getState().job;
      setJob(error.code === 'cancelled' ? { status: 'cancelled', kind, kept } : { status: 'failed', kind, error, progress: 'progress' in last ? last.progress : null, kept });
    }
    settled(store.getState().decisions.present !== decisions.present);
    if (kind === 'merge' || kind === 'batch') void unfinished.lookAtTarget();
  }

  const merge = (resume = false) =>
    run('merge', async ({ recipe, text, choices, shardBytes }) => {
      const { recheck, replace } = store.getState().target;
      const how = resume ? { replace: false, resume } : { replace };
      return { status: 'finished', summary: await worker.request('merge', { recipe, text, choices, shardBytes, destination: folder, recheck, ...how }) };
    });
  type Batch = Pick<RequestPayload<'batch'>, 'entries' | 'shardBytes' | 'destination' | 'recheck'>;
  /** As it was asked for: what its report offers is about that, whatever was chosen since. */
  let batch: Batch | null = null;
  const runBatch = (asked: Batch, how: { readonly resume?: true; readonly anew?: true } = {}) =>
    run('batch', async () => {
      batch = asked;
      return { status: 'batched', summary: await worker.request('batch', { ...asked, ...how }), kept };
    });
  const scan = () =>
    run('scan', async ({ recipe, choices }) => {
      const { tensors, seconds } = await worker.request('scan', { recipe, choices });
      return { status: 'counted', tensors: tensors.length, seconds };
    });

  async function verify(id: string): Promise<void> {
    const { checkpoints, recipes } = store.getState();
    const { open } = checkpoints;
    const merged = open.find((one) => one.id === id);
    const origin = merged ? originOf(merged, open, recipes) : null;
    if (origin?.status !== 'ready') return;
    const { recipe, choices, contents } = origin;
    await run('verify', async () => ({ status: 'verified', merged: id, report: await worker.request('verify', { recipe, choices, contents, merged: id }) }));
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
    ...unfinished,
    merge,
    async planBatch(entries) {
      try {
        return { plan: await worker.request('planBatch', { entries, shardBytes: store.getState().decisions.present.shardBytes }), problem: null };
      } catch (cause) {
        return { plan: null, problem: asStudioError(cause).toWire() };
      }
    },
    exportBatch: (entries) => {
      const { decisions, target } = store.getState();
      return runBatch({ entries, shardBytes: decisions.present.shardBytes, destination: folder, recheck: target.recheck });
    },
    resumeBatch: async () => void (batch && (await runBatch(batch, { resume: true }))),
    renewBatch: async () => void (batch?.destination === null && (await runBatch(batch, { anew: true }))),
    scan,
    verify,
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
    dismissTargetProblem: () => setTarget({ problem: null }),
    async chooseTarget() {
      try {
        const chosen = await files.chooseDestination();
        if (chosen === null) return;
        folder = chosen;
        putFailureAway();
        setTarget({ folder: chosen.name, replace: false, problem: null, unfinished: null, left: [] });
        void unfinished.lookAtTarget();
      } catch (cause) {
        setTarget({ problem: asStudioError(cause).toWire() });
      }
    },
    usePrivateStorage() {
      folder = null;
      putFailureAway();
      setTarget({ folder: null, replace: false, problem: null, unfinished: null, left: [] });
      void unfinished.lookAtTarget();
    },
    setReplace: (replace) => setTarget({ replace }),
    setRecheck: (recheck) => setTarget({ recheck }),
    async download(was) {
      setTarget({ problem: null });
      try {
        const { handle } = await worker.request('exported', { was });
        files.save(was.name, handle);
      } catch (cause) {
        // The export is what it was: its report stays, with its other files.
        setTarget({ problem: asStudioError(cause).toWire() });
      }
    },
  };
}
