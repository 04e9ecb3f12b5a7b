import { useEffect, useId, useMemo, useRef } from 'react';
import { rewriteMergeKit } from '../../recipe/mergekit';
import { readDraft } from '../../state/recipe-text';
import { useNameOf } from '../names';
import { useController, useStudio } from '../studio';
import { problemLines } from './yaml-draft';

/** The recipe as MergeKit's YAML, editable: what is wrong is named at its line, and nothing changes until it is applied. */
export function YamlText() {
  const controller = useController();
  const nameOf = useNameOf();
  const recipe = useStudio((state) => state.decisions.present.recipe);
  const choices = useStudio((state) => state.decisions.present.choices);
  const source = useStudio((state) => state.decisions.present.text);
  const open = useStudio((state) => state.checkpoints.open);
  const draft = useStudio((state) => state.draft?.text ?? null);
  const dropped = useStudio((state) => state.draft?.dropped ?? false);
  const box = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    if (dropped && box.current) box.current.open = true;
  }, [dropped]);
  const hint = useId();
  const own = useMemo(() => rewriteMergeKit(recipe, nameOf, undefined, source, choices), [recipe, nameOf, source, choices]);
  const reading = useMemo(() => (draft === null ? null : readDraft(draft, open)), [draft, open]);
  const text = draft ?? own;
  return (
    <details className="yaml" ref={box}>
      <summary>As MergeKit YAML</summary>
      <textarea
        className="field"
        aria-label="Recipe as MergeKit YAML"
        aria-invalid={reading !== null && reading.recipe === null}
        aria-describedby={hint}
        spellCheck={false}
        rows={14}
        value={text}
        onChange={(event) => controller.setDraft(event.target.value)}
      />
      <div id={hint} role="status">
        {reading === null ? (
          <p className="quiet-text">Edit it, or paste a file of MergeKit&apos;s. Paths are matched by the names on the cards; comments stay.</p>
        ) : reading.problems.length === 0 ? (
          <p className="quiet-text">Valid.</p>
        ) : (
          <ul role="list">
            {problemLines(reading, nameOf).map(({ severity, text: sentence }, i) => (
              <li key={i} className={severity === 'error' ? 'field-problem' : 'quiet-text'}>
                {sentence}
              </li>
            ))}
          </ul>
        )}
      </div>
      <div className="row">
        <button
          type="button"
          className="button small"
          disabled={reading === null || reading.recipe === null}
          onClick={() => controller.applyRecipe(reading!.recipe!, reading!.text, reading!.choices)}
        >
          Apply
        </button>
        <button type="button" className="button quiet small" disabled={draft === null} onClick={() => controller.setDraft(null)}>
          Discard changes
        </button>
      </div>
    </details>
  );
}
