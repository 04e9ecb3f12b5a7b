import { DEFAULT_TOPK } from '../../recipe/methods';
import { useController, useStudio } from '../studio';
import { NumberSetting } from './NumberSetting';

/** SCE's share of positions that take part. */
export function SelectionSetting() {
  const controller = useController();
  const topk = useStudio((state) => state.decisions.present.recipe.topk) ?? DEFAULT_TOPK;
  return (
    <fieldset className="model-settings">
      <legend>Selection</legend>
      <NumberSetting
        symbol="k"
        name="Positions selected (select_topk)"
        about="Share of positions selected"
        setting={topk}
        min={0.01}
        max={1}
        step={0.01}
        reset={DEFAULT_TOPK}
        accepts={(value) => value >= 0 && value <= 1}
        onChange={(next) => controller.setRecipe({ topk: next }, 'topk')}
      />
    </fieldset>
  );
}
