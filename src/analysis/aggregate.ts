/** Sums of per-tensor counts over layers, modules, cells and the whole model (merging.md section 5). */
import { addFigures, emptyFigures, type Figures, type FigureSpread } from '../merge/figures';
import { addNumbers, zeroNumbers } from './numbers';

/** Counts of one tensor; the worker's `TensorFigures` has this shape. */
export interface TensorCounts {
  readonly tensor: string;
  readonly figures: Figures;
  /** False when counted over a sample. */
  readonly exact: boolean;
  /**
   * N of the whole tensor, where known. A sample (`figures.numel` below it) then weighs as much as the tensor it stands
   * for; without it a sum over samples weighs tensors by how much of each was drawn.
   */
  readonly elements?: number;
  /** What the sample tells of the whole tensor; null or absent when exact or not known. */
  readonly spread?: FigureSpread | null;
}

/** Where a tensor sits; `layer` is null outside the layers. */
export interface Place<M extends string> {
  readonly layer: number | null;
  readonly module: M;
}

/** `partial`: some parts are exact, some are estimates. */
export type Exactness = 'exact' | 'estimate' | 'partial';

export interface Aggregate {
  /** Sums of whole tensors. Fractional where they are estimates. */
  readonly figures: Figures;
  /** Sums of what was counted, unscaled: how many events an estimate rests on. */
  readonly events: Figures;
  /** The part of `figures`, and of `events`, that was counted in full. */
  readonly counted: Figures;
  /** Variances of `figures` and what they are worth (`FigureSpread`); null when exact, and when a part does not know its own. */
  readonly spread: Omit<FigureSpread, 'totals'> | null;
  readonly tensors: number;
  readonly exactTensors: number;
  readonly exactness: Exactness;
}

/** A bar of the layer chart: a layer, or what lies before (`embed`) or after (`head`) the layers. */
export interface LayerGroup {
  readonly key: string;
  readonly layer: number | null;
  readonly aggregate: Aggregate;
}
export interface ModuleGroup<M extends string> {
  readonly module: M;
  readonly aggregate: Aggregate;
}
/** All tensors of one module in one layer: more than one for norms or where there are biases. */
export interface CellGroup<M extends string, T extends TensorCounts = TensorCounts> extends Place<M> {
  readonly aggregate: Aggregate;
  readonly parts: readonly T[];
}

export interface Breakdown<M extends string, T extends TensorCounts = TensorCounts> {
  readonly total: Aggregate;
  /** `embed` first, layers ascending, `head` last; groups without tensors are absent. */
  readonly layers: readonly LayerGroup[];
  /** In the order of `modules`, over the whole model. */
  readonly modules: readonly ModuleGroup<M>[];
  /** By layer (outside the layers last), then in the order of `modules`; empty cells are absent. */
  readonly cells: readonly CellGroup<M, T>[];
}

/** Sum of the figures, each sample scaled to its tensor where `elements` is known. `models`: length of the per-model counts. */
export function sumFigures(parts: readonly TensorCounts[], models: number): Aggregate {
  const figures = emptyFigures(models);
  const events = emptyFigures(models);
  const counted = emptyFigures(models);
  const variance = zeroNumbers(models);
  const doubt = zeroNumbers(models);
  let kink = 0;
  let exactTensors = 0;
  let spreadKnown = true;
  for (const part of parts) {
    addFigures(figures, wholeTensor(part));
    addFigures(events, part.figures);
    if (part.exact) {
      exactTensors++;
      addFigures(counted, part.figures);
    } else if (part.spread) {
      addNumbers(variance, part.spread.variance);
      addNumbers(doubt, part.spread.doubt);
      kink += part.spread.kink;
    } else spreadKnown = false;
  }
  const tensors = parts.length;
  const exactness = exactTensors === 0 ? 'estimate' : exactTensors === tensors ? 'exact' : 'partial';
  const spread = spreadKnown && exactness !== 'exact' ? { variance, doubt, kink } : null;
  return { figures, events, counted, spread, tensors, exactTensors, exactness };
}

/**
 * Breaks counts down by place. `placeOf` reads a tensor's layer and module off its name; `modules` gives the order of
 * modules and, with `embed` in it, which one belongs before the layers. Tensor names must be unique.
 */
export function breakDown<M extends string, T extends TensorCounts>(
  counts: readonly T[],
  placeOf: (tensor: string) => Place<M>,
  modules: readonly M[],
  models: number,
): Breakdown<M, T> {
  const byCell = new Map<string, { place: Place<M>; parts: T[] }>();
  for (const part of counts) {
    const place = placeOf(part.tensor);
    const key = `${place.layer ?? ''}/${place.module}`;
    const cell = byCell.get(key);
    if (cell) cell.parts.push(part);
    else byCell.set(key, { place, parts: [part] });
  }
  const rank = new Map(modules.map((module, index) => [module, index]));
  const cells = [...byCell.values()]
    .map(({ place, parts }) => ({ layer: place.layer, module: place.module, parts, aggregate: sumFigures(parts, models) }))
    .sort((a, b) => (a.layer ?? Infinity) - (b.layer ?? Infinity) || (rank.get(a.module) ?? 0) - (rank.get(b.module) ?? 0));

  const gather = (wanted: (cell: Place<M>) => boolean) => sumFigures(cells.filter(wanted).flatMap((cell) => cell.parts), models);
  const layerNumbers = [...new Set(cells.map((cell) => cell.layer))].filter((layer) => layer !== null);
  const layers: LayerGroup[] = [
    { key: 'embed', layer: null, aggregate: gather((cell) => cell.layer === null && cell.module === 'embed') },
    ...layerNumbers.map((layer) => ({ key: String(layer), layer, aggregate: gather((cell) => cell.layer === layer) })),
    { key: 'head', layer: null, aggregate: gather((cell) => cell.layer === null && cell.module !== 'embed') },
  ];
  return {
    total: sumFigures(counts, models),
    layers: layers.filter((group) => group.aggregate.tensors > 0),
    modules: modules
      .map((module) => ({ module, aggregate: gather((cell) => cell.module === module) }))
      .filter((group) => group.aggregate.tensors > 0),
    cells,
  };
}

/** Modules of one layer, or of the whole model when `layer` is null. */
export function modulesOf<M extends string>(breakdown: Breakdown<M>, layer: number | null): readonly ModuleGroup<M>[] {
  return layer === null ? breakdown.modules : breakdown.cells.filter((cell) => cell.layer === layer);
}

function wholeTensor(part: TensorCounts): Figures {
  const { figures, exact, elements, spread } = part;
  if (!exact && spread) return spread.totals;
  if (exact || elements === undefined || figures.numel === 0 || elements <= figures.numel) return figures;
  const factor = elements / figures.numel;
  const times = (counts: readonly number[]) => counts.map((count) => count * factor);
  return {
    numel: elements,
    kept: times(figures.kept),
    nonzero: times(figures.nonzero),
    conflict: figures.conflict * factor,
    between: times(figures.between),
    won: times(figures.won),
    discarded: times(figures.discarded),
    reserved: figures.reserved * factor,
    reservedCost: figures.reservedCost * factor,
    nonfinite: times(figures.nonfinite),
    overflow: figures.overflow * factor,
  };
}
