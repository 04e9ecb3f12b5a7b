/** Names of models, places and figures on the charts. */
import type { Aggregate, LayerGroup, Place } from '../../analysis/aggregate';
import { formatShare } from '../../analysis/format';
import { estimate } from '../../analysis/estimate';
import type { Metric } from '../../analysis/share';
import type { ModuleKind } from '../../checkpoint/types';
import { showName } from '../format';
import type { ChartData, ChartModel } from './types';

/** In the order of the charts: as in the forward pass. */
const MODULE_LABELS: Readonly<Record<ModuleKind, string>> = {
  embed: 'embed',
  q: 'q',
  k: 'k',
  v: 'v',
  o: 'o',
  gate: 'gate',
  up: 'up',
  down: 'down',
  norm: 'norm',
  lm_head: 'lm_head',
  other: 'other',
};
export const MODULES = Object.keys(MODULE_LABELS) as ModuleKind[];

/** With a name that can be shown: what the charts draw from has no other, nor have their files. */
export function withShownName<T extends { readonly name: string }>(one: T): T {
  return { ...one, name: showName(one.name) };
}

/** `SFT` and `CT` where one model has the role, else the model's name, numbered where two share it. */
export function shortNames(models: readonly ChartModel[]): string[] {
  const alone = (role: ChartModel['role']) => models.filter((model) => model.role === role).length === 1;
  const names = models.map(({ role, name }) => (role !== 'other' && alone(role) ? role.toUpperCase() : name));
  return names.map((name, i) => {
    const before = names.slice(0, i).filter((other) => other === name).length;
    return before === 0 ? name : `${name} (${before + 1})`;
  });
}

export function groupLabel(group: Pick<LayerGroup, 'key' | 'layer'>): { short: string; long: string } {
  if (group.layer !== null) return { short: String(group.layer), long: `Layer ${group.layer}` };
  return group.key === 'embed' ? { short: 'embed', long: 'Embedding' } : { short: 'head/norm', long: 'Head and final norm' };
}
export function placeLabel({ layer, module }: Place<ModuleKind>): string {
  return layer === null ? `${module}, outside the layers` : `layer ${layer}, ${module}`;
}

/** What a figure is called, and what it is a share of. */
export function metricLabel(metric: Metric, names: readonly string[]): { name: string; of: string } {
  const model = 'model' in metric ? (names[metric.model] ?? '') : '';
  switch (metric.kind) {
    case 'conflict':
      return { name: 'conflict', of: 'N' };
    case 'between':
      return { name: `conflict ${names[metric.i] ?? ''} and ${names[metric.j] ?? ''}`, of: 'N' };
    case 'won':
      return { name: `elects ${model}`, of: 'N' };
    case 'discarded':
      return { name: `discarded ${model}`, of: `kept ${model}` };
    case 'nonzero':
      return { name: `nonzero ${model}`, of: `kept ${model}` };
    case 'reserved':
      return { name: 'reserved', of: `kept ${model}` };
    case 'afterSlack':
      return { name: `discarded ${model} after slack`, of: `kept ${model}` };
  }
}

/** The figures of Figure 3 of the paper that the bar charts show, in order. */
export function barMetrics({ models, preferred, electing, slack }: ChartData): Metric[] {
  const metrics: Metric[] = [{ kind: 'conflict' }];
  if (!electing) return metrics;
  models.forEach((_, model) => metrics.push({ kind: 'won', model }));
  if (models[preferred]) {
    metrics.push({ kind: 'discarded', model: preferred });
    if (slack) metrics.push({ kind: 'reserved', model: preferred }, { kind: 'afterSlack', model: preferred });
  }
  return metrics;
}

/** `conflict 9.06 % (142 730 of 1 575 040), elects SFT ...`: the numbers of a bar, for its accessible name. */
export function describe(aggregate: Aggregate, metrics: readonly Metric[], names: readonly string[]): string {
  const numbers = metrics.map((metric) => `${metricLabel(metric, names).name} ${formatShare(estimate(metric, aggregate))}`);
  return [...numbers, ...(aggregate.exactness === 'exact' ? [] : [EXACTNESS_LABEL[aggregate.exactness]])].join(', ');
}
export const EXACTNESS_LABEL: Readonly<Record<Aggregate['exactness'], string>> = {
  exact: 'exact',
  estimate: 'estimate',
  partial: 'partly exact',
};
