import './checkpoints.css';
import { useMemo } from 'react';
import { inRoleOrder } from '../../state/roles';
import { isBusy } from '../../state/types';
import { plural, showName } from '../format';
import { Notice } from '../Notice';
import { ScrollBody } from '../ScrollBody';
import { useController, useStudio } from '../studio';
import { CheckpointCard } from './CheckpointCard';
import { DraftNotice } from './DraftNotice';
import { FitTable } from './FitTable';
import { LinkNotice } from './LinkNotice';
import { ProblemList } from './ProblemList';

/** What is open, as what it takes part, and what stands in the way. */
export function Checkpoints() {
  const controller = useController();
  const open = useStudio((state) => state.checkpoints.open);
  const roles = useStudio((state) => state.decisions.present.roles);
  const byRole = useMemo(() => inRoleOrder(open, roles), [open, roles]);
  const ignored = useStudio((state) => state.checkpoints.ignored);
  const opening = useStudio((state) => state.checkpoints.opening > 0);
  const busy = useStudio((state) => isBusy(state.job));
  const late = busy ? open.filter(({ id }) => roles[id] === undefined) : [];
  return (
    <section className="region left" aria-label="Checkpoints" aria-busy={opening}>
      <div className="region-head">
        <h2>Checkpoints</h2>
        <div className="push">
          <button type="button" className="button quiet small" disabled={opening || busy} onClick={() => void controller.chooseFolder()}>
            Choose folder
          </button>
          <button type="button" className="button quiet small" disabled={opening || busy} onClick={() => void controller.chooseFiles()}>
            Choose files
          </button>
        </div>
      </div>
      <ScrollBody label="Open checkpoints" busy={busy}>
        <LinkNotice />
        <DraftNotice />
        <ProblemList />
        {late.length > 0 && (
          <Notice
            grave="calm"
            role="status"
            title={`${plural(late.length, 'checkpoint')} came in while a job runs`}
            detail={`${late.map(({ name }) => showName(name, 40)).join(', ')}: the recipe of a job does not change under it. Roles are given when it has ended.`}
          />
        )}
        <FitTable part="decisions" />
        <ul className="cards" role="list">
          {byRole.map((checkpoint) => (
            <li key={checkpoint.id}>
              <CheckpointCard checkpoint={checkpoint} />
            </li>
          ))}
          {opening && (
            <li className="card loading" role="status">
              <span className="spinner" aria-hidden="true" /> Reading headers
            </li>
          )}
        </ul>
        <FitTable part="notes" />
        {ignored.length > 0 && (
          <details>
            <summary>{plural(ignored.length, 'file')} not used</summary>
            <ul className="quiet-text names">
              {ignored.slice(0, 100).map((file) => (
                <li key={file}>{showName(file)}</li>
              ))}
              {ignored.length > 100 && <li>and {ignored.length - 100} more</li>}
            </ul>
          </details>
        )}
      </ScrollBody>
    </section>
  );
}
