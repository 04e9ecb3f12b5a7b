import type { ReactNode } from 'react';
import type { MergeSummary } from '../../worker/protocol';
import { formatBytes, formatSeconds, plural, showName } from '../format';
import { useController } from '../studio';
import { ExportTable } from './ExportTable';
import { VerifiedLine } from './VerifiedLine';

/** Which shards an earlier run finished, and what made each where they are of several backends. */
function OriginLine({ shards }: { shards: MergeSummary['shards'] }) {
  const kept = shards.filter(({ isKept }) => isKept).length;
  const byLabel = new Map<string, string[]>();
  for (const { file, madeBy } of shards) {
    const label = madeBy.map((one) => one.label).join(' and then ');
    if (label !== '') byLabel.set(label, [...(byLabel.get(label) ?? []), file]);
  }
  if (kept === 0 && byLabel.size < 2) return null;
  return (
    <p>
      {kept > 0 && `${kept} of ${plural(shards.length, 'weight file')} ${kept === 1 ? 'was' : 'were'} finished before, read again and kept. `}
      {byLabel.size > 1 && `Made by different backends: ${[...byLabel].map(([label, files]) => `${files.map((file) => showName(file)).join(', ')} by ${label}`).join('; ')}.`}
    </p>
  );
}

/** The summary of a finished merge: what was written, that it was re-read, and the files. */
export function Finished({ summary, children }: { summary: MergeSummary; children: ReactNode }) {
  const controller = useController();
  const { destination, privateStorage, files, stamps, seconds, backend, tensors, verified, checked, rechecked, overflow } = summary;
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const downloads = new Map(stamps.map((stamp) => [stamp.name, () => void controller.download(stamp)]));
  return (
    <div className="finished" role="group" aria-label="Finished merge">
      <header>
        <p>
          <strong>Merged in {formatSeconds(seconds)}.</strong> {plural(files.length, 'file')}, {formatBytes(bytes)}, on {backend.label},{' '}
          {privateStorage ? 'in private storage until the next export there is whole: download them' : `in the folder ${showName(destination)}`}
        </p>
        {privateStorage && (
          <button
            type="button"
            className="button small primary"
            onClick={() => {
              for (const stamp of stamps) void controller.download(stamp);
            }}
          >
            Download all
          </button>
        )}
        {children}
      </header>
      <OriginLine shards={summary.shards} />
      <VerifiedLine verified={verified} tensors={tensors} values={checked.values} rechecked={rechecked} overflow={overflow} />
      <ExportTable of="File" rows={files.map(({ name, bytes: size, sha256 }) => ({ name, bytes: size, sha256, download: downloads.get(name) }))} />
    </div>
  );
}
