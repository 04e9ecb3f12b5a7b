import { DEFAULT_DROP, rescalesByDensity } from '../../recipe/methods';
import { MAX_SEED } from '../../recipe/validate';
import { useController, useStudio } from '../studio';
import { NumberBox } from './NumberBox';

/** What DARE and DELLA drop: the seed of the draw, and how kept values make up for the rest. */
export function DropSettings() {
  const controller = useController();
  const drop = useStudio((state) => state.decisions.present.recipe.drop) ?? DEFAULT_DROP;
  const byDensity = useStudio((state) => rescalesByDensity(state.decisions.present.recipe.method));
  const rescale = useStudio((state) => state.decisions.present.recipe.rescale);
  const setSeed = (seed: number) => controller.setRecipe({ drop: { ...drop, seed } }, 'seed');
  return (
    <fieldset className="model-settings">
      <legend>Draw</legend>
      <div className="pair">
        <span>seed</span>
        <div className="row" onBlur={() => controller.settle()}>
          <NumberBox name="Seed" hint="seed-about" step={1} value={drop.seed} accepts={(seed) => Number.isInteger(seed) && seed >= 0 && seed <= MAX_SEED} onChange={setSeed} />
          <span className="about" id="seed-about">
            Equal seeds drop the same values
          </span>
        </div>
      </div>
      <label className="pair">
        <span>kept values</span>
        <select
          aria-label="Kept values are multiplied by"
          value={!rescale ? 'nothing' : byDensity ? drop.rescaleBy : 'magnitude'}
          onChange={({ target: { value } }) => {
            const rescaleBy = value === 'density' ? 'density' : 'magnitude';
            controller.setRecipe({ rescale: value !== 'nothing', drop: { ...drop, rescaleBy } }, 'rescale by');
          }}
        >
          <option value="magnitude">× Σ|τ| / Σ|kept τ| (MergeKit)</option>
          {byDensity && <option value="density">× 1 / k (DARE paper)</option>}
          <option value="nothing">as they are</option>
        </select>
      </label>
    </fieldset>
  );
}
