import type { Ancestry } from '../../analysis/ancestry';
import type { Checkpoint } from '../../checkpoint/types';
import { isBusy } from '../../state/types';
import { showName } from '../format';
import { Notice } from '../Notice';
import { useNameOf } from '../names';
import { useController, useStudio } from '../studio';

/** Says that the base does not look like the models' ancestor, and offers the one that does. */
export function BaseWarning({ checkpoint, ancestry: { better, unrelated } }: { checkpoint: Checkpoint; ancestry: Ancestry }) {
  const controller = useController();
  const nameOf = useNameOf();
  const busy = useStudio((state) => isBusy(state.job));
  const name = showName(checkpoint.name, 40);
  if (better !== null) {
    const other = showName(nameOf(better), 40);
    return (
      <Notice
        grave="warn"
        role="status"
        title={`${name} may not be the base of these models`}
        detail={`What changed from ${name} to ${other} is also in the other models: they look as if all of them were made from ${other}. Merged on the wrong base, they would lose that twice.`}
      >
        <p>
          <button type="button" className="button small" disabled={busy} onClick={() => controller.setRole(better, 'base')}>
            Use {other} as the base
          </button>
        </p>
      </Notice>
    );
  }
  if (unrelated.length === 0) return null;
  return (
    <Notice
      grave="warn"
      role="status"
      title={`${name} may not be the base of ${unrelated.map((id) => showName(nameOf(id), 40)).join(', ')}`}
      detail="They are about as far apart as networks that were trained independently. A merge needs models made from the same base."
      action="Drop the checkpoint they were made from, and give it the role Base."
    />
  );
}
