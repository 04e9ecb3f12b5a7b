import { useState } from 'react';
import type { WireError } from '../../bytes/errors';
import { isBusy } from '../../state/types';
import type { BackendReport } from '../../worker/protocol';
import { ErrorNotice, Notice } from '../Notice';
import { reasonText } from '../messages/backend';
import { useController, useStudio } from '../studio';
import { takeOver } from './offline';

/** What the whole page should know: a newer version, and why the CPU computes where it does. */
export function Banner() {
  return (
    <div className="banner">
      <WorkerNotice />
      <UpdateNotice />
      <BackendNotice />
    </div>
  );
}

/** The part that reads and merges is gone: nothing else on the page answers until there is another. */
function WorkerNotice() {
  const controller = useController();
  const { problem, restarting } = useStudio((state) => state.worker);
  if (problem === null) return null;
  return (
    <ErrorNotice error={problem}>
      <button type="button" className="button primary" disabled={restarting} onClick={() => void controller.restart()}>
        {restarting ? 'Restarting' : 'Restart'}
      </button>
    </ErrorNotice>
  );
}

function UpdateNotice() {
  const update = useStudio((state) => state.offline.update);
  const busy = useStudio((state) => isBusy(state.job));
  const open = useStudio((state) => state.checkpoints.open.length);
  if (!update) return null;
  const detail = open === 0 ? 'It opens in a moment.' : 'The recipe stays in the address; the checkpoints have to be opened again.';
  return (
    <Notice grave="calm" role="status" title="A newer version of the studio is ready" detail={busy ? 'It waits until the job that is running has ended.' : detail}>
      <button type="button" className="button" disabled={busy} onClick={() => void takeOver()}>
        Open it now
      </button>
    </Notice>
  );
}

/** Says that the CPU computes, and why, until it is read: the Backend panel keeps saying it. */
function BackendNotice() {
  const { report, problem, starting } = useStudio((state) => state.backend);
  const [read, setRead] = useState<BackendReport | WireError | null>(null);
  const told = problem ?? report;
  if (starting || told === null || told === read) return null;
  const close = (
    <button type="button" className="button quiet small icon" aria-label="Hide this notice" title="The Backend panel keeps saying it" onClick={() => setRead(told)}>
      ✕
    </button>
  );
  if (problem !== null)
    return (
      <ErrorNotice error={problem} grave="warn" role="status">
        {close}
      </ErrorNotice>
    );
  if (report === null || report.info.kind !== 'cpu') return null;
  return report.gpuProblem ? (
    <ErrorNotice error={report.gpuProblem} grave="warn" role="status">
      {close}
    </ErrorNotice>
  ) : (
    <Notice grave="calm" role="status" title="Computing on the CPU" detail={`${reasonText(report)} The results are the same either way. The backend in the header changes it.`}>
      {close}
    </Notice>
  );
}
