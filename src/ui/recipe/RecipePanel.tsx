import './recipe.css';
import { useMemo } from 'react';
import { formatCount } from '../../analysis/format';
import { PRESETS } from '../../recipe/presets';
import { drops, readsDensity, readsLambda, readsNormalize, readsTopk, traitsOf } from '../../recipe/methods';
import { validateRecipe } from '../../recipe/validate';
import { leftOutOfLink } from '../../state/address';
import { isPreset, withScaling, withTwoLanguages } from '../../state/decisions';
import { isBusy } from '../../state/types';
import { useModels } from '../names';
import { ErrorNotice, Notice } from '../Notice';
import { ScrollBody } from '../ScrollBody';
import { useController, useStudio } from '../studio';
import { DropSettings } from './DropSettings';
import { ListSetting } from './ListSetting';
import { MethodSelect } from './MethodSelect';
import { ModelSettings } from './ModelSettings';
import { NumberSetting } from './NumberSetting';
import { OutputSettings } from './OutputSettings';
import { PlaceSetting } from './PlaceSetting';
import { RulesEditor } from './RulesEditor';
import { ScopeSelect } from './ScopeSelect';
import { SelectionSetting } from './SelectionSetting';
import { SlackSettings } from './SlackSettings';
import { VectorsSelect } from './VectorsSelect';
import { YamlText } from './YamlText';
import { Snapshots } from './Snapshots';

export function RecipePanel() {
  const controller = useController();
  const busy = useStudio((state) => isBusy(state.job));
  const canUndo = useStudio((state) => state.decisions.past.length > 0);
  const canRedo = useStudio((state) => state.decisions.future.length > 0);
  const method = useStudio((state) => state.decisions.present.recipe.method);
  const models = useModels();
  return (
    <section className="region right" aria-label="Recipe">
      <div className="region-head">
        <h2>Recipe</h2>
        <div className="push">
          <button type="button" className="button quiet small" aria-keyshortcuts="Control+Z" title="Ctrl+Z" disabled={!canUndo || busy} onClick={() => controller.undo()}>
            Undo
          </button>
          <button type="button" className="button quiet small" aria-keyshortcuts="Control+Shift+Z" title="Ctrl+Shift+Z" disabled={!canRedo || busy} onClick={() => controller.redo()}>
            Redo
          </button>
        </div>
      </div>
      <ScrollBody label="Settings" busy={busy}>
        <fieldset className="flow" disabled={busy}>
          <legend className="unseen">Settings</legend>
          <RecipeProblems />
          <Presets />
          <Snapshots />
          <MethodSelect />
          {models.map((label, index) => (
            <ModelSettings key={`${index} ${label.id}`} index={index} label={label} />
          ))}
          {traitsOf(method).keeps === 'largest' && (
            <fieldset className="model-settings">
              <legend>Trimming</legend>
              <ScopeSelect of="trim" name="Densities are shares of" label="k is of" />
            </fieldset>
          )}
          {traitsOf(method).slack && <SlackSettings />}
          {drops(method) && <DropSettings />}
          {readsTopk(method) && <SelectionSetting />}
          {traitsOf(method).weights === 't' && <PlaceSetting />}
          {traitsOf(method).vectors.length > 1 && <VectorsSelect />}
          {readsNormalize(method) && <CommonSettings />}
          <OutputSettings />
          <Advanced rescales={readsDensity(method) && !drops(method)} />
          <LinkLimit />
          <YamlText />
        </fieldset>
      </ScrollBody>
    </section>
  );
}

/** That the link of the address bar is not all there is to pass on, and what is. */
function LinkLimit() {
  const choices = useStudio((state) => state.decisions.present.choices);
  const open = useStudio((state) => state.checkpoints.open);
  const characters = useMemo(() => leftOutOfLink(choices, open), [choices, open]);
  if (characters === null) return null;
  return (
    <Notice
      grave="calm"
      role="status"
      title="The link in the address bar does not hold everything"
      detail={`What was decided where the checkpoints differ takes ${formatCount(characters)} characters, and mail and chat cut links that long: the link has the recipe without it.`}
      action="To pass all of it on, copy the MergeKit YAML below."
    />
  );
}

/** Recipes by name; the one that the recipe is at present is pressed. */
function Presets() {
  const controller = useController();
  const decisions = useStudio((state) => state.decisions.present);
  const open = useStudio((state) => state.checkpoints.open);
  const twoLanguages = useMemo(() => withTwoLanguages(decisions, open), [decisions, open]);
  const scaling = useMemo(() => withScaling(decisions, open), [decisions, open]);
  // Its parameters are those of Paper: the button that says more is the one pressed.
  const isTwoLanguages = twoLanguages !== null && JSON.stringify(twoLanguages.recipe) === JSON.stringify(decisions.recipe);
  return (
    <div className="presets" role="group" aria-label="Presets">
      {PRESETS.map(({ id, label, about }) => (
        <button key={id} type="button" className="button small" title={about} aria-pressed={!isTwoLanguages && isPreset(decisions, id)} onClick={() => controller.applyPreset(id)}>
          {label}
        </button>
      ))}
      {scaling !== null && (
        <button
          type="button"
          className="button small"
          title="The one open checkpoint multiplied by a weight"
          aria-pressed={JSON.stringify(scaling.recipe) === JSON.stringify(decisions.recipe)}
          onClick={() => controller.scaleAlone()}
        >
          Scale one checkpoint
        </button>
      )}
      {twoLanguages !== null && (
        <button
          type="button"
          className="button small"
          title="TIES of SFT and the last checkpoints of two runs, k_sft 0.2 and k_ct 1.0, the paper's three models"
          aria-pressed={isTwoLanguages}
          onClick={() => controller.mergeTwoLanguages()}
        >
          SFT + two languages
        </button>
      )}
    </div>
  );
}

/** Why the recipe has no meaning as it stands. */
function RecipeProblems() {
  const recipe = useStudio((state) => state.decisions.present.recipe);
  const problems = useMemo(() => validateRecipe(recipe).map((error) => error.toWire()), [recipe]);
  return problems.map((error, i) => <ErrorNotice key={i} error={error} grave="warn" role="status" />);
}

function CommonSettings() {
  const controller = useController();
  const method = useStudio((state) => state.decisions.present.recipe.method);
  const lambda = useStudio((state) => state.decisions.present.recipe.lambda);
  const normalize = useStudio((state) => state.decisions.present.recipe.normalize);
  const setNormalize = (value: typeof normalize) => controller.setRecipe({ normalize: value }, 'normalize');
  return (
    <fieldset className="model-settings">
      <legend>Sum</legend>
      {readsLambda(method) && (
        <NumberSetting
          symbol="λ"
          name="Lambda (λ)"
          about="Scale of the merged task vector"
          setting={lambda}
          min={0}
          max={2}
          step={0.05}
          reset={1}
          accepts={() => true}
          onChange={(value) => controller.setRecipe({ lambda: value }, 'lambda')}
        />
      )}
      {typeof normalize === 'boolean' ? (
        <label className="check">
          <input type="checkbox" checked={normalize} onChange={(event) => setNormalize(event.target.checked)} />
          {traitsOf(method).elects ? 'Normalise by the weights that agree' : 'Divide by the sum of the weights'}
        </label>
      ) : (
        <ListSetting name="Normalise" kind="boolean" setting={normalize} otherwise={traitsOf(method).normalize} onChange={setNormalize} onPress={(value) => controller.setRecipe({ normalize: value }, 'normalize scalar')} />
      )}
    </fieldset>
  );
}

function Advanced({ rescales }: { rescales: boolean }) {
  const controller = useController();
  const rescale = useStudio((state) => state.decisions.present.recipe.rescale);
  const allowNonfinite = useStudio((state) => state.decisions.present.choices.allowNonfinite);
  return (
    <details className="advanced">
      <summary>Advanced</summary>
      <RulesEditor />
      {rescales && (
        <label className="check">
          <input type="checkbox" checked={rescale} onChange={(event) => controller.setRecipe({ rescale: event.target.checked }, 'rescale')} />
          Rescale kept values to the magnitude before trimming
        </label>
      )}
      <label className="check">
        <input type="checkbox" checked={allowNonfinite} onChange={(event) => controller.setChoices({ allowNonfinite: event.target.checked })} />
        Merge although inputs hold NaN or infinities
      </label>
    </details>
  );
}
