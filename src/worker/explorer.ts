/** Live figures: a sample of every tensor is held on the backend, so that a change of a parameter reads nothing. */
import { CancelledError, asStudioError } from '../bytes/errors';
import type { Checkpoint } from '../checkpoint/types';
import type { Backend, Held } from '../merge/backend';
import type { SlotDistribution } from '../merge/exploring';
import type { FitChoices } from '../merge/plan-types';
import type { OpenShard } from '../merge/reading';
import { REFINED_BLOCKS, planSample, sampleKey, sampleParameters } from '../merge/sample';
import { readSample } from '../merge/sample-reading';
import type { SamplePlan } from '../merge/sample';
import { spreadsOf } from '../merge/spread';
import type { Recipe, TensorParameters } from '../recipe/types';
import { tensorFigures } from './figures';
import type { BackendHost } from './host';
import type { SampleInfo, TensorFigures, TensorView } from './protocol';

/** Bytes of a sample: the charts settle long before, and it takes a disk about a second. */
export const SAMPLE_BYTES = 256 * 2 ** 20;
/** Below this a sample of a large model says little, and a device that cannot hold it cannot merge either. */
const LEAST_SAMPLE_BYTES = 16 * 2 ** 20;

interface Sample {
  readonly plan: SamplePlan;
  readonly held: Held;
}
/** The sample that is held or being read. */
interface Resident {
  readonly key: string;
  readonly backend: Backend;
  readonly sample: Promise<Sample>;
  readonly controller: AbortController;
}

export class Explorer {
  private resident: Resident | null = null;

  constructor(
    private readonly host: BackendHost,
    private readonly openShard: OpenShard,
  ) {}

  /**
   * Figures of every merged tensor, from the sample or exact where the sample is the whole tensor. `open` are all open
   * checkpoints. A request that is aborted while the sample is read leaves it to the next one of the same key. Rejects as
   * `planSample` and the backend do.
   */
  figures(
    open: readonly Checkpoint[],
    recipe: Recipe,
    choices: FitChoices,
    signal: AbortSignal,
  ): Promise<{ readonly tensors: TensorFigures[]; readonly sample: SampleInfo }> {
    return this.ask(open, recipe, choices, signal, async ({ plan, held }, parameters) => {
      const result = await held.evaluate(parameters, signal);
      const tensor = tensorElements(plan);
      const spreads = spreadsOf(plan, result, parameters);
      const tensors = result.slots.map((slot, i) =>
        tensorFigures(plan.names[i]!, slot, { slot: plan.group.slots[i]!.elements, tensor: tensor[i]! }, spreads[i]),
      );
      return { tensors, sample: sampleInfo(plan) };
    });
  }

  /** A view of every merged tensor that has it. */
  views<T>(
    open: readonly Checkpoint[],
    recipe: Recipe,
    choices: FitChoices,
    signal: AbortSignal,
    look: (held: Held, parameters: readonly TensorParameters[]) => Promise<readonly (T | null)[]>,
  ): Promise<TensorView<T>[]> {
    return this.ask(open, recipe, choices, signal, async ({ plan, held }, parameters) => {
      const elements = tensorElements(plan);
      const views = await look(held, parameters);
      return views.flatMap((view, i) => (view === null ? [] : [{ tensor: plan.names[i]!, elements: elements[i]!, exact: plan.whole[i]!, view }]));
    });
  }

  /** How |tau| of one tensor spread; null when it is not merged. */
  distribution(
    open: readonly Checkpoint[],
    recipe: Recipe,
    choices: FitChoices,
    tensor: string,
    signal: AbortSignal,
  ): Promise<TensorView<SlotDistribution> | null> {
    return this.ask(open, recipe, choices, signal, async ({ plan, held }) => {
      const slot = plan.names.indexOf(tensor);
      if (slot < 0) return null;
      return { tensor, elements: tensorElements(plan)[slot]!, exact: plan.whole[slot]!, view: await held.distribution(slot, signal) };
    });
  }

  private ask<T>(
    open: readonly Checkpoint[],
    recipe: Recipe,
    choices: FitChoices,
    signal: AbortSignal,
    answer: (sample: Sample, parameters: readonly TensorParameters[]) => Promise<T>,
  ): Promise<T> {
    return this.host.use(async (backend) => {
      const sample = await unlessAborted(this.sample(backend, open, recipe, choices), signal);
      return answer(sample, sampleParameters(recipe, sample.plan));
    });
  }

  /** Lets go of the sample: a checkpoint was closed or given other files. */
  forget(): void {
    const { resident } = this;
    this.resident = null;
    if (!resident) return;
    resident.controller.abort();
    // A sample that never came about has told whoever asked for it.
    resident.sample.then(({ held }) => held.release()).catch(() => {});
  }

  private sample(backend: Backend, open: readonly Checkpoint[], recipe: Recipe, choices: FitChoices): Promise<Sample> {
    const key = sampleKey(recipe, choices);
    const { resident } = this;
    if (resident?.key === key && resident.backend === backend) return resident.sample;
    this.forget();
    const controller = new AbortController();
    const sample = this.hold(backend, open, recipe, choices, controller.signal);
    const next = { key, backend, sample, controller };
    this.resident = next;
    sample.catch(() => {
      if (this.resident === next) this.resident = null;
    });
    return sample;
  }

  /** Halves the sample until it fits. */
  private async hold(backend: Backend, open: readonly Checkpoint[], recipe: Recipe, choices: FitChoices, signal: AbortSignal): Promise<Sample> {
    for (let budget = Math.min(backend.chunkBytes, SAMPLE_BYTES); ; budget /= 2) {
      const plan = planSample(open, recipe, choices, { bytes: budget, values: Infinity, blocks: REFINED_BLOCKS });
      if (plan.names.length === 0) return { plan, held: NOTHING };
      try {
        return { plan, held: await backend.hold(plan.group, readSample(plan, this.openShard, signal)) };
      } catch (error) {
        if (asStudioError(error).code !== 'out-of-memory' || budget <= LEAST_SAMPLE_BYTES) throw error;
      }
    }
  }
}

/** Per slot: N of the whole tensor. */
function tensorElements({ group, segments }: SamplePlan): number[] {
  const elements = group.slots.map(() => 0);
  group.chunks[0]!.forEach(({ slot }, i) => (elements[slot] = segments[i]!.elements));
  return elements;
}

function sampleInfo(plan: SamplePlan): SampleInfo {
  const { group, bytes } = plan;
  const values = group.slots.reduce((sum, { elements }) => sum + elements, 0);
  const reads = group.chunks[0]!.reduce((sum, { present }) => sum + present.filter(Boolean).length, 0);
  return { values, of: tensorElements(plan).reduce((sum, elements) => sum + elements, 0), bytes, reads, settled: true };
}

/** Held for a recipe that merges no tensor. */
const NOTHING: Held = {
  group: { method: 'linear', slots: [], chunks: [[]] },
  evaluate: async () => ({ slots: [], segments: [] }),
  surface: async () => [],
  slackCurve: async () => [],
  effect: async () => [],
  distribution: async () => ({ counts: [] }),
  release: () => {},
};

/** `promise`, or CancelledError as soon as `signal` is aborted. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(new CancelledError());
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
