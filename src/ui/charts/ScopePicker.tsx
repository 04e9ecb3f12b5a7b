import type { ModuleKind } from '../../checkpoint/types';
import { showName } from '../format';
import { CLEARED } from './selection';
import type { TabProps } from './types';
import { MODULES } from './labels';

interface ScopePickerProps extends Pick<TabProps, 'view' | 'onView'> {
  readonly breakdown: TabProps['data']['breakdown'];
}

/** The layer and module that all charts share, for charts that sum over them. A selected tensor alone is named, with a way back. */
export function ScopePicker({ breakdown, view, onView }: ScopePickerProps) {
  const { layer, module, tensor } = view;
  if (tensor !== null) {
    const name = showName(tensor);
    return (
      <span className="charts-control charts-scope">
        in <span title={name}>{name}</span>
        <button type="button" onClick={() => onView(CLEARED)}>
          Whole model
        </button>
      </span>
    );
  }
  return (
    <span className="charts-control">
      in
      <select aria-label="Layers shown" value={layer ?? ''} onChange={(event) => onView({ layer: event.target.value === '' ? null : Number(event.target.value) })}>
        <option value="">all layers</option>
        {breakdown.layers.map(
          (group) =>
            group.layer !== null && (
              <option key={group.key} value={group.layer}>
                layer {group.layer}
              </option>
            ),
        )}
      </select>
      <select aria-label="Modules shown" value={module ?? ''} onChange={(event) => onView({ module: event.target.value === '' ? null : (event.target.value as ModuleKind) })}>
        <option value="">all modules</option>
        {MODULES.filter((one) => breakdown.modules.some((group) => group.module === one)).map((one) => (
          <option key={one}>{one}</option>
        ))}
      </select>
    </span>
  );
}
