import { useMemo } from 'react';
import { ancestryOf, type Ancestry } from '../../analysis/ancestry';
import { guessRoles } from '../../checkpoint/roles';
import { useStudio } from '../studio';

const UNKNOWN: Ancestry = { change: [], cosines: [], unrelated: [], better: null };

/** Whether the base is what the models were made from, for the present roles. */
export function useAncestry(): Ancestry {
  const kin = useStudio((state) => state.kin);
  const base = useStudio((state) => state.decisions.present.recipe.base);
  const models = useStudio((state) => state.decisions.present.recipe.models);
  const open = useStudio((state) => state.checkpoints.open);
  return useMemo(() => {
    if (base === null) return UNKNOWN;
    return ancestryOf(kin, base, models.map(({ model }) => model), guessRoles(open).base);
  }, [kin, base, models, open]);
}
