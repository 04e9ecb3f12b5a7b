import { PAPER_SLACK } from '../../recipe/presets';
import { showName } from '../format';
import { useModels } from '../names';
import { useController, useStudio } from '../studio';
import { NumberSetting } from './NumberSetting';
import { ScopeSelect } from './ScopeSelect';

/** The slack variable: how much of what the preferred model loses it gets back. */
export function SlackSettings() {
  const controller = useController();
  const slack = useStudio((state) => state.decisions.present.recipe.slack);
  const models = useModels();
  return (
    <fieldset className="model-settings">
      <legend>Slack</legend>
      <NumberSetting
        symbol="s"
        name="Slack (s)"
        about="Discarded values given back"
        setting={slack.s}
        min={0}
        max={0.2}
        step={0.005}
        reset={PAPER_SLACK}
        accepts={(s) => s >= 0 && s <= 1}
        onChange={(s) => controller.setRecipe({ slack: { ...slack, s } }, 'slack')}
      />
      <label className="pair">
        <span>as a share of</span>
        <select value={slack.of} aria-label="Slack as a share of" onChange={(event) => controller.setRecipe({ slack: { ...slack, of: event.target.value as 'retained' | 'discarded' } }, 'slack of')}>
          <option value="retained">retained values (paper)</option>
          <option value="discarded">discarded values</option>
        </select>
      </label>
      <label className="pair">
        <span>to</span>
        <select value={slack.prefer} aria-label="Preferred model" onChange={(event) => controller.setRecipe({ slack: { ...slack, prefer: event.target.value } }, 'slack prefer')}>
          {models.map(({ id, name }) => (
            <option key={id} value={id}>
              {showName(name, 60)}
            </option>
          ))}
        </select>
      </label>
      <ScopeSelect of="slack" name="Slack ranked over" label="ranked over" />
    </fieldset>
  );
}
