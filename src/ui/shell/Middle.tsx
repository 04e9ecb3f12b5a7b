import { isMergeable } from '../../state/decisions';
import { ChartsPane } from '../charts/ChartsPane';
import { useModels } from '../names';
import { ErrorNotice } from '../Notice';
import { useController, useStudio } from '../studio';

/** The charts, and above them why they are not those of the recipe. */
export function Middle() {
  const controller = useController();
  const { tensors, loading, problem } = useStudio((state) => state.figures);
  const mergeable = useStudio((state) => isMergeable(state.decisions.present));
  const method = useStudio((state) => state.decisions.present.recipe.method);
  const prefer = useStudio((state) => state.decisions.present.recipe.slack.prefer);
  const view = useStudio((state) => state.view.chart);
  const models = useModels();
  return (
    <div className="middle">
      {problem && problem.reason !== 'worker-died' && <ErrorNotice error={problem} grave="warn" />}
      <ChartsPane
        tensors={tensors}
        models={models}
        method={method}
        preferred={Math.max(
          0,
          models.findIndex(({ id }) => id === prefer),
        )}
        loading={loading}
        outdated={problem !== null || !mergeable}
        view={view}
        onView={controller.setChart}
      />
    </div>
  );
}
