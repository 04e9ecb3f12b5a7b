import { resumableOf } from '../../state/unfinished';
import { isBusy } from '../../state/types';
import type { Unfinished } from '../../worker/protocol';
import { plural, showName } from '../format';
import { describeError } from '../messages';
import { Notice } from '../Notice';
import { useController, useStudio } from '../studio';
import { mergeWords } from './merge-words';

/** Names listed before they are counted only. */
const MOST_NAMES = 12;

/** An interrupted merge lies at the destination: what it is, and to carry it on or to remove it. */
export function UnfinishedNotice() {
  const controller = useController();
  const { unfinished, folder, left } = useStudio((state) => state.target);
  const open = useStudio((state) => state.checkpoints.open);
  const busy = useStudio((state) => isBusy(state.job));
  if (busy) return null;
  if (unfinished === null) return left.length === 0 ? null : <LeftNotice names={left} />;
  const { merge, problem, files } = unfinished;
  const resumable = merge && resumableOf(merge, open);
  const where = folder === null ? 'in private storage' : `in the folder ${showName(folder, 40)}`;
  return (
    <>
      {left.length > 0 && <LeftNotice names={left} />}
      <Notice
        grave="warn"
        role="status"
        title={`An unfinished merge lies ${where}`}
        detail={merge ? mergeWords(merge) : problem ? describeError(problem).detail : ''}
        action={
          resumable === null
            ? 'It cannot be carried on. Remove what it left, or choose another folder.'
            : resumable.status === 'waiting'
              ? `To resume it, open its checkpoints: ${resumable.missing.map((name) => showName(name, 40)).join(', ')}.`
              : 'Resuming takes over its recipe, reads the finished shards again, and makes the others.'
        }
      >
        <div className="row">
          {resumable !== null && (
            <button type="button" className="button small primary" disabled={resumable.status !== 'ready'} onClick={() => void controller.resume()}>
              Resume the merge
            </button>
          )}
          <button type="button" className="button small" onClick={() => void controller.removeUnfinished()}>
            Remove what it left
          </button>
          <span className="quiet-text">{filesWords(files)}</span>
        </div>
      </Notice>
    </>
  );
}

function LeftNotice({ names }: { names: readonly string[] }) {
  return <Notice grave="warn" role="status" title="Some files could not be removed" detail={`${names.map((name) => showName(name)).join(', ')}.`} action="They are of an export that is not complete: remove them by hand." />;
}

function filesWords(files: Unfinished['files']): string {
  const shown = [...files].sort().slice(0, MOST_NAMES).map((name) => showName(name, 60));
  return `${plural(files.length, 'file')} would go: ${shown.join(', ')}${files.length > MOST_NAMES ? ', …' : ''}`;
}
