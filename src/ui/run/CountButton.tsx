import { useController, useStudio } from '../studio';
import { countTitle } from './plan-words';

/** Starts the scan, which makes every estimate exact; not there where nothing is estimated. */
export function CountButton({ ready }: { ready: boolean }) {
  const controller = useController();
  const estimated = useStudio(({ figures }) => figures.tensors.some(({ exact }) => !exact));
  const summary = useStudio(({ plan }) => plan.summary);
  if (!estimated) return null;
  return (
    <button
      type="button"
      className="button"
      disabled={!ready}
      title={summary === null ? undefined : countTitle(summary)}
      onClick={() => void controller.scan()}
    >
      Count everything
    </button>
  );
}
