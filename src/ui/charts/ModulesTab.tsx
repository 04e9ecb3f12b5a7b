import { useCallback, useMemo } from 'react';
import { modulesOf } from '../../analysis/aggregate';
import type { ModuleKind } from '../../checkpoint/types';
import { BarsView, type BarGroup } from './BarsView';
import type { TabProps } from './types';

/** The same as the layer chart by kind of module, over the whole model or within the selected layer. */
export function ModulesTab({ data, view, onView }: TabProps) {
  const { breakdown } = data;
  const layer = breakdown.layers.find((group) => group.layer !== null && group.layer === view.layer) ?? null;
  const layerNumber = layer?.layer ?? null;
  const groups = useMemo(
    () =>
      modulesOf(breakdown, layerNumber).map(
        ({ module, aggregate }): BarGroup => ({ key: module, short: module, long: `Module ${module}`, apart: false, aggregate, place: { layer: layerNumber, module, tensor: null } }),
      ),
    [breakdown, layerNumber],
  );
  const onPick = useCallback(
    (key: string) => onView({ module: key === view.module ? null : (key as ModuleKind), tensor: null }),
    [onView, view.module],
  );
  const scope = layerNumber === null ? 'whole model' : `layer ${layerNumber}`;
  return (
    <BarsView
      data={data}
      groups={groups}
      whole={layer?.aggregate ?? breakdown.total}
      title="Conflicts per module"
      scope={scope}
      axis="Module"
      layer={layerNumber}
      fileName={layerNumber === null ? 'conflicts-per-module' : `conflicts-per-module-layer-${layerNumber}`}
      selected={view.module}
      onPick={onPick}
      controls={
        <label className="charts-control">
          in
          <select
            aria-label="Layers shown"
            value={layerNumber ?? ''}
            onChange={(event) => onView({ layer: event.target.value === '' ? null : Number(event.target.value), tensor: null })}
          >
            <option value="">the whole model</option>
            {breakdown.layers.map(
              (group) =>
                group.layer !== null && (
                  <option key={group.key} value={group.layer}>
                    layer {group.layer}
                  </option>
                ),
            )}
          </select>
        </label>
      }
    />
  );
}
