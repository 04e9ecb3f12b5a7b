/** Repeated sampling of checkpoints whose exact figures are known: how far estimates are off, and how often intervals say so. */
import { breakDown, type Aggregate, type Breakdown } from '../src/analysis/aggregate';
import { estimate } from '../src/analysis/estimate';
import type { Metric } from '../src/analysis/share';
import { placeOf } from '../src/checkpoint/places';
import { MODULE_KINDS, type Checkpoint, type ModuleKind } from '../src/checkpoint/types';
import type { Backend, ReadSegment } from '../src/merge/backend';
import { DEFAULT_CHOICES } from '../src/merge/plan-types';
import { measuredRates, probeParameters } from '../src/merge/rates';
import { inputPart } from '../src/merge/inputs';
import type { OpenShard } from '../src/merge/reading';
import { planSample, sampleParameters, type SampleOptions, type SamplePlan } from '../src/merge/sample';
import { spreadsOf } from '../src/merge/spread';
import type { Recipe } from '../src/recipe/types';
import { tensorFigures } from '../src/worker/figures';
import type { TensorFigures } from '../src/worker/protocol';

export interface Given {
  readonly checkpoints: readonly Checkpoint[];
  readonly openShard: OpenShard;
  readonly recipe: Recipe;
  readonly backend: Backend;
}

/** Of one figure of one layer (or `total`) over all draws. */
export interface Row {
  readonly metric: Metric;
  readonly group: string;
  readonly truth: number;
  /** Estimates, per draw. */
  readonly values: number[];
  /** Half the width of the interval, per draw. */
  readonly halves: number[];
  /** Draws whose interval holds the truth, lies above it, lies below it. */
  holds: number;
  above: number;
  below: number;
  /** Draws that gave an upper bound for having met few events. */
  bounds: number;
}

/**
 * Figures of one draw as the explorer makes them. With `rated` what one more kept value brings is measured, as the explorer
 * does at rest; else it is approximated, as in its first answer.
 */
export async function draw({ checkpoints, openShard, recipe, backend }: Given, options: SampleOptions, rated: boolean): Promise<Breakdown<ModuleKind>> {
  const plan = planSample(checkpoints, recipe, DEFAULT_CHOICES, options);
  const held = await backend.hold(plan.group, blocksOf(plan, openShard));
  const parameters = sampleParameters(recipe, plan);
  const result = await held.evaluate(parameters);
  const probes = [];
  if (rated) for (const probe of probeParameters(parameters)) probes.push(probe && (await held.evaluate(probe)));
  const rates = rated ? measuredRates(result, probes, plan.names.map((name) => placeOf(name).module)) : null;
  held.release();
  const spreads = spreadsOf(plan, result, parameters, rates);
  const elements = plan.group.slots.map(() => 0);
  plan.group.chunks[0]!.forEach(({ slot }, i) => (elements[slot] = plan.segments[i]!.elements));
  const tensors = result.slots.map(
    (slot, i): TensorFigures => tensorFigures(plan.names[i]!, slot, { slot: plan.group.slots[i]!.elements, tensor: elements[i]! }, spreads[i]),
  );
  return breakDown(tensors, placeOf, MODULE_KINDS, recipe.models.length);
}

/** Each block as it is asked for: nothing around it is read, which in memory would take longer than the block. */
function blocksOf({ group, inputs, segments }: SamplePlan, openShard: OpenShard): ReadSegment {
  const places = new Map(group.chunks[0]!.map(({ slot, first }, place) => [`${slot}:${first}`, place]));
  return async ({ slot, first, count }, input) => {
    const place = places.get(`${slot}:${first}`)!;
    const [range] = inputPart(group.slots[slot]!, input, inputs[slot]![input]!, segments[place]!.first, count).ranges;
    return (await openShard(range!.checkpoint, range!.shard)).read(range!.begin, range!.end);
  };
}

/** `draws` samples with seeds 1, 2, ..., each held against the figures of all values. */
export async function cover(given: Given, options: Omit<SampleOptions, 'seed'>, metrics: readonly Metric[], draws: number, rated = true): Promise<Row[]> {
  const exact = groupsOf(await draw(given, { ...options, bytes: Infinity, values: Infinity }, false));
  const rows = metrics.flatMap((metric) =>
    exact.map(([group, aggregate]): Row => ({ metric, group, truth: estimate(metric, aggregate).value!, values: [], halves: [], holds: 0, above: 0, below: 0, bounds: 0 })),
  );
  for (let seed = 1; seed <= draws; seed++) {
    const drawn = new Map(groupsOf(await draw(given, { ...options, seed }, rated)));
    for (const row of rows) {
      const { value, interval } = estimate(row.metric, drawn.get(row.group)!);
      row.values.push(value!);
      row.halves.push((interval!.high - interval!.low) / 2);
      if (interval!.kind === 'upper') row.bounds++;
      if (interval!.low > row.truth) row.above++;
      else if (interval!.high < row.truth) row.below++;
      else row.holds++;
    }
  }
  return rows;
}

/** The whole model as `total`, then the bars of the layer chart. */
export function groupsOf({ total, layers }: Breakdown<ModuleKind>): (readonly [string, Aggregate])[] {
  return [['total', total], ...layers.map(({ key, aggregate }) => [key, aggregate] as const)];
}
