import { formatBytes } from '../format';
import { useController, useStudio } from '../studio';

/** Starts the scan, which makes every estimate exact; not there where nothing is estimated. */
export function CountButton({ ready }: { ready: boolean }) {
  const controller = useController();
  const estimated = useStudio(({ figures }) => figures.tensors.some(({ exact }) => !exact));
  const bytes = useStudio(({ plan }) => plan.summary?.bytesRead ?? 0);
  if (!estimated) return null;
  return (
    <button
      type="button"
      className="button"
      disabled={!ready}
      title={`Reads all ${formatBytes(bytes)} once and writes nothing: every estimate on the charts becomes exact.`}
      onClick={() => void controller.scan()}
    >
      Count everything
    </button>
  );
}
