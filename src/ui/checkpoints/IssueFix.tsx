import type { FitIssue } from '../../checkpoint/types';
import { showName } from '../format';
import { useNameOf } from '../names';
import { useController, useStudio } from '../studio';

/** The decision beside a row of the fit table, or what happens without one. */
export function IssueFix({ issue }: { issue: FitIssue }) {
  const controller = useController();
  const nameOf = useNameOf();
  const choices = useStudio((state) => state.decisions.present.choices);
  const base = useStudio((state) => state.decisions.present.recipe.base);
  const { kind, tensor, model } = issue;
  const name = showName(nameOf(model), 40);
  const label = `What to do about ${showName(tensor, 90)} of ${name}`;

  switch (kind) {
    case 'shape-differs': {
      const leftOut = Object.hasOwn(choices.leaveOut, tensor) && choices.leaveOut[tensor]!.includes(model);
      return (
        <select aria-label={label} value={leftOut ? 'out' : ''} onChange={(event) => controller.leaveOut(model, [tensor], event.target.value === 'out')}>
          <option value="">decide</option>
          <option value="out">leave {name} out</option>
        </select>
      );
    }
    case 'tokens-differ':
      return (
        <select aria-label={label} value={choices.rows ?? 'token'} onChange={(event) => controller.matchRows(event.target.value as 'id' | 'token')}>
          <option value="token">rows by token</option>
          <option value="id">rows by id</option>
        </select>
      );
    case 'rows-differ': {
      const kept = choices.extraRows !== 'cut' && choices.extraRows.from === model;
      if ((issue.modelShape?.[0] ?? 0) <= (issue.baseShape?.[0] ?? 0)) return <>missing rows from the others</>;
      return (
        <select aria-label={label} value={kept ? 'keep' : 'cut'} onChange={(event) => controller.keepRowsOf(event.target.value === 'keep' ? model : null)}>
          <option value="cut">cut to the base</option>
          <option value="keep">keep rows of {name}</option>
        </select>
      );
    }
    case 'integer-differs': {
      const from = Object.hasOwn(choices.integerFrom, tensor) ? choices.integerFrom[tensor]! : '';
      return (
        <select aria-label={label} value={from} onChange={(event) => controller.keepInteger(tensor, event.target.value)}>
          <option value="" disabled>
            decide
          </option>
          {base !== null && <option value={base}>keep that of {showName(nameOf(base), 40)}</option>}
          <option value={model}>keep that of {name}</option>
        </select>
      );
    }
    case 'quantised':
      return <>drop the unquantised checkpoint</>;
    case 'dtype-unsupported':
      return <>convert it first</>;
    case 'missing-in-model':
      return <>{name} takes no part</>;
    case 'only-in-model':
      return <>left out</>;
    case 'tied-head':
      return <>embedding stands in</>;
    case 'integer-copied':
      return <>copied</>;
  }
}
