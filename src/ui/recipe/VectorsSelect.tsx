import { traitsOf } from '../../recipe/methods';
import { vectorsOf } from '../../recipe/resolve';
import type { Vectors } from '../../recipe/types';
import { useController, useStudio } from '../studio';

const LABELS: Readonly<Record<Vectors, string>> = { tensor: 'whole tensors', rows: 'rows, each with weights of its own', columns: 'columns, each with weights of its own' };

/** Between which vectors NuSLERP and model stock take angles. */
export function VectorsSelect() {
  const controller = useController();
  const recipe = useStudio((state) => state.decisions.present.recipe);
  const vectors = vectorsOf(recipe);
  return (
    <fieldset className="model-settings">
      <legend>Angles</legend>
      <label className="pair">
        <span>between</span>
        <select aria-label="Angles are between" value={vectors} onChange={({ target }) => controller.setRecipe({ vectors: target.value as Vectors }, 'vectors')}>
          {traitsOf(recipe.method).vectors.map((one) => (
            <option key={one} value={one}>
              {LABELS[one]}
            </option>
          ))}
        </select>
      </label>
      {vectors !== 'tensor' && <p className="method-about">The charts, which show a sample, take the angles between whole tensors.</p>}
    </fieldset>
  );
}
