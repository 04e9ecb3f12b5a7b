import { useMemo, type ReactNode } from 'react';
import { formatCount } from '../../analysis/format';
import type { FitIssue } from '../../checkpoint/types';
import { groupIssues, type IssueGroup } from '../../state/selectors';
import { isBusy } from '../../state/types';
import { formatShape, plural, showName } from '../format';
import { useNameOf } from '../names';
import { useController, useStudio } from '../studio';
import { IssueFix } from './IssueFix';

/** Rows drawn of one group: thousands of missing tensors are one cause. */
const MOST_ROWS = 60;

interface Kind {
  readonly title: (model: string) => string;
  readonly about: string;
}
const KINDS: Readonly<Record<FitIssue['kind'], Kind>> = {
  quantised: { title: (model) => `${model} is quantised`, about: 'Its weights are packed into few bits: merging them would merge rounding errors. Drop the checkpoint it was quantised from, or dequantise it to BF16 with transformers; the merge can be quantised again.' },
  'shape-differs': { title: (model) => `${model} has other shapes`, about: 'They cannot be merged. Leave the model out for these tensors, or do not merge it.' },
  'tokens-differ': { title: (model) => `${model} has tokens under other ids`, about: 'Matched by token, each row is merged with the row of the same token, and rows of tokens the model lacks are merged without it; the result has the order of the base and goes with its tokenizer. Matched by id, rows of different tokens are mixed.' },
  'rows-differ': { title: (model) => `${model} has another vocabulary`, about: 'Shared rows are merged. The further rows are cut, or kept with the tokenizer that uses them.' },
  'dtype-unsupported': { title: (model) => `${model} holds dtypes that cannot be merged`, about: 'Quantised and 8-bit values have to be converted to BF16, F16 or F32 first.' },
  'integer-differs': { title: (model) => `${model} has other whole numbers`, about: 'Whole numbers are never averaged: choose whose to keep.' },
  'missing-in-model': { title: (model) => `${model} lacks tensors of the base`, about: 'It takes no part in them; the others are merged.' },
  'only-in-model': { title: (model) => `${model} has tensors the base lacks`, about: 'They are left out.' },
  'tied-head': { title: (model) => `${model} ties its head to the embedding`, about: 'Its embedding stands in for the head.' },
  'integer-copied': { title: () => 'Whole numbers are copied from the base', about: 'All checkpoints agree on them.' },
};
/** What the user decides, as opposed to what is only said. */
const DECIDED: ReadonlySet<FitIssue['kind']> = new Set(['quantised', 'shape-differs', 'tokens-differ', 'rows-differ', 'integer-differs', 'dtype-unsupported']);

/** Where the checkpoints differ: rows with a decision beside each, or those that are only said. */
export function FitTable({ part }: { part: 'decisions' | 'notes' }) {
  const summary = useStudio((state) => state.plan.summary);
  const busy = useStudio((state) => isBusy(state.job));
  const groups = useMemo(() => {
    const issues = summary === null ? [] : distinct([...summary.issues, ...summary.refusals]);
    return groupIssues(issues.filter(({ kind }) => DECIDED.has(kind) === (part === 'decisions')));
  }, [summary, part]);
  const open = useMemo(() => new Set(summary?.refusals.map(keyOf)), [summary]);
  if (groups.length === 0) return null;
  return (
    <fieldset className="fit" aria-label={part === 'decisions' ? 'Differences to decide about' : 'Differences'} disabled={busy}>
      <h3>{part === 'decisions' ? 'These differ: what to do' : 'These differ'}</h3>
      {groups.map((group) => (
        <IssueGroupTable key={`${group.kind} ${group.model}`} group={group} stops={(issue) => open.has(keyOf(issue))} />
      ))}
    </fieldset>
  );
}

function IssueGroupTable({ group, stops }: { group: IssueGroup; stops: (issue: FitIssue) => boolean }) {
  const controller = useController();
  const nameOf = useNameOf();
  const { kind, model, issues } = group;
  const stopping = issues.filter(stops);
  const name = showName(nameOf(model), 40);
  const { title, about } = KINDS[kind];
  const head: ReactNode = (
    <>
      {title(name)} {kind !== 'tokens-differ' && <span className="count">{plural(issues.length, 'tensor')}</span>}
    </>
  );
  return (
    <details className="issues" data-grave={stopping.length > 0 ? 'bad' : DECIDED.has(kind) ? 'warn' : 'calm'} open={DECIDED.has(kind)}>
      <summary>{head}</summary>
      <p className="quiet-text">{about}</p>
      {kind === 'shape-differs' && stopping.length > 1 && (
        <button type="button" className="button small" onClick={() => controller.leaveOut(model, stopping.map(({ tensor }) => tensor), true)}>
          Leave {name} out for all {stopping.length}
        </button>
      )}
      <table role="table" aria-label={title(name)}>
        <thead role="rowgroup">
          <tr role="row">
            <th role="columnheader">Tensor</th>
            <th role="columnheader">Base</th>
            <th role="columnheader">{name}</th>
            <th role="columnheader">What to do</th>
          </tr>
        </thead>
        <tbody role="rowgroup">
          {issues.slice(0, MOST_ROWS).map((issue) => {
            const { what, ofBase, ofModel } = wordsOf(issue, name);
            return (
              <tr key={issue.tensor} role="row" data-stops={stops(issue)}>
                <th role="rowheader" className={issue.tokens ? undefined : 'mono'}>
                  {what}
                </th>
                <td role="cell">{ofBase}</td>
                <td role="cell">{ofModel}</td>
                <td role="cell">
                  <IssueFix issue={issue} />
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
      {issues.length > MOST_ROWS && <p className="quiet-text">and {issues.length - MOST_ROWS} more</p>}
    </details>
  );
}

interface IssueWords {
  readonly what: string;
  readonly ofBase: string;
  readonly ofModel: string;
}

/** A row about tensors names the tensor and both shapes; one about tokens says `32 000 tokens in both, 412 of them under other ids`. */
function wordsOf({ tensor, tokens, baseShape, modelShape, dtype }: FitIssue, name: string): IssueWords {
  if (!tokens) return { what: showName(tensor, 90), ofBase: formatShape(baseShape), ofModel: modelShape ? formatShape(modelShape) : (dtype ?? '–') };
  const { shared, moved, onlyInModel, onlyInBase } = tokens;
  const counted = (count: number) => plural(count, 'token', formatCount(count));
  return {
    what: `${counted(shared)} in both, ${formatCount(moved)} of them under other ids; ${formatCount(onlyInModel)} only in ${name}, ${formatCount(onlyInBase)} only in the base`,
    ofBase: counted(shared + onlyInBase),
    ofModel: formatCount(shared + onlyInModel),
  };
}

function keyOf({ kind, tensor, model }: FitIssue): string {
  return JSON.stringify([kind, tensor, model]);
}

function distinct(issues: readonly FitIssue[]): FitIssue[] {
  return [...new Map(issues.map((issue) => [keyOf(issue), issue])).values()];
}
