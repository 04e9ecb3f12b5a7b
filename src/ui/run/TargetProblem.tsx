import { isBusy } from '../../state/types';
import { ErrorNotice } from '../Notice';
import { useController, useStudio } from '../studio';

/** What went wrong where exports go, beside a job: until it is put away. */
export function TargetProblem() {
  const controller = useController();
  const problem = useStudio((state) => state.target.problem);
  const busy = useStudio((state) => isBusy(state.job));
  if (problem === null || busy) return null;
  return (
    <ErrorNotice error={problem} grave="warn">
      <button type="button" className="button quiet small icon" aria-label="Hide this problem" onClick={() => controller.dismissTargetProblem()}>
        ✕
      </button>
    </ErrorNotice>
  );
}
