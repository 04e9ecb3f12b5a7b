import { formatCount } from '../../analysis/format';
import { formatBytes, showName } from '../format';

export interface ExportRow {
  readonly name: string;
  readonly bytes: number;
  /** Hex; absent where nothing has one. */
  readonly sha256: string | undefined;
  /** Absent where it lies in a folder of the user's. */
  readonly download: (() => void) | undefined;
}

interface ExportTableProps {
  /** What a row is. */
  readonly of: 'File' | 'Folder';
  /** Whose SHA-256 stands in it, where that is not plain. */
  readonly hashOf?: string;
  readonly rows: readonly ExportRow[];
}

/** What an export left, with sizes, hashes and downloads. */
export function ExportTable({ of, hashOf, rows }: ExportTableProps) {
  const hasHashes = rows.some(({ sha256 }) => sha256 !== undefined);
  const hasDownloads = rows.some(({ download }) => download);
  return (
    <div className="files">
      <table>
        <caption className="unseen">{of}s of the export</caption>
        <thead>
          <tr>
            <th scope="col">{of}</th>
            <th scope="col" className="number">
              Size
            </th>
            {hasHashes && <th scope="col">SHA-256{hashOf && ` of ${hashOf}`}</th>}
            {hasDownloads && (
              <th scope="col">
                <span className="unseen">Download</span>
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ name, bytes, sha256, download }) => (
            <tr key={name}>
              <th scope="row">{showName(name)}</th>
              <td className="number" title={`${formatCount(bytes)} bytes`}>
                {formatBytes(bytes)}
              </td>
              {hasHashes && (
                <td className="mono hash" title={sha256}>
                  {sha256}
                </td>
              )}
              {download && (
                <td>
                  <button type="button" className="button small" aria-label={`Download ${showName(name)}`} onClick={download}>
                    Download
                  </button>
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
