import type { Breakdown, CellGroup } from '../../analysis/aggregate';
import type { ModuleKind } from '../../checkpoint/types';
import type { Method } from '../../recipe/types';
import type { ChartView } from '../../state/types';
import type { TensorFigures } from '../../worker/protocol';

export interface ChartsPaneProps {
  tensors: readonly TensorFigures[];
  /** In recipe order, the order of the per-model counts. `colour` is a CSS colour, `var(--sft)` or the like. */
  models: readonly { id: string; name: string; role: 'sft' | 'ct' | 'other'; colour: string }[];
  method: Method;
  /** Index of the preferred model p; its discarded share is the line of Figure 3. */
  preferred: number;
  /** True while figures are on their way; those shown are of the recipe before. */
  loading: boolean;
  /** True while the recipe can have no figures: those shown are of the recipe before, and stay so. */
  outdated: boolean;
  view: ChartView;
  onView: (patch: Partial<ChartsPaneProps['view']>) => void;
}
export type ChartsView = ChartsPaneProps['view'];
export type MapCell = CellGroup<ModuleKind, TensorFigures>;
export type ChartModel = ChartsPaneProps['models'][number];

/** What every chart draws from; changes only with the figures and the models, never with the view. */
export interface ChartData {
  readonly breakdown: Breakdown<ModuleKind, TensorFigures>;
  readonly models: readonly ChartModel[];
  /** Short name per model: its role where no other model has it, else its name. */
  readonly names: readonly string[];
  readonly preferred: number;
  /** What differences are from: `base`, or for a weighted average the short name of the first model. */
  readonly reference: string;
  /** False for methods that elect no sign: only conflicts are drawn. */
  readonly electing: boolean;
  /** True when some position is reserved: figures after slack differ from those before. */
  readonly slack: boolean;
}
export interface TabProps {
  readonly data: ChartData;
  readonly view: ChartsView;
  readonly onView: ChartsPaneProps['onView'];
}
