import { PAPER_K_SFT } from '../../recipe/presets';
import { DEFAULT_EPSILON, DEFAULT_GAMMA, drops, readsDensity, readsEpsilon, readsGamma, traitsOf } from '../../recipe/methods';
import type { ModelLabel } from '../../state/selectors';
import { showName } from '../format';
import { useController, useStudio } from '../studio';
import { NumberSetting } from './NumberSetting';

/** Density, weight and what else the method reads of one model. */
export function ModelSettings({ index, label }: { index: number; label: ModelLabel }) {
  const controller = useController();
  const model = useStudio((state) => state.decisions.present.recipe.models[index]);
  const method = useStudio((state) => state.decisions.present.recipe.method);
  if (model === undefined) return null;
  const { symbol, role } = label;
  const name = showName(label.name, 60);
  return (
    <fieldset className="model-settings">
      <legend>
        <span className="swatch" style={{ background: label.colour }} aria-hidden="true" />
        {name}
      </legend>
      {readsDensity(method) && (
        <NumberSetting
          symbol={<>k<sub>{symbol}</sub></>}
          name={`Density of ${name} (k_${symbol})`}
          about={drops(method) ? 'Share of its values drawn' : 'Share of its values kept'}
          setting={model.density}
          min={0.01}
          max={1}
          step={0.01}
          reset={role === 'sft' ? PAPER_K_SFT : 1}
          accepts={(k) => k > 0 && k <= 1}
          onChange={(density) => controller.setModel(index, { density }, `density ${index}`)}
        />
      )}
      {readsGamma(method) && (
        <NumberSetting
          symbol={<>γ<sub>{symbol}</sub></>}
          name={`Outliers of ${name} (γ_${symbol})`}
          about="Share left out as too large"
          setting={model.gamma ?? DEFAULT_GAMMA}
          min={0}
          max={0.2}
          step={0.005}
          reset={DEFAULT_GAMMA}
          accepts={isShare}
          onChange={(gamma) => controller.setModel(index, { gamma }, `gamma ${index}`)}
        />
      )}
      {readsEpsilon(method) && (
        <NumberSetting
          symbol={<>ε<sub>{symbol}</sub></>}
          name={`Lean of ${name} (ε_${symbol})`}
          about="Chance is k ± ε by magnitude"
          setting={model.epsilon ?? DEFAULT_EPSILON}
          min={0}
          max={0.5}
          step={0.01}
          reset={DEFAULT_EPSILON}
          accepts={isShare}
          onChange={(epsilon) => controller.setModel(index, { epsilon }, `epsilon ${index}`)}
        />
      )}
      {traitsOf(method).weights === 'each' && (
        <NumberSetting
          symbol={<>w<sub>{symbol}</sub></>}
          name={`Weight of ${name} (w_${symbol})`}
          about={traitsOf(method).elects ? 'Vote and part in the mean' : 'Part in the sum'}
          setting={model.weight}
          min={0}
          max={2}
          step={0.05}
          reset={1}
          accepts={() => true}
          onChange={(weight) => controller.setModel(index, { weight }, `weight ${index}`)}
        />
      )}
    </fieldset>
  );
}

const isShare = (value: number) => value >= 0 && value <= 1;
