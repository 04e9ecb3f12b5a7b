import { useCallback, useMemo } from 'react';
import { modelLabels, nameOf, type ModelLabel } from '../state/selectors';
import { useStudio } from './studio';

/** From a checkpoint id to the name on its card. */
export function useNameOf(): (id: string) => string {
  const open = useStudio((state) => state.checkpoints.open);
  return useCallback((id: string) => nameOf(open, id), [open]);
}

/** The models of the recipe with names, roles, colours and symbols, in its order. The same array until one of these changes. */
export function useModels(): readonly ModelLabel[] {
  const open = useStudio((state) => state.checkpoints.open);
  const roles = useStudio((state) => state.decisions.present.roles);
  // A string, so that moving a slider, which makes a new recipe, leaves the labels alone.
  const ids = useStudio((state) => JSON.stringify(state.decisions.present.recipe.models.map(({ model }) => model)));
  return useMemo(() => modelLabels((JSON.parse(ids) as string[]), roles, open), [ids, roles, open]);
}
