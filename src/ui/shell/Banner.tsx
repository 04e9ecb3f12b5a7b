import { isBusy } from '../../state/types';
import { ErrorNotice, Notice } from '../Notice';
import { useStudio } from '../studio';
import { takeOver } from './offline';

/** What the whole page should know: a newer version, and why it is slower than it could be. */
export function Banner() {
  return (
    <div className="banner">
      <UpdateNotice />
      <BackendNotice />
    </div>
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

/** Says why the page is slower than it could be, as long as it is. */
function BackendNotice() {
  const { report, problem, starting } = useStudio((state) => state.backend);
  if (starting) return null;
  if (problem !== null) return <ErrorNotice error={problem} grave="warn" role="status" />;
  if (report === null || report.info.kind !== 'cpu') return null;
  return report.gpuProblem ? (
    <ErrorNotice error={report.gpuProblem} grave="warn" role="status" />
  ) : (
    <Notice grave="calm" role="status" title="Computing on the CPU" detail="Same results as WebGPU, slower. The backend in the header changes it." />
  );
}
