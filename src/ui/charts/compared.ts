/** The snapshot that is compared, as the charts need it: its figures, and which of its models is which of the recipe's. */
import { useMemo } from 'react';
import { breakDown, type Breakdown } from '../../analysis/aggregate';
import type { Metric } from '../../analysis/share';
import { placeOf } from '../../checkpoint/places';
import type { ModuleKind } from '../../checkpoint/types';
import { needsBase, traitsOf } from '../../recipe/methods';
import type { Setting } from '../../recipe/types';
import { modelLabels } from '../../state/selectors';
import { fulfilSnapshot } from '../../state/snapshots';
import type { ComparedView, ComparedViewName } from '../../state/types';
import type { TensorFigures } from '../../worker/protocol';
import { showName } from '../format';
import { useStudio } from '../studio';
import { MODULES } from './labels';
import type { ChartModel } from './types';

/** Of everything that is the snapshot's. */
export const COMPARED_COLOUR = 'var(--m3)';

export interface Compared {
  readonly name: string;
  readonly breakdown: Breakdown<ModuleKind, TensorFigures>;
  readonly electing: boolean;
  /** Per model of the recipe on the screen: index of the same one in the snapshot's, null where it has none. */
  readonly models: readonly (number | null)[];
  /** Per model of the snapshot: its density where that is one number for all tensors, else null. */
  readonly densities: readonly (number | null)[];
  /** Index of the snapshot's preferred model. */
  readonly preferred: number;
  /** What its differences are from: `base`, or for a weighted average the name of its first model. */
  readonly reference: string;
  /** Its s where that is one number and used, and what s is a share of. */
  readonly slack: { readonly s: number | null; readonly of: 'retained' | 'discarded' };
}

/** The metric as the snapshot's figures have it; null where they have none such. */
export function comparedMetric(metric: Metric, { models, electing, preferred }: Compared): Metric | null {
  if (metric.kind === 'conflict') return metric;
  if (metric.kind === 'between') {
    const [i, j] = [models[metric.i] ?? null, models[metric.j] ?? null];
    return i === null || j === null || i === j ? null : { ...metric, i: Math.min(i, j), j: Math.max(i, j) };
  }
  const model = models[metric.model] ?? null;
  if (model === null) return null;
  if (metric.kind === 'nonzero') return { ...metric, model };
  if (!electing) return null;
  // Reserved positions are the preferred model's alone.
  if ((metric.kind === 'reserved' || metric.kind === 'afterSlack') && model !== preferred) return null;
  return { ...metric, model };
}

const numberOf = (setting: Setting<number>) => (typeof setting === 'number' ? setting : null);

/** Null while nothing is compared, or its figures are not there. */
export function useCompared(models: readonly ChartModel[]): Compared | null {
  const snapshots = useStudio((state) => state.snapshots);
  const open = useStudio((state) => state.checkpoints.open);
  const roles = useStudio((state) => state.decisions.present.roles);
  const estimate = useStudio((state) => state.estimates[`snapshot ${state.snapshots.compared}`]);
  return useMemo(() => {
    const snapshot = snapshots.list.find(({ id }) => id === snapshots.compared);
    const found = snapshot && fulfilSnapshot(snapshot, open, roles);
    if (!found || !estimate || estimate.tensors.length === 0) return null;
    const { recipe } = found;
    const labels = modelLabels(recipe.models.map(({ model }) => model), found.roles, open);
    if (estimate.tensors.some(({ figures }) => figures.kept.length !== labels.length)) return null;
    const taken = new Set<number>();
    const same = (fits: (label: (typeof labels)[number]) => boolean) => {
      const at = labels.findIndex((label, i) => !taken.has(i) && fits(label));
      if (at >= 0) taken.add(at);
      return at < 0 ? null : at;
    };
    // The same checkpoint first; else whoever has its role, such as another CT of the run.
    const byId = models.map(({ id }) => same((label) => label.id === id));
    return {
      name: showName(snapshot.name),
      breakdown: breakDown(estimate.tensors, placeOf, MODULES, labels.length),
      electing: traitsOf(recipe.method).elects,
      models: models.map(({ role }, i) => byId[i] ?? same((label) => label.role === role)),
      densities: recipe.models.map(({ density }) => numberOf(density)),
      preferred: labels.findIndex(({ id }) => id === recipe.slack.prefer),
      reference: !needsBase(recipe.method) ? showName(labels[0]?.name ?? '') : 'base',
      slack: { s: traitsOf(recipe.method).slack ? numberOf(recipe.slack.s) : null, of: recipe.slack.of },
    };
  }, [snapshots, open, roles, estimate, models]);
}

/** The compared snapshot's answer to a view; null until it is there. */
export function useComparedView<N extends ComparedViewName>(name: N): ComparedView<N> | null {
  return useStudio(({ comparedViews, snapshots }) => {
    const own = comparedViews[name];
    return own !== null && snapshots.compared !== null && own.snapshot === snapshots.compared ? own : null;
  });
}
