import type { WantedRecipe } from '../../state/types';
import { Notice } from '../Notice';
import { showName } from '../format';
import { ReopenNamed } from './Reopen';
import { useController, useStudio } from '../studio';
import { WAITS_FOR_JOB } from './waiting';

/** Characters shown of a fingerprint. */
const SHOWN = 6;

/** What a link's recipe still waits for: until then another recipe stands on the right, and will be replaced. */
export function LinkNotice() {
  const controller = useController();
  const wanted = useStudio((state) => state.wanted);
  const open = useStudio((state) => state.checkpoints.open);
  const unlike = useStudio((state) => state.unlike);
  if (wanted === null) return unlike.length === 0 ? null : <UnlikeNotice />;
  const missing = wanted.names.filter((name) => !open.some((one) => one.name === name));
  return (
    <Notice
      grave="calm"
      role="status"
      title="The link's recipe is not applied yet"
      detail={
        missing.length > 0
          ? `It still needs ${missing.map((name) => describe(name, wanted)).join(', ')}. Once these are open it replaces the recipe shown.`
          : WAITS_FOR_JOB
      }
    >
      <div className="row">
        <ReopenNamed names={missing} />
        <button type="button" className="button small" onClick={() => controller.forgetLink()}>
          Forget the link
        </button>
      </div>
    </Notice>
  );
}

/** That the recipe was applied to checkpoints of other headers than those of its link. */
function UnlikeNotice() {
  const controller = useController();
  const unlike = useStudio((state) => state.unlike);
  const each = unlike.map(({ name, wanted, open }) => `${showName(name, 40)} (link ${wanted.slice(0, SHOWN)}, open ${open.slice(0, SHOWN)})`);
  return (
    <Notice
      grave="warn"
      role="status"
      title={unlike.length === 1 ? 'Another checkpoint than the one of the link' : 'Other checkpoints than those of the link'}
      detail={`The link's recipe was made with ${unlike.length === 1 ? 'another' : 'others:'} ${each.join(', ')}. Names are the same, shapes or files are not, so figures will differ from those you were sent.`}
    >
      <button type="button" className="button small" onClick={() => controller.dismissUnlike()}>
        Use {unlike.length === 1 ? 'it' : 'them'}
      </button>
    </Notice>
  );
}

/** Name and fingerprint, where the link has it: `ct-x (3f2a09)`. */
export function describe(name: string, { fingerprints }: Pick<WantedRecipe, 'fingerprints'>): string {
  const mark = fingerprints[name];
  return `${showName(name, 40)}${mark === undefined ? '' : ` (${mark.slice(0, SHOWN)})`}`;
}
