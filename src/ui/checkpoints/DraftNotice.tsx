import { useMemo } from 'react';
import { readDraft } from '../../state/recipe-text';
import { isBusy } from '../../state/types';
import { Notice } from '../Notice';
import { showName } from '../format';
import { useController, useStudio } from '../studio';
import { WAITS_FOR_JOB } from './waiting';

/** What a dropped recipe still waits for. */
export function DraftNotice() {
  const controller = useController();
  const draft = useStudio((state) => state.draft);
  const open = useStudio((state) => state.checkpoints.open);
  const busy = useStudio((state) => isBusy(state.job));
  const reading = useMemo(() => (draft?.dropped ? readDraft(draft.text, open) : null), [draft, open]);
  if (reading === null) return null;
  const absent = reading.problems.filter(({ error }) => error.reason === 'model-not-open');
  const missing = [...new Set(absent.map(({ error }) => error.where.model ?? ''))];
  const waits = busy && reading.problems.length === 0 ? WAITS_FOR_JOB : 'Its text, with what there is to say about it, stands in the recipe under “As MergeKit YAML”.';
  return (
    <Notice
      grave="calm"
      role="status"
      title="A recipe was dropped and is not applied yet"
      detail={
        missing.length > 0
          ? `It still needs ${missing.map((name) => showName(name, 60)).join(', ')}. Once these are open it replaces the recipe shown.`
          : waits
      }
    >
      <button type="button" className="button small" onClick={() => controller.setDraft(null)}>
        Forget the recipe
      </button>
    </Notice>
  );
}
