/** Series, Figure 4 of the paper: several checkpoints of one continual pre-training run in the place of the recipe's. */
import { guessSteps, runOf } from '../checkpoint/series';
import { guessTokens } from '../checkpoint/roles';
import { figuresKey } from '../merge/figures-key';
import type { FitChoices } from '../merge/plan-types';
import type { Recipe } from '../recipe/types';
import { snapshotEstimates } from './snapshots';
import type { Decisions, EstimateState, StudioState, WantedEstimate } from './types';

/** The model of the recipe whose run is drawn: the one chosen, else the first CT, else the last that slack does not prefer. */
export function seriesModel({ decisions, series }: Pick<StudioState, 'decisions' | 'series'>): string | null {
  const { recipe, roles } = decisions.present;
  const ids = recipe.models.map(({ model }) => model);
  if (series.along !== null && ids.includes(series.along)) return series.along;
  return ids.find((id) => roles[id] === 'ct') ?? ids.findLast((id) => id !== recipe.slack.prefer) ?? null;
}

export interface SeriesMember {
  /** Checkpoint id. */
  readonly id: string;
  readonly name: string;
  /** By hand, else guessed from the name; null where nothing says. */
  readonly tokens: number | null;
  readonly byHand: boolean;
  /** Training steps that the name states. */
  readonly steps: number | null;
  /** Whether it is a point of the curve. */
  readonly included: boolean;
  /** Whether it is the one the recipe uses. */
  readonly current: boolean;
}

/**
 * What may stand in the model's place: itself and what is open beside base and models of the recipe. Included are those of the
 * model's run, and what was put in by hand. By tokens; what has none comes last.
 */
export function seriesMembers(state: Pick<StudioState, 'checkpoints' | 'decisions' | 'series'>): SeriesMember[] {
  const { decisions, series, checkpoints } = state;
  const along = seriesModel(state);
  if (along === null) return [];
  const { base, models } = decisions.present.recipe;
  const taken = new Set([base, ...models.map(({ model }) => model)]);
  const candidates = checkpoints.open.filter(({ id }) => id === along || !taken.has(id));
  const run = new Set(runOf(along, candidates));
  return candidates
    .map(({ id, name }): SeriesMember => {
      const typed = series.tokens[id];
      return {
        id,
        name,
        tokens: typed ?? guessTokens(name),
        byHand: typed !== undefined,
        steps: guessSteps(name),
        included: series.members[id] ?? run.has(id),
        current: id === along,
      };
    })
    .sort((a, b) => (a.tokens ?? Infinity) - (b.tokens ?? Infinity) || (a.steps ?? Infinity) - (b.steps ?? Infinity) || 0);
}

/** The decisions with checkpoint `to` in the place of the model `from`. */
export function withCheckpoint({ recipe, choices }: Pick<Decisions, 'recipe' | 'choices'>, from: string, to: string): { recipe: Recipe; choices: FitChoices } {
  const own = (id: string) => (id === from ? to : id);
  const { models, slack, rules, tokenizerFrom } = recipe;
  const { leaveOut, extraRows, integerFrom } = choices;
  return {
    recipe: {
      ...recipe,
      models: models.map((model) => ({ ...model, model: own(model.model) })),
      slack: { ...slack, prefer: own(slack.prefer) },
      rules: rules.map((rule) => (rule.from === undefined ? rule : { ...rule, from: own(rule.from) })),
      tokenizerFrom: tokenizerFrom === null ? null : own(tokenizerFrom),
    },
    choices: {
      ...choices,
      leaveOut: Object.fromEntries(Object.entries(leaveOut).map(([tensor, ids]) => [tensor, ids.map(own)])),
      extraRows: extraRows === 'cut' ? extraRows : { from: own(extraRows.from) },
      integerFrom: Object.fromEntries(Object.entries(integerFrom).map(([tensor, id]) => [tensor, own(id)])),
    },
  };
}

/** The points to estimate, in the order of the curve. */
export function seriesEstimates(state: Pick<StudioState, 'checkpoints' | 'decisions' | 'series'>): WantedEstimate[] {
  const along = seriesModel(state);
  if (along === null) return [];
  return seriesMembers(state)
    .filter(({ included }) => included)
    .map(({ id }) => ({ slot: `series ${id}`, ...withCheckpoint(state.decisions.present, along, id) }));
}

/** The compared snapshot with each point of the curve in the place of its own model of that run; none where it merges none of them. */
export function comparedSeriesEstimates(state: Pick<StudioState, 'checkpoints' | 'decisions' | 'series' | 'snapshots'>): WantedEstimate[] {
  const [compared] = snapshotEstimates(state);
  const members = seriesMembers(state);
  const points = members.filter(({ included }) => included);
  const models = compared?.recipe.models.map(({ model }) => model) ?? [];
  const own = members.find(({ id, current }) => current && models.includes(id)) ?? points.find(({ id }) => models.includes(id));
  if (!compared || own === undefined) return [];
  const taken = new Set([compared.recipe.base, ...models.filter((id) => id !== own.id)]);
  return points.filter(({ id }) => !taken.has(id)).map(({ id }) => ({ slot: `snapshot series ${id}`, ...withCheckpoint(compared, own.id, id) }));
}

/** By checkpoint id: the compared snapshot's estimates of the series that are of it as it is now. */
export function comparedSeriesPoints(state: Pick<StudioState, 'checkpoints' | 'decisions' | 'series' | 'snapshots' | 'estimates'>): Map<string, { estimate: EstimateState; models: number }> {
  const found = new Map<string, { estimate: EstimateState; models: number }>();
  for (const { slot, recipe, choices } of comparedSeriesEstimates(state)) {
    const estimate = state.estimates[slot];
    if (estimate?.key === figuresKey(recipe, choices)) found.set(slot.slice('snapshot series '.length), { estimate, models: recipe.models.length });
  }
  return found;
}

/** An estimate of the series, and whether it is of the recipe as it is now. */
export interface SeriesEstimate {
  readonly member: SeriesMember;
  readonly estimate: EstimateState | null;
  readonly current: boolean;
}

export function seriesPoints(state: Pick<StudioState, 'checkpoints' | 'decisions' | 'series' | 'estimates'>): SeriesEstimate[] {
  const keys = new Map(seriesEstimates(state).map(({ slot, recipe, choices }) => [slot, figuresKey(recipe, choices)]));
  return seriesMembers(state)
    .filter(({ included }) => included)
    .map((member) => {
      const slot = `series ${member.id}`;
      const estimate = state.estimates[slot] ?? null;
      return { member, estimate, current: estimate !== null && estimate.key === keys.get(slot) };
    });
}
