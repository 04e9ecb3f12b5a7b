/** The selection that all charts share: a layer, a module, a tensor. */
import { placeOf } from '../../checkpoint/places';
import type { Breakdown, CellGroup } from '../../analysis/aggregate';
import type { ModuleKind } from '../../checkpoint/types';
import type { TensorFigures } from '../../worker/protocol';
import type { Hover } from '../../state/types';
import { showName } from '../format';
import type { ChartsView } from './types';

export const CLEARED = { layer: null, module: null, tensor: null } as const;

type Parts = Breakdown<ModuleKind, TensorFigures>;

/** The cell of the selected tensor, else of the selected layer and module together; null when neither names one. */
export function cellOf({ layer, module, tensor }: ChartsView, { cells }: Parts): CellGroup<ModuleKind, TensorFigures> | null {
  const byTensor = tensor === null ? undefined : cells.find(({ parts }) => parts.some((part) => part.tensor === tensor));
  if (byTensor) return byTensor;
  if (layer === null || module === null) return null;
  return cells.find((cell) => cell.layer === layer && cell.module === module) ?? null;
}

/** Key of the selected group of the layer chart. */
export function groupOf(view: ChartsView, breakdown: Parts): string | null {
  const cell = cellOf(view, breakdown);
  if (cell) return cell.layer !== null ? String(cell.layer) : cell.module === 'embed' ? 'embed' : 'head';
  return view.layer === null ? null : String(view.layer);
}

/** Tensors of a layer, a module, or both; all when neither is selected. */
export function tensorsOf(layer: number | null, module: ModuleKind | null, { cells }: Parts): readonly TensorFigures[] {
  return cells
    .filter((cell) => (layer === null || cell.layer === layer) && (module === null || cell.module === module))
    .flatMap(({ parts }) => parts);
}

export type Scope = Pick<ChartsView, 'layer' | 'module' | 'tensor'>;

/** Whether a tensor is in what is selected: that tensor alone, else its layer, its module or both. */
export function isInScope({ layer, module, tensor }: Scope, name: string): boolean {
  if (tensor !== null) return name === tensor;
  if (layer === null && module === null) return true;
  const place = placeOf(name);
  return (layer === null || place.layer === layer) && (module === null || place.module === module);
}

/** The selection in words: `whole model`, `layer 3, down`, or the tensor's name. */
export function scopeName({ layer, module, tensor }: Scope): string {
  if (tensor !== null) return showName(tensor);
  return [layer === null ? null : `layer ${layer}`, module].filter((part) => part !== null).join(', ') || 'whole model';
}

/** Whether a place and what is pointed at somewhere are one, or one lies within the other: a cell and its layer light each other. */
export function isLit(hover: Hover | null, { layer, module }: Omit<Hover, 'tensor'>): boolean {
  if (hover === null) return false;
  const shared = (hover.layer !== null && layer !== null) || (hover.module !== null && module !== null);
  return shared && (hover.layer === null || layer === null || hover.layer === layer) && (hover.module === null || module === null || hover.module === module);
}
