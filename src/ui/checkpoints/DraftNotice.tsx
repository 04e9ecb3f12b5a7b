import { useMemo } from 'react';
import { readDraft } from '../../state/recipe-text';
import { Notice } from '../Notice';
import { showName } from '../format';
import { useController, useStudio } from '../studio';

/** What a dropped recipe still waits for. */
export function DraftNotice() {
  const controller = useController();
  const draft = useStudio((state) => state.draft);
  const open = useStudio((state) => state.checkpoints.open);
  const missing = useMemo(() => {
    if (draft === null || !draft.dropped) return null;
    const absent = readDraft(draft.text, open).problems.filter(({ error }) => error.reason === 'model-not-open');
    return [...new Set(absent.map(({ error }) => error.where.model ?? ''))];
  }, [draft, open]);
  if (missing === null) return null;
  return (
    <Notice
      grave="calm"
      role="status"
      title="A recipe was dropped and is not applied yet"
      detail={
        missing.length > 0
          ? `It still needs ${missing.map((name) => showName(name, 60)).join(', ')}. Once these are open it replaces the recipe shown.`
          : 'Its text, with what there is to say about it, stands in the recipe under “As MergeKit YAML”.'
      }
    >
      <button type="button" className="button small" onClick={() => controller.setDraft(null)}>
        Forget the recipe
      </button>
    </Notice>
  );
}
