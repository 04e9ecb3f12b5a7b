import { useCallback } from 'react';
import { useController, useStudio } from '../studio';

/**
 * What a tab shows, by hand: it outlives the tab and is in the address. `otherwise` where nothing was chosen, or, from a link, none of
 * `allowed`.
 */
export function useShown<T extends string>(key: string, otherwise: T, allowed?: readonly T[]): [T, (value: T) => void] {
  const controller = useController();
  const chosen = useStudio((state) => state.view.chart.shown[key]) as T | undefined;
  const shown = useStudio((state) => state.view.chart.shown);
  const choose = useCallback(
    (value: T) => {
      const { [key]: _before, ...others } = shown;
      controller.setChart({ shown: value === otherwise ? others : { ...others, [key]: value } });
    },
    [controller, shown, key, otherwise],
  );
  return [chosen === undefined || (allowed !== undefined && !allowed.includes(chosen)) ? otherwise : chosen, choose];
}
