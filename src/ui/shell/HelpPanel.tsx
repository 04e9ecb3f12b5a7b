import { KEYS } from './keys';
import { useStudio } from '../studio';
import { Panel } from './Panel';

export function HelpPanel() {
  const kept = useStudio((state) => state.offline.kept);
  return (
    <Panel title="Keys" opener="help-button">
      <table>
        <tbody>
          {KEYS.map(({ keys, does }) => (
            <tr key={does}>
              <th scope="row">
                {keys.map((key, i) => (
                  <span key={key}>
                    {i > 0 && ' '}
                    <kbd>{key}</kbd>
                  </span>
                ))}
              </th>
              <td>{does}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p className="quiet-text">
        Drop files or folders anywhere on the page. Definitions follow arXiv 2407.03994, TIES-Merging and MergeKit. What you drop is read here, by this
        page, and never uploaded.
      </p>
      {kept && <p className="quiet-text">This version of the studio is kept on this machine: it opens without a network.</p>}
    </Panel>
  );
}
