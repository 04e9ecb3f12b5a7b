import { DEFAULT_T } from '../../recipe/methods';
import { showName } from '../format';
import { useModels } from '../names';
import { useController, useStudio } from '../studio';
import { NumberSetting } from './NumberSetting';

/** SLERP's t: how far from the first model to the second. */
export function PlaceSetting() {
  const controller = useController();
  const t = useStudio((state) => state.decisions.present.recipe.t) ?? DEFAULT_T;
  const [first, second] = useModels();
  if (first === undefined || second === undefined) return null;
  return (
    <fieldset className="model-settings">
      <legend>Arc</legend>
      <NumberSetting
        symbol="t"
        name="Place on the arc (t)"
        about={`0 is ${showName(first.name, 24)}, 1 is ${showName(second.name, 24)}`}
        setting={t}
        min={0}
        max={1}
        step={0.05}
        reset={DEFAULT_T}
        accepts={(value) => value >= 0 && value <= 1}
        onChange={(next) => controller.setRecipe({ t: next }, 't')}
      />
    </fieldset>
  );
}
