import { useId } from 'react';
import { plural, showName } from '../format';
import { describeError } from '../messages';
import { useController, useStudio } from '../studio';

/** Where the export goes: a folder on disk, or the browser's private storage, to be downloaded from there. `single`: for one merge, which may replace an older export. */
export function DestinationPicker({ single = true }: { single?: boolean }) {
  const controller = useController();
  const group = useId();
  const { folder, replace, recheck, canWriteFolders, nowhere, ...target } = useStudio((state) => state.target);
  const older = [...target.older].sort();
  if (nowhere !== null) {
    const { title, detail, action } = describeError(nowhere);
    return (
      <p className="destination">
        <strong>{title}.</strong> {detail} {action}
      </p>
    );
  }
  return (
    <div className="destination" role="group" aria-label="Destination">
      <div className="segments">
        <label>
          <input type="radio" name={group} checked={folder === null} onChange={() => controller.usePrivateStorage()} />
          Private storage, then download
        </label>
        <label title={canWriteFolders ? undefined : 'This browser cannot write to folders; Chrome and Edge can.'}>
          <input
            type="radio"
            name={group}
            checked={folder !== null}
            disabled={!canWriteFolders}
            onChange={() => void controller.chooseTarget()}
            onClick={() => folder !== null && void controller.chooseTarget()}
          />
          {folder === null ? 'Folder on disk…' : `Folder ${showName(folder, 30)}`}
        </label>
      </div>
      {single && folder !== null && (
        <label className="check" title={older.length > 0 ? `Replaced or removed: ${older.map((name) => showName(name)).join(', ')}. Nothing else is.` : undefined}>
          <input type="checkbox" checked={replace} onChange={(event) => controller.setReplace(event.target.checked)} />
          Replace an older export
          {older.length > 0 && ` (${plural(older.length, 'file')}: ${older.slice(0, 2).map((name) => showName(name, 40)).join(', ')}${older.length > 2 ? ', …' : ''})`}
        </label>
      )}
      <label className="check" title={`Merges everything a second time by other code than the first, and compares every value with the files. Takes as long as a merge on the CPU${single ? '' : ', for each of them'}.`}>
        <input type="checkbox" checked={recheck} onChange={(event) => controller.setRecheck(event.target.checked)} />
        Recompute on the CPU
      </label>
    </div>
  );
}
