import { useMemo } from 'react';
import type { Checkpoint } from '../../checkpoint/types';
import { originOf } from '../../state/origin';
import { wordsOf } from '../../state/snapshots';
import { isBusy } from '../../state/types';
import { showName } from '../format';
import { describeError } from '../messages';
import { useController, useStudio } from '../studio';

/** On the card of a merged checkpoint: what it was made by, to be opened again and to be checked. */
export function OriginPanel({ checkpoint }: { checkpoint: Checkpoint }) {
  const controller = useController();
  const open = useStudio((state) => state.checkpoints.open);
  const recipes = useStudio((state) => state.recipes);
  const busy = useStudio((state) => isBusy(state.job));
  const origin = useMemo(() => originOf(checkpoint, open, recipes), [checkpoint, open, recipes]);
  if (origin === null) return null;
  const name = showName(checkpoint.name, 60);
  if (origin.status === 'unreadable') {
    const { title, detail } = describeError(origin.error);
    return <p className="origin quiet-text">{`Holds a recipe that cannot be used: ${title}. ${detail}`}</p>;
  }
  if (origin.status === 'waiting') {
    return <p className="origin quiet-text">{`Merged from ${origin.missing.map((one) => showName(one, 40)).join(', ')} and more: drop what is missing to reopen its recipe and verify it.`}</p>;
  }
  return (
    <div className="origin">
      <p className="quiet-text">{`Merged by ${wordsOf(origin.recipe)}.`}</p>
      <div className="row">
        <button type="button" className="button small" aria-label={`Reopen the recipe of ${name}`} disabled={busy} onClick={() => controller.reopenRecipe(checkpoint.id)}>
          Reopen its recipe
        </button>
        <button
          type="button"
          className="button small"
          aria-label={`Verify ${name}`}
          title="Merges its sources again and compares every value; nothing is written."
          disabled={busy}
          onClick={() => void controller.verify(checkpoint.id)}
        >
          Verify
        </button>
      </div>
    </div>
  );
}
