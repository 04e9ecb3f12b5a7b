/** Live figures: a sample of every tensor is held on the backend, so that a change of a parameter reads nothing. */
import { CancelledError } from '../bytes/errors';
import type { Backend, GroupResult, Held } from '../merge/backend';
import type { SlotDistribution } from '../merge/exploring';
import { figuresKey } from '../merge/figures-key';
import type { OpenShard } from '../merge/reading';
import { sampleParameters } from '../merge/sample';
import { rankSample } from '../merge/sample-ranking';
import { isPooled, spreadsOf } from '../merge/spread';
import { scopeOf } from '../recipe/resolve';
import type { TensorParameters } from '../recipe/types';
import type { ExactFigures } from './exact-figures';
import { checkpointsOf } from '../compose/export-input';
import { tensorFigures } from './figures';
import { Gate } from './gate';
import { Rating } from './rating';
import type { BackendHost } from './host';
import type { SampleInfo, TensorFigures, TensorView } from './protocol';
import type { Sample } from './sample';
import { Samples } from './samples';
import type { Entry, Question } from './samples';
import type { Sizing, Speed } from './sizing';

export interface Explored {
  readonly tensors: readonly TensorFigures[];
  readonly sample: SampleInfo;
}

type Evaluated = (sample: Sample, parameters: readonly TensorParameters[], result: GroupResult) => void;

/** A figure beside the screen that has not been answered. */
interface Waiting {
  readonly checkpoints: ReadonlySet<string>;
  readonly controller: AbortController;
}

/**
 * Answers from what was counted, else from a sample: first a coarse one, so that charts stand at once, then one as large as this
 * backend evaluates within a slider's step. What is on the screen goes before what is beside it, and both before refining, which
 * also waits for jobs.
 */
export class Explorer {
  /** Merges and scans: they run `during` it. */
  readonly jobs = new Gate();
  private readonly atScreen = new Gate();
  private readonly samples: Samples;
  private readonly speeds = new WeakMap<Backend, Speed>();
  private readonly waiting = new Set<Waiting>();
  private lastEstimate: Promise<unknown> = Promise.resolve();
  private readonly rating: Rating;

  /** `onFiner`: the question last asked now has a better answer. */
  constructor(
    private readonly host: BackendHost,
    openShard: OpenShard,
    private readonly exact: ExactFigures,
    sizing: Sizing,
    private readonly onFiner: () => void,
  ) {
    this.samples = new Samples(openShard, sizing, () => this.atScreen.idle());
    this.rating = new Rating(sizing.rest, () => this.quiet());
  }

  /**
   * Figures of every merged tensor. A request that is aborted while the sample is read leaves it to the next one of the same key.
   * Rejects as `planSample` and the backend do.
   */
  figures(question: Question, signal: AbortSignal): Promise<Explored> {
    this.rating.stop();
    return this.onScreen(question, async (entry) => {
      const counted = await this.exact.all(figuresKey(question.recipe, question.choices));
      if (counted) return wholly(counted);
      const answer = await this.estimated(entry, question, signal, (sample, parameters, result) => this.rate(entry, question, sample, parameters, result));
      this.refine(entry, question);
      return answer;
    });
  }

  /** As `figures`, for a question beside the one on the screen. One after the other; rejects with CancelledError when a checkpoint of it is closed. */
  beside(question: Question): Promise<readonly TensorFigures[]> {
    const checkpoints = new Set(checkpointsOf(question.recipe, question.open).map(({ id }) => id));
    const waiting = { checkpoints, controller: new AbortController() };
    const { signal } = waiting.controller;
    this.waiting.add(waiting);
    const answer = this.lastEstimate.then(() => this.answerBeside(question, signal)).finally(() => this.waiting.delete(waiting));
    this.lastEstimate = answer.catch(() => {});
    return unlessAborted(answer, signal);
  }

  /** A view of every merged tensor that has it. */
  views<T>(
    question: Question,
    signal: AbortSignal,
    look: (held: Held, parameters: readonly TensorParameters[]) => Promise<readonly (T | null)[]>,
  ): Promise<TensorView<T>[]> {
    return this.onScreen(question, (entry) =>
      this.look(entry, signal, async (sample) => {
        const { names, whole } = sample.plan;
        const parameters = sampleParameters(question.recipe, sample.plan);
        const views = await sample.use(async (held) => look(held, await rankSample(sample.plan, parameters, scopeOf(question.recipe), held, signal)));
        return views.flatMap((view, i) => (view === null ? [] : [{ tensor: names[i]!, elements: sample.tensorElements[i]!, exact: whole[i]!, view }]));
      }),
    );
  }

  /** How |tau| of one tensor spread; null when it is not merged. */
  distribution(question: Question, tensor: string, signal: AbortSignal): Promise<TensorView<SlotDistribution> | null> {
    return this.onScreen(question, (entry) =>
      this.look(entry, signal, async (sample) => {
        const slot = sample.plan.names.indexOf(tensor);
        if (slot < 0) return null;
        const view = await sample.use((held) => held.distribution(slot, signal));
        return { tensor, elements: sample.tensorElements[slot]!, exact: sample.plan.whole[slot]!, view };
      }),
    );
  }

  /** A checkpoint is closed: its samples go, and who waits for a figure of it is told. */
  forget(checkpoint: string): void {
    for (const { checkpoints, controller } of this.waiting) if (checkpoints.has(checkpoint)) controller.abort();
    this.samples.forget(checkpoint);
  }

  private onScreen<T>(question: Question, answer: (entry: Entry) => Promise<T>): Promise<T> {
    // A merge that is under way stays where it is: for its chunks there may be room.
    const mayLeave = () => this.jobs.isIdle;
    return this.atScreen.during(() => this.host.use((backend) => answer(this.samples.open(backend, question, true)), mayLeave));
  }

  private async answerBeside(question: Question, signal: AbortSignal): Promise<readonly TensorFigures[]> {
    await this.atScreen.idle();
    return this.host.use(async (backend) => {
      if (signal.aborted) throw new CancelledError();
      const counted = await this.exact.all(figuresKey(question.recipe, question.choices));
      if (counted && isOpen(question)) return counted;
      return (await this.estimated(this.samples.open(backend, question, false), question, signal)).tensors;
    });
  }

  /** `then`: told what was evaluated, once it is. */
  private estimated(entry: Entry, { recipe, choices }: Question, signal: AbortSignal, then?: Evaluated): Promise<Explored> {
    return this.look(entry, signal, async (sample) => {
      const { plan } = sample;
      const scope = scopeOf(recipe);
      const { parameters, result } = await sample.use(async (held) => {
        const ranked = await rankSample(plan, sampleParameters(recipe, plan), scope, held, signal);
        return { parameters: ranked, result: await held.evaluate(ranked, signal) };
      });
      // One more kept value of a tensor is no other's loss where each is trimmed for itself: only there its worth can be measured.
      if (scope.trim === 'tensor') then?.(sample, parameters, result);
      const spreads = spreadsOf(plan, result, parameters, entry.rated?.rates);
      const counted = this.exact.some(figuresKey(recipe, choices));
      const tensors = result.slots.map((slot, i) => {
        const name = plan.names[i]!;
        const own = counted.get(name) ?? tensorFigures(name, slot, { slot: plan.group.slots[i]!.elements, tensor: sample.tensorElements[i]! }, spreads[i]);
        return sample.isWhole || counted.has(name) || !isPooled(parameters[i]!) ? own : { ...own, exact: false };
      });
      return { tensors, sample: sample.info(entry.isSettled) };
    });
  }

  /** Looks at the best sample there is, and at the next when it is replaced meanwhile. */
  private async look<T>(entry: Entry, signal: AbortSignal, act: (sample: Sample) => Promise<T>): Promise<T> {
    for (;;) {
      const looked = entry.best;
      const sample = await unlessAborted(looked.sample, signal);
      if (looked === entry.best) return act(sample);
    }
  }

  /** Measures what the intervals of this answer should rest on; when there, the question has a better answer. */
  private rate(entry: Entry, question: Question, ...evaluated: Parameters<Evaluated>): void {
    const key = figuresKey(question.recipe, question.choices);
    if (!entry.isSettled || entry.rated?.key === key) return;
    void this.rating.measure(key, ...evaluated).then((rated) => {
      if (rated === null) return;
      entry.rated = rated;
      this.onFiner();
    });
  }

  /** Begins to refine what is on the screen, once. */
  private refine(entry: Entry, question: Question): void {
    if (entry.isSettled || entry.isRefining) return;
    entry.isRefining = true;
    this.refined(entry, question)
      // Whatever kept a finer sample from being read, memory, the device or a file, the present one is as good as it was. Trying
      // again would fail again, and a merge, which needs what could not be read, says what it is.
      .catch(() => {})
      .finally(() => {
        entry.isRefining = false;
        entry.isSettled = true;
        this.onFiner();
      });
  }

  private async refined(entry: Entry, question: Question): Promise<void> {
    const { isWhole } = await entry.best.sample;
    if (isWhole) return;
    await this.samples.refine(entry, question, await this.speed(entry, question));
  }

  /** How fast this backend evaluates: measured once, on the coarse sample. */
  private async speed({ backend, best }: Entry, { recipe }: Question): Promise<Speed> {
    const known = this.speeds.get(backend);
    if (known) return known;
    const sample = await best.sample;
    const own = sampleParameters(recipe, sample.plan);
    let milliseconds = Infinity;
    // The first of several pays for what is compiled and allocated once. A backend may skip what has not changed.
    for (const change of [0.97, 0.94, 0.91]) {
      await this.quiet();
      const parameters = own.map(({ weight, density, ...others }) => ({ ...others, weight: weight.map((w) => w * change), density: density.map((k) => k * change) }));
      const started = performance.now();
      await sample.use((held) => held.evaluate(parameters));
      milliseconds = Math.min(milliseconds, performance.now() - started);
    }
    const speed = { milliseconds, values: sample.values };
    this.speeds.set(backend, speed);
    return speed;
  }

  /** Resolves when no job runs and nobody waits at the screen. */
  async quiet(): Promise<void> {
    while (!this.jobs.isIdle || !this.atScreen.isIdle) {
      await this.jobs.idle();
      await this.atScreen.idle();
    }
  }
}

/** Whether everything the recipe merges is there. */
function isOpen({ open, recipe: { base, models } }: Question): boolean {
  return [...(base === null ? [] : [base]), ...models.map(({ model }) => model)].every((id) => open.some((checkpoint) => checkpoint.id === id));
}

/** Counted whole: no sample stands behind it. */
function wholly(tensors: readonly TensorFigures[]): Explored {
  const values = tensors.reduce((sum, { figures }) => sum + figures.numel, 0);
  return { tensors, sample: { values, of: values, bytes: 0, reads: 0, settled: true } };
}

/** `promise`, or CancelledError as soon as `signal` is aborted. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(new CancelledError());
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
