import { scopeOf } from '../../recipe/resolve';
import type { RankingScope, Scope } from '../../recipe/types';
import { useController, useStudio } from '../studio';

const ABOUT: Readonly<Record<keyof Scope, Readonly<Record<RankingScope, string>>>> = {
  trim: {
    tensor: 'k is the share kept of every tensor (MergeKit)',
    model: 'k is the share kept of all values together: tensors that changed more keep more (TIES code). Reads the inputs twice more',
  },
  slack: {
    tensor: 's gives back the same share in every tensor',
    model: 's gives back the closest losses of the model, wherever they are. Reads the inputs twice more',
  },
};

/** Over what a share is ranked: each tensor for itself, or the whole model. */
export function ScopeSelect({ of, name, label }: { of: keyof Scope; name: string; label: string }) {
  const controller = useController();
  const recipe = useStudio((state) => state.decisions.present.recipe);
  const scope = scopeOf(recipe);
  return (
    <>
      <label className="pair">
        <span>{label}</span>
        <select
          aria-label={name}
          aria-describedby={`scope-${of}`}
          value={scope[of]}
          onChange={({ target }) => controller.setRecipe({ scope: { ...scope, [of]: target.value === 'model' ? 'model' : 'tensor' } }, `scope ${of}`)}
        >
          <option value="tensor">each tensor</option>
          <option value="model">the whole model</option>
        </select>
      </label>
      <span className="method-about" id={`scope-${of}`}>
        {ABOUT[of][scope[of]]}
      </span>
    </>
  );
}
