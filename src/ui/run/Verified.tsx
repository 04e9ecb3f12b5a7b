import type { ReactNode } from 'react';
import { formatCount } from '../../analysis/format';
import type { VerifyReport } from '../../worker/protocol';
import { formatSeconds, plural, showName } from '../format';
import { useNameOf } from '../names';
import { Notice } from '../Notice';
import { verdictOf } from './verdict';

/** Rows drawn: what differs everywhere has one cause. */
const MOST_ROWS = 40;

/** What came of comparing a merged checkpoint with its recipe. */
export function Verified({ name, report, children }: { name: string; report: VerifyReport; children: ReactNode }) {
  const nameOf = useNameOf();
  const { verification, otherSources, backend, seconds } = report;
  const { grave, title, detail, action } = verdictOf(verification, showName(name, 40), otherSources.map((id) => showName(nameOf(id), 40)));
  const { differences, reshaped, missing, foreign } = verification;
  const notes = [
    ...reshaped.map(({ tensor, expected, actual }) => [tensor, `is ${showName(actual, 90)}; the recipe gives ${showName(expected, 90)}`] as const),
    ...missing.map((tensor) => [tensor, 'is not in the file'] as const),
    ...foreign.map((tensor) => [tensor, 'is not of the recipe'] as const),
  ];
  return (
    <Notice grave={grave} role="status" title={title} detail={`${detail} Took ${formatSeconds(seconds)} on ${backend.label}.`} action={action}>
      {differences.length > 0 && (
        <div className="files">
          <table>
            <caption className="unseen">Tensors that differ</caption>
            <thead>
              <tr>
                <th scope="col">Tensor</th>
                <th scope="col" className="number">
                  Values that differ
                </th>
                <th scope="col">First of them</th>
                <th scope="col" className="number">
                  Recipe gives
                </th>
                <th scope="col" className="number">
                  File has
                </th>
                <th scope="col" className="number">
                  Units in the last place
                </th>
              </tr>
            </thead>
            <tbody>
              {differences.slice(0, MOST_ROWS).map(({ tensor, values, differing, first, units }) => (
                <tr key={tensor}>
                  <th scope="row" className="mono">
                    {showName(tensor, 90)}
                  </th>
                  <td className="number">{`${formatCount(differing)} of ${formatCount(values)}`}</td>
                  <td>{`value ${formatCount(first.index)}`}</td>
                  <td className="number">{first.expected}</td>
                  <td className="number">{first.actual}</td>
                  <td className="number">{units === null ? '–' : formatCount(units)}</td>
                </tr>
              ))}
            </tbody>
          </table>
          {differences.length > MOST_ROWS && <p className="quiet-text">and {plural(differences.length - MOST_ROWS, 'further tensor')}</p>}
        </div>
      )}
      {notes.length > 0 && (
        <ul className="quiet-text names">
          {notes.slice(0, MOST_ROWS).map(([tensor, what]) => (
            <li key={`${tensor} ${what}`}>
              <span className="mono">{showName(tensor, 90)}</span> {what}
            </li>
          ))}
          {notes.length > MOST_ROWS && <li>and {notes.length - MOST_ROWS} more</li>}
        </ul>
      )}
      {children}
    </Notice>
  );
}
