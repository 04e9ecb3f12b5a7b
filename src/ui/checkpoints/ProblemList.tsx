import { describeError } from '../messages';
import { Notice } from '../Notice';
import { useController, useStudio } from '../studio';
import { showName } from '../format';

/** Files that could not be opened, each with what to do. */
export function ProblemList() {
  const controller = useController();
  const problems = useStudio((state) => state.checkpoints.problems);
  if (problems.length === 0) return null;
  return (
    <ul className="problems" aria-label="Problems" role="list">
      {problems.map(({ file, error }) => (
        <li key={file}>
          <Notice grave="bad" role="alert" {...describeError(error)}>
            <button type="button" className="button quiet small icon" aria-label={`Dismiss the problem of ${showName(file, 60)}`} onClick={() => controller.dismissProblem(file)}>
              ✕
            </button>
          </Notice>
        </li>
      ))}
    </ul>
  );
}
