/**
 * Whole-model scope (merging.md sections 2 and 6): before a merge, how many values of each tensor are among the first of the
 * model. What ranks the tensors, digit by digit, is a Ranking; where their keys are counted is the caller's.
 */
import type { Scope, TensorParameters } from '../recipe/types';
import { keptCount, keptOf, reservedCount } from './backend';
import { Ranking } from './ranking';
import type { KeyDigit, Tally, TallyCounts } from './tally-types';

/** A merged tensor, or a sample of one. */
export interface RankedSlot {
  readonly name: string;
  readonly parameters: TensorParameters;
  /** Per model: whether it takes part. */
  readonly present: readonly boolean[];
  /** Per model: elements that are counted. */
  readonly modelElements: readonly number[];
  /** Per model, and of all models: elements of the tensor that each counted one stands for. */
  readonly scales: readonly number[];
  readonly scale: number;
}

/**
 * Counts every slot once. In groups as the caller has them: `ask` tells what to count of some of the slots, by their indices, and
 * `take` is given the counts.
 */
export type CountAll = (
  parameters: readonly TensorParameters[],
  ask: (slots: readonly number[]) => Tally[],
  take: (slots: readonly number[], counts: readonly TallyCounts[]) => void,
) => Promise<void>;

export interface Ranked {
  /** Per slot: with the counts that the rankings decided. */
  readonly parameters: readonly TensorParameters[];
  /** Times that everything was counted. */
  readonly rounds: number;
  /** Most bytes that sums and remembered keys took. */
  readonly stateBytes: number;
}

/** Which rankings the parameters ask for: nothing is ranked where everything is kept, or nothing given back. */
export function rankingsOf(slots: readonly Pick<RankedSlot, 'parameters'>[], scope: Scope): { readonly trim: boolean; readonly slack: boolean } {
  return {
    trim: scope.trim === 'model' && slots.some(({ parameters }) => parameters.density.some((k) => k < 1)),
    slack: scope.slack === 'model' && slots.some(({ parameters }) => parameters.slack !== undefined),
  };
}

/** Ranks what `scope` asks for: first what is kept, then, among what that leaves discarded, what is given back. */
export async function rankSlots(slots: readonly RankedSlot[], scope: Scope, digits: readonly KeyDigit[], countAll: CountAll): Promise<Ranked> {
  const { trim, slack } = rankingsOf(slots, scope);
  let parameters = slots.map((slot) => slot.parameters);
  let rounds = 0;
  let stateBytes = 0;
  const rank = async (lanes: readonly Lane[]) => {
    while (lanes.some(({ ranking }) => ranking.digit !== null)) {
      rounds++;
      const open = lanes.filter(({ ranking }) => ranking.digit !== null);
      await countAll(
        parameters,
        (indices) => open.map((lane) => tallyOf(lane, indices)),
        (indices, counts) => open.forEach((lane, i) => addTo(lane, indices, counts[i]!)),
      );
      for (const { ranking } of open) ranking.advance();
    }
    stateBytes = Math.max(stateBytes, lanes.reduce((sum, { ranking }) => sum + ranking.stateBytes, 0));
  };
  if (trim) {
    const lanes = (slots[0]?.present ?? []).map((_, model) => trimLane(slots, model, digits));
    await rank(lanes);
    const counts = lanes.map(({ ranking }) => ranking.counts());
    parameters = slots.map((slot, s) => ({ ...slot.parameters, kept: slot.modelElements.map((all, model) => counts[model]![lanes[model]!.places[s]!] ?? all) }));
  }
  if (slack) {
    const lane = slackLane(slots, parameters, digits);
    await rank([lane]);
    const counts = lane.ranking.counts();
    parameters = parameters.map((own, s) => (own.slack === undefined ? own : { ...own, slack: { ...own.slack, reserved: counts[lane.places[s]!] ?? 0 } }));
  }
  return { parameters, rounds, stateBytes };
}

/** One ranking, and where the slots are in it. */
interface Lane {
  readonly model: number | null;
  readonly prefer: number;
  readonly ranking: Ranking;
  /** Per slot: its place in the ranking; -1 when it is not ranked. */
  readonly places: readonly number[];
}

/** |tau| of one model over the tensors that it trims; those of one density together. */
function trimLane(slots: readonly RankedSlot[], model: number, digits: readonly KeyDigit[]): Lane {
  const isRanked = ({ parameters, present }: RankedSlot) => present[model]! && parameters.density[model]! < 1;
  const tensors = slots.filter(isRanked).map(({ name, parameters, scales }) => ({ name, pool: String(parameters.density[model]), scale: scales[model]! }));
  return { model, prefer: -1, ranking: new Ranking(tensors, digits, (pool, total) => keptCount(Number(pool), total)), places: placesOf(slots, isRanked) };
}

/** |e| over the preferred model's discarded positions; tensors of one slack together. `parameters` hold what is kept. */
function slackLane(slots: readonly RankedSlot[], parameters: readonly TensorParameters[], digits: readonly KeyDigit[]): Lane {
  const { prefer, of } = parameters.find(({ slack }) => slack !== undefined)!.slack!;
  const isRanked = ({ present }: RankedSlot, s: number) => present[prefer]! && parameters[s]!.slack !== undefined;
  const retained = new Map<string, number>();
  const tensors = slots.flatMap((slot, s) => {
    if (!isRanked(slot, s)) return [];
    const own = parameters[s]!;
    const pool = String(own.slack!.s);
    retained.set(pool, (retained.get(pool) ?? 0) + slot.scales[prefer]! * keptOf(own, prefer, slot.modelElements[prefer]!));
    return [{ name: slot.name, pool, scale: slot.scale }];
  });
  const wanted = (pool: string, total: number) => reservedCount(Number(pool), of === 'retained' ? retained.get(pool)! : total, total);
  return { model: null, prefer, ranking: new Ranking(tensors, digits, wanted), places: placesOf(slots, isRanked) };
}

function placesOf(slots: readonly RankedSlot[], isRanked: (slot: RankedSlot, s: number) => boolean): number[] {
  let place = 0;
  return slots.map((slot, s) => (isRanked(slot, s) ? place++ : -1));
}

function tallyOf({ model, prefer, ranking, places }: Lane, indices: readonly number[]): Tally {
  const slots = indices.map((s, row) => (places[s]! < 0 ? null : { row, low: ranking.lowOf(places[s]!) }));
  return { model, prefer: Math.max(0, prefer), digit: ranking.digit!, rows: indices.length, slots };
}

function addTo({ ranking, places }: Lane, indices: readonly number[], counts: TallyCounts): void {
  for (const [row, s] of indices.entries()) if (places[s]! >= 0) ranking.add(places[s]!, counts, row);
}
