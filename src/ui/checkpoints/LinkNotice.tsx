import { Notice } from '../Notice';
import { showName } from '../format';
import { useController, useStudio } from '../studio';
import { WAITS_FOR_JOB } from './waiting';

/** What a link's recipe still waits for: until then another recipe stands on the right, and will be replaced. */
export function LinkNotice() {
  const controller = useController();
  const wanted = useStudio((state) => state.wanted);
  const open = useStudio((state) => state.checkpoints.open);
  if (wanted === null) return null;
  const missing = wanted.names.filter((name) => !open.some((one) => one.name === name));
  return (
    <Notice
      grave="calm"
      role="status"
      title="The link's recipe is not applied yet"
      detail={
        missing.length > 0
          ? `It still needs ${missing.map((name) => showName(name, 40)).join(', ')}. Once these are open it replaces the recipe shown.`
          : WAITS_FOR_JOB
      }
    >
      <button type="button" className="button small" onClick={() => controller.forgetLink()}>
        Forget the link
      </button>
    </Notice>
  );
}
