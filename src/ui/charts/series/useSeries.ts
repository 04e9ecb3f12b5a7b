import { useMemo } from 'react';
import { breakDown, type Breakdown } from '../../../analysis/aggregate';
import type { SeriesMerge } from '../../../analysis/series';
import { placeOf } from '../../../checkpoint/places';
import type { ModuleKind } from '../../../checkpoint/types';
import { comparedSeriesPoints, seriesMembers, seriesModel, seriesPoints, type SeriesEstimate, type SeriesMember } from '../../../state/series';
import type { EstimateState } from '../../../state/types';
import { useStudio } from '../../studio';
import { MODULES, withShownName } from '../labels';

export interface SeriesPoint extends SeriesMerge<ModuleKind> {
  readonly member: SeriesMember;
}
export interface SeriesView {
  /** Checkpoint id of the model whose run it is; null without a model. */
  readonly along: string | null;
  readonly members: readonly SeriesMember[];
  /** Drawn: estimated and placed, by abscissa. */
  readonly points: readonly SeriesPoint[];
  /** The compared snapshot's points of the same members, in the snapshot's order of models. */
  readonly compared: readonly SeriesPoint[];
  /** Members of the series with what came of asking for them. */
  readonly asked: readonly SeriesEstimate[];
  /** Points that are still of an earlier recipe, or not there yet. */
  readonly missing: number;
  readonly unit: 'tokens' | 'steps';
}

/** Sums per estimate: they change with the estimate only. */
const breakdowns = new WeakMap<EstimateState, Breakdown<ModuleKind>>();

/** The series as the store has it, by tokens where any are known, else by steps. */
export function useSeries(models: number): SeriesView {
  const snapshots = useStudio((state) => state.snapshots);
  const open = useStudio((state) => state.checkpoints.open);
  const present = useStudio((state) => state.decisions);
  const series = useStudio((state) => state.series);
  const estimates = useStudio((state) => state.estimates);
  return useMemo(() => {
    const state = { checkpoints: { open, problems: [], ignored: [], opening: 0 }, decisions: present, series, estimates, snapshots };
    const members = seriesMembers(state).map(withShownName);
    const asked = seriesPoints(state).map((one) => ({ ...one, member: withShownName(one.member) }));
    const unit = members.every(({ tokens }) => tokens === null) && members.some(({ steps }) => steps !== null) ? 'steps' : 'tokens';
    const points = asked
      .flatMap(({ member, estimate }): SeriesPoint[] => {
        const x = member[unit];
        if (x === null || estimate === null || estimate.tensors.length === 0) return [];
        const breakdown = breakdownOf(estimate, models);
        return breakdown === null ? [] : [{ x, member, breakdown }];
      })
      .sort((a, b) => a.x - b.x);
    const theirs = comparedSeriesPoints(state);
    const compared = points.flatMap(({ x, member }): SeriesPoint[] => {
      const own = theirs.get(member.id);
      const breakdown = own && own.estimate.tensors.length > 0 ? breakdownOf(own.estimate, own.models) : null;
      return breakdown === null ? [] : [{ x, member, breakdown }];
    });
    return { along: seriesModel(state), members, points, compared, asked, missing: asked.filter(({ current }) => !current).length, unit };
  }, [open, present, series, estimates, snapshots, models]);
}

/** Null where the estimate is of another number of models: the recipe has changed since. */
function breakdownOf(estimate: EstimateState, models: number): Breakdown<ModuleKind> | null {
  if (estimate.tensors.some(({ figures }) => figures.kept.length !== models)) return null;
  const known = breakdowns.get(estimate);
  if (known) return known;
  const made = breakDown(estimate.tensors, placeOf, MODULES, models);
  breakdowns.set(estimate, made);
  return made;
}
