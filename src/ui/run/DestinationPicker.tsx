import { useId } from 'react';
import { showName } from '../format';
import { useController, useStudio } from '../studio';

/** Where the export goes: a folder on disk, or the browser's private storage, to be downloaded from there. `replaces`: whether it may hold an older export. */
export function DestinationPicker({ replaces = true }: { replaces?: boolean }) {
  const controller = useController();
  const group = useId();
  const { folder, replace, canWriteFolders } = useStudio((state) => state.target);
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
      {replaces && folder !== null && (
        <label className="check">
          <input type="checkbox" checked={replace} onChange={(event) => controller.setReplace(event.target.checked)} />
          Replace an older export
        </label>
      )}
    </div>
  );
}
