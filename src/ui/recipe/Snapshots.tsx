import { useState } from 'react';
import { fulfilSnapshot, MAX_SNAPSHOT_NAME, MAX_SNAPSHOTS, missingFor, wordsOf } from '../../state/snapshots';
import type { Snapshot } from '../../state/types';
import { showName } from '../format';
import { useController, useStudio } from '../studio';

/** Recipes kept under a name, to go back to and to compare with. */
export function Snapshots() {
  const controller = useController();
  const list = useStudio((state) => state.snapshots.list);
  const recipe = useStudio((state) => state.decisions.present.recipe);
  const [name, setName] = useState('');
  const full = list.length >= MAX_SNAPSHOTS;
  return (
    <details className="snapshots">
      <summary>Snapshots{list.length > 0 && ` (${list.length})`}</summary>
      <form
        className="row"
        onSubmit={(event) => {
          event.preventDefault();
          if (controller.keepSnapshot(name)) setName('');
        }}
      >
        <input
          type="text"
          className="field"
          aria-label="Name of the snapshot"
          maxLength={MAX_SNAPSHOT_NAME}
          placeholder={recipe.models.length > 0 ? wordsOf(recipe) : 'open checkpoints first'}
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
        <button type="submit" className="button small" disabled={full || recipe.models.length === 0}>
          Keep
        </button>
      </form>
      {full && <p className="quiet-text">{MAX_SNAPSHOTS} are kept, the most there is room for. Delete one first.</p>}
      {list.length > 0 && (
        <ul role="list" aria-label="Kept snapshots">
          {list.toReversed().map((snapshot) => (
            <SnapshotRow key={snapshot.id} snapshot={snapshot} />
          ))}
        </ul>
      )}
    </details>
  );
}

function SnapshotRow({ snapshot }: { snapshot: Snapshot }) {
  const { id, name, recipe } = snapshot;
  const controller = useController();
  const open = useStudio((state) => state.checkpoints.open);
  const roles = useStudio((state) => state.decisions.present.roles);
  const compared = useStudio((state) => state.snapshots.compared === id);
  const [draft, setDraft] = useState<string | null>(null);
  const missing = missingFor(snapshot, open);
  const usable = missing.length === 0 && fulfilSnapshot(snapshot, open, roles) !== null;
  const rename = () => {
    if (draft !== null) controller.renameSnapshot(id, draft);
    setDraft(null);
  };
  return (
    <li>
      <input
        type="text"
        className="field"
        aria-label={`Rename ${name}`}
        title={wordsOf(recipe)}
        maxLength={MAX_SNAPSHOT_NAME}
        value={draft ?? name}
        onChange={(event) => setDraft(event.target.value)}
        onBlur={rename}
        onKeyDown={(event) => event.key === 'Enter' && rename()}
      />
      <button type="button" className="button small" aria-label={`Apply ${name}`} disabled={!usable} onClick={() => controller.applySnapshot(id)}>
        Apply
      </button>
      <button type="button" className="button small" aria-label={`Compare with ${name}`} aria-pressed={compared} disabled={!usable && !compared} onClick={() => controller.compareWith(compared ? null : id)}>
        Compare
      </button>
      <button type="button" className="button quiet small icon" aria-label={`Delete ${name}`} onClick={() => controller.deleteSnapshot(id)}>
        ✕
      </button>
      {missing.length > 0 && <p className="quiet-text">Needs {missing.map((one) => showName(one, 40)).join(', ')}.</p>}
    </li>
  );
}
