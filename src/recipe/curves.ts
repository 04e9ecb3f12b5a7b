/** Settings that differ along the layers or by module, edited: points of a gradient, rules of a filter list (merging.md section 9). */
import { evaluateSetting } from './resolve';
import { isFilterList, matchesAll } from './settings';
import type { FilterRule, Gradient, Setting } from './types';

/** Most points one can tell apart by hand; a list of more is kept as it is. */
export const MAX_POINTS = 16;

/** Kinds of tensors by a part of their names, as Llama and its kin call them. */
export const FILTERS: readonly { readonly label: string; readonly filter: string }[] = [
  { label: 'Attention', filter: 'self_attn' },
  { label: 'MLP', filter: 'mlp' },
  { label: 'Embeddings', filter: 'embed_tokens' },
  { label: 'Head', filter: 'lm_head' },
  { label: 'Norms', filter: 'norm' },
];

/** The gradient as points; a number is a level line of two. */
export function pointsOf(gradient: Gradient<number>): readonly number[] {
  return typeof gradient === 'number' ? [gradient, gradient] : gradient;
}

/** `count` points of the same curve, evenly spread; those of the old curve that fall between are lost. Six digits. */
export function resampled(points: readonly number[], count: number): number[] {
  return Array.from({ length: count }, (_, i) => Number(Number(evaluateSetting<number>(points, '', count < 2 ? 0 : i / (count - 1))).toPrecision(6)));
}

/** The points with that of `index` at `value`. */
export function withPoint(points: readonly number[], index: number, value: number): number[] {
  return points.map((one, i) => (i === index ? value : one));
}

/** One point per layer's share of the curve: `layers` many layers with `points` points, the layer at which each point lies. */
export function layerOfPoint(index: number, points: number, layers: number): number {
  return points < 2 ? 0 : (index / (points - 1)) * Math.max(0, layers - 1);
}

/** The setting as a list of rules that means the same, ended by one for all tensors, so that a rule can be put before it. */
export function asRules(setting: Setting<number>, otherwise: number): readonly FilterRule<number>[] {
  if (!isFilterList(setting)) return [{ value: setting }];
  const all = setting.findIndex(({ filter }) => matchesAll(filter));
  return all < 0 ? [...setting, { value: otherwise }] : setting.slice(0, all + 1);
}

/** A further rule before the last, the one for all other tensors: for the first kind that has none, at that one's value. */
export function withNewRule(rules: readonly FilterRule<number>[]): FilterRule<number>[] {
  const kind = FILTERS.find(({ filter }) => !rules.some((rule) => rule.filter === filter)) ?? FILTERS[0]!;
  const last = rules.at(-1)!;
  return [...rules.slice(0, -1), { filter: kind.filter, value: last.value }, last];
}
