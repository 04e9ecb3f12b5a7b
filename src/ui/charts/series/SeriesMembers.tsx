import { useState } from 'react';
import { readTokens, writeTokens } from '../../../checkpoint/roles';
import type { SeriesMember } from '../../../state/series';
import { describeError } from '../../messages';
import { showName } from '../../format';
import { useNameOf } from '../../names';
import { useController } from '../../studio';
import type { SeriesView } from './useSeries';

/** What is on the curve, at how many tokens, and which of them the recipe merges. */
export function SeriesMembers({ series, busy }: { series: SeriesView; busy: boolean }) {
  const { members, asked, along } = series;
  const controller = useController();
  const nameOf = useNameOf();
  return (
    <fieldset className="series-members" disabled={busy}>
      <legend className="charts-hidden">Checkpoints of the series</legend>
      <ul role="list">
        {members.map((member) => {
          const { id, name, included, current } = member;
          const problem = asked.find((one) => one.member.id === id)?.estimate?.problem;
          const shown = showName(name, 40);
          return (
            <li key={id} data-included={included}>
              <label className="check" title={name}>
                <input type="checkbox" checked={included} onChange={(event) => controller.setInSeries(id, event.target.checked)} aria-label={`${shown} on the curve`} />
                <span className="series-name">{shown}</span>
              </label>
              <TokensBox member={member} />
              <label className="check" title="Merge this checkpoint">
                <input type="radio" name="series-merged" checked={current} aria-label={`Merge ${shown}`} onChange={() => along !== null && controller.mergeInstead(along, id)} />
                merged
              </label>
              {problem && <p className="field-problem">{describeError(problem, nameOf).title}</p>}
            </li>
          );
        })}
      </ul>
    </fieldset>
  );
}

function TokensBox({ member: { id, name, tokens, byHand } }: { member: SeriesMember }) {
  const controller = useController();
  const [draft, setDraft] = useState<string | null>(null);
  const read = draft === null || draft.trim() === '' ? null : readTokens(draft);
  const refused = draft !== null && draft.trim() !== '' && read === null;
  return (
    <input
      type="text"
      className="field number"
      aria-label={`Tokens of ${showName(name, 40)}`}
      aria-invalid={refused}
      title={byHand ? 'Set by hand; clear it to use what the name says' : 'Guessed from the name'}
      placeholder="tokens?"
      value={draft ?? (tokens === null ? '' : writeTokens(tokens))}
      onChange={(event) => {
        setDraft(event.target.value);
        const typed = event.target.value.trim() === '' ? null : readTokens(event.target.value);
        if (typed !== null || event.target.value.trim() === '') controller.setTokens(id, typed);
      }}
      onBlur={() => setDraft(null)}
    />
  );
}
