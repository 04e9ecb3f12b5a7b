import { useState } from 'react';
import { isBusy } from '../../state/types';
import type { ExportedStamp } from '../../worker/protocol';
import { formatBytes, plural } from '../format';
import { useController, useStudio } from '../studio';
import { ExportTable } from './ExportTable';

const sum = (stamps: readonly ExportedStamp[]) => stamps.reduce((total, { bytes }) => total + bytes, 0);
/** What is listed under one name: a file, or the folder it is in. */
const headOf = ({ name }: ExportedStamp) => name.split('/')[0]!;

/** A finished export that lies in private storage without a report on the page: an earlier page made it, or its report was put away. */
export function StoredNotice() {
  const controller = useController();
  const stored = useStudio((state) => state.target.stored);
  const busy = useStudio((state) => isBusy(state.job));
  const [isListed, setListed] = useState(false);
  const [isAsked, setAsked] = useState(false);
  if (busy || stored.length === 0) return null;
  const download = (stamps: readonly ExportedStamp[]) => () => stamps.forEach((stamp) => void controller.download(stamp));
  const heads = [...new Set(stored.map(headOf))];
  const rows = heads.map((name) => {
    const own = stored.filter((stamp) => headOf(stamp) === name);
    return { name, bytes: sum(own), sha256: undefined, download: download(own) };
  });
  const date = new Date(Math.max(...stored.map(({ modified }) => modified))).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });
  return (
    <section className="notice stored" data-grave="calm" aria-label="Export in private storage">
      <p>
        <strong>A finished export lies in private storage:</strong> {plural(stored.length, 'file')}, {formatBytes(sum(stored))}, of {date}. A merge there takes its place once that is whole; an export of several empties private storage first.
      </p>
      <div className="row">
        <button type="button" className="button small primary" onClick={download(stored)}>
          Download all
        </button>
        <button type="button" className="button small" aria-expanded={isListed} onClick={() => setListed(!isListed)}>
          Files
        </button>
        {isAsked && (
          <button type="button" className="button small" onClick={() => (setAsked(false), void controller.removeStored())}>
            Remove for good
          </button>
        )}
        {/* One button, so that the focus stays where it is. */}
        <button type="button" className="button small" onClick={() => setAsked(!isAsked)}>
          {isAsked ? 'Keep' : 'Remove'}
        </button>
      </div>
      {isListed && <ExportTable of={stored.some(({ name }) => name.includes('/')) ? 'Folder' : 'File'} rows={rows} />}
    </section>
  );
}
