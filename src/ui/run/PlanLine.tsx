import { isMergeable } from '../../state/decisions';
import { mergeSeconds } from '../../state/pace';
import { plural, showName } from '../format';
import { describeError } from '../messages';
import { useNameOf } from '../names';
import { useStudio } from '../studio';
import { exportLines, noteLines, planWords } from './plan-words';

/** Names listed under a note. */
const MOST_NAMES = 40;

/** The merge in words, or what stands before it. */
export function PlanLine() {
  const { summary, loading, problem } = useStudio((state) => state.plan);
  const mergeable = useStudio((state) => isMergeable(state.decisions.present));
  const starting = useStudio((state) => state.backend.starting);
  const models = useStudio((state) => state.decisions.present.recipe.models.length);
  const rates = useStudio((state) => state.rates);
  const recheck = useStudio((state) => state.target.recheck);
  const nameOf = useNameOf();
  if (!mergeable) return <Line title="No plan yet" detail="The recipe says what is missing." />;
  // The banner says it.
  if (problem?.reason === 'worker-died') return <Line title="No plan yet" detail="" />;
  if (problem !== null) {
    const { title, detail, action } = describeError(problem, nameOf);
    return <Line title={title} detail={`${detail} ${action}`} grave="bad" />;
  }
  if (summary === null) return <Line title={loading ? 'Planning' : 'No plan yet'} detail={starting ? 'The backend is starting.' : ''} />;
  if (summary.refusals.length > 0) {
    return <Line title={`${plural(summary.refusals.length, 'tensor')} to decide about`} detail="Checkpoints do not fit there; the table above them has the choices." grave="bad" />;
  }
  const { writes, takes } = planWords(summary, mergeSeconds(summary, models, rates), recheck);
  const notes = noteLines(summary.notes);
  const files = exportLines(summary.exportNotes ?? []);
  return (
    <div className="plan">
      <p>
        <strong>{writes}</strong> <span className="quiet-text">{takes}</span> {loading && <span className="spinner" role="status" aria-label="Planning anew" />}
      </p>
      {notes.length + files.length > 0 && (
        <details className="plan-notes">
          <summary>{plural(notes.length + files.length, 'note')}</summary>
          <ul className="floating">
            {files.map((line) => (
              <li key={line}>
                <p>{line}</p>
              </li>
            ))}
            {notes.map(({ kind, line, tensors }) => (
              <li key={kind}>
                <p>{line}</p>
                <p className="quiet-text mono">
                  {tensors.slice(0, MOST_NAMES).map((name) => showName(name, 90)).join(', ')}
                  {tensors.length > MOST_NAMES && ` and ${tensors.length - MOST_NAMES} more`}
                </p>
              </li>
            ))}
          </ul>
        </details>
      )}
    </div>
  );
}

function Line({ title, detail, grave }: { title: string; detail: string; grave?: 'bad' }) {
  return (
    <div className="plan" data-grave={grave}>
      <p>
        <strong>{title}</strong> <span className="quiet-text">{detail}</span>
      </p>
    </div>
  );
}
