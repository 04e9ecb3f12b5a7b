import './run.css';
import { isMergeable } from '../../state/decisions';
import { isBusy } from '../../state/types';
import { describeError } from '../messages';
import { useController, useStudio } from '../studio';
import { CountButton } from './CountButton';
import { DestinationPicker } from './DestinationPicker';
import { JobPanel } from './JobPanel';
import { PlanLine } from './PlanLine';
import { ProgressLine } from './ProgressLine';
import { StoredNotice } from './StoredNotice';
import { UnfinishedNotice } from './UnfinishedNotice';

/** The bottom bar: where to, what, and go; then how far, and what came of it. */
export function MergeBar() {
  const controller = useController();
  const status = useStudio((state) => state.job.status);
  const panel = useStudio((state) => state.view.panel);
  const isReported = useStudio(({ job }) => (job.status === 'finished' || job.status === 'batched') && job.summary.privateStorage);
  const busy = useStudio((state) => isBusy(state.job));
  const ready = useStudio(({ decisions, plan }) => isMergeable(decisions.present) && plan.summary !== null && plan.summary.refusals.length === 0);
  const nowhere = useStudio((state) => state.target.nowhere);
  const title = nowhere === null ? undefined : describeError(nowhere).title;
  return (
    <section className="bar" aria-label="Merge and export">
      <JobPanel />
      <UnfinishedNotice />
      {!isReported && <StoredNotice />}
      <div className="bar-line">
        {busy ? <ProgressLine /> : <PlanLine />}
        {!busy && <DestinationPicker />}
        <div className="bar-buttons">
          {busy ? (
            <>
              <button
                type="button"
                className="button"
                disabled={status === 'cancelling'}
                onClick={() => void controller.pause(status !== 'paused')}
              >
                {status === 'paused' ? 'Resume' : 'Pause'}
              </button>
              <button type="button" className="button" disabled={status === 'cancelling'} onClick={() => void controller.cancel()}>
                {status === 'cancelling' ? 'Cancelling' : 'Cancel'}
              </button>
            </>
          ) : (
            <>
              <CountButton ready={ready} />
              <button type="button" className="button" id="batch-button" aria-expanded={panel === 'batch'} disabled={!ready || nowhere !== null} title={title} onClick={() => controller.togglePanel('batch')}>
                Export several…
              </button>
              <button type="button" className="button primary" disabled={!ready || nowhere !== null} title={title} onClick={() => void controller.merge()}>
                Merge
              </button>
            </>
          )}
        </div>
      </div>
    </section>
  );
}
