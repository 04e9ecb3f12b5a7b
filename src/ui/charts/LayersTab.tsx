import { useCallback, useMemo } from 'react';
import { BarsView, type BarGroup } from './BarsView';
import { groupLabel } from './labels';
import { CLEARED, groupOf } from './selection';
import type { TabProps } from './types';

/** Conflicts and losses per layer, with the tensors before and after the layers as groups of their own. */
export function LayersTab({ data, view, onView }: TabProps) {
  const { layers, cells, total } = data.breakdown;
  const groups = useMemo(
    () =>
      layers.map((group): BarGroup => {
        const { short, long } = groupLabel(group);
        return { key: group.key, short, long, apart: group.layer === null, aggregate: group.aggregate, place: { layer: group.layer, module: group.key === 'embed' ? 'embed' : null, tensor: null } };
      }),
    [layers],
  );
  const selected = groupOf(view, data.breakdown);
  const onPick = useCallback(
    (key: string) => {
      if (key === selected) return onView(CLEARED);
      const layer = layers.find((group) => group.key === key)?.layer ?? null;
      if (layer !== null) return onView({ layer, tensor: null });
      const cell = cells.find((one) => one.layer === null && (one.module === 'embed') === (key === 'embed'));
      onView({ layer: null, module: cell?.module ?? null, tensor: cell?.parts[0]?.tensor ?? null });
    },
    [selected, layers, cells, onView],
  );
  return (
    <BarsView
      data={data}
      groups={groups}
      whole={total}
      title="Conflicts per layer"
      scope="whole model"
      axis="Layer"
      fileName="conflicts-per-layer"
      selected={selected}
      onPick={onPick}
    />
  );
}
