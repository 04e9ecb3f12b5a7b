import { ErrorNotice, Notice } from '../Notice';
import { useStudio } from '../studio';

/** Says why the page is slower than it could be, as long as it is. */
export function Banner() {
  const { report, problem, starting } = useStudio((state) => state.backend);
  if (starting) return null;
  if (problem !== null) {
    return (
      <div className="banner">
        <ErrorNotice error={problem} grave="warn" role="status" />
      </div>
    );
  }
  if (report === null || report.info.kind !== 'cpu') return null;
  return (
    <div className="banner">
      {report.gpuProblem ? (
        <ErrorNotice error={report.gpuProblem} grave="warn" role="status" />
      ) : (
        <Notice grave="calm" role="status" title="Computing on the CPU" detail="Same results as WebGPU, slower. The backend in the header changes it." />
      )}
    </div>
  );
}
