/** What a job that stopped leaves where it wrote, in words. */
import type { WireError } from '../../bytes/errors';
import type { Job, JobKind, Kept } from '../../state/types';
import { plural } from '../format';

type Stopped = Extract<Job, { status: 'failed' | 'cancelled' }>;

/** Of a batch that was stopped: what is kept of folders that are not complete. */
export function keptWords(kept: Kept): string {
  if (kept === null) return '';
  if (kept === 0) return 'None of the weight files begun are kept.';
  return `${plural(kept, 'finished weight file')} ${kept === 1 ? 'is' : 'are'} kept: the same export carries on with ${kept === 1 ? 'it' : 'them'}.`;
}

/** Sentences on what was written, of which the sources are never any. */
export function leftWords(job: Stopped): string {
  const error = job.status === 'failed' ? job.error : null;
  const progress = job.status === 'failed' ? job.progress : null;
  if (job.kind === 'scan') return job.status === 'cancelled' ? 'What was counted stays exact.' : 'Nothing was written.';
  if (job.kind === 'verify') return 'Nothing was written.';
  const stopped = progress && progress.bytesWritten > 0 ? `The merge stopped after ${progress.tensorsDone} of ${progress.tensors} tensors` : null;
  if (job.kind === 'batch') return ['No folder was finished.', job.kept === null ? unknownWords(job.kind, error, stopped !== null) : keptWords(job.kept)].join(' ');
  if (job.kept === null) return [...(stopped === null ? [] : [`${stopped}.`]), unknownWords(job.kind, error, stopped !== null)].join(' ');
  const words = job.kept > 0 ? 'the shard being written was thrown away, finished ones are kept to be resumed.' : 'none of its weight files are kept.';
  return stopped === null ? `${words[0]!.toUpperCase()}${words.slice(1)}` : `${stopped}; ${words}`;
}

/** The job told of nothing: it had not begun to write, or what does the work is gone. */
function unknownWords(kind: JobKind, error: WireError | null, hasWritten: boolean): string {
  if (error?.reason !== 'worker-died' || (kind === 'merge' && !hasWritten)) return 'Nothing was written.';
  return 'What it finished stays where it is, and is found there after the restart.';
}
