import type { ReactNode } from 'react';
import type { Rechecked } from '../../merge/recheck';
import type { Kept } from '../../state/types';
import type { BatchSummary, ExportedStamp } from '../../worker/protocol';
import { formatBytes, formatSeconds, plural, showName } from '../format';
import { describeError } from '../messages';
import { useController } from '../studio';
import { ExportTable } from './ExportTable';
import { keptWords } from './left-words';
import { VerifiedLine } from './VerifiedLine';

/** Null where nothing was computed again. */
function sumRechecked(all: readonly Rechecked[]): Rechecked | null {
  if (all.length === 0) return null;
  const sum = (of: (one: Rechecked) => number) => all.reduce((total, one) => total + of(one), 0);
  return { values: sum((one) => one.values), differing: sum((one) => one.differing), by: [...new Set(all.map(({ by }) => by))].join(' and ') };
}

/** What a batch left: its folders, what was verified, and why some are missing. */
export function FinishedBatch({ summary, kept, children }: { summary: BatchSummary; kept: Kept; children: ReactNode }) {
  const controller = useController();
  const { destination, privateStorage, folders, stamps, table, missing, stopped, seconds, backend } = summary;
  const sum = (of: (folder: BatchSummary['folders'][number]) => number) => folders.reduce((total, one) => total + of(one), 0);
  const bytesOf = ({ files }: BatchSummary['folders'][number]) => files.reduce((total, file) => total + file.bytes, 0);
  const before = folders.filter(({ tensors }) => tensors === 0).length;
  const reason = stopped === null ? null : stopped.code === 'cancelled' ? 'Cancelled' : describeError(stopped, (id) => id).title;
  const [tensors, verified, values, overflow] = [sum((one) => one.tensors), sum((one) => one.verified), sum((one) => one.checked.values), sum((one) => one.overflow)];
  const rechecked = sumRechecked(folders.flatMap((one) => one.rechecked ?? []));
  const download = (stamp: ExportedStamp) => void controller.download(stamp);
  const tableStamp = stamps.find(({ name }) => name === table);
  const rows = folders.map((one) => ({
    name: one.folder,
    bytes: bytesOf(one),
    sha256: one.files.find(({ name }) => name.endsWith('.safetensors'))?.sha256,
    download: privateStorage ? () => stamps.filter(({ name }) => name.startsWith(`${one.folder}/`)).forEach(download) : undefined,
  }));
  return (
    <div className="finished" role="group" aria-label="Finished export of several" data-grave={stopped === null ? undefined : 'warn'}>
      <header>
        <p>
          <strong>
            {plural(folders.length, 'merge')} in {formatSeconds(seconds)}.
          </strong>{' '}
          {formatBytes(sum(bytesOf))} on {backend.label},{' '}
          {privateStorage ? 'in private storage until the next export of several: download them' : `in the folder ${showName(destination)}`}, with {table} for the scores.
        </p>
        {tableStamp && (
          <button type="button" className="button small" onClick={() => download(tableStamp)}>
            Download {table}
          </button>
        )}
        {children}
      </header>
      {reason !== null && missing.length === 0 && (
        <p className="action">
          {reason}: all folders are complete, but {table} could not be written.
        </p>
      )}
      {reason !== null && missing.length > 0 && (
        <p className="action">
          {reason}: {plural(missing.length, 'folder')} not exported ({missing.slice(0, 4).map((name) => showName(name, 90)).join(', ')}
          {missing.length > 4 && `, … ${showName(missing.at(-1)!, 90)}`}). The folders below are complete. {keptWords(kept)}{' '}
          <button type="button" className="button small" onClick={() => void controller.resumeBatch()}>
            Carry on: make the rest
          </button>
        </p>
      )}
      {before > 0 && <p>{plural(before, 'folder')} {before === 1 ? 'was' : 'were'} complete before, {before === 1 ? 'is' : 'are'} of these recipes and sources by {before === 1 ? 'its' : 'their'} headers, and left as {before === 1 ? 'it is' : 'they are'}{rechecked && `; ${before === 1 ? 'it was' : 'they were'} not computed again`}.</p>}
      <VerifiedLine verified={verified} tensors={tensors} values={values} rechecked={rechecked} overflow={overflow} />
      <ExportTable of="Folder" hashOf="the first weight file" rows={rows} />
    </div>
  );
}
