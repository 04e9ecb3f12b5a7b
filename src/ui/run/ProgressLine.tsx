import { formatCount } from '../../analysis/format';
import { paceOf, type Pace } from '../../state/progress';
import { isBusy, type Job, type JobKind } from '../../state/types';
import type { MergeProgress } from '../../worker/protocol';
import { formatBytes, formatSeconds } from '../format';
import { useStudio } from '../studio';

type Running = Extract<Job, { status: 'running' | 'paused' | 'cancelling' }>;

const PROGRESS_LABELS: Readonly<Record<JobKind, string>> = { merge: 'Merge progress', batch: 'Export progress', scan: 'Counting progress', verify: 'Verification progress' };
const ACTIVITIES = [
  ['reading', 'Reading'],
  ['computing', 'Computing'],
  ['writing', 'Writing'],
] as const;

/** How far the job is, how long it will take, and what it waits for. */
export function ProgressLine() {
  const job = useStudio((state) => state.job);
  const kind = useStudio((state) => state.backend.report?.info.kind);
  if (!isBusy(job)) return null;
  const { progress, status, kind: work } = job;
  const pace = progress === null ? null : paceOf(progress);
  const writes = work === 'merge' || work === 'batch';
  return (
    <div className="progress">
      <div className="progress-words" role="status">
        <strong>{phaseWords(job)}</strong>
        {progress && <span>{`${formatCount(progress.tensorsDone)} of ${formatCount(progress.tensors)} tensors`}</span>}
        {progress?.folders !== undefined && <span>{`${progress.foldersDone ?? 0} of ${progress.folders} folders complete`}</span>}
        {progress && <span>{bytesWords(progress)}</span>}
        {progress && writes && progress.phase !== 'verifying' && progress.phase !== 'checking' && (
          <span>{`${formatBytes(progress.bytesWritten)} of ${formatBytes(progress.bytesWrittenTotal)} written`}</span>
        )}
        {pace?.readRate && <span>{formatBytes(pace.readRate)}/s</span>}
        {pace?.secondsLeft != null && status === 'running' && <span>{formatSeconds(pace.secondsLeft)} left</span>}
      </div>
      <progress max={1} value={pace?.share} aria-label={PROGRESS_LABELS[work]} />
      {pace && <Activities pace={pace} writes={writes} computing={kind === 'cpu' ? 'CPU' : 'GPU'} />}
    </div>
  );
}

function phaseWords({ status, kind, progress }: Running): string {
  if (status === 'paused') return 'Paused';
  if (status === 'cancelling') return 'Cancelling';
  if (progress === null) return 'Starting';
  if (kind === 'scan') return 'Counting every value';
  if (kind === 'verify') return 'Merging again and comparing';
  return { checking: 'Checking what is there', ranking: 'Ranking over the whole model', reading: 'Merging', finalising: 'Finalising: the browser is moving the file into place', verifying: 'Verifying what was written', rechecking: 'Computing everything again on the CPU' }[progress.phase];
}

function bytesWords({ phase, bytesRead, bytesReadTotal, bytesVerified, bytesWrittenTotal }: MergeProgress): string {
  if (phase === 'verifying' || phase === 'checking') return `${formatBytes(bytesVerified)} of ${formatBytes(bytesWrittenTotal)} re-read`;
  return `${formatBytes(bytesRead)} of ${formatBytes(bytesReadTotal)} read`;
}

/** Share of the time each activity was under way; they overlap, and the longest is what to speed up. */
function Activities({ pace, writes, computing }: { pace: Pace; writes: boolean; computing: string }) {
  return (
    <dl className="activities">
      {ACTIVITIES.filter(([key]) => writes || key !== 'writing').map(([key, label]) => (
        <div key={key} data-bottleneck={pace.bottleneck === key}>
          <dt>{key === 'computing' ? computing : label}</dt>
          <dd>
            <meter min={0} max={1} value={pace[key]} aria-label={`${key === 'computing' ? computing : label}, share of the time`} />
            {Math.round(pace[key] * 100)} %
          </dd>
        </div>
      ))}
    </dl>
  );
}
