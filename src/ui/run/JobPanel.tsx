import { formatCount } from '../../analysis/format';
import { formatSeconds, plural } from '../format';
import { ErrorNotice, Notice } from '../Notice';
import { useNameOf } from '../names';
import { useController, useStudio } from '../studio';
import { Finished } from './Finished';
import { FinishedBatch } from './FinishedBatch';
import { leftWords } from './left-words';
import { TargetProblem } from './TargetProblem';
import { Verified } from './Verified';

/** What may be in the folder that a merge can take the place of. */
const REPLACEABLE: ReadonlySet<string> = new Set(['not-empty', 'unfinished', 'journal-of-another', 'journal-broken', 'journal-version']);

/** What went wrong at the destination beside a job, and what came of the last one: each until it is put away. */
export function JobPanel() {
  return (
    <>
      <TargetProblem />
      <Report />
    </>
  );
}

function Report() {
  const controller = useController();
  const job = useStudio((state) => state.job);
  const nameOf = useNameOf();
  const isPrivate = useStudio((state) => state.target.folder === null);
  const dismiss = (
    <button type="button" className="button quiet small icon" aria-label="Close the report" onClick={() => controller.dismiss()}>
      ✕
    </button>
  );
  switch (job.status) {
    case 'finished':
      return (
        <div className="job" role="status">
          <Finished summary={job.summary}>{dismiss}</Finished>
        </div>
      );
    case 'batched':
      return (
        <div className="job" role="status">
          <FinishedBatch summary={job.summary} kept={job.kept}>{dismiss}</FinishedBatch>
        </div>
      );
    case 'counted':
      return (
        <div className="job">
          <Notice
            grave="good"
            role="status"
            title={`Counted in ${formatSeconds(job.seconds)}`}
            detail={`All ${plural(job.tensors, 'merged tensor', formatCount(job.tensors))} were read whole: layers, modules, map and figures are exact for this recipe, and will be when it comes back. Surface, slack and effect are still drawn from the sample, and say so.`}
          >
            {dismiss}
          </Notice>
        </div>
      );
    case 'verified':
      return (
        <div className="job">
          <Verified name={nameOf(job.merged)} report={job.report}>
            {dismiss}
          </Verified>
        </div>
      );
    case 'failed': {
      const { error } = job;
      return (
        <div className="job">
          <ErrorNotice error={error}>
            <p className="action">
              Sources are never written, so they are as they were. {leftWords(job)}
            </p>
            {error.reason === 'folders-exist' && (
              <p>
                <button type="button" className="button small" onClick={() => void controller.resumeBatch()}>
                  Carry on: keep what is complete, make the rest
                </button>{' '}
                {isPrivate && (
                  <button type="button" className="button small" onClick={() => void controller.renewBatch()}>
                    Empty private storage and export all anew
                  </button>
                )}
              </p>
            )}
            {job.kind === 'merge' && error.code === 'destination' && REPLACEABLE.has(error.reason) && (
              <p>
                <button
                  type="button"
                  className="button small"
                  onClick={() => {
                    controller.setReplace(true);
                    void controller.merge();
                  }}
                >
                  {error.reason === 'not-empty' ? 'Replace the older export and merge' : 'Replace it and merge'}
                </button>
              </p>
            )}
            {dismiss}
          </ErrorNotice>
        </div>
      );
    }
    case 'cancelled':
      return (
        <div className="job">
          <Notice grave="calm" role="status" title="Cancelled" detail={job.kind === 'merge' ? `The sources are untouched. ${leftWords(job)}` : leftWords(job)}>
            {dismiss}
          </Notice>
        </div>
      );
    default:
      return null;
  }
}
